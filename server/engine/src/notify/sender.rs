//! Keeps at it: takes what is due, one message of one channel at a time, marks it as being sent, commits, sends, and writes what came
//! of it. A message whose lease ran out while it was being sent is sent again, and says that it may be a repeat.

use super::email::{Envelope, MailServer};
use super::webhook::Signed;
use super::{Addresses, Message, Outcome, slack, webhook};
use crate::clock::{SharedClock, new_id};
use crate::http::{Client, Outbound, SendError, Timeouts};
use crate::live;
use crate::store::channel::{self, Target};
use crate::store::notification::{self, Leased, NewNotification, Tried};
use crate::store::{alert_link, alert_told};
use crate::tell::{Purpose, fresh_links};
use crate::vault::{SecretKind, Vault};
use crate::work::{Step, backoff};
use chrono::{DateTime, TimeDelta, Utc};
use model::{
    AlertId, Attempt, AttemptOutcome, AttemptTrigger, Change, ChangeTopic, ChannelId, ChannelKind, NotificationId,
    NotificationReason,
};
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// How long a channel may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Three times as long, and a little: nobody else takes up what is still being sent.
const LEASE: TimeDelta = TimeDelta::seconds(40);
/// Waits between tries.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(5);
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(30);
/// After so long nobody needs it any more.
const GIVE_UP: TimeDelta = TimeDelta::hours(24);
/// A channel that has failed for so long has another take over.
const TAKE_OVER: TimeDelta = TimeDelta::minutes(2);
/// More messages than these waiting for a channel are told as one.
const FEW: usize = 5;
/// How long a link in a message opens.
const LINK_LIFE: TimeDelta = TimeDelta::days(7);

/// Sends. Cheap to clone.
#[derive(Clone)]
pub struct Sender(Arc<Inner>);

struct Inner {
    pool: PgPool,
    clock: SharedClock,
    vault: Vault,
    client: Result<Client, SendError>,
    mail: Option<MailServer>,
    public_url: String,
    wake: Arc<Notify>,
}

impl Sender {
    /// A sender that goes where `outbound` may, and to the mail server where there is one.
    pub fn new(
        pool: PgPool,
        clock: SharedClock,
        vault: Vault,
        outbound: &Outbound,
        mail: Option<MailServer>,
        public_url: &str,
    ) -> Self {
        let client = outbound.client(Timeouts { connect: PATIENCE / 2, total: PATIENCE });
        let public_url = public_url.trim_end_matches('/').to_owned();
        Self(Arc::new(Inner { pool, clock, vault, client, mail, public_url, wake: Arc::default() }))
    }

    /// Wakes whoever sends, when something new is to be sent.
    pub fn wake(&self) -> &Arc<Notify> {
        &self.0.wake
    }

    /// Whether e-mail can be sent.
    pub fn has_mail(&self) -> bool {
        self.0.mail.is_some()
    }

    /// Where people reach us.
    pub fn public_url(&self) -> &str {
        &self.0.public_url
    }

