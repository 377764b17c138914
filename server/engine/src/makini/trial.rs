//! Trying a source out, for a person: what works and what does not, in plain sentences.

use super::{Answer, ListPage, UpstreamError};
use model::SourceTestStep;
use std::time::Instant;

/// Signs in, asks who the account is where that can be asked, lists the first page and looks at the version; stops at the
/// first step that does not work.
pub(super) async fn run<Token>(
    sign_in: impl Future<Output = Result<Token, UpstreamError>>,
    account: Option<impl Future<Output = Result<String, UpstreamError>>>,
    list: impl AsyncFnOnce() -> Result<Answer<ListPage>, UpstreamError>,
    version_header: &str,
) -> Vec<SourceTestStep> {
    let begin = Instant::now();
    let signed_in = sign_in.await.map(|_| "The client credentials are good.".to_owned());
    let mut steps = vec![step("Sign in", begin, &signed_in)];
    if signed_in.is_err() {
        return steps;
    }
    if let Some(account) = account {
        let begin = Instant::now();
        let named = match account.await {
            Ok(name) => format!("The account is “{name}”."),
            Err(error) => format!("The account does not say its name; nothing depends on it. {error}"),
        };
        steps.push(step("Account", begin, &Ok(named)));
    }
    let begin = Instant::now();
    let first = list().await;
    steps.push(step("List connections", begin, &first.as_ref().map(sentence_of).map_err(Clone::clone)));
    if let Ok(Answer { api_version, .. }) = first {
        let named = match api_version {
            Some(version) => format!("Answers name version {version}."),
            None => format!("Answers have no header “{version_header}”; nothing depends on it."),
        };
        steps.push(step("API version", Instant::now(), &Ok(named)));
    }
    steps
}

fn sentence_of(answer: &Answer<ListPage>) -> String {
    let ListPage { seen, next_cursor, total, undecodable } = &answer.value;
    let many = match (total, next_cursor) {
        (Some(total), _) => format!("Connections: {total}."),
        (None, Some(_)) => format!("Connections: more than {}.", seen.len()),
        (None, None) => format!("Connections: {}.", seen.len()),
    };
    match undecodable {
        0 => many,
        some => format!("{many} Of the first page, {some} cannot be read."),
    }
}

fn step(name: &str, begin: Instant, result: &Result<String, UpstreamError>) -> SourceTestStep {
    let detail = result.as_ref().map_or_else(|error| error.message.clone(), Clone::clone);
    let duration_ms = u32::try_from(begin.elapsed().as_millis()).unwrap_or(u32::MAX);
    SourceTestStep { name: name.to_owned(), ok: result.is_ok(), detail, duration_ms }
}
