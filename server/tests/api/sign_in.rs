//! Signing in and out.

use crate::world::{EMAIL, PASSWORD, World};
use chrono::TimeDelta;
use sqlx::PgPool;

#[sqlx::test(migrations = "../migrations")]
async fn goes_back_to_where_the_link_pointed(pool: PgPool) {
    let world = World::new(pool).await;
    let nobody = world.anonymous().with("origin", &world.url);
    for (next, place) in [
        ("/connections?health=late&q=a%20b", "/connections?health=late&q=a%20b"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("connections", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nset-cookie: x=y", "/"),
    ] {
        let answer = nobody.form("/login", &[("email", EMAIL), ("password", PASSWORD), ("next", next)]).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(place)), "{next:?}");
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.starts_with("linewatch_session="), "{cookie}");
        assert!(cookie.contains("; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax"), "{cookie}");
        assert!(!cookie.contains("Secure"), "{cookie}");
    }
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_session_opens_pages_and_the_api_until_it_is_ended(pool: PgPool) {
    let world = World::new(pool).await;
    let admin = world.admin().await;
    assert_eq!(admin.get("/api/v1/connections").await.status, 200);
    assert_eq!(admin.get("/connections").await.status, 200);
    assert_eq!(admin.get("/login").await.header("location"), Some("/"));
    let answer = admin.call("POST", "/logout").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/login")));
    assert!(answer.header("set-cookie").unwrap().starts_with("linewatch_session=; Path=/; Max-Age=0"));
    admin.get("/api/v1/connections").await.problem(401, "unauthenticated");
    assert_eq!(admin.get("/connections").await.header("location"), Some("/login?next=%2Fconnections"));
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_session_ends_when_it_is_idle_or_old(pool: PgPool) {
    let world = World::new(pool).await;
    let idle = world.admin().await;
    world.clock.advance(TimeDelta::hours(11));
    let busy = world.admin().await;
    assert_eq!(idle.get("/api/v1/sources").await.status, 200, "using it keeps it open");
    world.clock.advance(TimeDelta::hours(11));
    assert_eq!(idle.get("/api/v1/sources").await.status, 200);
    world.clock.advance(TimeDelta::hours(13));
    idle.get("/api/v1/sources").await.problem(401, "unauthenticated");
    busy.get("/api/v1/sources").await.problem(401, "unauthenticated");

    let busy = world.admin().await;
    for _ in 0..16 {
        assert_eq!(busy.get("/api/v1/sources").await.status, 200);
        world.clock.advance(TimeDelta::hours(10));
    }
    world.clock.advance(TimeDelta::hours(9));
    busy.get("/api/v1/sources").await.problem(401, "unauthenticated");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_wrong_is_said_without_saying_which(pool: PgPool) {
    let world = World::new(pool).await;
    let nobody = world.anonymous();
    let unknown = nobody.form("/login", &[("email", "who@example.com"), ("password", PASSWORD)]).await;
    let wrong = nobody.form("/login", &[("email", EMAIL), ("password", "battery")]).await;
    let (unknown, wrong) = (unknown.problem(401, "wrong"), wrong.problem(401, "wrong"));
    assert_eq!(unknown["detail"], wrong["detail"]);

    let form = [("email", EMAIL), ("password", "battery"), ("next", "/connections?q=a")];
    let page = nobody.clone().browsing().form("/login", &form).await;
    assert_eq!((page.status, page.header("location")), (303, Some("/login?next=%2Fconnections%3Fq%3Da&error=wrong")));
    let shown = nobody.clone().browsing().get("/login?next=%2Fconnections%3Fq%3Da&error=wrong").await;
    assert!(shown.text.contains("role=\"alert\"") && shown.text.contains("value=\"/connections?q=a\""), "{shown:?}");

    // The administrator's e-mail address may be typed as one likes.
    let answer = nobody.form("/login", &[("email", " Admin@Example.COM "), ("password", PASSWORD)]).await;
    assert_eq!(answer.header("location"), Some("/"));
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn guessing_is_slowed_down(pool: PgPool) {
    let world = World::new(pool).await;
    let nobody = world.anonymous();
    let guess = [("email", EMAIL), ("password", "guess")];
    let right = [("email", EMAIL), ("password", PASSWORD)];
    for _ in 0..5 {
        nobody.form("/login", &guess).await.problem(401, "wrong");
    }
    let answer = nobody.form("/login", &right).await;
    answer.problem(429, "throttled");
    assert_eq!(answer.header("retry-after"), Some("32"));
    let page = nobody.clone().browsing().form("/login", &right).await;
    assert_eq!(page.header("location"), Some("/login?next=%2F&error=throttled&wait=32"));
    let other = [("email", "who@example.com"), ("password", "guess")];
    nobody.form("/login", &other).await.problem(429, "throttled");

    world.clock.advance(TimeDelta::seconds(32));
    nobody.form("/login", &guess).await.problem(401, "wrong");
    assert_eq!(nobody.form("/login", &guess).await.header("retry-after"), Some("64"));
    world.clock.advance(TimeDelta::seconds(64));
    assert_eq!(nobody.form("/login", &right).await.status, 303);
    nobody.form("/login", &guess).await.problem(401, "wrong");
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn guesses_made_at_the_same_time_gain_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let nobody = world.anonymous();
    let guess = [("email", EMAIL), ("password", "guess")];
    let answers = futures::future::join_all((0..20).map(|_| nobody.form("/login", &guess))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 5);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 15);
    world.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn the_form_is_guarded_too(pool: PgPool) {
    let world = World::new(pool).await;
    let right = [("email", EMAIL), ("password", PASSWORD)];
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")] {
        world.anonymous().with(name, value).form("/login", &right).await.problem(403, "cross_site");
    }
    world.anonymous().form("/login", &[("email", EMAIL)]).await.problem(422, "unprocessable_entity");
    world.anonymous().body("POST", "/login", "text/plain", "email=a").await.problem(415, "unsupported_media_type");
    world.stop().await;
}
