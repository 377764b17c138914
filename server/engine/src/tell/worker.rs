//! Runs the stages over what has changed, in one transaction: alerts join their groups, groups that are due are told, and what is
//! told is a row to send before anybody knows of it. So each reason is told once, however many processes and crashes there are.

use super::dedup::{self, Decision, Group, StandingOf, standing};
use super::digest::{self, Storm, storm};
use super::group::{self, Rhythm};
use super::{Facts, mute, route};
use crate::clock::{SharedClock, new_id};
use crate::live;
use crate::notify::{MOST_LINES, Message, Sender};
use crate::store::alert_group::{Kept, Settled};
use crate::store::notification::NewNotification;
use crate::store::{alert_group, alert_told, maintenance, notification, route as routes, silence};
use crate::work::Step;
use chrono::{DateTime, TimeDelta, Utc};
use model::{
    AlertId, AlertState, Change, ChangeTopic, ChannelId, Maintenance, MutedBy, NotificationId, NotificationReason,
    Route, RouteId, Silence,
};
use sqlx::{PgConnection, PgPool};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Alerts looked at in one transaction.
const AT_ONCE: i64 = 2_000;
/// So long before its end a silence is announced.
const NOTICE: TimeDelta = TimeDelta::minutes(15);
/// A group with nothing left stays as long as its links open.
const KEPT: TimeDelta = TimeDelta::days(8);

/// Tells. Cheap to clone.
#[derive(Clone)]
pub struct Teller {
    pool: PgPool,
    clock: SharedClock,
    sender: Sender,
    /// Until when it has looked for silences and maintenance that begin.
    looked: Arc<Mutex<Option<DateTime<Utc>>>>,
}

/// What the stages go by at this moment.
struct Settings {
    routes: Vec<Route>,
    maintenances: Vec<Maintenance>,
    silences: Vec<Silence>,
}

impl Settings {
    async fn read(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Self, sqlx::Error> {
        Ok(Self {
            routes: routes::list(conn, None).await?,
            maintenances: maintenance::live(conn, now).await?,
            silences: silence::live(conn, now).await?,
        })
    }

    fn muted_by(&self, facts: &Facts, now: DateTime<Utc>) -> Option<MutedBy> {
        mute::muted(facts, &self.maintenances, &self.silences, now).map(mute::Muted::by)
    }

    fn route(&self, id: RouteId) -> Option<&Route> {
        self.routes.iter().find(|route| route.id == id)
    }
}

impl Teller {
    /// One that hands what it has to tell to this sender.
    pub fn new(pool: PgPool, clock: SharedClock, sender: Sender) -> Self {
        Self { pool, clock, sender, looked: Arc::default() }
    }

    /// Takes up what changed and tells what is due.
    ///
    /// # Errors
    /// When the database fails; nothing is half told.
    pub async fn step(&self) -> Result<Step, sqlx::Error> {
        if !alert_group::anything_due(&mut *self.pool.acquire().await?, self.clock.now()).await? {
            return Ok(Step::Idle);
        }
        let mut tx = self.pool.begin().await?;
        alert_group::lock(&mut tx).await?;
        // whoever was here before us may have taken long; and who makes a silence touches what fires, so with these locked every
        // silence is either known by what is read next, or has them looked at again
        let changed = alert_told::changed(&mut tx, self.clock.now(), AT_ONCE).await?;
        let settings = Settings::read(&mut tx, self.clock.now()).await?;
        let now = self.clock.now();
        let taken = take_up(&mut tx, &changed, &settings, now).await?;
        let mut changes: Vec<_> = taken.iter().map(|facts| Change::new(ChangeTopic::Alert, facts.alert, 0)).collect();
        let told = self.tell(&mut tx, &settings, taken, now).await?;
        changes.extend(told.iter().map(|one| Change::new(ChangeTopic::Notification, one.id, 0)));
        live::announce(&mut tx, &changes).await?;
        tx.commit().await?;
        for _ in &told {
            self.sender.wake().notify_one();
        }
        Ok(Step::Busy)
    }

