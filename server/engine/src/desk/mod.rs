//! The desk behind both doors: permission, transaction, audit, commit. One file a subject.

mod alerts;
mod bulk;
mod bulk_undo;
mod by_hand;
mod channels;
mod connections;
mod customers;
mod deliveries;
mod endpoint_input;
mod endpoints;
mod events;
mod failures;
mod history;
mod issues;
mod makini_deliveries;
mod notifications;
mod outages;
mod overview;
mod reconnect;
mod retention;
mod retries;
mod routes;
mod rules;
mod silences;
mod sources;
mod system;
mod tell_validate;
mod validate;
mod views;

use crate::clock::SharedClock;
use crate::http::Outbound;
use crate::poll::Upstreams;
use crate::store::internal;
use crate::vault::Vault;
use model::{
    Actor, Alert, AlertId, AlertQuery, Availability, Backend, Bulk, BulkId, BulkPatch, Capability, Certificate,
    Channel, ChannelId, ChannelPatch, Connection, ConnectionDetail, ConnectionId, ConnectionPage, ConnectionPatch,
    ConnectionQuery, Customer, CustomerId, CustomerPatch, CustomerQuery, Delivery, DeliveryId, DeliveryQuery, Endpoint,
    EndpointId, EndpointPatch, Event, EventDetail, EventId, EventQuery, Evidence, Explanation, Failure, FailureGroup,
    FailureQuery, FailureSummary, GapId, GapView, Issue, IssueChanges, IssueCounts, IssueEntry, IssueId, IssuePatch,
    IssueQuery, Maintenance, MaintenanceId, MakiniDelivery, NewBulk, NewChannel, NewEndpoint, NewIssueChanges,
    NewMaintenance, NewNote, NewRetry, NewRoute, NewRule, NewSilence, NewSource, NewSync, NewView, NewWebhookSecret,
    Notification, NotificationId, NotificationQuery, Outage, OutageId, Overview, Page, PageQuery, PlatformRef, Preview,
    PreviewWish, Pulse, ReconnectLink, Refusal, Rejection, RejectionId, Retention, RetentionPatch, Retry, RetryId,
    RetryPatch, Revealed, Route, RouteId, RoutePatch, RouteSample, Rows, Rule, RuleChange, RuleId, RulePatch,
    SavedView, SecretId, Sent, Silence, SilenceId, Source, SourceId, SourcePatch, SourceTest, Sync, System,
    TimelineItem, Told, ViewId,
};
use sqlx::{PgPool, Postgres, Transaction, pool::PoolConnection};
use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// What the desk works with.
pub struct Desk {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: SharedClock,
    /// Where credentials live.
    pub vault: Vault,
    /// Where we may send.
    pub outbound: Outbound,
    /// The clients of all sources.
    pub upstreams: Upstreams,
    /// Where people and Makini reach us; links and webhook addresses begin with it.
    pub public_url: String,
    /// The version of this process.
    pub version: &'static str,
    /// The certificate of the public address, as last looked at.
    pub certificate: watch::Receiver<Option<Certificate>>,
    /// Wakes the rounds, when a source was added or changed.
    pub rounds: Arc<Notify>,
    /// Wakes the closer looks, when a person asked for one.
    pub checks: Arc<Notify>,
    /// Wakes the processing of events, when a person retried one.
    pub events: Arc<Notify>,
    /// Sends messages: tests of channels at once.
    pub sender: crate::notify::Sender,
}

impl Desk {
    async fn conn(&self) -> Result<PoolConnection<Postgres>, Refusal> {
        self.pool.acquire().await.map_err(unreachable)
    }

    async fn begin(&self) -> Result<Transaction<'static, Postgres>, Refusal> {
        self.pool.begin().await.map_err(unreachable)
    }
}

/// The database cannot be reached: that passes, and the asker should know it.
fn unreachable(error: sqlx::Error) -> Refusal {
    tracing::error!(%error, "the database cannot be reached: {error}");
    Refusal::Unavailable("The database does not answer. Linewatch keeps trying; try again in a moment.".to_owned())
}

#[async_trait::async_trait]
impl Backend for Desk {
    async fn pulse(&self, actor: &Actor) -> Result<Pulse, Refusal> {
        self.read_pulse(actor).await
    }

    async fn system(&self, actor: &Actor) -> Result<System, Refusal> {
        self.read_system(actor).await
    }

