//! What a person or a machine may ask.
#![cfg(feature = "ssr")]

use crate::{
    Actor, Alert, AlertId, AlertQuery, Availability, Bulk, BulkId, BulkPatch, Capability, Channel, ChannelId,
    ChannelPatch, Connection, ConnectionDetail, ConnectionId, ConnectionPage, ConnectionPatch, ConnectionQuery,
    Customer, CustomerId, CustomerPatch, CustomerQuery, Delivery, DeliveryId, DeliveryQuery, Endpoint, EndpointId,
    EndpointPatch, Event, EventDetail, EventId, EventQuery, Evidence, Explanation, Failure, FailureGroup, FailureQuery,
    FailureSummary, GapId, GapView, Issue, IssueChanges, IssueCounts, IssueEntry, IssueId, IssuePatch, IssueQuery,
    Maintenance, MaintenanceId, MakiniDelivery, NewBulk, NewChannel, NewEndpoint, NewIssueChanges, NewMaintenance,
    NewNote, NewRetry, NewRoute, NewRule, NewSilence, NewSource, NewSync, NewView, NewWebhookSecret, Notification,
    NotificationId, NotificationQuery, Outage, OutageId, Overview, Page, PageQuery, PlatformRef, Preview, PreviewWish,
    Pulse, ReconnectLink, Refusal, Rejection, RejectionId, Retention, RetentionPatch, Retry, RetryId, RetryPatch,
    Revealed, Route, RouteId, RoutePatch, RouteSample, Rule, RuleChange, RuleId, RulePatch, SavedView, SecretId, Sent,
    Silence, SilenceId, Source, SourceId, SourcePatch, SourceTest, Sync, System, TimelineItem, Told, ViewId,
};

/// Rows as they come from the database. An error ends them, and what came before it is not the whole.
pub type Rows<T> = futures_core::stream::BoxStream<'static, Result<T, Refusal>>;

