//! Whole lists as CSV, for who asks with `Accept: text/csv` or `?format=csv`.

mod records;
mod told;

use super::problem::Problem;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::{header, request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use model::{
    AlertQuery, CustomerQuery, DeliveryQuery, EventQuery, FailureQuery, IssueQuery, Page, PageQuery, Refusal, Rows,
};
use std::future::Future;

/// As what a list is told.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase", as = ListFormat)]
pub enum Format {
    /// All of it, as CSV.
    Csv,
    /// A page of it, as JSON.
    Json,
}

/// How a list is wanted.
#[derive(Debug)]
pub struct Wanted {
    /// The query string without `format`.
    pub query: String,
    /// The whole list, as CSV.
    pub csv: bool,
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, Problem> {
        let accept = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let first = accept.split([',', ';']).next().unwrap_or_default().trim();
        read(parts.uri.query().unwrap_or_default(), first.eq_ignore_ascii_case("text/csv"))
    }
}

fn read(query: &str, mut csv: bool) -> Result<Wanted, Problem> {
    let mut rest = Vec::new();
    for pair in query.split('&') {
        match pair.strip_prefix("format=") {
            Some("csv") => csv = true,
            Some("json") => csv = false,
            Some("") => {}
            Some(_) => return Err(Refusal::invalid("format", "this is either csv or json").into()),
            None => rest.push(pair),
        }
    }
    Ok(Wanted { query: rest.join("&"), csv })
}

/// What a row of a list says in CSV.
pub trait Record {
    /// The names of the columns; those of the API, with a dot where it nests.
    const COLUMNS: &'static [&'static str];

    /// The row, one text for each column.
    fn fields(&self) -> Vec<String>;
}

/// A question that can be asked for the next page.
pub trait Paged: Clone + Send + 'static {
    /// Turns to the page that begins there.
    fn turn_to(&mut self, cursor: Option<String>);
}

impl Paged for PageQuery {
    fn turn_to(&mut self, cursor: Option<String>) {
        (self.cursor, self.limit) = (cursor, Some(200));
    }
}

impl Paged for model::NotificationQuery {
    fn turn_to(&mut self, cursor: Option<String>) {
        (self.cursor, self.limit) = (cursor, Some(200));
    }
}

impl Paged for EventQuery {
    fn turn_to(&mut self, cursor: Option<String>) {
        (self.cursor, self.limit) = (cursor, Some(200));
    }
}

impl Paged for DeliveryQuery {
    fn turn_to(&mut self, cursor: Option<String>) {
        (self.cursor, self.limit) = (cursor, Some(200));
    }
}

impl Paged for FailureQuery {
    fn turn_to(&mut self, cursor: Option<String>) {
        (self.cursor, self.limit) = (cursor, Some(200));
    }
}

impl Paged for CustomerQuery {
    fn turn_to(&mut self, cursor: Option<String>) {
        (self.cursor, self.limit) = (cursor, Some(200));
    }
}

impl Paged for AlertQuery {
    fn turn_to(&mut self, cursor: Option<String>) {
        (self.cursor, self.limit) = (cursor, Some(200));
    }
}

impl Paged for IssueQuery {
    fn turn_to(&mut self, cursor: Option<String>) {
        (self.cursor, self.limit) = (cursor, Some(200));
    }
}

/// All rows, page after page; for lists whose order is that of time or of names, which hardly anything moves.
pub fn pages<Q, T, A>(query: Q, ask: impl Fn(Q) -> A + Send + 'static) -> Rows<T>
where
    Q: Paged,
    T: Send + 'static,
    A: Future<Output = Result<Page<T>, Refusal>> + Send,
{
    let pages = stream::try_unfold((Some(None), query, ask), |(cursor, mut query, ask)| async move {
        let Some(cursor) = cursor else { return Ok(None) };
        query.turn_to(cursor);
        let page = ask(query.clone()).await?;
        let rows = stream::iter(page.items.into_iter().map(Ok));
        Ok(Some((rows, (page.next_cursor.map(Some), query, ask))))
    });
    Box::pin(pages.try_flatten())
}

/// Answers with all rows. What fails before the first row is told as ever; what fails later breaks the answer off, so that
/// nobody takes a part for the whole.
pub async fn answer<T: Record + Send + 'static>(name: &str, rows: Rows<T>) -> Result<Response, Problem> {
    let mut rows = rows.peekable();
    if let Some(Err(refusal)) = std::pin::Pin::new(&mut rows).peek().await {
        return Err(refusal.clone().into());
    }
    let head = stream::once(std::future::ready(Ok(line(T::COLUMNS.iter().copied()))));
    let lines = rows.map(|row| row.map(|row| line(row.fields().iter().map(String::as_str))));
    let body = Body::from_stream(head.chain(lines).map_err(std::io::Error::other));
    let name = format!("attachment; filename=\"{name}.csv\"");
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, body).into_response())
}

/// A line, as RFC 4180 has it.
fn line<'a>(fields: impl Iterator<Item = &'a str>) -> Bytes {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing into memory does not fail.
    let _ = writer.write_record(fields.map(harmless).map(std::borrow::Cow::into_owned));
    writer.into_inner().unwrap_or_default().into()
}

/// Spreadsheets take what begins so for a formula and run it; an apostrophe makes it a text again.
fn harmless(field: &str) -> std::borrow::Cow<'_, str> {
    if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{field}").into() } else { field.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_its_own_name_out_of_the_query() {
        let wanted = read("format=csv&health=late&q=a%26b", false).unwrap();
        assert_eq!((wanted.query.as_str(), wanted.csv), ("health=late&q=a%26b", true));
        assert!(!read("format=json", true).unwrap().csv);
        assert!(read("format=xlsx", false).is_err());
    }

    #[test]
    fn a_formula_becomes_a_text_and_commas_stay() {
        assert_eq!(line(["=1+1", "a,b", "say \"x\"", ""].into_iter()), "'=1+1,\"a,b\",\"say \"\"x\"\"\",\r\n");
    }
}
