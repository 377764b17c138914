//! Pages, for who looks at them.

use crate::world::World;
use sqlx::PgPool;

#[sqlx::test(migrations = "../migrations")]
async fn nobody_is_shown_the_way_to_sign_in(pool: PgPool) {
    let world = World::new(pool).await;
    let nobody = world.anonymous().browsing();
    for (path, place) in [
        ("/", "/login?next=%2F"),
        ("/connections?health=late&q=a%20b", "/login?next=%2Fconnections%3Fhealth%3Dlate%26q%3Da%2520b"),
        ("/nothing", "/login?next=%2Fnothing"),
        ("//evil.example", "/login?next=%2F"),
    ] {
        let answer = nobody.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(place)), "{path}");
    }
    assert_eq!(nobody.get("/login").await.status, 200);
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_page_has_a_policy_with_a_nonce_of_its_own(pool: PgPool) {
    let world = World::new(pool).await;
    let admin = world.admin().await.browsing();
    let nonce = |answer: &crate::caller::Answer| {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
            "{policy}"
        );
        policy.split_once("'nonce-").unwrap().1.split('\'').next().unwrap().to_owned()
    };
    let (first, second) = (admin.get("/").await, admin.get("/").await);
    assert_eq!(first.status, 200, "{}", first.text);
    assert_ne!(nonce(&first), nonce(&second));
    assert!(first.text.contains(&format!("nonce=\"{}\"", nonce(&first))));
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    let missing = admin.get("/nothing").await;
    assert_eq!(missing.status, 404);
    nonce(&missing);
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn server_functions_tell_scripts_and_show_people(pool: PgPool) {
    let world = World::new(pool).await;
    let nobody = world.anonymous();
    let told = nobody.call("POST", "/_app/anything").await;
    assert_eq!(told.problem(401, "unauthenticated")["refusal"], "unauthenticated");
    let form = nobody.clone().browsing().with("referer", &format!("{}/connections?q=a", world.url));
    let shown = form.call("POST", "/_app/anything").await;
    assert_eq!((shown.status, shown.header("location")), (303, Some("/login?next=%2Fconnections%3Fq%3Da")));
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn files_are_for_everybody_and_kept_only_when_they_are_there(pool: PgPool) {
    let site = tempfile::tempdir().unwrap();
    std::fs::create_dir(site.path().join("pkg")).unwrap();
    std::fs::write(site.path().join("favicon.svg"), "<svg/>").unwrap();
    std::fs::write(site.path().join("pkg/app.js"), "1").unwrap();
    std::fs::write(site.path().join("pkg/app.js.br"), "compressed").unwrap();
    let world = World::with(pool, &[("LEPTOS_SITE_ROOT", site.path().to_str().unwrap())]).await;
    let nobody = world.anonymous();
    let icon = nobody.get("/favicon.svg").await;
    assert_eq!((icon.status, icon.text.as_str()), (200, "<svg/>"));
    assert_eq!(icon.header("cache-control"), Some("public, max-age=86400"));
    let script = nobody.clone().with("accept-encoding", "br").get("/pkg/app.js").await;
    assert_eq!((script.text.as_str(), script.header("content-encoding")), ("compressed", Some("br")));
    assert_eq!(script.header("cache-control"), Some("no-cache"), "it has no hash in its name");
    let missing = nobody.get("/pkg/app.0123.js").await;
    missing.problem(404, "not_found");
    assert_eq!(missing.header("cache-control"), Some("no-store"));
    assert_ne!(nobody.get("/pkg/..%2f..%2f..%2fetc/passwd").await.status, 200);
    world.stop().await;
}