/// The desk behind both doors. Permission, transactions and the audit log are its business; a door only translates.
#[async_trait::async_trait]
pub trait Backend: Send + std::marker::Sync + 'static {
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

    /// The syncs of a connection that ended, newest first.
    async fn syncs(&self, actor: &Actor, id: ConnectionId, page: PageQuery) -> Result<Page<Sync>, Refusal>;

    /// How much of the last 7, 30 or 90 days a connection was up.
    async fn availability(&self, actor: &Actor, id: ConnectionId, days: u16) -> Result<Availability, Refusal>;

    /// What a connection can do with which records.
    async fn capabilities(&self, actor: &Actor, id: ConnectionId) -> Result<Vec<Capability>, Refusal>;

    /// Starts a sync upstream; refused while one is under way.
    async fn start_sync(&self, actor: &Actor, id: ConnectionId, new: NewSync) -> Result<ConnectionDetail, Refusal>;

    /// Makes a link for the customer to authorize again; its address is told this once.
    async fn make_reconnect_link(&self, actor: &Actor, id: ConnectionId) -> Result<ReconnectLink, Refusal>;

    /// The reconnect links of a connection, newest first.
    async fn reconnect_links(&self, actor: &Actor, id: ConnectionId) -> Result<Vec<ReconnectLink>, Refusal>;

    /// A page of customers, by name.
    async fn customers(&self, actor: &Actor, query: CustomerQuery) -> Result<Page<Customer>, Refusal>;

    /// One customer.
    async fn customer(&self, actor: &Actor, id: CustomerId) -> Result<Customer, Refusal>;

    /// Changes what is ours on a customer.
    async fn change_customer(&self, actor: &Actor, id: CustomerId, patch: CustomerPatch) -> Result<Customer, Refusal>;

    /// A page of issues, newest first.
    async fn issues(&self, actor: &Actor, query: IssueQuery) -> Result<Page<Issue>, Refusal>;

    /// How many issues wait for whom.
    async fn issue_counts(&self, actor: &Actor) -> Result<IssueCounts, Refusal>;

    /// One issue.
    async fn issue(&self, actor: &Actor, id: IssueId) -> Result<Issue, Refusal>;

    /// The story of an issue, newest first.
    async fn issue_entries(&self, actor: &Actor, id: IssueId) -> Result<Vec<IssueEntry>, Refusal>;

    /// Takes, hands over, snoozes or ends an issue.
    async fn change_issue(&self, actor: &Actor, id: IssueId, patch: IssuePatch) -> Result<Issue, Refusal>;

    /// Takes several issues, or hands them over; one that is refused does not keep the others. [`Backend::undo_bulk`] takes it back.
    async fn change_issues(&self, actor: &Actor, new: NewIssueChanges) -> Result<IssueChanges, Refusal>;

    /// Writes something down on an issue.
    async fn note_issue(&self, actor: &Actor, id: IssueId, note: NewNote) -> Result<IssueEntry, Refusal>;

    /// A page of outages, newest first.
    async fn outages(&self, actor: &Actor, page: PageQuery) -> Result<Page<Outage>, Refusal>;

    /// One outage.
    async fn outage(&self, actor: &Actor, id: OutageId) -> Result<Outage, Refusal>;

    /// The saved views that who asks may see, by name.
    async fn views(&self, actor: &Actor) -> Result<Vec<SavedView>, Refusal>;

    /// Keeps a view.
    async fn add_view(&self, actor: &Actor, new: NewView) -> Result<SavedView, Refusal>;

    /// Forgets a view; only who made it, or an administrator.
    async fn remove_view(&self, actor: &Actor, id: ViewId) -> Result<(), Refusal>;

    /// Does one thing with many connections, or only counts them.
    async fn start_bulk(&self, actor: &Actor, new: NewBulk) -> Result<Bulk, Refusal>;

    /// How far it has come.
    async fn bulk(&self, actor: &Actor, id: BulkId) -> Result<Bulk, Refusal>;

    /// Pauses it, or lets it go on.
    async fn change_bulk(&self, actor: &Actor, id: BulkId, patch: BulkPatch) -> Result<Bulk, Refusal>;

    /// Ends it; what is done stays done.
    async fn cancel_bulk(&self, actor: &Actor, id: BulkId) -> Result<Bulk, Refusal>;

    /// Takes back what it changed on issues, within the hour: those that nobody has changed since are as before. Once is enough;
    /// asked again, it says what came of it.
    async fn undo_bulk(&self, actor: &Actor, id: BulkId) -> Result<Bulk, Refusal>;

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

    /// The endpoints, by name.
    async fn endpoints(&self, actor: &Actor) -> Result<Vec<Endpoint>, Refusal>;

    /// One endpoint.
    async fn endpoint(&self, actor: &Actor, id: EndpointId) -> Result<Endpoint, Refusal>;

    /// Adds an endpoint; its secret is told this once.
    async fn add_endpoint(&self, actor: &Actor, new: NewEndpoint) -> Result<Endpoint, Refusal>;

    /// Changes an endpoint. Switching it off keeps what is due.
    async fn change_endpoint(&self, actor: &Actor, id: EndpointId, patch: EndpointPatch) -> Result<Endpoint, Refusal>;

    /// Takes an endpoint away, with what is due to it; what was delivered stays to be seen.
    async fn remove_endpoint(&self, actor: &Actor, id: EndpointId) -> Result<(), Refusal>;

    /// Gives an endpoint a new secret, told this once; the one before signs beside it for 24 hours.
    async fn rotate_endpoint_secret(&self, actor: &Actor, id: EndpointId) -> Result<Endpoint, Refusal>;

    /// Sends a signed test event now and answers what came of it; nothing is kept.
    async fn test_endpoint(&self, actor: &Actor, id: EndpointId) -> Result<Sent, Refusal>;

    /// Deliveries, newest first.
    async fn deliveries(&self, actor: &Actor, query: DeliveryQuery) -> Result<Page<Delivery>, Refusal>;

    /// One delivery.
    async fn delivery(&self, actor: &Actor, id: DeliveryId) -> Result<Delivery, Refusal>;

    /// Tries a failed, scheduled or waiting delivery now. A failed one starts its schedule anew.
    async fn retry_delivery(&self, actor: &Actor, id: DeliveryId) -> Result<Delivery, Refusal>;

    /// Everything that failed, newest first.
    async fn failures(&self, actor: &Actor, query: FailureQuery) -> Result<Page<Failure>, Refusal>;

    /// How many failures match, by kind, and what stands out.
    async fn failure_summary(&self, actor: &Actor, query: FailureQuery) -> Result<FailureSummary, Refusal>;

    /// The same by cause, most first, at most 100.
    async fn failure_groups(&self, actor: &Actor, query: FailureQuery) -> Result<Vec<FailureGroup>, Refusal>;

    /// One request that was turned away.
    async fn rejection(&self, actor: &Actor, id: RejectionId) -> Result<Rejection, Refusal>;

    /// One gap.
    async fn gap(&self, actor: &Actor, id: GapId) -> Result<GapView, Refusal>;

    /// The payload of an event without redaction; who asked for it is written down.
    async fn reveal_event(&self, actor: &Actor, id: EventId) -> Result<Revealed, Refusal>;

    /// Tries many again, or only counts them.
    async fn start_retry(&self, actor: &Actor, new: NewRetry) -> Result<Retry, Refusal>;

    /// How far it has come.
    async fn retry(&self, actor: &Actor, id: RetryId) -> Result<Retry, Refusal>;

    /// Pauses it, lets it go on, or changes its pace.
    async fn change_retry(&self, actor: &Actor, id: RetryId, patch: RetryPatch) -> Result<Retry, Refusal>;

    /// Ends it; what is done stays done.
    async fn cancel_retry(&self, actor: &Actor, id: RetryId) -> Result<Retry, Refusal>;

    /// What Makini could not deliver to us, newest first, where the source tells of it.
    async fn makini_deliveries(
        &self,
        actor: &Actor,
        id: SourceId,
        page: PageQuery,
    ) -> Result<Page<MakiniDelivery>, Refusal>;

    /// Asks Makini to deliver one again.
    async fn retry_makini_delivery(&self, actor: &Actor, id: SourceId, delivery: String) -> Result<(), Refusal>;

    /// How long things are kept.
    async fn retention(&self, actor: &Actor) -> Result<Retention, Refusal>;

    /// Changes how long things are kept.
    async fn change_retention(&self, actor: &Actor, patch: RetentionPatch) -> Result<Retention, Refusal>;

    /// Every rule, worst and by name.
    async fn rules(&self, actor: &Actor) -> Result<Vec<Rule>, Refusal>;

    /// One rule.
    async fn rule(&self, actor: &Actor, id: RuleId) -> Result<Rule, Refusal>;

    /// What was changed on a rule, newest first.
    async fn rule_changes(&self, actor: &Actor, id: RuleId) -> Result<Vec<RuleChange>, Refusal>;

    /// Adds a rule.
    async fn add_rule(&self, actor: &Actor, new: NewRule) -> Result<Rule, Refusal>;

    /// Changes a rule; its alerts follow.
    async fn change_rule(&self, actor: &Actor, id: RuleId, patch: RulePatch) -> Result<Rule, Refusal>;

    /// Takes a rule away; what fires is resolved.
    async fn remove_rule(&self, actor: &Actor, id: RuleId) -> Result<(), Refusal>;

    /// What a rule would have done, by the evaluator that would run it.
    async fn preview_rule(&self, actor: &Actor, wish: PreviewWish) -> Result<Preview, Refusal>;

    /// Alerts, newest first.
    async fn alerts(&self, actor: &Actor, query: AlertQuery) -> Result<Page<Alert>, Refusal>;

    /// One alert.
    async fn alert(&self, actor: &Actor, id: AlertId) -> Result<Alert, Refusal>;

    /// Takes an alert: it is not told again while it fires.
    async fn acknowledge_alert(&self, actor: &Actor, id: AlertId) -> Result<Alert, Refusal>;

    /// Who was told of a connection, or why nobody was, newest first.
    async fn told(&self, actor: &Actor, id: ConnectionId) -> Result<Vec<Told>, Refusal>;

    /// Who was told of an outage, or why nobody was, newest first: messages about what is out of order, and those about single connections
    /// that went out before the outage stood for them.
    async fn told_of_outage(&self, actor: &Actor, id: OutageId) -> Result<Vec<Told>, Refusal>;

    /// Silences that are not over, the next to end first.
    async fn silences(&self, actor: &Actor) -> Result<Vec<Silence>, Refusal>;

    /// Adds a silence, or only says what it would mute.
    async fn add_silence(&self, actor: &Actor, new: NewSilence) -> Result<Silence, Refusal>;

    /// Ends a silence now.
    async fn end_silence(&self, actor: &Actor, id: SilenceId) -> Result<(), Refusal>;

    /// Maintenance that is not over, the next first.
    async fn maintenances(&self, actor: &Actor) -> Result<Vec<Maintenance>, Refusal>;

    /// Adds maintenance.
    async fn add_maintenance(&self, actor: &Actor, new: NewMaintenance) -> Result<Maintenance, Refusal>;

    /// Ends maintenance now.
    async fn end_maintenance(&self, actor: &Actor, id: MaintenanceId) -> Result<(), Refusal>;

    /// The routes, in order.
    async fn routes(&self, actor: &Actor) -> Result<Vec<Route>, Refusal>;

    /// One route.
    async fn route(&self, actor: &Actor, id: RouteId) -> Result<Route, Refusal>;

    /// Adds a route.
    async fn add_route(&self, actor: &Actor, new: NewRoute) -> Result<Route, Refusal>;

    /// Changes a route.
    async fn change_route(&self, actor: &Actor, id: RouteId, patch: RoutePatch) -> Result<Route, Refusal>;

    /// Takes a route away.
    async fn remove_route(&self, actor: &Actor, id: RouteId) -> Result<(), Refusal>;

    /// Why an alert goes where it goes.
    async fn explain_route(&self, actor: &Actor, sample: RouteSample) -> Result<Explanation, Refusal>;

    /// The channels, by name.
    async fn channels(&self, actor: &Actor) -> Result<Vec<Channel>, Refusal>;

    /// One channel.
    async fn channel(&self, actor: &Actor, id: ChannelId) -> Result<Channel, Refusal>;

    /// Adds a channel; a webhook's secret is told this once.
    async fn add_channel(&self, actor: &Actor, new: NewChannel) -> Result<Channel, Refusal>;

    /// Changes a channel.
    async fn change_channel(&self, actor: &Actor, id: ChannelId, patch: ChannelPatch) -> Result<Channel, Refusal>;

    /// Takes a channel away; refused while a route or a channel needs it.
    async fn remove_channel(&self, actor: &Actor, id: ChannelId) -> Result<(), Refusal>;

    /// Sends a real sample now and answers what came of it.
    async fn test_channel(&self, actor: &Actor, id: ChannelId) -> Result<Notification, Refusal>;

    /// Messages, newest first.
    async fn notifications(&self, actor: &Actor, query: NotificationQuery) -> Result<Page<Notification>, Refusal>;

    /// One message.
    async fn notification(&self, actor: &Actor, id: NotificationId) -> Result<Notification, Refusal>;

    /// Sends a message that failed again.
    async fn retry_notification(&self, actor: &Actor, id: NotificationId) -> Result<Notification, Refusal>;
}