    /// Sends the oldest message of a channel that is free.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn step(&self) -> Result<Step, sqlx::Error> {
        let Some((target, leased, addresses)) = self.take().await? else { return Ok(Step::Idle) };
        let (outcome, attempt) = self.attempt(&target, &leased, &addresses).await;
        self.finish(&target, &leased, outcome, attempt).await?;
        Ok(Step::Busy)
    }

    /// Has other channels take over for those that have failed for long.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_over(&self) -> Result<Step, sqlx::Error> {
        let now = self.0.clock.now();
        let mut tx = self.0.pool.begin().await?;
        notification::give_up_tests(&mut tx, now - LEASE, now).await?;
        let copies = notification::take_over(&mut tx, now - TAKE_OVER, now).await?;
        if copies > 0 {
            live::announce(&mut tx, &[Change::many(ChangeTopic::Notification)]).await?;
        }
        alert_link::forget(&mut tx, now - LINK_LIFE).await?;
        tx.commit().await?;
        if copies > 0 {
            self.0.wake.notify_waiters();
        }
        Ok(Step::Idle)
    }

    /// Leases a message, and makes its links. What waits for the channel beside it becomes one digest first.
    async fn take(&self) -> Result<Option<(Target, Leased, Addresses)>, sqlx::Error> {
        let now = self.0.clock.now();
        let mut tx = self.0.pool.begin().await?;
        let Some(target) = channel::lock_free(&mut tx, now).await? else { return Ok(None) };
        if target.kind != ChannelKind::Webhook {
            self.merge(&mut tx, target.id, now).await?;
        }
        let Some(leased) = notification::lease(&mut tx, &target, now, now + LEASE, new_id()).await? else {
            return Ok(None);
        };
        let pace = match target.kind {
            ChannelKind::Slack => TimeDelta::seconds(1),
            ChannelKind::Email => TimeDelta::milliseconds(100),
            ChannelKind::Webhook => TimeDelta::zero(),
        };
        channel::rest_until(&mut tx, target.id, now + pace).await?;
        let mut addresses = Addresses::default();
        if let Some(group) = leased.group.filter(|_| leased.content.firing > 0) {
            let made = fresh_links(&self.0.public_url);
            let hashes: Vec<_> = made.iter().map(|(purpose, _, hash)| (*hash, purpose.code())).collect();
            alert_link::make(&mut tx, group, &hashes, now + LINK_LIFE).await?;
            for (purpose, url, _) in made {
                match purpose {
                    Purpose::Acknowledge => addresses.acknowledge = Some(url),
                    Purpose::Silence => addresses.silence = Some(url),
                }
            }
        }
        tx.commit().await?;
        Ok(Some((target, leased, addresses)))
    }

    async fn merge(&self, conn: &mut PgConnection, channel: ChannelId, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
        let waiting = notification::mergeable(conn, channel, now).await?;
        if waiting.len() <= FEW {
            return Ok(());
        }
        let alerts: BTreeSet<AlertId> = waiting.iter().flat_map(|(_, alerts)| alerts.iter().copied()).collect();
        let ids: Vec<Uuid> = alerts.iter().map(|id| id.0).collect();
        let facts = alert_told::facts(conn, &ids).await?;
        let firing = facts.iter().filter(|facts| facts.state == model::AlertState::Firing).count();
        let most = i64::try_from(super::MOST_LINES).unwrap_or(20);
        let lines = alert_told::lines(conn, &ids, &self.0.public_url, most).await?;
        let counts = (firing, facts.len() - firing);
        let digest = NewNotification {
            id: NotificationId(new_id()),
            group: None,
            channel,
            alerts: alerts.into_iter().collect(),
            reason: NotificationReason::Digest,
            content: Message::about(NotificationReason::Digest, lines, counts, &self.0.public_url, now),
            thread: None,
        };
        let merged: Vec<_> = waiting.iter().map(|(id, _)| *id).collect();
        notification::insert(conn, std::slice::from_ref(&digest), now).await?;
        notification::merge(conn, &merged, digest.id).await
    }

    /// One try, with how long it took.
    async fn attempt(&self, target: &Target, leased: &Leased, addresses: &Addresses) -> (Outcome, Attempt) {
        let began = std::time::Instant::now();
        let started_at = self.0.clock.now();
        let outcome = self.send(target, leased, addresses).await;
        let (result, status, error) = match &outcome {
            Outcome::Sent { status } => (AttemptOutcome::Ok, *status, None),
            Outcome::TryAgain { status, error, .. } => (AttemptOutcome::Retry, *status, Some(error.clone())),
            Outcome::Never { status, error } => (AttemptOutcome::Failed, *status, Some(error.clone())),
        };
        let attempt = Attempt {
            n: u32::try_from(leased.tries).unwrap_or(0) + 1,
            trigger: match (leased.retry, &leased.by, leased.tries) {
                (Some(_), ..) => AttemptTrigger::Bulk,
                (None, Some(_), _) => AttemptTrigger::Person,
                (None, None, 0) => AttemptTrigger::Arrival,
                (None, None, _) => AttemptTrigger::Schedule,
            },
            by: leased.by.clone(),
            started_at,
            duration_ms: u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX),
            outcome: result,
            status,
            error,
        };
        metrics::counter!("linewatch_notifications_total", "kind" => target.kind.code(), "outcome" => outcome.code())
            .increment(1);
        (outcome, attempt)
    }

    async fn send(&self, target: &Target, leased: &Leased, addresses: &Addresses) -> Outcome {
        let now = self.0.clock.now();
        let secret = |kind| async move {
            let mut conn = self.0.pool.acquire().await.map_err(|error| error.to_string())?;
            let found = self.0.vault.newest(&mut conn, target.id.0, kind).await.map_err(|error| error.to_string())?;
            found.map(|opened| opened.secret).ok_or_else(|| "This channel has no secret. Enter it again.".to_owned())
        };
        let client = match &self.0.client {
            Ok(client) => client,
            Err(error) => return Outcome::again("tls", error.to_string()),
        };
        match target.kind {
            ChannelKind::Slack => match secret(SecretKind::SlackWebhook).await {
                Ok(address) => {
                    slack::send(client, &address, &leased.content, addresses, leased.maybe_repeat, now).await
                }
                Err(why) => Outcome::again("secret", why),
            },
            ChannelKind::Webhook => match (secret(SecretKind::ChannelSecret).await, &target.settings.url) {
                (Ok(secret), Some(url)) => {
                    let (id, message, maybe_repeat) = (leased.id, &leased.content, leased.maybe_repeat);
                    webhook::send(client, url, &Signed { id, message, addresses, maybe_repeat, secret: &secret }, now)
                        .await
                }
                (Err(why), _) => Outcome::again("secret", why),
                (_, None) => Outcome::never("address", "This channel has no address."),
            },
            ChannelKind::Email => match &self.0.mail {
                None => Outcome::again(
                    "no_mail",
                    "There is no mail server: set LINEWATCH_MAIL_URL and LINEWATCH_MAIL_FROM.",
                ),
                Some(server) => {
                    let envelope = Envelope {
                        id: leased.id,
                        channel: (target.id, &target.name),
                        to: &target.settings.to,
                        from: target.settings.from.as_deref(),
                        thread: leased.thread.as_deref(),
                        begins: leased.reason == NotificationReason::First,
                        maybe_repeat: leased.maybe_repeat,
                        public_url: &self.0.public_url,
                        now,
                    };
                    server.send(&envelope, &leased.content, addresses).await
                }
            },
        }
    }

    /// Writes what came of a try.
    async fn finish(
        &self,
        target: &Target,
        leased: &Leased,
        outcome: Outcome,
        mut attempt: Attempt,
    ) -> Result<(), sqlx::Error> {
        let now = self.0.clock.now();
        let due_at = match &outcome {
            Outcome::TryAgain { after, .. } => {
                let failures = u32::try_from(leased.attempt).unwrap_or(0) + 1;
                let wait = backoff(failures, FIRST_WAIT, LONGEST_WAIT, rand::random());
                let wait = after.map_or(wait, |after| after.max(TimeDelta::milliseconds(100)));
                // tried again by hand, it has a day again
                let since = leased.failed_at.max(leased.again_at).unwrap_or(now);
                Some(now + wait).filter(|due| *due < since + GIVE_UP)
            }
            _ => None,
        };
        if due_at.is_none() && attempt.outcome == AttemptOutcome::Retry {
            attempt.outcome = AttemptOutcome::Failed;
        }
        let mut tx = self.0.pool.begin().await?;
        let error = attempt.error.clone();
        let tried = Tried { attempt, due_at, may_have_arrived: outcome.may_have_arrived() };
        let ours = notification::finish(&mut tx, leased, &tried, now).await?;
        let turned = channel::note(&mut tx, target.id, error.as_ref(), now).await?;
        if let Some(due_at) = due_at {
            // what waits behind it waits too: it would go the same way, and out of order
            channel::rest_until(&mut tx, target.id, due_at).await?;
        }
        let mut changes = vec![Change::new(ChangeTopic::Notification, leased.id, i64::from(leased.tries) + 1)];
        if turned {
            changes.push(Change::new(ChangeTopic::System, target.id, 0));
        }
        live::announce(&mut tx, &changes).await?;
        tx.commit().await?;
        match outcome {
            Outcome::Sent { .. } => {
                let took = (now - leased.content.at).to_std().unwrap_or_default();
                metrics::histogram!("linewatch_notice_latency_seconds").record(took.as_secs_f64());
            }
            Outcome::TryAgain { error, .. } | Outcome::Never { error, .. } => {
                let (channel, why) = (&target.name, &error.message);
                tracing::warn!(channel, notification = %leased.id, class = error.class, "a message did not go through by “{channel}”: {why}");
            }
        }
        if !ours {
            tracing::warn!(notification = %leased.id, "a message took longer than its lease; it may be told twice, and then says so");
        }
        Ok(())
    }

    /// Sends a made-up message now, past what waits, and answers its id.
    ///
    /// # Errors
    /// When the database fails; that the channel fails is an answer.
    pub async fn try_out(&self, target: &Target, by: &str) -> Result<NotificationId, sqlx::Error> {
        let (now, token) = (self.0.clock.now(), new_id());
        let content = super::sample(&target.name, &self.0.public_url, now);
        let new = NewNotification {
            id: NotificationId(new_id()),
            group: None,
            channel: target.id,
            alerts: Vec::new(),
            reason: NotificationReason::Test,
            content: content.clone(),
            thread: None,
        };
        notification::insert_test(&mut *self.0.pool.acquire().await?, &new, token, now).await?;
        let leased = Leased {
            id: new.id,
            group: None,
            reason: NotificationReason::Test,
            content,
            thread: None,
            maybe_repeat: false,
            attempt: 0,
            tries: 0,
            by: Some(by.to_owned()),
            retry: None,
            again_at: None,
            failed_at: None,
            token,
        };
        let (outcome, attempt) = self.attempt(target, &leased, &Addresses::default()).await;
        // a test that fails is over: the person sees why, and tries again
        let outcome = match outcome {
            Outcome::TryAgain { status, error, .. } => Outcome::Never { status, error },
            other => other,
        };
        self.finish(target, &leased, outcome, attempt).await?;
        Ok(new.id)
    }
}
