//! What can be set on a channel; each means has fields of its own.

use super::{
    field::{Field, Fields, Line},
    post::Post,
};
use crate::calls::alerts::{Known, SaveChannel};
use leptos::{prelude::*, server_fn::ServerFn};
use model::{Channel, ChannelKind};

/// The form, for a new channel or one that exists.
pub(crate) fn settings(channel: Option<&Channel>, known: &Known) -> AnyView {
    let post = Post::new(SaveChannel::PATH, "Channel saved", || ());
    let fields = Fields { group: "form", post };
    let field = |name, label, help| Field { name, label, help };
    let of = |read: fn(&Channel) -> String| channel.map(read).unwrap_or_default();
    let kept = |name: &str, stored: String| post.kept(name, stored);
    let first = kept("kind", channel.map_or(ChannelKind::Email, |channel| channel.kind).code().to_owned());
    let new = channel.is_none();
    let means: Vec<_> = ChannelKind::ALL
        .iter()
        .map(|one| view! { <option value=one.code() selected=one.code() == first>{one.words()}</option> }.into_any())
        .collect();
    let me = channel.map(|channel| channel.id.to_string()).unwrap_or_default();
    let fallback = kept("fallback_id", of(|c| c.fallback_id.map(|id| id.to_string()).unwrap_or_default()));
    let others = known.channels.iter().filter(|(id, _)| *id != me);
    let others: Vec<_> = others
        .map(|(id, name)| {
            view! { <option value=id.clone() selected=*id == fallback>{name.clone()}</option> }.into_any()
        })
        .collect();
    let slack = if new {
        "From Slack: your app, Incoming Webhooks. It is stored sealed and never shown again."
    } else {
        "Leave it empty to keep the stored one. It is never shown."
    };
    let on = if post.error.with_untracked(Option::is_some) {
        !kept("enabled", String::new()).is_empty()
    } else {
        channel.is_none_or(|c| c.enabled)
    };
    let inner = view! {
        <input type="hidden" name="form[id]" value=me />
        <input type="hidden" name="form[version]" value=of(|c| c.version.to_string()) />
        <fieldset>
            <legend>"The channel"</legend>
            {fields.line(field("name", "Name", "Short, such as “erp-alerts”."), kept("name", of(|c| c.name.clone())), Line { required: true, ..Line::default() })}
            <div class="field" hidden=!new>
                <label for="f-kind">"By what means"</label>
                <select id="f-kind" name="form[kind]">{means}</select>
            </div>
            <div data-means=ChannelKind::Email.code()>{fields.line(field("to", "E-mail to", "Addresses, with commas between them."), kept("to", of(|c| c.settings.to.join(", "))), Line { placeholder: "erp-team@example.com", ..Line::default() })}</div>
            <div data-means=ChannelKind::Email.code()>{fields.line(field("from", "E-mail from", "Empty: as Linewatch is set up."), kept("from", of(|c| c.settings.from.clone().unwrap_or_default())), Line::default())}</div>
            <div data-means=ChannelKind::Slack.code()>{fields.line(field("webhook_url", "Slack webhook address", slack), "", Line { secret: true, ..Line::default() })}</div>
            <div data-means=ChannelKind::Webhook.code()>{fields.line(field("url", "Webhook address", "Where to. Each message is signed with a secret that you see once, after this."), kept("url", of(|c| c.settings.url.clone().unwrap_or_default())), Line { placeholder: "https://example.com/alerts", ..Line::default() })}</div>
        </fieldset>
        <fieldset>
            <legend>"When it fails"</legend>
            <div class="field">
                <label for="f-fallback_id">"This channel takes over"</label>
                <select id="f-fallback_id" name="form[fallback_id]" aria-describedby="f-fallback_id-help"><option value="">"None: messages wait"</option>{others}</select>
                <p class="help" id="f-fallback_id-help">"After two minutes in which nothing got through."</p>
            </div>
            {fields.check(field("enabled", "Send messages", "Switched off, nothing goes this way."), on)}
        </fieldset>
        {post.note()}
        <div class="acts">
            <button class="btn first" disabled=move || post.busy.get()>{if new { "Add the channel" } else { "Save the channel" }}</button>
            <a class="btn quiet" href="/alerts/channels">"Cancel"</a>
        </div>
    };
    post.form("form wide-form alert-form", inner.into_any())
}
