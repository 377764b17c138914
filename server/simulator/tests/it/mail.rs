//! The mail catcher, as a mail client and a browser meet it.

use crate::support::client;
use lettre::message::MultiPart;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use serde_json::{Value, json};
use simulator::mail::{Catcher, start};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

async fn catcher() -> Catcher {
    let listener = || async { TcpListener::bind("127.0.0.1:0").await.expect("a port") };
    start(listener().await, listener().await).expect("a catcher")
}

fn post(catcher: &Catcher) -> AsyncSmtpTransport<Tokio1Executor> {
    let address = catcher.smtp_addr();
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string()).port(address.port()).build()
}

fn addressed(subject: &str) -> lettre::message::MessageBuilder {
    let builder = Message::builder().from("Línewatch <l@a.example>".parse().expect("an address")).subject(subject);
    builder.to("b@c.example".parse().expect("an address")).bcc("hidden@c.example".parse().expect("an address"))
}

async fn get(catcher: &Catcher, path: &str) -> reqwest::Response {
    client().get(format!("{}{path}", catcher.url())).send().await.expect("an answer")
}

async fn list(catcher: &Catcher) -> Vec<Value> {
    let list: Value = get(catcher, "/mails").await.json().await.expect("JSON");
    list["items"].as_array().expect("items").clone()
}

fn policy(answer: &reqwest::Response) -> &str {
    answer.headers()["content-security-policy"].to_str().expect("text")
}

#[tokio::test]
async fn a_mail_is_caught_as_it_was_written() {
    let catcher = catcher().await;
    assert!(list(&catcher).await.is_empty());
    assert!(get(&catcher, "/").await.text().await.unwrap().contains("Nothing was caught yet."));
    let text = ".a line that begins with a full stop\r\nhttps://l.example/a?b=1&c=2";
    let html =
        "<!DOCTYPE html><html><body><script>alert(1)</script><a href=\"https://l.example/\">Öffnen</a></body></html>";
    let mail = addressed("Süd & <more>")
        .message_id(Some("<next@a.example>".into()))
        .in_reply_to("<first@a.example>".into())
        .references("<first@a.example>".into())
        .multipart(MultiPart::alternative_plain_html(text.to_owned(), html.to_owned()))
        .unwrap();
    post(&catcher).send(mail).await.expect("it is taken");

    let rows = list(&catcher).await;
    let row = &rows[0];
    assert_eq!((rows.len(), &row["subject"]), (1, &json!("Süd & <more>")));
    assert_eq!(
        (&row["from"], &row["to"]),
        (&json!("Línewatch <l@a.example>"), &json!(["b@c.example", "hidden@c.example"]))
    );
    assert!(row["at"].as_str().unwrap().ends_with('Z') && row.get("text").is_none(), "{row}");
    let path = format!("/mails/{}", row["id"].as_str().unwrap());
    let one: Value = get(&catcher, &path).await.json().await.unwrap();
    assert_eq!((one["text"].as_str().map(str::trim), one["html"].as_str().map(str::trim)), (Some(text), Some(html)));
    let header = |name: &str| {
        let mut headers = one["headers"].as_array().unwrap().iter();
        headers.find(|header| header["name"] == name).map(|header| header["value"].clone())
    };
    assert_eq!(header("Message-ID"), Some(json!("<next@a.example>")), "{one}");
    assert_eq!(header("In-Reply-To"), Some(json!("<first@a.example>")), "{one}");
    assert_eq!(header("References"), Some(json!("<first@a.example>")), "{one}");

    let page = get(&catcher, "/").await;
    assert!(policy(&page).starts_with("default-src 'none'") && !policy(&page).contains("unsafe"));
    assert!(page.text().await.unwrap().contains("Süd &amp; &lt;more&gt;"));
    let page = get(&catcher, &path.replace("mails", "read")).await.text().await.unwrap();
    assert!(page.contains("sandbox=") && !page.contains("allow-scripts") && !page.contains("alert(1)"), "{page}");
    assert!(page.contains("href=\"https://l.example/a?b=1&amp;c=2\""), "{page}");
    let framed = get(&catcher, &format!("{path}/html")).await;
    assert!(policy(&framed).starts_with("sandbox allow-popups ") && !policy(&framed).contains("allow-scripts"));
    assert!(framed.text().await.unwrap().ends_with(one["html"].as_str().unwrap()));
    let raw = get(&catcher, &format!("{path}/raw")).await;
    assert_eq!(raw.headers()["content-type"], "text/plain; charset=utf-8");
    assert!(raw.text().await.unwrap().contains("In-Reply-To: <first@a.example>\r\n"));
}

#[tokio::test]
async fn what_is_not_for_it_is_refused() {
    let catcher = catcher().await;
    let plain = |subject: &str, body: String| addressed(subject).header(ContentType::TEXT_PLAIN).body(body).unwrap();
    let large = format!("{}\r\n", "x".repeat(70)).repeat(20_000);
    let refused = post(&catcher).send(plain("large", large)).await.expect_err("it is too large");
    assert!(refused.is_permanent(), "{refused}");
    post(&catcher).send(plain("small", "text".to_owned())).await.expect("it is taken");
    let rows = list(&catcher).await;
    assert_eq!((rows.len(), &rows[0]["subject"]), (1, &json!("small")));
    let one: Value = get(&catcher, &format!("/mails/{}", rows[0]["id"].as_str().unwrap())).await.json().await.unwrap();
    assert_eq!((one["text"].as_str().map(str::trim), &one["html"]), (Some("text"), &Value::Null));

    for path in ["/mails/nothing", "/read/00000000-0000-0000-0000-000000000000", "/elsewhere"] {
        assert_eq!(get(&catcher, path).await.status(), 404, "{path}");
    }
    let from_elsewhere = client().get(format!("{}/mails", catcher.url())).header("host", "evil.example").send().await;
    assert_eq!(from_elsewhere.unwrap().status(), 403);
}

#[tokio::test]
async fn many_come_at_once_and_the_newest_stay() {
    let catcher = catcher().await;
    let mut senders = JoinSet::new();
    // as many at once as a server has channels, each one mail after the other
    for sender in 0..10 {
        let post = post(&catcher);
        senders.spawn(async move {
            for n in 0..26 {
                let mail = addressed(&format!("Number {sender}.{n}")).body("text".to_owned()).unwrap();
                post.send(mail).await.expect("it is taken");
            }
        });
    }
    senders.join_all().await;
    assert_eq!(list(&catcher).await.len(), 200);
    let (smtp, url) = (catcher.smtp_addr(), catcher.url());
    drop(catcher);
    for _ in 0..100 {
        let over = tokio::net::TcpStream::connect(smtp).await.is_err() && client().get(&url).send().await.is_err();
        if over {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it still listens");
}
