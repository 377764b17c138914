//! A desk that answers from fixtures: every health, a source that fails, an empty world.

mod alerts;
mod connections;
mod history;
mod issues;
mod sources;
mod system;
mod webhooks;

pub use connections::{now, story};
pub use sources::{failing_source, source};

use async_trait::async_trait;
use chrono::TimeDelta;
use model::{
    Actor, Alert, AlertId, AlertQuery, Availability, Backend, Bulk, BulkId, BulkPatch, Capability, Certificate,
    Channel, ChannelId, ChannelPatch, Concern, Connection, ConnectionDetail, ConnectionId, ConnectionPage,
    ConnectionPatch, ConnectionQuery, Customer, CustomerId, CustomerPatch, CustomerQuery, Delivery, DeliveryId,
    DeliveryQuery, Endpoint, EndpointId, EndpointPatch, Event, EventDetail, EventId, EventQuery, Evidence, Explanation,
    Failure, FailureGroup, FailureQuery, FailureSummary, FleetPoint, GapId, GapView, Health, HealthChange, Ingest,
    Issue, IssueChanges, IssueCounts, IssueEntry, IssueId, IssuePatch, IssueQuery, Maintenance, MaintenanceId,
    MakiniDelivery, NewBulk, NewChannel, NewEndpoint, NewIssueChanges, NewMaintenance, NewNote, NewRetry, NewRoute,
    NewRule, NewSilence, NewSource, NewSync, NewView, NewWebhookSecret, Notification, NotificationId,
    NotificationQuery, Outage, OutageId, Overview, Page, PageQuery, PlatformRef, Preview, PreviewWish, Pulse,
    ReconnectLink, Refusal, Rejection, RejectionId, Retention, RetentionPatch, Retry, RetryId, RetryPatch, Revealed,
    Route, RouteId, RoutePatch, RouteSample, Rule, RuleChange, RuleId, RulePatch, SavedView, SecretId, Sent, Silence,
    SilenceId, Source, SourceId, SourcePatch, SourceTest, SourceTestStep, Sync, System, Tally, TimelineItem, Told,
    Totals, ViewId,
};

/// Answers from what it holds.
#[derive(Clone, Default)]
pub struct FakeBackend {
    pub connections: Vec<Connection>,
    pub sources: Vec<Source>,
    pub issues: Vec<Issue>,
    pub outages: Vec<Outage>,
    pub failures: Vec<Failure>,
    pub endpoints: Vec<Endpoint>,
    pub rules: Vec<Rule>,
    pub alerts: Vec<Alert>,
    pub channels: Vec<Channel>,
    pub notifications: Vec<Notification>,
    /// The note on every connection, instead of its own.
    pub note: Option<String>,
    /// What cannot be seen.
    pub concerns: Vec<Concern>,
    /// Answers everything with this instead.
    pub broken: Option<Refusal>,
}

