//! What the screens of customers ask and do.

use super::{CallError, CustomerForm, Wire};
#[cfg(feature = "ssr")]
use super::{answer, answer_form, as_of, desk, send_on};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use model::{Connection, ConnectionId, ConnectionPage, Customer, CustomerId, Page};
use serde::{Deserialize, Serialize};

/// A page of customers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Customers {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// The page.
    pub page: Page<Customer>,
}

/// A customer with its connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerAnswer {
    /// The server's clock.
    pub as_of: DateTime<Utc>,
    /// The customer.
    pub customer: Customer,
    /// Its connections, worst first, at most 200.
    pub page: ConnectionPage,
    /// Rows that are shown but no longer among them.
    pub strays: Vec<Connection>,
}

/// A page of customers; `query` is what the address says.
#[server(prefix = "/_app", endpoint = "customers", protocol = Wire)]
pub async fn list_customers(query: String) -> Result<Customers, CallError> {
    let (desk, actor) = desk()?;
    let query = answer(model::CustomerQuery::from_query(&query))?;
    let page = answer(desk.customers(&actor, query).await)?;
    Ok(Customers { as_of: as_of(), page })
}

/// One customer; `shown` are the rows on the screen.
#[server(prefix = "/_app", endpoint = "customer", protocol = Wire)]
pub async fn ask_customer(id: CustomerId, shown: Vec<ConnectionId>) -> Result<CustomerAnswer, CallError> {
    let (desk, actor) = desk()?;
    let customer = answer(desk.customer(&actor, id).await)?;
    let query = model::ConnectionQuery { customer: vec![id], limit: Some(200), ..Default::default() };
    let page = answer(desk.connections(&actor, query).await)?;
    let strays: Vec<_> = shown.into_iter().filter(|id| !page.items.iter().any(|row| row.id == *id)).collect();
    let strays = if strays.is_empty() { Vec::new() } else { answer(desk.connections_by_id(&actor, &strays).await)? };
    Ok(CustomerAnswer { as_of: as_of(), customer, page, strays })
}

/// Changes what is ours on a customer.
#[server(prefix = "/_app", endpoint = "change-customer")]
pub async fn change_customer(form: CustomerForm) -> Result<(), CallError> {
    let (desk, actor) = desk()?;
    let (id, patch) = answer_form(form.read(), form.kept())?;
    let customer = answer_form(desk.change_customer(&actor, id, patch).await, form.kept())?;
    send_on(&format!("/customers/{id}?saved={}", customer.version));
    Ok(())
}
