//! Whose fault it is that a batch was not stored.

fn sql_state(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(Into::into)
}

/// Whether the data itself is refused: bad data (22), a broken constraint (23), too much of something (54). A missing
/// partition calls itself a broken constraint too, but names none, and is no row's fault.
pub(super) fn is_a_rows_fault(error: &sqlx::Error) -> bool {
    let no_partition = error.as_database_error().is_some_and(|error| error.constraint().is_none())
        && sql_state(error).is_some_and(|state| state == "23514");
    let of_the_data = sql_state(error).is_some_and(|state| matches!(state.get(..2), Some("22" | "23" | "54")));
    matches!(error, sqlx::Error::Encode(_)) || (of_the_data && !no_partition)
}

/// A deadlock, or a serialisation failure: the same again may well succeed.
pub(super) fn is_deadlock(error: &sqlx::Error) -> bool {
    sql_state(error).is_some_and(|state| state == "40P01" || state == "40001")
}
