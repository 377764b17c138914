//! The first person and the first API token, so that a new installation can be entered.

use super::{Error, People, hash_of, kept, random_secret};
use crate::clock::new_id;
use crate::store::{person, token};
use crate::vault::Secret;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use model::{PersonId, Role};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where a secret comes from.
#[derive(Debug)]
pub enum Given {
    /// From whoever runs Linewatch: it holds, and changes what was there.
    Secret(Secret),
    /// From this file, which is made at first start.
    KeptIn(PathBuf),
}

/// The administrator, as it was found or made.
#[derive(Debug)]
pub struct Administrator {
    /// The e-mail address to sign in with.
    pub email: String,
    /// The password, where it is known: given, or kept in a file.
    pub password: Option<Secret>,
    /// Made just now.
    pub made: bool,
}

/// The API token, as it was found or made.
#[derive(Debug)]
pub struct ApiToken {
    /// The token, where it is known: given, or kept in a file.
    pub token: Option<Secret>,
    /// Made just now.
    pub made: bool,
}

impl People {
    /// Sees to it that an administrator can sign in. A given password that is not the one behind the stored hash replaces
    /// it, and ends the sessions that were opened with it.
    pub async fn ensure_administrator(&self, email: &str, given: Given) -> Result<Administrator, Error> {
        let email = email.trim().to_lowercase();
        let mut db = self.0.pool.acquire().await?;
        let known = person::by_email(&mut db, &email).await?;
        drop(db);
        let (password, file) = match (given, &known) {
            (Given::Secret(password), _) => (password, None),
            (Given::KeptIn(file), Some(_)) => {
                return Ok(Administrator { password: kept::read(&file)?.map(Secret::from), email, made: false });
            }
            (Given::KeptIn(file), None) => (kept::read(&file)?.map_or_else(easy_to_type, Secret::from), Some(file)),
        };
        let plain = Zeroizing::new(password.expose().to_owned());
        if let Some(known) = known {
            let turn = self.0.passwords.turn().await.ok_or_else(|| Error::Hash("too many at once".to_owned()))?;
            if !self.0.passwords.matches(turn, plain.clone(), Some(known.password_hash)).await? {
                let hash = self.0.passwords.hash(plain).await?;
                person::set_password(&mut *self.0.pool.acquire().await?, known.id, &hash).await?;
                self.0.sessions.forget_all();
                tracing::warn!(
                    email,
                    "the administrator's password was changed to the given one; their sessions have ended"
                );
            }
            return Ok(Administrator { email, password: Some(password), made: false });
        }
        let hash = self.0.passwords.hash(plain).await?;
        let new = person::NewPerson {
            id: PersonId(new_id()),
            email: &email,
            name: &email,
            role: Role::Admin,
            password_hash: &hash,
            at: self.0.clock.now(),
        };
        let made = keep_if(file.as_deref(), password.expose(), async {
            Ok(person::insert(&mut *self.0.pool.acquire().await?, &new).await?)
        })
        .await?;
        Ok(Administrator { email, password: made.then_some(password), made })
    }

    /// Sees to it that there is an API token of this name, with the role of an administrator.
    pub async fn ensure_api_token(&self, name: &str, given: Given) -> Result<ApiToken, Error> {
        let stored = token::hash_of(&mut *self.0.pool.acquire().await?, name).await?;
        let (bearer, file) = match (given, &stored) {
            (Given::Secret(bearer), _) => (bearer, None),
            (Given::KeptIn(file), Some(stored)) => {
                let opens = |bearer: &String| hash_of(bearer).as_slice() == stored.as_slice();
                let bearer = kept::read(&file)?.filter(opens).map(Secret::from);
                return Ok(ApiToken { token: bearer, made: false });
            }
            (Given::KeptIn(file), None) => {
                let bearer = kept::read(&file)?.unwrap_or_else(|| format!("lw_{}", random_secret()));
                (Secret::from(bearer), Some(file))
            }
        };
        let (hash, now) = (hash_of(bearer.expose()), self.0.clock.now());
        if stored.as_deref() == Some(hash.as_slice()) {
            return Ok(ApiToken { token: Some(bearer), made: false });
        }
        let made = keep_if(file.as_deref(), bearer.expose(), async {
            let mut db = self.0.pool.acquire().await?;
            let inserted = token::insert(&mut db, new_id().into(), name, &hash, Role::Admin, now).await?;
            // Given ones replace what is there; ones from a file only what was revoked, and that is for a person to do.
            Ok(inserted || (file.is_none() && token::replace(&mut db, name, &hash, now).await?))
        })
        .await?;
        self.0.tokens.forget_all();
        Ok(ApiToken { token: made.then_some(bearer), made })
    }
}

