//! What must be so when all is told: in the database, and at the receivers.

use super::came::Came;
use super::two::{Two, count};
use sqlx::Row as _;
use std::collections::{BTreeMap, BTreeSet};

/// Each alert, and each end of one, has one message for each channel, which was sent, and says what became of every try.
pub async fn balances(two: &Two) {
    let wrong = sqlx::query(
        "select a.subject_name, c.name, r.reason, count(n.id) as n from alert a cross join channel c \
         cross join (values ('first'), ('resolved')) r (reason) \
         left join notification n on n.channel_id = c.id and a.id = any(n.alert_ids) and n.reason = r.reason \
         where a.fired_at is not null group by a.id, a.subject_name, c.name, r.reason having count(n.id) <> 1",
    )
    .fetch_all(&two.pool)
    .await
    .unwrap();
    let said = |row: &sqlx::postgres::PgRow| -> (String, String, String, i64) {
        (row.get(0), row.get(1), row.get(2), row.get(3))
    };
    assert!(wrong.is_empty(), "{:?}", wrong.iter().map(said).collect::<Vec<_>>());
    let mut db = two.pool.acquire().await.unwrap();
    let alerts = count(&mut db, "select count(*) from alert where state = 'resolved' and fired_at is not null").await;
    assert_eq!(usize::try_from(alerts).unwrap(), two.broken, "each connection fired once, and is over");
    let odd = "select count(*) from notification where state <> 'sent' or due_at is not null or lease_token is not null \
               or told_in is null and attempts -> -1 ->> 'outcome' <> 'ok' \
               or told_in is null and exists (select from jsonb_array_elements(attempts) with ordinality t (one, n) \
                 where (one ->> 'n')::int <> n)";
    assert_eq!(count(&mut db, odd).await, 0, "the ledger does not balance");
}

/// What came to the receivers agrees with the ledger: all of it was taken, and what was taken twice was doubtful and says so. At
/// least so often they failed.
pub async fn tells(two: &Two, failed: usize) {
    let rows = sqlx::query(
        "select c.name, case when c.kind = 'slack' then n.subject when c.kind <> 'email' then n.id::text \
           when n.reason = 'first' then n.thread || '.' || c.id || '@linewatch.example' \
           else n.id || '@linewatch.example' end, n.told_in is null from notification n \
         join channel c on c.id = n.channel_id",
    )
    .fetch_all(&two.pool)
    .await
    .unwrap();
    let mut ledger: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut kept = BTreeSet::new();
    for row in rows {
        // Slack's three letters
        let what = row.get::<String, _>(1).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let one: (String, String) = (row.get(0), what);
        kept.insert(one.clone());
        if row.get(2) {
            *ledger.entry(one).or_default() += 1;
        }
    }
    let came = two.log.all();
    let mut twice = BTreeSet::new();
    for ((channel, what), messages) in &ledger {
        let those = came.iter().filter(|one| one.channel == *channel && one.what == *what);
        let taken: Vec<_> = those.filter(|one| one.told).collect();
        assert!(taken.len() >= *messages, "“{what}” was not told to “{channel}”");
        if taken.len() > *messages {
            let unnoted = taken.iter().filter(|one| one.pid.is_some_and(|pid| two.killed.contains(&pid))).count();
            assert!(taken.len() - unnoted <= *messages, "“{what}” was told twice to “{channel}” by who lived on");
            // what a killed process had said may be heard after what the next one says
            let plain = taken.iter().filter(|one| !one.maybe_repeat).count();
            assert!(plain <= *messages, "the repeat does not say so: {taken:?}");
            twice.insert(what.clone());
        }
    }
    assert!(twice.is_superset(&two.doubtful), "what was answered and not noted is told again: {twice:?}");
    let known = |one: &Came| one.what.is_empty() || ledger.contains_key(&(one.channel.clone(), one.what.clone()));
    assert!(came.iter().all(known), "somebody was told what nobody keeps");
    let faults = came.iter().filter(|one| !one.told).count();
    assert!(faults >= failed, "the receivers failed {faults} times only");
    let threaded =
        |one: &Came| one.answers.as_ref().is_none_or(|root| kept.contains(&(one.channel.clone(), root.clone())));
    assert!(came.iter().all(threaded), "a mail answers one that nobody knows");
}