    async fn overview(&self, actor: &Actor) -> Result<Overview, Refusal> {
        self.read_overview(actor).await
    }

    async fn connections(&self, actor: &Actor, query: ConnectionQuery) -> Result<ConnectionPage, Refusal> {
        self.list_connections(actor, query).await
    }

    async fn all_connections(&self, actor: &Actor, query: ConnectionQuery) -> Result<Rows<Connection>, Refusal> {
        self.stream_connections(actor, query).await
    }

    async fn connections_by_id(&self, actor: &Actor, ids: &[ConnectionId]) -> Result<Vec<Connection>, Refusal> {
        self.read_connections(actor, ids).await
    }

    async fn platforms(&self, actor: &Actor) -> Result<Vec<PlatformRef>, Refusal> {
        self.list_platforms(actor).await
    }

    async fn connection(&self, actor: &Actor, id: ConnectionId) -> Result<ConnectionDetail, Refusal> {
        self.read_connection(actor, id).await
    }

    async fn timeline(&self, actor: &Actor, id: ConnectionId, page: PageQuery) -> Result<Page<TimelineItem>, Refusal> {
        self.read_timeline(actor, id, page).await
    }

    async fn evidence(&self, actor: &Actor, id: ConnectionId, page: PageQuery) -> Result<Page<Evidence>, Refusal> {
        self.read_evidence(actor, id, page).await
    }

    async fn change_connection(
        &self,
        actor: &Actor,
        id: ConnectionId,
        patch: ConnectionPatch,
    ) -> Result<ConnectionDetail, Refusal> {
        self.patch_connection(actor, id, patch).await
    }

    async fn check_connection(&self, actor: &Actor, id: ConnectionId) -> Result<ConnectionDetail, Refusal> {
        self.ask_for_check(actor, id).await
    }

    async fn issues(&self, actor: &Actor, query: IssueQuery) -> Result<Page<Issue>, Refusal> {
        self.list_issues(actor, query).await
    }

    async fn issue_counts(&self, actor: &Actor) -> Result<IssueCounts, Refusal> {
        self.count_issues(actor).await
    }

    async fn issue(&self, actor: &Actor, id: IssueId) -> Result<Issue, Refusal> {
        self.read_issue(actor, id).await
    }

    async fn issue_entries(&self, actor: &Actor, id: IssueId) -> Result<Vec<IssueEntry>, Refusal> {
        self.read_issue_entries(actor, id).await
    }

    async fn change_issue(&self, actor: &Actor, id: IssueId, patch: IssuePatch) -> Result<Issue, Refusal> {
        self.patch_issue(actor, id, patch).await
    }

    async fn note_issue(&self, actor: &Actor, id: IssueId, note: NewNote) -> Result<IssueEntry, Refusal> {
        self.add_note(actor, id, note).await
    }

    async fn outages(&self, actor: &Actor, page: PageQuery) -> Result<Page<Outage>, Refusal> {
        self.list_outages(actor, page).await
    }

    async fn outage(&self, actor: &Actor, id: OutageId) -> Result<Outage, Refusal> {
        self.read_outage(actor, id).await
    }

    async fn make_reconnect_link(&self, actor: &Actor, id: ConnectionId) -> Result<ReconnectLink, Refusal> {
        self.make_link(actor, id).await
    }

    async fn reconnect_links(&self, actor: &Actor, id: ConnectionId) -> Result<Vec<ReconnectLink>, Refusal> {
        self.list_links(actor, id).await
    }

    async fn start_sync(&self, actor: &Actor, id: ConnectionId, new: NewSync) -> Result<ConnectionDetail, Refusal> {
        self.ask_for_sync(actor, id, new).await
    }

    async fn syncs(&self, actor: &Actor, id: ConnectionId, page: PageQuery) -> Result<Page<Sync>, Refusal> {
        self.list_syncs(actor, id, page).await
    }

    async fn availability(&self, actor: &Actor, id: ConnectionId, days: u16) -> Result<Availability, Refusal> {
        self.read_availability(actor, id, days).await
    }

    async fn capabilities(&self, actor: &Actor, id: ConnectionId) -> Result<Vec<Capability>, Refusal> {
        self.list_capabilities(actor, id).await
    }

    async fn customers(&self, actor: &Actor, query: CustomerQuery) -> Result<Page<Customer>, Refusal> {
        self.list_customers(actor, query).await
    }

