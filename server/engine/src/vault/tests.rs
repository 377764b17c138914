use super::*;
use crate::clock::Clock as _;
use crate::clock::TestClock;
use proptest::prelude::*;
use sqlx::PgPool;

fn vault() -> Vault {
    vault_at(TestClock::at(DateTime::UNIX_EPOCH))
}

fn vault_at(clock: Arc<TestClock>) -> Vault {
    Vault::new(MasterKey::generate(), clock)
}

proptest! {
    #[test]
    fn what_is_sealed_opens_again(text: String, owner: u128, kind in proptest::sample::select(&SecretKind::ALL)) {
        let (vault, owner) = (vault(), Uuid::from_u128(owner));
        let sealed = vault.seal(owner, kind, &text.as_str().into()).unwrap();
        prop_assert_eq!(sealed.len(), NONCE + text.len() + 16);
        prop_assert_ne!(&sealed, &vault.seal(owner, kind, &text.as_str().into()).unwrap(), "never the same nonce");
        let opened = vault.open(owner, kind, &sealed).unwrap();
        prop_assert_eq!(opened.expose(), text);
    }

    #[test]
    fn one_changed_bit_closes_it(text in ".{0,64}", at: proptest::sample::Index, bit in 0..8u8) {
        let (vault, owner) = (vault(), Uuid::from_u128(7));
        let mut sealed = vault.seal(owner, SecretKind::ClientSecret, &text.as_str().into()).unwrap();
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(matches!(vault.open(owner, SecretKind::ClientSecret, &sealed), Err(VaultError::Damaged(_))));
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes: Vec<u8>) {
        let opened = vault().open(Uuid::nil(), SecretKind::AdminToken, &bytes);
        prop_assert!(opened.is_err());
    }
}

#[test]
fn another_owner_kind_or_key_does_not_open_it() {
    let (vault, owner) = (vault(), Uuid::from_u128(1));
    let sealed = vault.seal(owner, SecretKind::ClientSecret, &"s".into()).unwrap();
    assert!(vault.open(owner, SecretKind::ClientSecret, &sealed).is_ok());
    assert!(vault.open(Uuid::from_u128(2), SecretKind::ClientSecret, &sealed).is_err());
    assert!(vault.open(owner, SecretKind::WebhookSecret, &sealed).is_err());
    assert!(self::vault().open(owner, SecretKind::ClientSecret, &sealed).is_err());
}

#[test]
fn a_secret_does_not_print() {
    let secret = Secret::from("whsec_swordfish");
    let opened = Opened {
        id: SecretId(Uuid::nil()),
        secret: secret.clone(),
        hint: secret.hint(),
        created_at: DateTime::UNIX_EPOCH,
        expires_at: None,
        last_used_at: None,
    };
    let key = MasterKey::generate();
    let printed = format!("{secret} {secret:?} {opened:?} {:?} {key:?}", Some(&secret));
    assert!(!printed.contains("sword"), "{printed}");
    assert!(!printed.contains(key.to_text().expose()));
    assert_eq!(secret.hint(), "fish");
    assert_eq!(Secret::from("elevenchars").hint(), "", "too short to show anything of it");
    assert_eq!(Secret::from("äöüäöüäöüäöüé").hint(), "äöüé", "characters, not bytes");
}

#[sqlx::test(migrations = "../../migrations")]
async fn secrets_are_kept_replaced_and_retired(pool: PgPool) {
    let clock = TestClock::at(DateTime::UNIX_EPOCH);
    let (vault, owner, kind) = (vault_at(clock.clone()), new_id(), SecretKind::WebhookSecret);
    let mut conn = pool.acquire().await.unwrap();
    let first = vault.put(&mut conn, owner, kind, &"whsec_the_first".into(), None).await.unwrap();
    clock.advance(chrono::TimeDelta::seconds(1));
    let until = clock.now() + chrono::TimeDelta::hours(1);
    let second = vault.put(&mut conn, owner, kind, &"whsec_the_second".into(), Some(until)).await.unwrap();
    vault.put(&mut conn, owner, SecretKind::ClientSecret, &"of another kind".into(), None).await.unwrap();

    let all = vault.get_all(&mut conn, owner, kind).await.unwrap();
    let seen: Vec<_> = all.iter().map(|one| (one.id, one.secret.expose(), one.hint.as_str(), one.expires_at)).collect();
    assert_eq!(seen, [(second, "whsec_the_second", "cond", Some(until)), (first, "whsec_the_first", "irst", None)]);
    assert_eq!(vault.newest(&mut conn, owner, kind).await.unwrap().unwrap().id, second);

    vault.touch_used(&mut conn, first, until).await.unwrap();
    vault.touch_used(&mut conn, first, clock.now()).await.unwrap();
    let shown = rows::webhook_secrets(&mut conn, &[owner.into()]).await.unwrap();
    assert_eq!(shown.len(), 2);
    assert_eq!((shown[0].1.id, shown[0].1.last_used_at), (first, Some(until)), "use never moves backward");

    assert!(!vault.retire(&mut conn, new_id(), first).await.unwrap(), "not somebody else's");
    assert!(vault.retire(&mut conn, owner, first).await.unwrap());
    assert!(!vault.retire(&mut conn, owner, first).await.unwrap());
    let third = vault.replace(&mut conn, owner, kind, &"whsec_the_third".into(), None).await.unwrap();
    let all = vault.get_all(&mut conn, owner, kind).await.unwrap();
    assert_eq!(all.iter().map(|one| one.id).collect::<Vec<_>>(), [third]);
    assert!(vault.newest(&mut conn, owner, SecretKind::ClientSecret).await.unwrap().is_some());
    assert!(vault.newest(&mut conn, owner, SecretKind::AdminToken).await.unwrap().is_none());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_wrong_key_says_so_and_a_moved_row_does_not_open(pool: PgPool) {
    let (vault, owner, kind) = (vault(), new_id(), SecretKind::ClientSecret);
    let mut conn = pool.acquire().await.unwrap();
    vault.put(&mut conn, owner, kind, &"linewatch-secret".into(), None).await.unwrap();

    let error = self::vault().newest(&mut conn, owner, kind).await.unwrap_err();
    assert!(matches!(&error, VaultError::OtherKey { sealed_with, .. } if sealed_with == vault.key_id()));
    assert!(error.to_string().contains("Start it with the key it had before"), "{error}");

    let thief = new_id();
    sqlx::query("update vault_secret set owner = $1").bind(thief).execute(&mut *conn).await.unwrap();
    let error = vault.newest(&mut conn, thief, kind).await.unwrap_err();
    assert!(matches!(error, VaultError::Damaged(SecretKind::ClientSecret)), "{error:?}");
}
