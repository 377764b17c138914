use super::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

fn nowhere() -> Outbound {
    Outbound::new(Vec::new())
}

fn loopback() -> Outbound {
    Outbound::new(vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()])
}

#[test]
fn only_public_addresses_are_public() {
    for refused in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "::a00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:1ff::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff:fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "fd00:ec2::254",
    ] {
        let address: IpAddr = refused.parse().unwrap();
        assert_eq!(nowhere().check_address(address, false), Err(AddressRefused::NotPublic(address)), "{refused}");
    }
    for public in [
        "1.1.1.1",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "2001:200::1",
        "2606:4700:4700::1111",
        "2a00:1450:4001::1",
        "3fff:1000::1",
    ] {
        assert_eq!(nowhere().check_address(public.parse().unwrap(), false), Ok(()), "{public}");
    }
}

#[test]
fn what_is_allowed_may_be_reached_in_every_spelling() {
    for allowed in ["127.0.0.1", "::ffff:127.0.0.1", "::1"] {
        assert_eq!(loopback().check_address(allowed.parse().unwrap(), true), Ok(()), "{allowed}");
    }
    let address: IpAddr = "64:ff9b::7f00:1".parse().unwrap();
    assert_eq!(loopback().check_address(address, false), Err(AddressRefused::NotPublic(address)), "a gateway, not us");
}

#[test]
fn urls_are_checked_before_anything_is_sent() {
    let v4 = |text: &str| AddressRefused::NotPublic(text.parse().unwrap());
    for (url, refused) in [
        ("ftp://example.com/", AddressRefused::Scheme("ftp".into())),
        ("file:///etc/passwd", AddressRefused::Scheme("file".into())),
        ("https://user@example.com/", AddressRefused::Credentials),
        ("https://:secret@example.com/", AddressRefused::Credentials),
        ("http://example.com/", AddressRefused::Plain),
        ("http://1.1.1.1/", AddressRefused::Plain),
        ("https://127.0.0.1:8080/", v4("127.0.0.1")),
        ("https://127.1/", v4("127.0.0.1")),
        ("https://0x7f000001/", v4("127.0.0.1")),
        ("https://2130706433/", v4("127.0.0.1")),
        ("https://017700000001/", v4("127.0.0.1")),
        ("https://127.0.0.1./", v4("127.0.0.1")),
        ("https://①②⑦.0.0.1/", v4("127.0.0.1")),
        ("https://[::1]/", v4("::1")),
        ("https://[::ffff:a9fe:a9fe]/latest/meta-data", v4("::ffff:169.254.169.254")),
    ] {
        assert_eq!(nowhere().check_url(url), Err(refused), "{url}");
    }
    assert!(matches!(nowhere().check_url("api.makini.io"), Err(AddressRefused::NotAUrl(_))));
    assert!(matches!(nowhere().check_url("https://"), Err(AddressRefused::NotAUrl(_))));
    assert!(nowhere().check_url("https://api.makini.io").is_ok());
    assert!(loopback().check_url("http://127.0.0.1:4010").is_ok());
    assert!(loopback().check_url("http://localhost:4010").is_ok(), "the name is checked when connecting");
    assert_eq!(loopback().check_url("http://8.8.8.8/"), Err(AddressRefused::Plain));
}

#[tokio::test]
async fn a_name_that_means_a_private_address_is_refused_when_connecting() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let elsewhere = Outbound::new(vec!["192.0.2.0/24".parse().unwrap()]);
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://localhost:{port}/secret-path");
        let client = elsewhere.client(Timeouts::default()).unwrap();
        let error: SendError = client.request(reqwest::Method::GET, &url).unwrap().send().await.unwrap_err().into();
        assert!(matches!(error, SendError::Refused(AddressRefused::NotPublic(ip)) if ip.is_loopback()), "{error:?}");
        assert!(!error.to_string().contains("secret-path"));
    }
}

/// Answers every connection with these bytes, then closes it.
async fn answering(bytes: Vec<u8>) -> String {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            let mut asked = [0; 4096];
            drop(stream.read(&mut asked).await);
            drop(stream.write_all(&bytes).await);
        }
    });
    url
}

async fn get(url: &str) -> reqwest::Response {
    let client = loopback().client(Timeouts::default()).unwrap();
    client.request(reqwest::Method::GET, url).unwrap().send().await.unwrap()
}

#[tokio::test]
async fn redirects_are_not_followed_and_answers_are_capped() {
    let url =
        answering(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n".into()).await;
    assert_eq!(get(&url).await.status(), 302);

    let announced = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello world".into()).await;
    assert_eq!(read_capped(get(&announced).await, 10).await, Err(SendError::TooLarge(10)));
    assert_eq!(read_capped(get(&announced).await, 11).await.unwrap(), "hello world");
    assert_eq!(read_start(get(&announced).await, 5).await, Ok(("hello".into(), true)));

    let unannounced = answering(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello world".into()).await;
    assert_eq!(read_capped(get(&unannounced).await, 10).await, Err(SendError::TooLarge(10)));
    assert_eq!(read_capped(get(&unannounced).await, 11).await.unwrap(), "hello world");
}

#[tokio::test]
async fn errors_are_told_apart_and_name_no_url() {
    let client = loopback().client(Timeouts { connect: Duration::from_secs(1), total: Duration::from_millis(200) });
    let client = client.unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook/s3cret", gone.local_addr().unwrap());
    let silent = client.request(reqwest::Method::GET, &url).unwrap().send().await.unwrap_err();
    assert_eq!(SendError::from(silent), SendError::TimedOut);
    drop(gone);
    let error = SendError::from(client.request(reqwest::Method::GET, &url).unwrap().send().await.unwrap_err());
    assert!(matches!(&error, SendError::Connect(why) if why.contains("refused")), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("s3cret"));

    let url = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ncut".into()).await;
    let response = client.request(reqwest::Method::GET, &url).unwrap().send().await.unwrap();
    assert!(matches!(read_capped(response, 1_000).await, Err(SendError::Broken(_))));
}