    async fn customer(&self, actor: &Actor, id: CustomerId) -> Result<Customer, Refusal> {
        self.read_customer(actor, id).await
    }

    async fn change_customer(&self, actor: &Actor, id: CustomerId, patch: CustomerPatch) -> Result<Customer, Refusal> {
        self.patch_customer(actor, id, patch).await
    }

    async fn views(&self, actor: &Actor) -> Result<Vec<SavedView>, Refusal> {
        self.list_views(actor).await
    }

    async fn add_view(&self, actor: &Actor, new: NewView) -> Result<SavedView, Refusal> {
        self.keep_view(actor, new).await
    }

    async fn remove_view(&self, actor: &Actor, id: ViewId) -> Result<(), Refusal> {
        self.forget_view(actor, id).await
    }

    async fn start_bulk(&self, actor: &Actor, new: NewBulk) -> Result<Bulk, Refusal> {
        self.begin_bulk(actor, new).await
    }

    async fn bulk(&self, actor: &Actor, id: BulkId) -> Result<Bulk, Refusal> {
        self.read_bulk(actor, id).await
    }

    async fn change_bulk(&self, actor: &Actor, id: BulkId, patch: BulkPatch) -> Result<Bulk, Refusal> {
        self.patch_bulk(actor, id, patch).await
    }

    async fn cancel_bulk(&self, actor: &Actor, id: BulkId) -> Result<Bulk, Refusal> {
        self.end_bulk(actor, id).await
    }

    async fn undo_bulk(&self, actor: &Actor, id: BulkId) -> Result<Bulk, Refusal> {
        self.take_back_bulk(actor, id).await
    }

    async fn change_issues(&self, actor: &Actor, new: NewIssueChanges) -> Result<IssueChanges, Refusal> {
        self.patch_issues(actor, new).await
    }

    async fn events(&self, actor: &Actor, query: EventQuery) -> Result<Page<Event>, Refusal> {
        self.list_events(actor, query).await
    }

    async fn event(&self, actor: &Actor, id: EventId) -> Result<EventDetail, Refusal> {
        self.read_event(actor, id).await
    }

    async fn retry_event(&self, actor: &Actor, id: EventId) -> Result<EventDetail, Refusal> {
        self.requeue_event(actor, id).await
    }

    async fn sources(&self, actor: &Actor) -> Result<Vec<Source>, Refusal> {
        self.list_sources(actor).await
    }

    async fn source(&self, actor: &Actor, id: SourceId) -> Result<Source, Refusal> {
        self.read_source(actor, id).await
    }

    async fn add_source(&self, actor: &Actor, new: NewSource) -> Result<Source, Refusal> {
        self.create_source(actor, new).await
    }

    async fn change_source(&self, actor: &Actor, id: SourceId, patch: SourcePatch) -> Result<Source, Refusal> {
        self.patch_source(actor, id, patch).await
    }

    async fn test_source(&self, actor: &Actor, id: SourceId) -> Result<SourceTest, Refusal> {
        self.try_source(actor, id).await
    }

    async fn add_webhook_secret(&self, actor: &Actor, id: SourceId, new: NewWebhookSecret) -> Result<Source, Refusal> {
        self.add_secret(actor, id, new).await
    }

    async fn retire_webhook_secret(&self, actor: &Actor, id: SourceId, secret: SecretId) -> Result<Source, Refusal> {
        self.retire_secret(actor, id, secret).await
    }

    async fn endpoints(&self, actor: &Actor) -> Result<Vec<Endpoint>, Refusal> {
        self.list_endpoints(actor).await
    }

    async fn endpoint(&self, actor: &Actor, id: EndpointId) -> Result<Endpoint, Refusal> {
        self.read_endpoint(actor, id).await
    }

    async fn add_endpoint(&self, actor: &Actor, new: NewEndpoint) -> Result<Endpoint, Refusal> {
        self.create_endpoint(actor, new).await
    }

    async fn change_endpoint(&self, actor: &Actor, id: EndpointId, patch: EndpointPatch) -> Result<Endpoint, Refusal> {
        self.patch_endpoint(actor, id, patch).await
    }

    async fn remove_endpoint(&self, actor: &Actor, id: EndpointId) -> Result<(), Refusal> {
        self.take_endpoint_away(actor, id).await
    }

