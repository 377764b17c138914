//! Who is killed, and how a stage is held until they are.

use super::came::Came;
use super::mailbox::{At, Mood};
use super::process::Linewatch;
use super::receiver::Answer;
use super::stage::Stage;
use super::two::{Two, count, of};
use engine::clock::{Clock as _, SystemClock};
use sqlx::PgConnection;
use std::time::{Duration, Instant};

/// Whoever decides about alerts holds this lock, and whoever tells of them that one.
const DECIDES: &str = "select pg_advisory_xact_lock(7815822796511147123)";
const TELLS: &str = "select pg_advisory_xact_lock(7455213600117)";
/// Keeps channels from being taken, and nothing else from being done.
const CHANNELS: &str = "select id from channel for no key update";

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victims {
    /// The one that is at it, or where both are, one of them.
    One,
    /// Both.
    Both,
}

impl Two {
    /// Lets something happen, kills whoever is at this stage of it, and starts them again.
    pub async fn kill_at(&mut self, stage: Stage, victims: Victims) {
        if let Some(channel) = stage.channel() {
            let waits = "select count(*) from notification n join channel c on c.id = n.channel_id \
                         where n.state in ('pending', 'sending') and c.name = $1";
            self.until("the channel is idle", async |db| of(db, waits, channel).await == 0).await;
        }
        let mut hold = self.pool.begin().await.unwrap();
        self.hold(stage, &mut hold).await;
        let came = self.log.all().len();
        let key = self.happen(stage != Stage::Collecting).await;
        self.until(&format!("{stage:?}"), async |db| of(db, stage.is_reached(), &key).await > 0).await;
        let mut at_it = None;
        if let Some(channel) = stage.channel().filter(|_| stage.is_held()) {
            let request = self.held(channel, came).await;
            at_it = request.pid;
            assert!(at_it.is_some_and(|pid| self.processes.iter().any(|one| one.pid() == Some(pid))), "{request:?}");
            if let Stage::Answered(_) = stage {
                self.answer(channel, &mut hold).await;
            }
            if let Stage::Answered(_) | Stage::Taken(_) = stage {
                self.doubtful.insert(request.what);
            }
        }
        let one = match at_it {
            Some(pid) => usize::from(self.processes[1].pid() == Some(pid)),
            None => self.broken % 2,
        };
        for process in match victims {
            Victims::One => &mut self.processes[one..=one],
            Victims::Both => &mut self.processes[..],
        } {
            self.killed.extend(process.pid());
            process.kill();
        }
        *self.killed_at.lock().unwrap() = SystemClock.now();
        hold.rollback().await.unwrap();
        self.processes.iter_mut().for_each(Linewatch::start);
        if victims == Victims::Both {
            futures::future::join_all(self.processes.iter().map(Linewatch::ready)).await;
        }
    }

    /// Sees to it that what happens next goes no further than this.
    async fn hold(&self, stage: Stage, hold: &mut PgConnection) {
        let mut lock = async |sql: &'static str| {
            sqlx::query(sql).execute(&mut *hold).await.unwrap();
        };
        match stage {
            Stage::Touched => lock(DECIDES).await,
            Stage::Fired => lock(TELLS).await,
            Stage::Pending => lock(CHANNELS).await,
            Stage::Handing(at, channel) => self.mailbox.will(at, channel, Mood::Holds),
            Stage::Taken(channel) => self.mailbox.will(At::End, channel, Mood::Keeps),
            // a channel is one or the other; what is never asked for is never done
            Stage::Sending(channel) | Stage::Answered(channel) => {
                self.receiver.will(channel, &[Answer::Hold]);
                self.mailbox.will(At::End, channel, Mood::Holds);
            }
            // twice: what was still on its way may come first
            Stage::BackOff(channel) => {
                self.receiver.will(channel, &[Answer::Status(503, None); 2]);
                self.mailbox.will(At::Recipient, channel, Mood::Says("451 not now"));
            }
            Stage::Collecting => {}
        }
    }

    /// What is held of a channel, of all that came after so many.
    async fn held(&self, channel: &str, after: usize) -> Came {
        let began = Instant::now();
        loop {
            let new = self.log.all().into_iter().skip(after);
            if let Some(request) = new.into_iter().find(|one| one.channel == channel && one.held) {
                return request;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "nothing came to “{channel}”");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Lets the channel answer, and keeps what is being sent from being noted as sent.
    async fn answer(&self, channel: &str, hold: &mut PgConnection) {
        let mine = "select n.id from notification n join channel c on c.id = n.channel_id \
                    where n.state = 'sending' and c.name = $1 for update of n";
        assert!(!sqlx::query(mine).bind(channel).fetch_all(hold).await.unwrap().is_empty());
        self.let_go.send_modify(|times| *times += 1);
        let waits = "select count(*) from pg_stat_activity where datname = current_database() \
                     and wait_event_type = 'Lock' and query like 'update notification set state%'";
        self.until("the answer is to be noted", async |db| count(db, waits).await > 0).await;
    }
}
