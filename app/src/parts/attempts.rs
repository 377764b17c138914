//! Every attempt beside the one before it: who or what caused it, what came of it, and what was different this time.

use super::{time::Moment, webhook_words::took};
use leptos::prelude::*;
use model::{Attempt, AttemptOutcome, Sent};

/// Attempts to deliver.
pub(crate) fn sent(all: &[Sent], now: Moment) -> AnyView {
    attempts(&all.iter().map(|one| (&one.attempt, one.answer.as_deref())).collect::<Vec<_>>(), now)
}

/// Attempts to process.
pub(crate) fn tried(all: &[Attempt], now: Moment) -> AnyView {
    attempts(&all.iter().map(|one| (one, None)).collect::<Vec<_>>(), now)
}

/// Newest first; they come oldest first.
fn attempts(all: &[(&Attempt, Option<&str>)], now: Moment) -> AnyView {
    if all.is_empty() {
        return view! { <p class="faint">"Not tried yet."</p> }.into_any();
    }
    let items: Vec<_> = all
        .iter()
        .enumerate()
        .rev()
        .map(|(i, (attempt, answer))| item(attempt, *answer, i.checked_sub(1).map(|before| all[before]), now))
        .collect();
    view! { <ol class="log tries">{items}</ol> }.into_any()
}

fn item(attempt: &Attempt, answer: Option<&str>, before: Option<(&Attempt, Option<&str>)>, now: Moment) -> AnyView {
    let ok = attempt.outcome == AttemptOutcome::Ok;
    let words = match (&attempt.error, ok) {
        (Some(error), _) => error.message.clone(),
        (None, true) => "Worked".to_owned(),
        (None, false) => "Failed".to_owned(),
    };
    let by = attempt.by.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let status = attempt.status.map(|status| format!(" · HTTP {status}")).unwrap_or_default();
    let new = before.map(|before| differs(attempt, answer, before));
    let differs = match new.as_deref() {
        None => None,
        Some([]) => Some(view! { <p class="sub">"the same as the one before"</p> }.into_any()),
        Some(what) => {
            Some(view! { <p class="sub"><mark class="differs">"different: "{what.join(", ")}</mark></p> }.into_any())
        }
    };
    let answer = answer.filter(|answer| !answer.is_empty()).map(|answer| {
        view! { <details class="facts-of"><summary>"What was answered"</summary><pre tabindex="0">{answer.to_owned()}</pre></details> }
            .into_any()
    });
    view! {
        <li class="with-mark" data-attempt=attempt.n.to_string() data-outcome=attempt.outcome.code()>
            <i class=if ok { "sign ok" } else { "sign failed" } aria-hidden="true"></i>
            <div>
                <p class="strong">{format!("{}. {words}", attempt.n)}</p>
                <p class="sub">{format!("{}{by}{status} · {}", attempt.trigger.words(), took(attempt.duration_ms))}</p>
                {differs}
                {answer}
            </div>
            <span class="when">{now.ago(attempt.started_at)}</span>
        </li>
    }
    .into_any()
}

/// What is not as it was the time before; how long it took only if it was another order.
fn differs(attempt: &Attempt, answer: Option<&str>, (before, answered): (&Attempt, Option<&str>)) -> Vec<&'static str> {
    let message = |attempt: &Attempt| attempt.error.as_ref().map(|error| error.message.clone());
    let class = |attempt: &Attempt| attempt.error.as_ref().map(|error| error.class.clone());
    let (long, short) = (attempt.duration_ms.max(before.duration_ms), attempt.duration_ms.min(before.duration_ms));
    let all = [
        (attempt.outcome != before.outcome, "how it ended"),
        (attempt.status != before.status, "the status"),
        (class(attempt) != class(before), "the kind of error"),
        (class(attempt) == class(before) && message(attempt) != message(before), "the words of the error"),
        (answer != answered, "the answer"),
        (long > 100 && long > short.saturating_mul(3), "how long it took"),
    ];
    all.into_iter().filter(|(differs, _)| *differs).map(|(_, what)| what).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{AttemptError, AttemptTrigger};

    fn attempt(n: u32, duration_ms: u32, status: Option<u16>, message: &str) -> Attempt {
        Attempt {
            n,
            trigger: AttemptTrigger::Schedule,
            by: None,
            started_at: chrono::DateTime::UNIX_EPOCH,
            duration_ms,
            outcome: AttemptOutcome::Retry,
            status,
            error: Some(AttemptError { class: "answer".into(), message: message.into() }),
        }
    }

    #[test]
    fn only_what_matters_differs() {
        let one = attempt(1, 41, Some(500), "It answered 500");
        assert!(differs(&attempt(2, 44, Some(500), "It answered 500"), Some("x"), (&one, Some("x"))).is_empty());
        let other = attempt(2, 9_000, Some(503), "It answered 503");
        assert_eq!(
            differs(&other, None, (&one, Some("x"))),
            ["the status", "the words of the error", "the answer", "how long it took"]
        );
    }
}
