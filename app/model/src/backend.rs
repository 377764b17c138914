//! What a person or a machine may ask.
#![cfg(feature = "ssr")]

use crate::{
    Actor, Connection, ConnectionDetail, ConnectionId, ConnectionPage, ConnectionPatch, ConnectionQuery, Event,
    EventDetail, EventId, EventQuery, Evidence, NewSource, NewWebhookSecret, Overview, Page, PageQuery, PlatformRef,
    Pulse, Refusal, SecretId, Source, SourceId, SourcePatch, SourceTest, System, TimelineItem,
};

/// Rows as they come from the database. An error ends them, and what came before it is not the whole.
pub type Rows<T> = futures_core::stream::BoxStream<'static, Result<T, Refusal>>;

/// The desk behind both doors. Permission, transactions and the audit log are its business; a door only translates.
#[async_trait::async_trait]
pub trait Backend: Send + Sync + 'static {
    /// What every page shows around itself.
    async fn pulse(&self, actor: &Actor) -> Result<Pulse, Refusal>;

    /// How Linewatch itself is.
    async fn system(&self, actor: &Actor) -> Result<System, Refusal>;

    /// The Overview.
    async fn overview(&self, actor: &Actor) -> Result<Overview, Refusal>;

    /// A page of connections with totals.
    async fn connections(&self, actor: &Actor, query: ConnectionQuery) -> Result<ConnectionPage, Refusal>;

    /// Every connection that a query matches, in its order, as of one moment; its page does not count.
    async fn all_connections(&self, actor: &Actor, query: ConnectionQuery) -> Result<Rows<Connection>, Refusal>;

    /// Every platform that has connections, by name: for filters.
    async fn platforms(&self, actor: &Actor) -> Result<Vec<PlatformRef>, Refusal>;

    /// One connection.
    async fn connection(&self, actor: &Actor, id: ConnectionId) -> Result<ConnectionDetail, Refusal>;

    /// These connections, in any order; what is unknown or removed is left out. For rows that are still on somebody's
    /// screen although they are no longer on its page.
    async fn connections_by_id(&self, actor: &Actor, ids: &[ConnectionId]) -> Result<Vec<Connection>, Refusal>;

    /// What happened to a connection, newest first.
    async fn timeline(&self, actor: &Actor, id: ConnectionId, page: PageQuery) -> Result<Page<TimelineItem>, Refusal>;

    /// What was seen of a connection, newest first.
    async fn evidence(&self, actor: &Actor, id: ConnectionId, page: PageQuery) -> Result<Page<Evidence>, Refusal>;

    /// Changes what is ours on a connection.
    async fn change_connection(
        &self,
        actor: &Actor,
        id: ConnectionId,
        patch: ConnectionPatch,
    ) -> Result<ConnectionDetail, Refusal>;

    /// Asks upstream about a connection now; the answer arrives as a change.
    async fn check_connection(&self, actor: &Actor, id: ConnectionId) -> Result<ConnectionDetail, Refusal>;

    /// Received webhooks, newest first.
    async fn events(&self, actor: &Actor, query: EventQuery) -> Result<Page<Event>, Refusal>;

    /// One received webhook.
    async fn event(&self, actor: &Actor, id: EventId) -> Result<EventDetail, Refusal>;

    /// Processes a failed or unrecognised webhook again.
    async fn retry_event(&self, actor: &Actor, id: EventId) -> Result<EventDetail, Refusal>;

    /// Every source, by name.
    async fn sources(&self, actor: &Actor) -> Result<Vec<Source>, Refusal>;

    /// One source.
    async fn source(&self, actor: &Actor, id: SourceId) -> Result<Source, Refusal>;

    /// Adds a source.
    async fn add_source(&self, actor: &Actor, new: NewSource) -> Result<Source, Refusal>;

    /// Changes a source.
    async fn change_source(&self, actor: &Actor, id: SourceId, patch: SourcePatch) -> Result<Source, Refusal>;

    /// Tries a source out with its stored credentials; changes nothing.
    async fn test_source(&self, actor: &Actor, id: SourceId) -> Result<SourceTest, Refusal>;

    /// Adds a webhook secret; those before it stay live until they are retired.
    async fn add_webhook_secret(&self, actor: &Actor, id: SourceId, new: NewWebhookSecret) -> Result<Source, Refusal>;

    /// Retires a webhook secret.
    async fn retire_webhook_secret(&self, actor: &Actor, id: SourceId, secret: SecretId) -> Result<Source, Refusal>;
}
