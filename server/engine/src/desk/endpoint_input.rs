//! What may be saved of an endpoint. Every field that is wrong is named, each with a sentence that helps. Pure.

use crate::http::Outbound;
use model::{EndpointFilter, EndpointPatch, FieldError, NewEndpoint, Refusal};

/// Ids in one list of a filter.
const MOST: usize = 1_000;

pub(super) fn new_endpoint(outbound: &Outbound, mut new: NewEndpoint) -> Result<NewEndpoint, Refusal> {
    let patch = EndpointPatch {
        name: Some(new.name),
        url: Some(new.url),
        filter: Some(new.filter),
        concurrency: new.concurrency,
        rate_per_second: Some(new.rate_per_second),
        owner: Some(new.owner),
        ..EndpointPatch::default()
    };
    let tidy = endpoint_patch(outbound, patch)?;
    new.name = tidy.name.unwrap_or_default();
    new.url = tidy.url.unwrap_or_default();
    new.filter = tidy.filter.unwrap_or_default();
    new.owner = tidy.owner.flatten();
    (new.concurrency, new.rate_per_second) = (tidy.concurrency, tidy.rate_per_second.flatten());
    Ok(new)
}

/// Trims what people type, and turns empty text into none.
pub(super) fn endpoint_patch(outbound: &Outbound, mut patch: EndpointPatch) -> Result<EndpointPatch, Refusal> {
    let mut errors = Vec::new();
    let mut check = |field: &str, holds: bool, message: &str| {
        if !holds {
            errors.push(FieldError::new(field, message));
        }
    };
    patch.name = patch.name.map(|name| name.trim().to_owned());
    patch.url = patch.url.map(|url| url.trim().to_owned());
    patch.owner = patch.owner.map(|owner| owner.map(|owner| owner.trim().to_owned()).filter(|owner| !owner.is_empty()));
    let strange = |text: &str| text.chars().any(char::is_control);
    if let Some(name) = &patch.name {
        check("name", !name.is_empty(), "give it a name, so that you find it again");
        check("name", name.chars().count() <= 80 && !strange(name), "at most 80 characters");
    }
    if let Some(owner) = patch.owner.iter().flatten().next() {
        check("owner", owner.chars().count() <= 200 && !strange(owner), "at most 200 characters");
    }
    check("concurrency", patch.concurrency.is_none_or(|n| (1..=100).contains(&n)), "between 1 and 100 at once");
    let rate = patch.rate_per_second.flatten();
    check("rate_per_second", rate.is_none_or(|n| (1..=10_000).contains(&n)), "between 1 and 10,000 a second");
    if let Some(filter) = &patch.filter {
        check_filter(&mut check, filter);
    }
    if let Some(url) = &patch.url {
        check("url", url.len() <= 2_000, "at most 2,000 characters");
        match outbound.check_url(url) {
            Err(refused) => check("url", false, &refused.to_string()),
            Ok(url) => check("url", url.fragment().is_none(), "an address without anything after #"),
        }
    }
    if errors.is_empty() { Ok(patch) } else { Err(Refusal::Invalid(errors)) }
}

fn check_filter(check: &mut impl FnMut(&str, bool, &str), filter: &EndpointFilter) {
    let EndpointFilter { kinds, sources, platforms, customers, .. } = filter;
    let lengths = [kinds.len(), sources.len(), platforms.len(), customers.len()];
    check("filter", lengths.into_iter().all(|length| length <= MOST), "at most 1,000 entries in each list");
    let strange = |text: &String| text.is_empty() || text.len() > 200 || text.chars().any(char::is_control);
    check(
        "filter",
        !kinds.iter().chain(platforms).any(strange),
        "there is an entry in it that no kind or platform has",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(name: &str, url: &str) -> NewEndpoint {
        NewEndpoint {
            name: name.to_owned(),
            url: url.to_owned(),
            filter: EndpointFilter::default(),
            ordered: false,
            enabled: None,
            concurrency: None,
            rate_per_second: None,
            owner: Some("  ".to_owned()),
        }
    }

    fn fields(refused: Result<NewEndpoint, Refusal>) -> Vec<String> {
        let Err(Refusal::Invalid(errors)) = refused else { panic!("must be refused") };
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn names_every_wrong_field() {
        let outbound = Outbound::new(Vec::new());
        let good = new_endpoint(&outbound, new(" Orders ", "https://hooks.example.com/in?a=b")).unwrap();
        assert_eq!((good.name.as_str(), good.owner), ("Orders", None));
        for url in ["http://hooks.example.com/", "https://10.0.0.1/", "https://user:pass@example.com/", "ftp://x/", "x"]
        {
            assert_eq!(fields(new_endpoint(&outbound, new("a", url))), ["url"], "{url}");
        }
        let wrong = NewEndpoint {
            concurrency: Some(101),
            rate_per_second: Some(0),
            filter: EndpointFilter { kinds: vec![String::new()], ..EndpointFilter::default() },
            ..new(" ", "https://example.com/")
        };
        assert_eq!(fields(new_endpoint(&outbound, wrong)), ["name", "concurrency", "rate_per_second", "filter"]);
    }
}
