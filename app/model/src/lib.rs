//! The words of Linewatch: ids, states, views, filters, refusals, and the one trait that both doors call.
//!
//! No I/O and no clock in here: this crate is compiled into the browser too, so everything in it must be small and calm.
//! Every type serialises to the shape that `/api/v1` promises; the screens use the same types. To the browser they cross without
//! names, field after field, so in what crosses there is no `skip_serializing_if`, no `untagged` and no `tag`; `flatten` is for
//! `ssr` alone (`#[cfg_attr(feature = "ssr", serde(flatten))]`), and any JSON is a [`Json`].

mod alert;
mod backend;
mod bulk;
mod change;
mod connection;
mod count;
mod customer;
mod evidence;
mod failure;
mod health;
mod history;
mod ids;
mod issue;
mod json;
mod mappings;
mod notification;
mod overview;
mod page;
mod person;
mod playbook;
mod refusal;
mod relay;
mod source;
mod system;
mod webhook;
mod words;

pub use alert::{
    Alert, AlertQuery, AlertState, Alternative, Coming, Firing, GroupBy, Maintenance, MutedBy, NewMaintenance, NewRule,
    NewSilence, Preview, PreviewWish, Recurrence, Rule, RuleChange, RulePatch, Scope, Silence, SilenceMatch, SilenceOf,
    Subject, SubjectKind, Weekday, When, WhenKind,
};
#[cfg(feature = "ssr")]
pub use backend::{Backend, Rows};
pub use bulk::{Bulk, BulkFailure, BulkFilter, BulkKind, BulkPatch, BulkState, BulkUndone, NewBulk};
pub use change::{Change, ChangeTopic};
pub use connection::{
    CadenceFrom, CauseView, Connection, ConnectionDetail, ConnectionPage, ConnectionPatch, ConnectionQuery,
    ConnectionSort, CustomerRef, PlatformRef, Proof, SortKey, SourceRef, Totals, WebhookPulse,
};
pub use count::{Count, Tally};
pub use customer::{Customer, CustomerPatch, CustomerQuery, NewView, SavedView};
pub use evidence::{Applied, Evidence, TimelineItem, TimelineKind};
pub use failure::{
    ChannelRef, EndpointRef, Failure, FailureGroup, FailureHint, FailureKind, FailureQuery, FailureSummary, GapView,
    MakiniDelivery, NewRetry, Rejection, Retention, RetentionPatch, Retry, RetryError, RetryFilter, RetryPatch,
    Revealed,
};
pub use health::{Actor as CauseActor, Authorization, Cause, DataFlow, Eye, Health};
pub use history::{
    Ability, AbilityProof, Availability, Capability, LinkState, NewSync, Operation, ReconnectLink, Sync, SyncKind,
    SyncOutcome,
};
pub use ids::*;
pub use issue::{
    ConnectionRef, Issue, IssueChanges, IssueCounts, IssueEntry, IssueEntryKind, IssuePatch, IssueQuery, IssueSeen,
    IssueState, NewIssueChanges, NewNote, Outage, OutageKind, OutageSubject,
};
pub use json::Json;
pub use mappings::{EventKind, FieldNames, Mappings, Paths, UpstreamStatus};
pub use notification::{
    Channel, ChannelHealth, ChannelKind, ChannelPatch, ChannelSettings, Explanation, NewChannel, NewRoute,
    Notification, NotificationQuery, NotificationReason, NotificationState, Route, RouteMatch, RoutePatch, RouteSample,
    Stage, Told,
};
pub use overview::{FleetPoint, HealthChange, Overview};
pub use page::{Page, PageQuery};
pub use person::{Actor, ActorKind, Role};
pub use playbook::{Play, Step};
pub use refusal::{FieldError, Refusal};
pub use relay::{
    Delivery, DeliveryQuery, DeliveryState, Endpoint, EndpointFilter, EndpointHealth, EndpointPatch, EndpointSecret,
    NewEndpoint, Sent,
};
pub use source::{
    Dialect, Environment, NewSource, NewWebhookSecret, Redirect, Source, SourcePatch, SourceRecords, SourceRound,
    SourceTest, SourceTestStep, SourceTraffic, TokenOwnership, WebhookSecret,
};
pub use system::{Certificate, Concern, ConcernCode, Ingest, Pulse, Replica, Severity, System};
pub use webhook::{
    Attempt, AttemptError, AttemptOutcome, AttemptTrigger, Event, EventDetail, EventQuery, EventState, RejectionReason,
};