/// Writes a secret to its file before it is stored, and takes the file away again if somebody else was quicker: a secret
/// that is stored but written nowhere would open nothing for anybody, ever.
async fn keep_if(
    file: Option<&Path>,
    secret: &str,
    store: impl Future<Output = Result<bool, Error>>,
) -> Result<bool, Error> {
    let Some(file) = file else { return store.await };
    let found = kept::read(file)?.is_some();
    kept::write(file, secret)?;
    let stored = store.await?;
    if !stored && !found {
        kept::remove(file)?;
    }
    Ok(stored)
}

/// A password of 96 random bits in four groups, for people who type it from another screen.
fn easy_to_type() -> Secret {
    let text = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 12]>());
    let plain: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { 'x' }).collect();
    Secret::from([&plain[..4], &plain[4..8], &plain[8..12], &plain[12..]].join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::people::SignInRefused;
    use sqlx::PgPool;
    use std::{net::Ipv4Addr, sync::Arc};

    const EMAIL: &str = "admin@example.com";

    async fn enters(people: &People, password: &str) -> bool {
        match people.sign_in(EMAIL, password, Ipv4Addr::LOCALHOST.into()).await {
            Ok(_) => true,
            Err(SignInRefused::Wrong) => false,
            Err(error) => panic!("{error}"),
        }
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_given_password_holds_and_a_changed_one_ends_sessions(pool: PgPool) {
        let people = People::new(pool, Arc::new(SystemClock));
        let given = |text: &str| Given::Secret(text.into());
        assert!(people.ensure_administrator("Admin@Example.com", given("first password")).await.unwrap().made);
        let session = people.sign_in(EMAIL, "first password", Ipv4Addr::LOCALHOST.into()).await.unwrap();
        assert!(!people.ensure_administrator(EMAIL, given("first password")).await.unwrap().made);
        assert!(people.session(session.cookie.expose()).await.unwrap().is_some());

        people.ensure_administrator(EMAIL, given("second password")).await.unwrap();
        assert!(people.session(session.cookie.expose()).await.unwrap().is_none());
        assert!(!enters(&people, "first password").await);
        assert!(enters(&people, "second password").await);
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn what_is_made_is_kept_and_stays(pool: PgPool) {
        let dir = tempfile::tempdir().unwrap();
        let kept_in = |name: &str| Given::KeptIn(dir.path().join(name));
        let people = People::new(pool.clone(), Arc::new(SystemClock));
        let first = people.ensure_administrator(EMAIL, kept_in("password")).await.unwrap();
        let password = first.password.unwrap();
        assert!(first.made && enters(&people, password.expose()).await);
        let again = people.ensure_administrator(EMAIL, kept_in("password")).await.unwrap();
        assert_eq!((again.made, again.password.unwrap().expose()), (false, password.expose()));

        let token = people.ensure_api_token("first", kept_in("token")).await.unwrap().token.unwrap();
        assert!(token.expose().starts_with("lw_") && token.expose().len() == 46);
        assert!(people.bearer(token.expose()).await.unwrap().is_some());
        let again = people.ensure_api_token("first", kept_in("token")).await.unwrap();
        assert_eq!((again.made, again.token.unwrap().expose()), (false, token.expose()));

        // Another process with a directory of its own makes none, and leaves nothing that opens nothing.
        let elsewhere = people.ensure_api_token("first", kept_in("elsewhere")).await.unwrap();
        assert!(elsewhere.token.is_none() && !dir.path().join("elsewhere").exists());
        assert!(people.bearer(token.expose()).await.unwrap().is_some());

        // Only hashes are stored.
        let stored: Vec<Vec<u8>> =
            sqlx::query_scalar("select token_hash from api_token").fetch_all(&pool).await.unwrap();
        assert_eq!(stored, [hash_of(token.expose()).to_vec()]);
    }

    #[sqlx::test(migrations = "../../migrations")]
    async fn a_given_token_takes_the_place_of_the_one_before(pool: PgPool) {
        let people = People::new(pool, Arc::new(SystemClock));
        for token in ["the-first-token-given", "the-second-token-given"] {
            assert!(people.ensure_api_token("first", Given::Secret(token.into())).await.unwrap().made);
            assert!(people.bearer(token).await.unwrap().is_some());
        }
        assert!(people.bearer("the-first-token-given").await.unwrap().is_none());
    }
}