    async fn rotate_endpoint_secret(&self, actor: &Actor, id: EndpointId) -> Result<Endpoint, Refusal> {
        self.rotate_secret(actor, id).await
    }

    async fn test_endpoint(&self, actor: &Actor, id: EndpointId) -> Result<Sent, Refusal> {
        self.try_endpoint(actor, id).await
    }

    async fn deliveries(&self, actor: &Actor, query: DeliveryQuery) -> Result<Page<Delivery>, Refusal> {
        self.list_deliveries(actor, query).await
    }

    async fn delivery(&self, actor: &Actor, id: DeliveryId) -> Result<Delivery, Refusal> {
        self.read_delivery(actor, id).await
    }

    async fn retry_delivery(&self, actor: &Actor, id: DeliveryId) -> Result<Delivery, Refusal> {
        self.requeue_delivery(actor, id).await
    }

    async fn failures(&self, actor: &Actor, query: FailureQuery) -> Result<Page<Failure>, Refusal> {
        self.list_failures(actor, query).await
    }

    async fn failure_summary(&self, actor: &Actor, query: FailureQuery) -> Result<FailureSummary, Refusal> {
        self.sum_failures(actor, query).await
    }

    async fn failure_groups(&self, actor: &Actor, query: FailureQuery) -> Result<Vec<FailureGroup>, Refusal> {
        self.group_failures(actor, query).await
    }

    async fn rejection(&self, actor: &Actor, id: RejectionId) -> Result<Rejection, Refusal> {
        self.read_rejection(actor, id).await
    }

    async fn gap(&self, actor: &Actor, id: GapId) -> Result<GapView, Refusal> {
        self.read_gap(actor, id).await
    }

    async fn reveal_event(&self, actor: &Actor, id: EventId) -> Result<Revealed, Refusal> {
        self.show_payload(actor, id).await
    }

    async fn start_retry(&self, actor: &Actor, new: NewRetry) -> Result<Retry, Refusal> {
        self.begin_retry(actor, new).await
    }

    async fn retry(&self, actor: &Actor, id: RetryId) -> Result<Retry, Refusal> {
        self.read_retry(actor, id).await
    }

    async fn change_retry(&self, actor: &Actor, id: RetryId, patch: RetryPatch) -> Result<Retry, Refusal> {
        self.patch_retry(actor, id, patch).await
    }

    async fn cancel_retry(&self, actor: &Actor, id: RetryId) -> Result<Retry, Refusal> {
        self.end_retry(actor, id).await
    }

    async fn makini_deliveries(
        &self,
        actor: &Actor,
        id: SourceId,
        page: PageQuery,
    ) -> Result<Page<MakiniDelivery>, Refusal> {
        self.list_makini_deliveries(actor, id, page).await
    }

    async fn retry_makini_delivery(&self, actor: &Actor, id: SourceId, delivery: String) -> Result<(), Refusal> {
        self.ask_makini_again(actor, id, delivery).await
    }

    async fn retention(&self, actor: &Actor) -> Result<Retention, Refusal> {
        self.read_retention(actor).await
    }

    async fn change_retention(&self, actor: &Actor, patch: RetentionPatch) -> Result<Retention, Refusal> {
        self.patch_retention(actor, patch).await
    }

    async fn rules(&self, actor: &Actor) -> Result<Vec<Rule>, Refusal> {
        self.list_rules(actor).await
    }

    async fn rule(&self, actor: &Actor, id: RuleId) -> Result<Rule, Refusal> {
        self.read_rule(actor, id).await
    }

    async fn rule_changes(&self, actor: &Actor, id: RuleId) -> Result<Vec<RuleChange>, Refusal> {
        self.read_rule_changes(actor, id).await
    }

    async fn add_rule(&self, actor: &Actor, new: NewRule) -> Result<Rule, Refusal> {
        self.create_rule(actor, new).await
    }

    async fn change_rule(&self, actor: &Actor, id: RuleId, patch: RulePatch) -> Result<Rule, Refusal> {
        self.patch_rule(actor, id, patch).await
    }

    async fn remove_rule(&self, actor: &Actor, id: RuleId) -> Result<(), Refusal> {
        self.take_rule_away(actor, id).await
    }

    async fn preview_rule(&self, actor: &Actor, wish: PreviewWish) -> Result<Preview, Refusal> {
        self.try_rule(actor, wish).await
    }