    /// What the clock alone changes: silences and maintenance that begin or end, and the notice before a silence ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn upkeep(&self) -> Result<Step, sqlx::Error> {
        let now = self.clock.now();
        let mut tx = self.pool.begin().await?;
        let settings = Settings::read(&mut tx, now).await?;
        let before = *self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = before.is_none_or(|before| mute::begins(&settings.maintenances, &settings.silences, before, now));
        let ids = if begun { alert_told::firing(&mut tx).await? } else { Vec::new() };
        let ids: Vec<Uuid> = ids.into_iter().chain(alert_told::muted_for_a_while(&mut tx).await?).collect();
        let facts = if ids.is_empty() { Vec::new() } else { alert_told::facts(&mut tx, &ids).await? };
        let turned: BTreeSet<Uuid> = facts
            .iter()
            .filter(|facts| settings.muted_by(facts, now) != facts.muted_by)
            .map(|facts| facts.alert.0)
            .collect();
        if !turned.is_empty() {
            alert_told::touch(&mut tx, &turned.iter().copied().collect::<Vec<_>>(), now).await?;
        }
        let notices = self.announce_ends(&mut tx, &settings, &facts, now).await?;
        alert_group::sweep(&mut tx, now - KEPT).await?;
        tx.commit().await?;
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        for _ in 0..notices {
            self.sender.wake().notify_one();
        }
        Ok(if turned.is_empty() { Step::Idle } else { self.step().await? })
    }

    /// Tells those whose routes a silence has muted that it ends soon.
    async fn announce_ends(
        &self,
        conn: &mut PgConnection,
        settings: &Settings,
        facts: &[Facts],
        now: DateTime<Utc>,
    ) -> Result<usize, sqlx::Error> {
        let ending = silence::announce_ends(conn, now, now + NOTICE).await?;
        let mut new = Vec::new();
        for one in settings.silences.iter().filter(|one| ending.contains(&one.id)) {
            let muted = facts
                .iter()
                .filter(|facts| facts.muted_by == Some(MutedBy::Silence) && facts.state == AlertState::Firing);
            let muted: Vec<_> = muted.filter(|facts| mute::silences(&one.matching, facts)).collect();
            let mut channels: BTreeMap<ChannelId, BTreeSet<AlertId>> = BTreeMap::new();
            for facts in muted {
                for channel in route::takers(&settings.routes, facts).iter().flat_map(|route| &route.channels) {
                    channels.entry(*channel).or_default().insert(facts.alert);
                }
            }
            for (channel, alerts) in channels {
                let mut content =
                    self.about(conn, NotificationReason::SilenceEnds, &alerts, &BTreeSet::new(), now).await?;
                let ends = one.ends_at.format("%-d %b %H:%M UTC");
                content.summary = format!(
                    "The silence by {} ({}) ends at {ends}. What still fires then is told.",
                    one.by, one.reason
                );
                let alerts = alerts.into_iter().collect();
                let (id, reason) = (NotificationId(new_id()), NotificationReason::SilenceEnds);
                new.push(NewNotification { id, group: None, channel, alerts, reason, content, thread: None });
            }
        }
        notification::insert(conn, &new, now).await?;
        Ok(new.len())
    }

