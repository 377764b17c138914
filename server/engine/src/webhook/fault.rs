//! Whose fault it is that a batch was not stored, or not processed.

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

/// Whether an error comes from what was to be stored, and not from the way to the database.
pub(super) fn is_of_the_data(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
        }
        sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => true,
        _ => false,
    }
}
