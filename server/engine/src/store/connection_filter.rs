//! The filters of a list of connections as SQL. Every value is bound.

use model::ConnectionQuery;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// Which of a query's filters are pushed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Conditions {
    /// All.
    All,
    /// All but `health`: what totals are under.
    AllButHealth,
    /// Those that an index holds together with the order.
    Indexed {
        /// `health` too.
        health: bool,
    },
}

/// Pushes `where` and filters on the table `connection c`.
pub(super) fn filter(sql: &mut QueryBuilder<Postgres>, query: &ConnectionQuery, conditions: Conditions) {
    sql.push(" where c.removed_at is null");
    if matches!(conditions, Conditions::All | Conditions::Indexed { health: true }) {
        let ranks: Vec<i16> = query.health.iter().map(|health| health.rank()).collect();
        push_any(sql, "c.health_rank", ranks);
    }
    push_any(sql, "c.platform_slug", query.platform.clone());
    push_any(sql, "c.customer_id", query.customer.iter().map(|id| id.0).collect());
    match query.source.iter().map(|source| source.parse::<Uuid>().ok()).collect::<Option<Vec<_>>>() {
        Some(ids) => push_any(sql, "c.source_id", ids),
        None => {
            sql.push(" and c.source_id = any(array(select id from source where name = any(");
            sql.push_bind(query.source.clone())
                .push(") or id::text = any(")
                .push_bind(query.source.clone())
                .push(")))");
        }
    }
    if matches!(conditions, Conditions::All | Conditions::AllButHealth) {
        push_loose(sql, query);
    }
}

/// One value is pushed as one: an index that begins with it has the order of the list then.
fn push_any<T>(sql: &mut QueryBuilder<Postgres>, column: &str, mut values: Vec<T>)
where
    T: for<'q> sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres> + 'static,
    Vec<T>: for<'q> sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres>,
{
    if values.len() > 1 {
        sql.push(" and ").push(column).push(" = any(").push_bind(values).push(")");
    } else if let Some(one) = values.pop() {
        sql.push(" and ").push(column).push(" = ").push_bind(one);
    }
}

/// Filters that no order goes with.
pub(super) fn push_loose(sql: &mut QueryBuilder<Postgres>, query: &ConnectionQuery) {
    if !query.tag.is_empty() {
        sql.push(" and c.tags && ").push_bind(query.tag.clone());
    }
    for term in query.q.iter().flat_map(|q| q.split_whitespace()).take(8) {
        let escaped = term.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        // without three letters in a row the index of searches would be read whole
        let hidden =
            if term.split(|c: char| !c.is_alphanumeric()).all(|word| word.chars().count() < 3) { " || ''" } else { "" };
        sql.push(" and c.search").push(hidden).push(" like ").push_bind(format!("%{escaped}%"));
    }
}