    /// Tells the groups that are due.
    async fn tell(
        &self,
        conn: &mut PgConnection,
        settings: &Settings,
        known: Vec<Facts>,
        now: DateTime<Utc>,
    ) -> Result<Vec<NewNotification>, sqlx::Error> {
        let due = alert_group::due(conn, now, now + digest::WINDOW).await?;
        let mut facts: HashMap<AlertId, Facts> = known.into_iter().map(|facts| (facts.alert, facts)).collect();
        let all: BTreeSet<Uuid> =
            due.iter().flat_map(|group| group.alerts.iter().chain(&group.told)).copied().collect();
        let more: Vec<Uuid> = all.into_iter().filter(|id| !facts.contains_key(&AlertId(*id))).collect();
        if !more.is_empty() {
            facts.extend(alert_told::facts(conn, &more).await?.into_iter().map(|facts| (facts.alert, facts)));
        }
        let mut ready = Vec::new();
        let mut waits = Vec::new();
        let mut settled = Vec::new();
        for kept in &due {
            let Some(route) = settings.route(kept.route) else {
                settled.push(over(kept));
                continue;
            };
            if let Some(changed_at) = kept.changed_at {
                let at = group::due(&rhythm(kept, route, changed_at));
                if at > now {
                    waits.push((kept.id, at));
                    continue;
                }
            }
            ready.push((kept, route, decide(kept, route, &facts, now)));
        }
        let stormy = self.storms(conn, &ready, now).await?;
        let mut new = Vec::new();
        let mut digests: BTreeMap<ChannelId, (BTreeSet<AlertId>, DateTime<Utc>)> = BTreeMap::new();
        for (kept, route, decision) in &ready {
            let mut told_at = None;
            let mut episode = kept.episode;
            if let Some(reason) = decision.reason {
                let at = kept.changed_at.unwrap_or(now);
                let stormy = |channel: &ChannelId| match stormy.get(channel) {
                    Some(storm) if reason == NotificationReason::First => *storm,
                    _ => Storm::Calm,
                };
                let until = route.channels.iter().filter_map(|channel| match stormy(channel) {
                    Storm::Wait(until) => Some(until),
                    _ => None,
                });
                if let Some(until) = until.max() {
                    waits.push((kept.id, until));
                    continue;
                }
                let thread = *episode.get_or_insert_with(new_id);
                let mut content = None;
                for channel in &route.channels {
                    if stormy(channel) == Storm::Tell {
                        let (alerts, since) = digests.entry(*channel).or_insert_with(|| (BTreeSet::new(), at));
                        alerts.extend(&decision.firing);
                        *since = at.min(*since);
                        continue;
                    }
                    if content.is_none() {
                        content = Some(self.about(conn, reason, &decision.firing, &decision.over, at).await?);
                    }
                    let Some(content) = content.clone() else { continue };
                    new.push(NewNotification {
                        id: NotificationId(new_id()),
                        group: Some(kept.id),
                        channel: *channel,
                        alerts: decision.firing.union(&decision.over).copied().collect(),
                        reason,
                        content,
                        thread: Some(thread.simple().to_string()),
                    });
                }
                told_at = Some(now);
            }
            let ended = decision.told.is_empty();
            settled.push(Settled {
                id: kept.id,
                alerts: decision.stay.clone(),
                told: decision.told.clone(),
                due_at: decision.again_at,
                told_at,
                messages: if ended { 0 } else { kept.messages + i32::from(told_at.is_some()) },
                episode: episode.filter(|_| !ended),
            });
        }
        for (channel, (alerts, at)) in digests {
            let (id, reason) = (NotificationId(new_id()), NotificationReason::Digest);
            let content = self.about(conn, reason, &alerts, &BTreeSet::new(), at).await?;
            let alerts = alerts.into_iter().collect();
            new.push(NewNotification { id, group: None, channel, alerts, reason, content, thread: None });
        }
        notification::insert(conn, &new, now).await?;
        alert_group::settle(conn, &settled).await?;
        if !waits.is_empty() {
            alert_group::wait(conn, &waits).await?;
        }
        Ok(new)
    }

    /// What each channel does with the groups that begin now.
    async fn storms(
        &self,
        conn: &mut PgConnection,
        ready: &[(&Kept, &Route, Decision)],
        now: DateTime<Utc>,
    ) -> Result<HashMap<ChannelId, Storm>, sqlx::Error> {
        let mut begin: HashMap<ChannelId, (usize, DateTime<Utc>)> = HashMap::new();
        for (kept, route, _) in ready.iter().filter(|(.., decision)| decision.reason == Some(NotificationReason::First))
        {
            // its own wait is over by now; the storm is counted from there
            let since = kept.changed_at.unwrap_or(now) + TimeDelta::seconds(route.first_wait_seconds);
            for channel in &route.channels {
                let (count, first) = begin.entry(*channel).or_insert((0, since));
                (*count, *first) = (*count + 1, since.min(*first));
            }
        }
        if begin.is_empty() {
            return Ok(HashMap::new());
        }
        let recent: HashMap<_, _> =
            notification::recent(conn, now - digest::WINDOW, digest::FEW + 1).await?.into_iter().collect();
        let of =
            |(channel, (count, since))| (channel, storm(recent.get(&channel).copied().unwrap_or(0), count, since, now));
        Ok(begin.into_iter().map(of).collect())
    }

