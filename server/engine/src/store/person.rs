//! People who sign in.

use chrono::{DateTime, Utc};
use model::{PersonId, Role};
use sqlx::PgConnection;

/// What signing in needs to know of a person.
#[derive(Debug)]
pub struct Known {
    /// Who.
    pub id: PersonId,
    /// Argon2id, as a PHC string.
    pub password_hash: String,
}

/// A person to add.
#[derive(Debug)]
pub struct NewPerson<'a> {
    /// Their id.
    pub id: PersonId,
    /// Lower case.
    pub email: &'a str,
    /// How the audit log calls them.
    pub name: &'a str,
    /// What they may do.
    pub role: Role,
    /// Argon2id, as a PHC string.
    pub password_hash: &'a str,
    /// When.
    pub at: DateTime<Utc>,
}

/// The person with this e-mail address, in lower case.
pub async fn by_email(db: &mut PgConnection, email: &str) -> sqlx::Result<Option<Known>> {
    let row = sqlx::query!("select id, password_hash from person where email = $1", email).fetch_optional(db).await?;
    Ok(row.map(|row| Known { id: row.id.into(), password_hash: row.password_hash }))
}

/// Adds a person; false if the e-mail address is taken.
pub async fn insert(db: &mut PgConnection, new: &NewPerson<'_>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into person (id, email, name, role, password_hash, created_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (email) do nothing",
        new.id.0,
        new.email,
        new.name,
        new.role.code(),
        new.password_hash,
        new.at,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Changes a password and ends every session that was opened with the one before; false if there is no such person.
pub async fn set_password(db: &mut PgConnection, id: PersonId, password_hash: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "with ended as (delete from session where person_id = $1)
         update person set password_hash = $2 where id = $1",
        id.0,
        password_hash,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
