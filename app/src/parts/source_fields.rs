//! The fields of a source, in groups, each with a sentence on what it does and what is usual.

use super::{
    field::{Field, Fields, Line},
    records::record_fields,
    text,
};
use leptos::prelude::*;
use model::{Dialect, Environment, Mappings, Redirect, Source, TokenOwnership};

/// The fields for a new source, or for one that exists. What was typed before an error goes before what is stored.
pub(crate) fn source_fields(fields: Fields, stored: Option<&Source>) -> AnyView {
    let kept = |name: &str, stored: String| fields.post.kept(name, stored);
    let field = |name, label, help| Field { name, label, help };
    let of = |read: fn(&Source) -> String, usual: &str| stored.map_or_else(|| usual.to_owned(), read);
    let new = stored.is_none();
    let secret_help = if new {
        "From Makini’s dashboard. It is stored sealed and never shown again."
    } else {
        "Leave it empty to keep the stored one. It is never shown."
    };
    let needed = |placeholder| Line { required: new, placeholder, secret: false };
    let usual = Line::default();
    let refused = fields.post.error.with_untracked(Option::is_some);
    let polled =
        if refused { kept("enabled", String::new()) == "on" } else { stored.is_none_or(|source| source.enabled) };
    let mappings = |source: &Source| leptos::serde_json::to_string_pretty(&source.mappings).unwrap_or_default();
    let mappings_usual = leptos::serde_json::to_string_pretty(&Mappings::default()).unwrap_or_default();
    view! {
        <fieldset>
            <legend>"The account"</legend>
            {new.then(|| fields.line(field("name", "Name", "Lower-case letters, digits and dashes. The webhook address ends with it, so it cannot change later."), kept("name", String::new()), needed("production")))}
            {fields.line(field("base_url", "API address", "Where Makini’s API for this account is."), kept("base_url", of(|s| s.base_url.clone(), "")), needed("https://api.makini.io"))}
            {fields.line(field("client_id", "Client id", "From Makini’s dashboard."), kept("client_id", of(|s| s.client_id.clone(), "")), needed(""))}
            {fields.line(field("client_secret", "Client secret", secret_help), "", Line { secret: true, required: new, placeholder: "" })}
            {new.then(|| fields.line(field("webhook_secret", "Webhook secret", "Without one every webhook is refused. You can add it later, and several while you rotate."), "", Line { secret: true, ..usual }))}
            {fields.choice(field("environment", "Environment", "Sandbox connections are marked, so that nobody worries about them."),
                &kept("environment", of(|s| s.environment.code().to_owned(), Environment::Production.code())), &Environment::ALL.iter().map(|e| (e.code(), e.words())).collect::<Vec<_>>())}
            {new.then(|| fields.choice(field("dialect", "Dialect", "Which of Makini’s APIs this account speaks. Most speak the first."),
                &kept("dialect", Dialect::FaqV1.code().to_owned()), &Dialect::ALL.iter().map(|d| (d.code(), d.words())).collect::<Vec<_>>()))}
        </fieldset>
        <fieldset>
            <legend>"Looking"</legend>
            {(!new).then(|| fields.check(field("enabled", "Poll this account", "Switched off, only webhooks are seen, and what they do not prove becomes unknown."), polled))}
            {fields.line(field("poll_interval_seconds", "A round of polling every", "5 s to 1 h; usually 1 min. One round lists every connection."), kept("poll_interval_seconds", of(|s| text::duration(s.poll_interval_seconds), "1 min")), usual)}
            {fields.line(field("rate_per_minute", "Requests a minute, at most", "1 to 60,000; usually 600. Keeps Linewatch from using up the limit of your own applications. Each process that polls keeps to it by itself."), kept("rate_per_minute", of(|s| s.rate_per_minute.to_string(), "600")), usual)}
            {fields.line(field("proof_allowance_seconds", "A proof counts for", "30 s to 1 day; usually 15 min. After that a state is shown as unknown."), kept("proof_allowance_seconds", of(|s| text::duration(s.proof_allowance_seconds), "15 min")), usual)}
            {fields.choice(field("token_ownership", "Connection tokens are issued by", "Usually your own application. Then Linewatch never issues or refreshes one, and cannot cut off the customers it watches."),
                &kept("token_ownership", of(|s| s.token_ownership.code().to_owned(), TokenOwnership::External.code())), &TokenOwnership::ALL.iter().map(|t| (t.code(), t.words())).collect::<Vec<_>>())}
        </fieldset>
        <fieldset>
            <legend>"What counts as late"</legend>
            {fields.line(field("cadence_seconds", "A sync is expected every", "For connections where Makini plans none and none is learned yet. Empty: nothing is expected."), kept("cadence_seconds", of(|s| s.cadence_seconds.map(text::duration).unwrap_or_default(), "")), Line { placeholder: "1 h", ..usual })}
            {fields.line(field("late_factor", "Late after this many cadences", "1 to 100; usually 2, so one missed sync is forgiven."), kept("late_factor", of(|s| s.late_factor.to_string(), "2")), usual)}
            {fields.line(field("late_grace_seconds", "And this much grace", "0 s to 1 day; usually 5 min."), kept("late_grace_seconds", of(|s| text::duration(s.late_grace_seconds), "5 min")), usual)}
        </fieldset>
        <fieldset>
            <legend>"When a customer signs in again"</legend>
            {fields.choice(field("redirect", "Makini Link leads back to", "Usually your own application; that it was done is then seen by polling. With Linewatch, add its address with /r/callback at the end to the redirect addresses in Makini’s Application Settings: then Linewatch takes the connection’s new token and checks that it is the right connection."),
                &kept("redirect", of(|s| s.redirect.code().to_owned(), Redirect::Theirs.code())), &Redirect::ALL.iter().map(|r| (r.code(), r.words())).collect::<Vec<_>>())}
            {fields.line(field("authorize_url", "Makini Link’s address", "Only where it is not the usual one. {key} in it becomes the connection’s key."), kept("authorize_url", of(|s| s.authorize_url.clone().unwrap_or_default(), "")), Line { placeholder: "https://link.makini.io/oauth/authorize", ..usual })}
        </fieldset>
        {stored.and_then(|stored| record_fields(fields, stored))}
        <fieldset>
            <legend>"Words of this account"</legend>
            {fields.line(field("customer_key", "Key that names the customer", "In the metadata that your application gives each connection; usually customer_name. Without it the connection’s own name is used."), kept("customer_key", of(|s| s.customer_key.clone(), "customer_name")), usual)}
            {fields.lines(field("mappings", "Mappings", "JSON: header and field names, paths, and what further statuses and event names mean. Whatever is left out keeps its usual value."), kept("mappings", stored.map_or(mappings_usual, mappings)), 14, true)}
        </fieldset>
    }
    .into_any()
}
