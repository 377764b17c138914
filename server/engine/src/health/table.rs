//! The whole of judging as a table: every pair of dimensions, calm or flapping, its health, its causes, and what the playbook says
//! of each. It is made from the code, kept beside it as `table.md`, and compared: who changes a rule sees what else changes.

use super::judge::headline;
use super::unsettled::overlay;
use super::{Dimension, Flow, Hearing, Judgement, Known, Policy, judge};
use chrono::{DateTime, TimeDelta, Utc};
use model::{Authorization, Cause, DataFlow, Eye, Health};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const POLICY: Policy = Policy {
    cadence_default: Some(900),
    late_factor: 2.0,
    late_grace: TimeDelta::seconds(300),
    proof_allowance: TimeDelta::seconds(900),
    hearing: None,
};

/// Both dimensions, and whether it goes down again and again.
type Input = (Authorization, DataFlow, bool);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

/// What evidence can leave behind, each with the causes that evidence gives it.
fn everything_known() -> Vec<Known> {
    use Authorization as A;
    let authorizations = [
        (A::Authorized, None),
        (A::ReauthorizationRequired, Some(Cause::CredentialsChanged)),
        (A::ReauthorizationRequired, Some(Cause::PermissionMissing)),
        (A::Revoked, Some(Cause::Revoked)),
        (A::Unknown, None),
    ];
    let flows = [
        (Flow::Good, None),
        (Flow::NotConnected, Some(Cause::NotConnectedYet)),
        (Flow::FirstSync, Some(Cause::ReadingHistory)),
        (Flow::Failing, Some(Cause::SyncError)),
        (Flow::Offline, Some(Cause::PlatformUnreachable)),
        (Flow::Paused, Some(Cause::NoCredits)),
        (Flow::Unknown, Some(Cause::UnknownStatus)),
        (Flow::Unknown, None),
    ];
    let mut all = Vec::new();
    for (authorization, why) in authorizations {
        for (flow, why_flow) in flows {
            // fresh, past the deadline, and never; with and without a sync that is under way for long
            for last_good in [Some(-60), Some(-9_000), None] {
                for busy in [None, Some(-100_000)] {
                    let dimension_at = at(-100_000);
                    all.push(Known {
                        authorization: Dimension { value: authorization, at: dimension_at, eye: Eye::Poll, cause: why },
                        flow: Dimension { value: flow, at: dimension_at, eye: Eye::Poll, cause: why_flow },
                        last_good_sync_at: last_good.map(at),
                        busy_since: busy.map(at),
                        ..Known::nothing(dimension_at)
                    });
                }
            }
        }
    }
    all
}

/// The same for what its webhooks can leave behind: usual ones that came until now, or until long ago, and feed it or go with its syncs.
fn with_webhooks(known: &Known) -> Vec<Known> {
    let mut all = vec![known.clone()];
    for of_data in [true, false] {
        for newest in [-60, -40_000] {
            let mut told = known.clone();
            for n in 0..1_000 {
                told.pulse.note(at(newest - 900 * (999 - n)), of_data, true);
            }
            if of_data {
                told.pulse.brought(at(newest));
            }
            all.push(told);
        }
    }
    all
}

/// Every input that can come about, with what is shown for it.
fn judgements() -> BTreeMap<Input, (Health, BTreeSet<Option<Cause>>)> {
    let flips: Vec<_> = [-240, -180, -120, -60].map(at).to_vec();
    let mut all: BTreeMap<Input, (Health, BTreeSet<Option<Cause>>)> = BTreeMap::new();
    let hearing = Some(Hearing { since: at(-1_000_000), at: at(0) });
    let policies = [POLICY, Policy { hearing, ..POLICY }];
    let known = everything_known();
    let all_known =
        known.iter().flat_map(with_webhooks).flat_map(|known| policies.map(|policy| (known.clone(), policy)));
    for (known, policy) in all_known {
        // with a young proof, and with one that is too old
        for proof in [at(0), at(-901)] {
            let judged: Judgement = judge(&known, None, Some(proof), &policy, at(0));
            for (flapping, flips) in [(false, &[][..]), (true, &flips[..])] {
                let shown = overlay(judged.clone(), flips, at(0));
                let input = (shown.authorization, shown.data_flow, flapping);
                let entry = all.entry(input).or_insert_with(|| (shown.health, BTreeSet::new()));
                assert_eq!(entry.0, shown.health, "the headline is a function of {input:?}");
                entry.1.insert(shown.cause);
            }
        }
    }
    all
}

fn table() -> String {
    let mut text = String::from(
        "# From what is known to what is shown\n\n\
         Made from the code by `health/table.rs`; a test compares it. Flapping: it turned bad four times within an hour.\n\n\
         | authorization | data flow | flapping | health | cause | who must act | next step |\n|---|---|---|---|---|---|---|\n",
    );
    let all = judgements();
    for ((authorization, data_flow, flapping), (health, causes)) in &all {
        for cause in causes {
            let (code, actor, step) = match cause {
                Some(cause) => (cause.code(), cause.play().actor.code(), cause.play().step.code()),
                None => ("–", "–", "–"),
            };
            let flapping = if *flapping { "yes" } else { "no" };
            writeln!(
                text,
                "| `{authorization}` | `{data_flow}` | {flapping} | **{health}** | {code} | {actor} | {step} |"
            )
            .unwrap();
        }
    }
    text.push_str("\n# The playbook\n\n| cause | in words | what happened | who must act | next step | instruction | asking Makini |\n|---|---|---|---|---|---|---|\n");
    for cause in Cause::ALL {
        let play = cause.play();
        writeln!(
            text,
            "| `{cause}` | {} | {} | {} | {} | {} | {} |",
            cause.words(),
            play.happened,
            play.actor.words(),
            play.step.words(),
            play.instruction,
            play.ask_makini
        )
        .unwrap();
    }
    text
}

#[test]
fn the_table_beside_the_code_is_what_the_code_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/health/table.md");
    let made = table();
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let differs = made.lines().zip(kept.lines().chain(std::iter::repeat(""))).find(|(made, kept)| made != kept);
    assert!(made == kept, "table.md is old; run the test with INSTA_UPDATE=always. First: {differs:#?}");
}

#[test]
fn every_input_can_come_about_and_has_its_headline() {
    let all = judgements();
    for authorization in Authorization::ALL {
        for data_flow in DataFlow::ALL {
            let calm = headline(*authorization, *data_flow);
            let (shown, causes) = &all[&(*authorization, *data_flow, false)];
            assert_eq!(*shown, calm);
            assert_eq!(causes.contains(&None), calm == Health::Healthy, "only what is healthy has no cause");
            let (flapping, _) = &all[&(*authorization, *data_flow, true)];
            let stands = matches!(calm, Health::ReauthorizationRequired | Health::Unknown);
            assert_eq!(*flapping, if stands { calm } else { Health::Unstable });
        }
    }
}
