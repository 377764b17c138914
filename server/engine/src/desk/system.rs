//! Linewatch itself.

use super::Desk;
use crate::housekeeping::room_until;
use crate::store::{alert, alert_sweep, event, event_due, failure, fleet, gap, hearing, internal, issue_list, replica};
use crate::system::concern::{Facts, concerns};
use chrono::TimeDelta;
use model::{Actor, Ingest, Pulse, Refusal, Role, System};
use sqlx::PgConnection;

impl Desk {
    pub(super) async fn read_pulse(&self, actor: &Actor) -> Result<Pulse, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        let totals = fleet::totals(&mut conn).await.map_err(internal)?;
        let issues_open = issue_list::open(&mut conn).await.map_err(internal)?;
        let alerts_firing = alert::firing_untaken(&mut conn).await.map_err(internal)?;
        let webhooks_failed = failure::resting(&mut conn).await.map_err(internal)?;
        let System { at, concerns, .. } = self.look(&mut conn).await?;
        Ok(Pulse { at, totals, issues_open, alerts_firing, webhooks_failed, concerns })
    }

    pub(super) async fn read_system(&self, actor: &Actor) -> Result<System, Refusal> {
        actor.must_be(Role::Viewer)?;
        let mut conn = self.conn().await?;
        let mut system = self.look(&mut conn).await?;
        system.ingest.last_minute =
            event::received_since(&mut conn, system.at - TimeDelta::minutes(1)).await.map_err(internal)?;
        Ok(system)
    }

    /// Everything but what takes counting.
    async fn look(&self, conn: &mut PgConnection) -> Result<System, Refusal> {
        let at = self.clock.now();
        let sources = self.sources_with_traffic(conn, None).await?;
        let replicas = replica::list(conn).await.map_err(internal)?;
        let backlog = event_due::backlog(conn, at).await.map_err(internal)?;
        let room_until = room_until(conn, at).await.map_err(internal)?;
        let certificate = self.certificate.borrow().clone();
        let mut silent = gap::silent(conn, at).await.map_err(internal)?;
        for stopped in hearing::stopped(conn, at).await.map_err(internal)? {
            match silent.iter_mut().find(|silent| silent.source == stopped.source) {
                Some(known) => known.fed = stopped.fed,
                None => silent.push(stopped),
            }
        }
        let broken = alert_sweep::broken(conn).await.map_err(internal)?;
        let facts = Facts {
            sources: &sources,
            broken: &broken,
            silent: &silent,
            replicas: &replicas,
            waiting_since: backlog.oldest,
            room_until,
            certificate: certificate.as_ref(),
            public_url: &self.public_url,
        };
        let concerns = concerns(facts, at);
        let waiting = u64::try_from(backlog.count).unwrap_or(0);
        Ok(System {
            at,
            version: self.version.to_owned(),
            public_url: self.public_url.clone(),
            concerns,
            ingest: Ingest { last_minute: 0, waiting, waiting_since: backlog.oldest },
            sources,
            replicas,
            room_until,
            certificate,
        })
    }
}
