//! What is ours on a customer: its facts, and the form that changes them. A plain form; it keeps what is being typed.

use super::{
    customer_list::{customers_of, tags},
    field::{Field, Fields, Line},
    post::Post,
    text,
    time::Moment,
};
use crate::{
    asking::{Got, Latest},
    calls::customers::ChangeCustomer,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;
use model::{Customer, CustomerQuery};

/// The facts.
pub(crate) fn customer_facts(customer: &Customer, now: Moment) -> AnyView {
    let row = |name: &'static str, value: AnyView| view! { <dt>{name}</dt><dd>{value}</dd> }.into_any();
    let tier = customer.tier.clone().map(|tier| {
        let query = CustomerQuery { tier: vec![tier.clone()], ..CustomerQuery::default() };
        view! { <a href=customers_of(&query)>{tier}</a> }.into_any()
    });
    let contact = customer.contact.clone().map(|contact| match contact.contains('@') && !contact.contains(' ') {
        true => {
            let address = format!("mailto:{}", text::encode(&contact).replace("%40", "@"));
            view! { <a href=address>{contact}</a> }.into_any()
        }
        false => contact.into_any(),
    });
    view! {
        <dl class="facts">
            {row("Tier", tier.unwrap_or_else(|| "none".into_any()))}
            {(!customer.tags.is_empty()).then(|| row("Tags", tags(&customer.tags)))}
            {row("Owner", customer.owner.clone().unwrap_or_else(|| "nobody".to_owned()).into_any())}
            {row("Contact", contact.unwrap_or_else(|| "none".into_any()))}
            {row("Connections", text::count(customer.connections).into_any())}
            {row("First seen", now.ago(customer.created_at))}
        </dl>
        {customer.note.clone().map(|note| view! { <p class="written">{note}</p> })}
    }
    .into_any()
}

/// The form, filled in with the customer as it was when the screen was opened.
pub(crate) fn customer_form(stored: &Customer, latest: Latest) -> AnyView {
    let change = Post::new(ChangeCustomer::PATH, "Saved", || ());
    let fields = Fields { group: "form", post: change };
    let line = |name, label, help, stored: &Option<String>| {
        let value = change.kept(name, stored.clone().unwrap_or_default());
        fields.line(Field { name, label, help }, value, Line::default())
    };
    let (id, opened) = (stored.id.to_string(), stored.version);
    let open = change.error.with_untracked(Option::is_some);
    // The version that we know: the one the form was filled in with, or the one we saved since; the desk refuses any other.
    let query = use_query_map();
    let saved = move || query.with(|query| query.get_str("saved").and_then(|saved| saved.parse::<i64>().ok()));
    let ours = Memo::new(move |_| saved().map_or(opened, |saved| saved.max(opened)));
    let version =
        move || latest.with(|got| got.as_ref().and_then(Got::customer).map_or(opened, |a| a.customer.version));
    let note = Field { name: "note", label: "Note", help: "For colleagues; customers never see it." };
    let inner = view! {
        <input type="hidden" name="form[id]" value=id />
        <input type="hidden" name="form[version]" value=move || ours.get().to_string() />
        {line("tier", "Tier", "How much it matters, in a word of your own, such as gold.", &stored.tier)}
        {line("tags", "Tags", "Separated by commas.", &Some(stored.tags.join(", ")))}
        {line("owner", "Owner", "Who looks after it on your side.", &stored.owner)}
        {line("contact", "Contact", "An e-mail address, a telephone number or a name.", &stored.contact)}
        {fields.lines(note, change.kept("note", stored.note.clone().unwrap_or_default()), 3, false)}
        <p class="note warn" hidden=move || version() <= ours.get()>
            "Somebody has changed this customer since you opened the page. Load it again before you save, or saving is refused."
        </p>
        {change.note()}
        <div class="acts">
            <button class="btn first" disabled=move || change.busy.get()>"Save"</button>
        </div>
    };
    view! {
        <details class="ours" open=open>
            <summary>"Edit tier, tags, owner, contact and note"</summary>
            {change.form("form", inner.into_any())}
        </details>
    }
    .into_any()
}
