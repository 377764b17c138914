//! `page` and `per_page`, and the envelope of every list: `data`, `links`, `meta`. A page is counted from the start, so what
//! is deleted between two pages moves the rest: whoever reads on misses something, as with any API that pages so.

use crate::error::ApiError;
use axum::extract::{FromRequestParts, Query};
use axum::http::header::HOST;
use axum::http::request::Parts;
use reqwest::Url;
use serde::Serialize;

const DEFAULT: usize = 15;
const MOST: usize = 100;

/// What a list is asked for: the page, and whatever else is in the query.
#[derive(Debug)]
pub(crate) struct Pages {
    page: usize,
    per_page: usize,
    /// The list's own address.
    path: String,
    /// The rest of the query, in its order.
    pub(crate) rest: Vec<(String, String)>,
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    data: Vec<T>,
    links: Links,
    meta: Meta,
}

#[derive(Debug, Serialize)]
struct Links {
    first: String,
    last: String,
    prev: Option<String>,
    next: Option<String>,
}

#[derive(Debug, Serialize)]
struct Meta {
    current_page: usize,
    /// The number of the page's first thing in the whole list, from 1; nothing on an empty page.
    from: Option<usize>,
    last_page: usize,
    path: String,
    per_page: usize,
    to: Option<usize>,
    total: usize,
}

impl Pages {
    fn read(path: String, query: Vec<(String, String)>) -> Result<Self, ApiError> {
        let mut pages = Self { page: 1, per_page: DEFAULT, path, rest: Vec::new() };
        for (name, value) in query {
            match name.as_str() {
                "page" => pages.page = number(&name, &value, usize::MAX)?,
                // The second name is that of Makini's sample application.
                "per_page" | "pageSize" => pages.per_page = number(&name, &value, MOST)?,
                _ => pages.rest.push((name, value)),
            }
        }
        Ok(pages)
    }

    /// How many come before this page.
    pub(crate) fn before(&self) -> usize {
        (self.page - 1).saturating_mul(self.per_page)
    }

    /// How many are on it at most.
    pub(crate) fn size(&self) -> usize {
        self.per_page
    }

    /// The page that holds these, out of so many.
    pub(crate) fn write<T>(&self, data: Vec<T>, total: usize) -> Page<T> {
        let last_page = total.div_ceil(self.per_page).max(1);
        let from = (!data.is_empty()).then(|| self.before() + 1);
        let links = Links {
            first: self.link(1),
            last: self.link(last_page),
            prev: (self.page > 1).then(|| self.link(self.page - 1)),
            next: (self.page < last_page).then(|| self.link(self.page + 1)),
        };
        let meta = Meta {
            current_page: self.page,
            from,
            last_page,
            path: self.path.clone(),
            per_page: self.per_page,
            to: from.map(|from| from + data.len() - 1),
            total,
        };
        Page { data, links, meta }
    }

    /// The address of another page of the same list.
    fn link(&self, page: usize) -> String {
        let Ok(mut url) = Url::parse(&self.path) else { return format!("{}?page={page}", self.path) };
        url.query_pairs_mut()
            .extend_pairs(&self.rest)
            .append_pair("per_page", &self.per_page.to_string())
            .append_pair("page", &page.to_string());
        url.into()
    }
}

fn number(name: &str, value: &str, most: usize) -> Result<usize, ApiError> {
    match value.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ if most == MOST => Err(ApiError::invalid(format!("{name} takes a number from 1 to {MOST}"))),
        _ => Err(ApiError::invalid(format!("{name} takes a number from 1"))),
    }
}

impl<S: Sync> FromRequestParts<S> for Pages {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let Query(query) = query.map_err(|error| ApiError::invalid(error.body_text()))?;
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        Self::read(format!("http://{host}{}", parts.uri.path()), query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn page(query: &[(&str, &str)], data: Vec<u32>, total: usize) -> Result<Value, ApiError> {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let pages = Pages::read("http://here/api/things".to_owned(), query)?;
        Ok(serde_json::to_value(pages.write(data, total)).expect("JSON"))
    }

    #[test]
    fn a_page_says_where_it_is_and_where_the_others_are() {
        let second = page(&[("page", "2"), ("per_page", "2"), ("filter[a]", "b c")], vec![3, 4], 5).expect("a page");
        let link = |page| format!("http://here/api/things?filter%5Ba%5D=b+c&per_page=2&page={page}");
        assert_eq!(
            second,
            json!({
                "data": [3, 4],
                "links": { "first": link(1), "last": link(3), "prev": link(1), "next": link(3) },
                "meta": {
                    "current_page": 2, "from": 3, "last_page": 3, "path": "http://here/api/things",
                    "per_page": 2, "to": 4, "total": 5,
                },
            })
        );
    }

    #[test]
    fn an_empty_list_has_one_page_with_nothing_on_it() {
        let empty = page(&[], vec![], 0).expect("a page");
        assert_eq!(empty["meta"]["last_page"], 1);
        assert_eq!(empty["meta"]["per_page"], DEFAULT);
        assert!(empty["meta"]["from"].is_null() && empty["meta"]["to"].is_null());
        assert!(empty["links"]["prev"].is_null() && empty["links"]["next"].is_null());
        let beyond = page(&[("page", "9")], vec![], 20).expect("a page");
        assert!(beyond["links"]["next"].is_null() && beyond["meta"]["from"].is_null());
        assert_eq!(beyond["meta"]["last_page"], 2);
    }

    #[test]
    fn pages_that_cannot_be_are_refused() {
        for (name, value) in [("page", "0"), ("page", "x"), ("per_page", "0"), ("per_page", "101"), ("pageSize", "-1")]
        {
            assert!(page(&[(name, value)], vec![], 0).is_err(), "{name}={value}");
        }
        assert!(page(&[("pageSize", "100")], vec![], 0).is_ok());
    }
}