impl FakeBackend {
    /// A connection in each health, two sources of which one cannot be seen.
    pub fn rich() -> Self {
        Self {
            connections: connections::every_health(),
            sources: vec![source(), failing_source()],
            issues: issues::every_state(&connections::every_health()),
            outages: issues::outages(),
            failures: webhooks::failures(),
            endpoints: webhooks::endpoints(),
            rules: alerts::rules(),
            alerts: alerts::alerts(),
            channels: alerts::channels(),
            notifications: alerts::notifications(),
            note: None,
            concerns: system::concerns(),
            broken: None,
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// What rests of the webhooks; a message to people is none.
    fn rests(&self) -> u64 {
        let rests = |f: &&Failure| f.kind != model::FailureKind::Notification && f.retryable && f.next_due_at.is_none();
        self.failures.iter().filter(rests).count() as u64
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for connection in &self.connections {
            *totals.0.entry(connection.health).or_default() += 1;
        }
        totals
    }
}

#[async_trait]
impl Backend for FakeBackend {
    async fn pulse(&self, _: &Actor) -> Result<Pulse, Refusal> {
        self.check()?;
        Ok(Pulse {
            at: now(),
            totals: self.totals(),
            issues_open: issues::counts(self).open,
            alerts_firing: self.alerts.iter().filter(|a| a.state == model::AlertState::Firing).count() as u64,
            webhooks_failed: self.rests(),
            concerns: self.concerns.clone(),
        })
    }

    async fn system(&self, _: &Actor) -> Result<System, Refusal> {
        self.check()?;
        Ok(System {
            at: now(),
            version: "0.1.0".to_owned(),
            public_url: "https://linewatch.example.com".to_owned(),
            concerns: self.concerns.clone(),
            ingest: Ingest { last_minute: 1_204, waiting: 3, waiting_since: Some(now() - TimeDelta::seconds(2)) },
            sources: self.sources.clone(),
            replicas: vec![system::replica("watch-1:4711", "all", 4), system::replica("watch-2:815", "worker", 400)],
            room_until: Some(now().date_naive() + TimeDelta::days(7)),
            certificate: Some(Certificate {
                looked_at: now(),
                ends_at: Some(now() + TimeDelta::days(41)),
                error: None,
            }),
        })
    }

    async fn overview(&self, _: &Actor) -> Result<Overview, Refusal> {
        self.check()?;
        let worst: Vec<_> = self.connections.iter().filter(|c| c.health.needs_attention()).take(8).cloned().collect();
        let changes = worst.iter().take(3).map(|c| HealthChange {
            connection: c.id,
            customer: c.customer.name.clone(),
            platform: c.platform.name.clone(),
            at: c.since,
            from: Some(Health::Healthy),
            to: Some(c.health),
            cause: c.cause.as_ref().map(|cause| cause.summary.clone()),
            eye: c.proof.map(|proof| proof.eye),
            lasted_seconds: Some(1_036_800),
        });
        let changes: Vec<_> = changes.collect();
        let fleet = (0..if self.connections.is_empty() { 0 } else { 96i64 }).map(|i| {
            let mut totals = self.totals();
            for (k, health) in Health::ALL.iter().enumerate() {
                let wave = ((i * (k as i64 + 3)) / 13) % 4;
                let bump = if (40..62).contains(&i) && *health == Health::Failing { 12 } else { 0 };
                totals.0.insert(*health, if *health == Health::Healthy { 1_176 } else { wave as u64 + bump });
            }
            FleetPoint { at: now() - TimeDelta::minutes(15 * (95 - i)), totals }
        });
        Ok(Overview {
            at: now(),
            totals: self.totals(),
            outages: self.outages.clone(),
            worst,
            changes_in_all: changes.len() as u64 + 4,
            changes,
            fleet: fleet.collect(),
            sources: self.sources.clone(),
            oldest_proof_seconds: Some(288),
        })
    }

    async fn connections(&self, _: &Actor, query: ConnectionQuery) -> Result<ConnectionPage, Refusal> {
        self.check()?;
        let fits = |c: &&Connection| {
            (query.health.is_empty() || query.health.contains(&c.health))
                && query.q.as_ref().is_none_or(|q| c.customer.name.to_lowercase().contains(&q.to_lowercase()))
                && (query.customer.is_empty() || query.customer.contains(&c.customer.id))
        };
        let items: Vec<_> = self.connections.iter().filter(fits).cloned().collect();
        Ok(ConnectionPage {
            matching: (items.len() as u64).into(),
            next_cursor: (items.len() > 5).then(|| "next-one".to_owned()),
            items,
            totals: Tally::from(&self.totals()),
        })
    }

    async fn all_connections(&self, actor: &Actor, query: ConnectionQuery) -> Result<model::Rows<Connection>, Refusal> {
        let page = self.connections(actor, query).await?;
        Ok(Box::pin(futures::stream::iter(page.items.into_iter().map(Ok))))
    }

    async fn connections_by_id(&self, _: &Actor, ids: &[ConnectionId]) -> Result<Vec<Connection>, Refusal> {
        self.check()?;
        Ok(self.connections.iter().filter(|c| ids.contains(&c.id)).cloned().collect())
    }

    async fn platforms(&self, _: &Actor) -> Result<Vec<PlatformRef>, Refusal> {
        let mut platforms: Vec<_> = self.connections.iter().map(|c| c.platform.clone()).collect();
        platforms.dedup();
        Ok(platforms)
    }

    async fn connection(&self, _: &Actor, id: ConnectionId) -> Result<ConnectionDetail, Refusal> {
        self.check()?;
        let found = self.connections.iter().find(|c| c.id == id).cloned();
        let noted = |detail: ConnectionDetail| ConnectionDetail { note: self.note.clone().or(detail.note), ..detail };
        found.map(connections::detail).map(noted).ok_or(Refusal::NotFound("This connection".into()))
    }

    async fn timeline(&self, _: &Actor, id: ConnectionId, _: PageQuery) -> Result<Page<TimelineItem>, Refusal> {
        Ok(story(self.connections.iter().find(|c| c.id == id)))
    }

    async fn evidence(&self, _: &Actor, id: ConnectionId, _: PageQuery) -> Result<Page<Evidence>, Refusal> {
        Ok(connections::seen(self.connections.iter().find(|c| c.id == id)))
    }

    async fn change_connection(
        &self,
        actor: &Actor,
        id: ConnectionId,
        _: ConnectionPatch,
    ) -> Result<ConnectionDetail, Refusal> {
        self.connection(actor, id).await
    }

    async fn check_connection(&self, actor: &Actor, id: ConnectionId) -> Result<ConnectionDetail, Refusal> {
        self.connection(actor, id).await
    }

    async fn syncs(&self, actor: &Actor, id: ConnectionId, _: PageQuery) -> Result<Page<Sync>, Refusal> {
        Ok(history::syncs(&self.connection(actor, id).await?.connection))
    }

    async fn availability(&self, actor: &Actor, id: ConnectionId, days: u16) -> Result<Availability, Refusal> {
        Ok(history::availability(&self.connection(actor, id).await?.connection, days))
    }

    async fn capabilities(&self, actor: &Actor, id: ConnectionId) -> Result<Vec<Capability>, Refusal> {
        Ok(history::capabilities(&self.connection(actor, id).await?.connection))
    }

    async fn start_sync(&self, actor: &Actor, id: ConnectionId, _: NewSync) -> Result<ConnectionDetail, Refusal> {
        let detail = self.connection(actor, id).await?;
        history::refuses_sync(&detail.connection).map_or(Ok(detail), Err)
    }

    async fn make_reconnect_link(&self, actor: &Actor, id: ConnectionId) -> Result<ReconnectLink, Refusal> {
        self.connection(actor, id).await.map(|detail| history::made(detail.connection.id))
    }

    async fn reconnect_links(&self, _: &Actor, id: ConnectionId) -> Result<Vec<ReconnectLink>, Refusal> {
        Ok(history::links(id))
    }

    async fn customers(&self, _: &Actor, query: CustomerQuery) -> Result<Page<Customer>, Refusal> {
        self.check()?;
        let fits = |c: &Customer| {
            query.q.as_ref().is_none_or(|q| c.name.to_lowercase().contains(&q.to_lowercase()))
                && (query.tag.is_empty() || query.tag.iter().any(|tag| c.tags.contains(tag)))
        };
        let items: Vec<_> = history::customers(self).into_iter().filter(fits).collect();
        Ok(Page { next_cursor: (items.len() > 5).then(|| "next-one".to_owned()), items })
    }

    async fn customer(&self, _: &Actor, id: CustomerId) -> Result<Customer, Refusal> {
        self.check()?;
        history::find_customer(self, id)
    }

    async fn change_customer(&self, actor: &Actor, id: CustomerId, _: CustomerPatch) -> Result<Customer, Refusal> {
        self.customer(actor, id).await
    }

    async fn views(&self, _: &Actor) -> Result<Vec<SavedView>, Refusal> {
        Ok(if self.connections.is_empty() { Vec::new() } else { history::views() })
    }

    async fn add_view(&self, _: &Actor, _: NewView) -> Result<SavedView, Refusal> {
        Err(Refusal::invalid("name", "You have a view of this name."))
    }

    async fn remove_view(&self, _: &Actor, _: ViewId) -> Result<(), Refusal> {
        Ok(())
    }

    async fn issues(&self, _: &Actor, query: IssueQuery) -> Result<Page<Issue>, Refusal> {
        self.check()?;
        Ok(issues::page(self, &query))
    }

    async fn issue_counts(&self, _: &Actor) -> Result<IssueCounts, Refusal> {
        self.check()?;
        Ok(issues::counts(self))
    }

    async fn issue(&self, _: &Actor, id: IssueId) -> Result<Issue, Refusal> {
        self.check()?;
        issues::one(self, id)
    }

    async fn issue_entries(&self, _: &Actor, id: IssueId) -> Result<Vec<IssueEntry>, Refusal> {
        issues::one(self, id).map(|issue| issues::entries(&issue))
    }

    async fn change_issue(&self, _: &Actor, _: IssueId, _: IssuePatch) -> Result<Issue, Refusal> {
        Err(Refusal::Conflict("Tom has acknowledged this issue meanwhile.".into()))
    }

    async fn note_issue(&self, actor: &Actor, id: IssueId, note: NewNote) -> Result<IssueEntry, Refusal> {
        let mut entries = self.issue_entries(actor, id).await?;
        Ok(IssueEntry { text: note.text, ..entries.swap_remove(0) })
    }

    async fn outages(&self, _: &Actor, _: PageQuery) -> Result<Page<Outage>, Refusal> {
        Ok(Page { items: self.outages.clone(), next_cursor: None })
    }

    async fn outage(&self, _: &Actor, id: OutageId) -> Result<Outage, Refusal> {
        issues::one_outage(self, id)
    }

    async fn start_bulk(&self, _: &Actor, new: NewBulk) -> Result<Bulk, Refusal> {
        self.check()?;
        Ok(issues::start(self, &new))
    }

    async fn bulk(&self, _: &Actor, id: BulkId) -> Result<Bulk, Refusal> {
        issues::bulk(id)
    }

    async fn change_bulk(&self, _: &Actor, id: BulkId, _: BulkPatch) -> Result<Bulk, Refusal> {
        issues::bulk(id)
    }

    async fn cancel_bulk(&self, _: &Actor, id: BulkId) -> Result<Bulk, Refusal> {
        issues::bulk(id)
    }

    async fn undo_bulk(&self, _: &Actor, id: BulkId) -> Result<Bulk, Refusal> {
        issues::bulk(id)
    }

    async fn change_issues(&self, _: &Actor, new: NewIssueChanges) -> Result<IssueChanges, Refusal> {
        Ok(IssueChanges { bulk: None, changed: new.issues.len() as u64, refused: Vec::new() })
    }

    async fn events(&self, _: &Actor, query: EventQuery) -> Result<Page<Event>, Refusal> {
        Ok(webhooks::events(self, &query))
    }

    async fn event(&self, _: &Actor, id: EventId) -> Result<EventDetail, Refusal> {
        webhooks::one_event(self, id)
    }

    async fn retry_event(&self, _: &Actor, id: EventId) -> Result<EventDetail, Refusal> {
        webhooks::one_event(self, id)
    }

    async fn sources(&self, _: &Actor) -> Result<Vec<Source>, Refusal> {
        self.check()?;
        Ok(self.sources.clone())
    }

    async fn source(&self, _: &Actor, id: SourceId) -> Result<Source, Refusal> {
        self.sources.iter().find(|s| s.id == id).cloned().ok_or(Refusal::NotFound("This source".into()))
    }

    async fn add_source(&self, _: &Actor, _: NewSource) -> Result<Source, Refusal> {
        Err(Refusal::invalid("name", "“demo” is taken by another source."))
    }

    async fn change_source(&self, _: &Actor, _: SourceId, _: SourcePatch) -> Result<Source, Refusal> {
        Err(Refusal::Conflict("Somebody else has changed this source. Load it again.".into()))
    }

    async fn test_source(&self, _: &Actor, _: SourceId) -> Result<SourceTest, Refusal> {
        let step = |name: &str, ok, detail: &str, duration_ms| SourceTestStep {
            name: name.into(),
            ok,
            detail: detail.into(),
            duration_ms,
        };
        Ok(SourceTest {
            ok: false,
            steps: vec![
                step("Get a token", true, "A token for 3,600 s was issued.", 84),
                step("List connections", false, "Makini answered 403: this client may not list connections.", 121),
            ],
        })
    }

    async fn add_webhook_secret(&self, actor: &Actor, id: SourceId, _: NewWebhookSecret) -> Result<Source, Refusal> {
        self.source(actor, id).await
    }

    async fn retire_webhook_secret(&self, actor: &Actor, id: SourceId, _: SecretId) -> Result<Source, Refusal> {
        self.source(actor, id).await
    }

    async fn endpoints(&self, _: &Actor) -> Result<Vec<Endpoint>, Refusal> {
        Ok(self.endpoints.clone())
    }

    async fn endpoint(&self, _: &Actor, id: EndpointId) -> Result<Endpoint, Refusal> {
        webhooks::one_endpoint(self, id)
    }

    async fn add_endpoint(&self, _: &Actor, _: NewEndpoint) -> Result<Endpoint, Refusal> {
        Err(Refusal::invalid("name", "“erp-hooks” is taken by another endpoint."))
    }

    async fn change_endpoint(&self, _: &Actor, id: EndpointId, _: EndpointPatch) -> Result<Endpoint, Refusal> {
        webhooks::one_endpoint(self, id)
    }

    async fn remove_endpoint(&self, _: &Actor, _: EndpointId) -> Result<(), Refusal> {
        Ok(())
    }

    async fn rotate_endpoint_secret(&self, _: &Actor, id: EndpointId) -> Result<Endpoint, Refusal> {
        webhooks::one_endpoint(self, id)
    }

    async fn test_endpoint(&self, _: &Actor, _: EndpointId) -> Result<Sent, Refusal> {
        Ok(webhooks::trial())
    }

    async fn deliveries(&self, _: &Actor, query: DeliveryQuery) -> Result<Page<Delivery>, Refusal> {
        Ok(webhooks::deliveries(&query))
    }

    async fn delivery(&self, _: &Actor, id: DeliveryId) -> Result<Delivery, Refusal> {
        webhooks::one_delivery(id)
    }

    async fn retry_delivery(&self, _: &Actor, id: DeliveryId) -> Result<Delivery, Refusal> {
        webhooks::one_delivery(id)
    }

    async fn failures(&self, _: &Actor, query: FailureQuery) -> Result<Page<Failure>, Refusal> {
        self.check()?;
        Ok(webhooks::page(self, &query))
    }

    async fn failure_summary(&self, _: &Actor, query: FailureQuery) -> Result<FailureSummary, Refusal> {
        self.check()?;
        Ok(webhooks::summary(self, &query))
    }

    async fn failure_groups(&self, _: &Actor, query: FailureQuery) -> Result<Vec<FailureGroup>, Refusal> {
        Ok(webhooks::groups(self, &query))
    }

    async fn rejection(&self, _: &Actor, id: RejectionId) -> Result<Rejection, Refusal> {
        webhooks::rejection(id)
    }

    async fn gap(&self, _: &Actor, id: GapId) -> Result<GapView, Refusal> {
        webhooks::gap(id)
    }

    async fn reveal_event(&self, _: &Actor, _: EventId) -> Result<Revealed, Refusal> {
        Ok(webhooks::revealed())
    }

    async fn start_retry(&self, _: &Actor, new: NewRetry) -> Result<Retry, Refusal> {
        webhooks::start(self, &new)
    }

    async fn retry(&self, _: &Actor, id: RetryId) -> Result<Retry, Refusal> {
        webhooks::retry(id)
    }

    async fn change_retry(&self, _: &Actor, id: RetryId, _: RetryPatch) -> Result<Retry, Refusal> {
        webhooks::retry(id)
    }

    async fn cancel_retry(&self, _: &Actor, id: RetryId) -> Result<Retry, Refusal> {
        webhooks::retry(id)
    }

    async fn makini_deliveries(&self, _: &Actor, id: SourceId, _: PageQuery) -> Result<Page<MakiniDelivery>, Refusal> {
        webhooks::makini(id)
    }

    async fn retry_makini_delivery(&self, _: &Actor, _: SourceId, _: String) -> Result<(), Refusal> {
        Ok(())
    }

    async fn retention(&self, _: &Actor) -> Result<Retention, Refusal> {
        Ok(Retention::default())
    }

    async fn change_retention(&self, _: &Actor, _: RetentionPatch) -> Result<Retention, Refusal> {
        Ok(Retention::default())
    }

    async fn rules(&self, _: &Actor) -> Result<Vec<Rule>, Refusal> {
        self.check()?;
        Ok(self.rules.clone())
    }

    async fn rule(&self, _: &Actor, id: RuleId) -> Result<Rule, Refusal> {
        alerts::one(&self.rules, |one| one.id == id, "This rule")
    }

    async fn rule_changes(&self, _: &Actor, _: RuleId) -> Result<Vec<RuleChange>, Refusal> {
        Ok(alerts::changes())
    }

    async fn add_rule(&self, _: &Actor, _: NewRule) -> Result<Rule, Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn change_rule(&self, _: &Actor, _: RuleId, _: RulePatch) -> Result<Rule, Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn remove_rule(&self, _: &Actor, _: RuleId) -> Result<(), Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn preview_rule(&self, _: &Actor, wish: PreviewWish) -> Result<Preview, Refusal> {
        Ok(alerts::preview(&wish))
    }

    async fn alerts(&self, _: &Actor, query: AlertQuery) -> Result<Page<Alert>, Refusal> {
        self.check()?;
        Ok(alerts::page(self, &query))
    }

    async fn alert(&self, _: &Actor, id: AlertId) -> Result<Alert, Refusal> {
        alerts::one(&self.alerts, |one| one.id == id, "This alert")
    }

    async fn acknowledge_alert(&self, _: &Actor, _: AlertId) -> Result<Alert, Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn told(&self, _: &Actor, _: ConnectionId) -> Result<Vec<Told>, Refusal> {
        Ok(alerts::told(self))
    }

    async fn told_of_outage(&self, _: &Actor, _: OutageId) -> Result<Vec<Told>, Refusal> {
        Ok(alerts::told_of_outage(self))
    }

    async fn silences(&self, _: &Actor) -> Result<Vec<Silence>, Refusal> {
        Ok(if self.rules.is_empty() { Vec::new() } else { vec![alerts::silence(None)] })
    }

    async fn add_silence(&self, _: &Actor, new: NewSilence) -> Result<Silence, Refusal> {
        Ok(alerts::silence(Some(&new)))
    }

    async fn end_silence(&self, _: &Actor, _: SilenceId) -> Result<(), Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn maintenances(&self, _: &Actor) -> Result<Vec<Maintenance>, Refusal> {
        Ok(if self.rules.is_empty() { Vec::new() } else { alerts::maintenances() })
    }

    async fn add_maintenance(&self, _: &Actor, _: NewMaintenance) -> Result<Maintenance, Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn end_maintenance(&self, _: &Actor, _: MaintenanceId) -> Result<(), Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn routes(&self, _: &Actor) -> Result<Vec<Route>, Refusal> {
        Ok(if self.rules.is_empty() { Vec::new() } else { alerts::routes() })
    }

    async fn route(&self, _: &Actor, id: RouteId) -> Result<Route, Refusal> {
        alerts::one(&alerts::routes(), |one| one.id == id, "This route")
    }

    async fn add_route(&self, _: &Actor, _: NewRoute) -> Result<Route, Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn change_route(&self, _: &Actor, _: RouteId, _: RoutePatch) -> Result<Route, Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn remove_route(&self, _: &Actor, _: RouteId) -> Result<(), Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn explain_route(&self, _: &Actor, _: RouteSample) -> Result<Explanation, Refusal> {
        Ok(alerts::explanation())
    }

    async fn channels(&self, _: &Actor) -> Result<Vec<Channel>, Refusal> {
        Ok(self.channels.clone())
    }

    async fn channel(&self, _: &Actor, id: ChannelId) -> Result<Channel, Refusal> {
        alerts::one(&self.channels, |one| one.id == id, "This channel")
    }

    async fn add_channel(&self, _: &Actor, _: NewChannel) -> Result<Channel, Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn change_channel(&self, _: &Actor, _: ChannelId, _: ChannelPatch) -> Result<Channel, Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn remove_channel(&self, _: &Actor, _: ChannelId) -> Result<(), Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn test_channel(&self, _: &Actor, _: ChannelId) -> Result<Notification, Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }

    async fn notifications(&self, _: &Actor, query: NotificationQuery) -> Result<Page<Notification>, Refusal> {
        Ok(alerts::log(self, &query))
    }

    async fn notification(&self, _: &Actor, id: NotificationId) -> Result<Notification, Refusal> {
        alerts::one(&self.notifications, |one| one.id == id, "This message")
    }

    async fn retry_notification(&self, _: &Actor, _: NotificationId) -> Result<Notification, Refusal> {
        Err(Refusal::NotFound("Nothing".to_owned()))
    }
}