    async fn alerts(&self, actor: &Actor, query: AlertQuery) -> Result<Page<Alert>, Refusal> {
        self.list_alerts(actor, query).await
    }

    async fn alert(&self, actor: &Actor, id: AlertId) -> Result<Alert, Refusal> {
        self.read_alert(actor, id).await
    }

    async fn acknowledge_alert(&self, actor: &Actor, id: AlertId) -> Result<Alert, Refusal> {
        self.take_alert(actor, id).await
    }

    async fn told(&self, actor: &Actor, id: ConnectionId) -> Result<Vec<Told>, Refusal> {
        self.list_told(actor, id).await
    }

    async fn told_of_outage(&self, actor: &Actor, id: OutageId) -> Result<Vec<Told>, Refusal> {
        self.list_told_of_outage(actor, id).await
    }

    async fn silences(&self, actor: &Actor) -> Result<Vec<Silence>, Refusal> {
        self.list_silences(actor).await
    }

    async fn add_silence(&self, actor: &Actor, new: NewSilence) -> Result<Silence, Refusal> {
        self.create_silence(actor, new).await
    }

    async fn end_silence(&self, actor: &Actor, id: SilenceId) -> Result<(), Refusal> {
        self.stop_silence(actor, id).await
    }

    async fn maintenances(&self, actor: &Actor) -> Result<Vec<Maintenance>, Refusal> {
        self.list_maintenances(actor).await
    }

    async fn add_maintenance(&self, actor: &Actor, new: NewMaintenance) -> Result<Maintenance, Refusal> {
        self.create_maintenance(actor, new).await
    }

    async fn end_maintenance(&self, actor: &Actor, id: MaintenanceId) -> Result<(), Refusal> {
        self.stop_maintenance(actor, id).await
    }

    async fn routes(&self, actor: &Actor) -> Result<Vec<Route>, Refusal> {
        self.list_routes(actor).await
    }

    async fn route(&self, actor: &Actor, id: RouteId) -> Result<Route, Refusal> {
        self.read_route(actor, id).await
    }

    async fn add_route(&self, actor: &Actor, new: NewRoute) -> Result<Route, Refusal> {
        self.create_route(actor, new).await
    }

    async fn change_route(&self, actor: &Actor, id: RouteId, patch: RoutePatch) -> Result<Route, Refusal> {
        self.patch_route(actor, id, patch).await
    }

    async fn remove_route(&self, actor: &Actor, id: RouteId) -> Result<(), Refusal> {
        self.take_route_away(actor, id).await
    }

    async fn explain_route(&self, actor: &Actor, sample: RouteSample) -> Result<Explanation, Refusal> {
        self.explain(actor, sample).await
    }

    async fn channels(&self, actor: &Actor) -> Result<Vec<Channel>, Refusal> {
        self.list_channels(actor).await
    }

    async fn channel(&self, actor: &Actor, id: ChannelId) -> Result<Channel, Refusal> {
        self.read_channel(actor, id).await
    }

    async fn add_channel(&self, actor: &Actor, new: NewChannel) -> Result<Channel, Refusal> {
        self.create_channel(actor, new).await
    }

    async fn change_channel(&self, actor: &Actor, id: ChannelId, patch: ChannelPatch) -> Result<Channel, Refusal> {
        self.patch_channel(actor, id, patch).await
    }

    async fn remove_channel(&self, actor: &Actor, id: ChannelId) -> Result<(), Refusal> {
        self.take_channel_away(actor, id).await
    }

    async fn test_channel(&self, actor: &Actor, id: ChannelId) -> Result<Notification, Refusal> {
        self.try_channel(actor, id).await
    }

    async fn notifications(&self, actor: &Actor, query: NotificationQuery) -> Result<Page<Notification>, Refusal> {
        self.list_notifications(actor, query).await
    }

    async fn notification(&self, actor: &Actor, id: NotificationId) -> Result<Notification, Refusal> {
        self.read_notification(actor, id).await
    }

    async fn retry_notification(&self, actor: &Actor, id: NotificationId) -> Result<Notification, Refusal> {
        self.requeue_notification(actor, id).await
    }
}

/// Commits, or says that nothing was changed.
async fn commit(tx: Transaction<'static, Postgres>) -> Result<(), Refusal> {
    tx.commit().await.map_err(internal)
}