    async fn about(
        &self,
        conn: &mut PgConnection,
        reason: NotificationReason,
        firing: &BTreeSet<AlertId>,
        over: &BTreeSet<AlertId>,
        at: DateTime<Utc>,
    ) -> Result<Message, sqlx::Error> {
        let ids: Vec<Uuid> = firing.union(over).map(|id| id.0).collect();
        let most = i64::try_from(MOST_LINES).unwrap_or(20);
        let lines = alert_told::lines(conn, &ids, self.sender.public_url(), most).await?;
        Ok(Message::about(reason, lines, (firing.len(), over.len()), self.sender.public_url(), at))
    }
}

/// Alerts that changed are muted or not, and join the groups of the routes that take them. Answers them as they are now.
async fn take_up(
    conn: &mut PgConnection,
    ids: &[Uuid],
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Vec<Facts>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = alert_told::facts(conn, ids).await?;
    let groups = alert_group::of_alerts(conn, ids).await?;
    let mut muted = Vec::with_capacity(all.len());
    let mut joins = Vec::new();
    for facts in &mut all {
        let by = settings.muted_by(facts, now);
        muted.push((facts.alert, by));
        facts.muted_by = by;
        if facts.state != AlertState::Firing || by.is_some() {
            continue;
        }
        for route in route::takers(&settings.routes, facts).into_iter().filter(|route| !route.channels.is_empty()) {
            let there = groups.iter().any(|group| group.route == route.id && group.alerts.contains(&facts.alert.0));
            if !there {
                joins.push((new_id(), route.id, group::key(route, facts), facts.alert));
            }
        }
    }
    alert_told::looked_at(conn, &muted, now).await?;
    let touched: Vec<Uuid> = groups.iter().map(|group| group.id).collect();
    if !touched.is_empty() {
        alert_group::changed(conn, &touched, now).await?;
    }
    if !joins.is_empty() {
        alert_group::join(conn, &joins, now).await?;
    }
    Ok(all)
}

fn rhythm(kept: &Kept, route: &Route, changed_at: DateTime<Utc>) -> Rhythm {
    Rhythm {
        messages: kept.messages,
        told_at: kept.told_at,
        changed_at,
        first_wait: TimeDelta::seconds(route.first_wait_seconds),
        interval: TimeDelta::seconds(route.interval_seconds),
    }
}

fn decide(kept: &Kept, route: &Route, facts: &HashMap<AlertId, Facts>, now: DateTime<Utc>) -> Decision {
    let known: Vec<_> = kept.alerts.iter().filter_map(|id| facts.get(&AlertId(*id))).collect();
    let longest = known.iter().map(|facts| facts.repeat_seconds).filter(|seconds| *seconds > 0).min();
    let repeat = route.repeat_seconds.or(longest).filter(|seconds| *seconds > 0);
    let alerts = known.iter().map(|facts| {
        let standing = standing(facts.state, facts.muted_by);
        (facts.alert, StandingOf { standing, acknowledged: facts.acknowledged })
    });
    let group = Group {
        alerts: alerts.collect(),
        told: kept.told.iter().copied().map(AlertId).collect(),
        told_at: kept.told_at,
        repeat: repeat.map(TimeDelta::seconds),
    };
    dedup::decide(&group, now)
}

/// A group whose route is gone.
fn over(kept: &Kept) -> Settled {
    Settled {
        id: kept.id,
        alerts: BTreeSet::new(),
        told: BTreeSet::new(),
        due_at: None,
        told_at: None,
        messages: 0,
        episode: None,
    }
}
