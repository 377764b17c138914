//! Where Linewatch may not be led to: every range, every spelling, every way there.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// By the IANA registries of special addresses.
const REFUSED_V4: [(&str, &str); 16] = [
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carriers' shared space"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("169.254.169.254/32", "where clouds keep their metadata"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.88.99.0/24", "6to4 relays"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved, broadcast"),
];

/// The same; those that hide an IPv4 address are refused whatever it is.
const REFUSED_V6: [(&str, &str); 20] = [
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::/96", "once IPv4-compatible"),
    ("::ffff:0:0:0/96", "translated"),
    ("64:ff9b::/96", "NAT64"),
    ("64:ff9b:1::/48", "local NAT64"),
    ("100::/64", "discarded"),
    ("2001::/32", "Teredo"),
    ("2001:2::/48", "benchmarking"),
    ("2001:10::/28", "ORCHID"),
    ("2001:20::/28", "ORCHID, the second"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "unique local"),
    ("fd00:ec2::254/128", "where a cloud keeps its metadata"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "once site-local"),
    ("ff00::/8", "multicast"),
];

fn nowhere() -> Outbound {
    Outbound::new(Vec::new())
}

/// An address of a network; `place` is wrapped into it.
fn inside(network: &str, place: u128) -> IpAddr {
    let network: IpNet = network.parse().unwrap();
    match network {
        IpNet::V4(net) => {
            let hosts = u128::from(u32::from(net.hostmask()));
            Ipv4Addr::from(u32::from(net.network()) | u32::try_from(place & hosts).unwrap()).into()
        }
        IpNet::V6(net) => Ipv6Addr::from(u128::from(net.network()) | (place & u128::from(net.hostmask()))).into(),
    }
}

/// The ways to write an IPv4 address where a URL has its host.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let whole = u32::from(address);
    let (low, mid) = (u32::from(c) << 8 | u32::from(d), u32::from(b) << 16 | u32::from(c) << 8 | u32::from(d));
    let wide: String =
        format!("{a}").chars().map(|digit| char::from_u32(digit as u32 - 0x30 + 0xff10).unwrap()).collect();
    let encoded: String = format!("{a}").bytes().map(|digit| format!("%{digit:x}")).collect();
    vec![
        format!("{a}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.{d}."),
        format!("{a}.{b}.{low}"),
        format!("{a}.{mid}"),
        format!("{whole}"),
        format!("0x{whole:x}"),
        format!("0X{whole:X}"),
        format!("0{whole:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("00000{a:o}.{b}.0x{c:02x}.{d}"),
        format!("{wide}.{b}.{c}.{d}"),
        format!("{a}。{b}．{c}｡{d}"),
        format!("{encoded}.{b}.{c}.{d}"),
        format!("[::ffff:{address}]"),
        format!("[::FFFF:{:x}:{low:x}]", u32::from(a) << 8 | u32::from(b)),
        format!("[0:0:0:0:0:ffff:{address}]"),
    ]
}

/// Both ways by which an address can be meant: written in the URL, and found by the resolver.
fn is_refused(address: IpAddr) -> bool {
    let written = match address {
        IpAddr::V4(v4) => spellings(v4),
        IpAddr::V6(v6) => {
            vec![format!("[{v6}]"), format!("[{}]", v6.segments().map(|part| format!("{part:04X}")).join(":"))]
        }
    };
    let refused = |host: &String| {
        let ends = ["", ":8443", ":0443/hook?x=1#y"].map(|rest| nowhere().check_url(&format!("https://{host}{rest}")));
        ends.iter().all(|end| matches!(end, Err(AddressRefused::NotPublic(_))))
    };
    written.iter().all(refused) && matches!(nowhere().check_address(address, false), Err(AddressRefused::NotPublic(_)))
}

#[test]
fn every_refused_range_is_refused_from_its_first_address_to_its_last_in_every_spelling() {
    for (network, why) in REFUSED_V4.into_iter().chain(REFUSED_V6) {
        for place in [0, 1, u128::MAX >> 1, u128::MAX - 1, u128::MAX] {
            let address = inside(network, place);
            assert!(is_refused(address), "{address} of {network}: {why}");
        }
    }
    for (network, why) in REFUSED_V4 {
        let IpAddr::V4(hidden) = inside(network, u128::MAX) else { panic!("{network} is of IPv4") };
        let low = u128::from(u32::from(hidden));
        for (form, address) in [
            ("mapped", 0xffff << 32 | low),
            ("compatible", low),
            ("translated", 0xffff << 48 | low),
            ("NAT64", 0x64_ff9b << 96 | low),
            ("local NAT64", 0x64_ff9b_0001 << 80 | low),
            ("6to4", 0x2002 << 112 | low << 80),
            ("Teredo", 0x2001 << 112 | (!low & 0xffff_ffff)),
        ] {
            let address = Ipv6Addr::from(address);
            assert!(is_refused(address.into()), "{address}, {form}, hides {hidden}: {why}");
        }
    }
}

proptest! {
    #[test]
    fn nothing_within_a_refused_range_is_let_through(which in 0usize..36, place: u128) {
        let all: Vec<_> = REFUSED_V4.into_iter().chain(REFUSED_V6).collect();
        let address = inside(all[which].0, place);
        prop_assert!(is_refused(address), "{} of {}", address, all[which].0);
    }

    #[test]
    fn what_is_in_no_refused_range_and_given_out_is_let_through(v4: u32, v6: u128) {
        let refused = |address: IpAddr| {
            let mut all = REFUSED_V4.into_iter().chain(REFUSED_V6);
            all.any(|(network, _)| network.parse::<IpNet>().unwrap().contains(&address))
        };
        // of IPv6, 2000::/3 alone is given out; the first blocks of 2001:: are for protocols
        let v6 = Ipv6Addr::from(v6 >> 3 | 1 << 125);
        let protocols = matches!(v6.segments(), [0x2001, 0..=0x01ff, ..]);
        for address in [IpAddr::V4(v4.into()), IpAddr::V6(v6)] {
            if !(refused(address) || protocols && address.is_ipv6()) {
                prop_assert_eq!(nowhere().check_address(address, false), Ok(()));
            }
        }
    }
}

/// A server on every loopback address that counts its connections, and answers with these bytes.
async fn counting(answer: String) -> (u16, Arc<AtomicUsize>) {
    let server = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let (port, count) = (server.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut asked = [0; 4096];
            drop(stream.read(&mut asked).await);
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    (port, count)
}

/// May send to 127.0.0.1 and nowhere else on this machine; its names mean these, one answer after the other.
fn told(answers: &[&[&str]]) -> (Outbound, Arc<Mutex<VecDeque<Vec<IpAddr>>>>) {
    let answers = answers.iter().map(|ips| ips.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
    let answers = Arc::new(Mutex::new(answers));
    let names = Names::Told(Arc::clone(&answers));
    (Outbound { names, ..Outbound::new(vec!["127.0.0.1/32".parse().unwrap()]) }, answers)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_name_that_means_something_else_by_now_leads_nowhere() {
    let (port, count) = counting(OK.to_owned()).await;
    let url = format!("http://hooks.example:{port}/in");
    let refusals: [&[&str]; 6] = [
        &["127.0.0.2"],
        &["169.254.169.254"],
        &["::ffff:127.0.0.2"],
        &["::1"],
        &["64:ff9b::7f00:1"],
        &["10.0.0.1", "192.168.0.1", "fd00:ec2::254"],
    ];
    for refused in refusals {
        // when it is saved and first used, all is well; then it means something else
        let (outbound, answers) = told(&[&["127.0.0.1"], refused]);
        let client = outbound.client(Timeouts::default()).unwrap();
        outbound.check_url(&url).unwrap();
        assert_eq!(answers.lock().unwrap().len(), 2, "names are not asked for when it is saved");
        let send = async || client.request(reqwest::Method::POST, &url).unwrap().send().await.map_err(SendError::from);
        let before = count.load(Ordering::SeqCst);
        assert_eq!(send().await.unwrap().status(), 200);
        assert_eq!(count.load(Ordering::SeqCst), before + 1);
        let error = send().await.unwrap_err();
        assert!(matches!(error, SendError::Refused(AddressRefused::NotPublic(_))), "{refused:?}: {error:?}");
        assert!(!error.to_string().contains("hooks.example"));
        assert_eq!(count.load(Ordering::SeqCst), before + 1, "{refused:?} was connected to");
    }
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_connected_to() {
    let (port, _) = counting(OK.to_owned()).await;
    let url = format!("http://hooks.example:{port}/in");
    // asked a second time between the check and the connection, it would say 127.0.0.2
    let (outbound, answers) = told(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let client = outbound.client(Timeouts::default()).unwrap();
    let response = client.request(reqwest::Method::GET, &url).unwrap().send().await.unwrap();
    assert_eq!(response.remote_addr().unwrap().ip(), IpAddr::V4(Ipv4Addr::LOCALHOST));
    assert_eq!(answers.lock().unwrap().len(), 1, "a connection asks once");

    // of several, those that are refused are not tried, in whatever order they come
    for several in [["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.3"], ["::ffff:10.0.0.1", "127.0.0.1"]] {
        let (outbound, _) = told(&[&several]);
        let client = outbound.client(Timeouts::default()).unwrap();
        let response = client.request(reqwest::Method::GET, &url).unwrap().send().await.unwrap();
        assert_eq!(response.remote_addr().unwrap().ip(), IpAddr::V4(Ipv4Addr::LOCALHOST), "{several:?}");
    }
    // a public address is no way to plain http either
    let (outbound, _) = told(&[&["1.1.1.1"]]);
    let client = outbound.client(Timeouts::default()).unwrap();
    let error = client.request(reqwest::Method::GET, &url).unwrap().send().await.unwrap_err();
    assert_eq!(SendError::from(error), SendError::Refused(AddressRefused::Plain));
}

#[tokio::test]
async fn no_redirect_is_followed_wherever_it_leads() {
    let (inside, count) = counting(OK.to_owned()).await;
    for status in [300, 301, 302, 303, 307, 308] {
        for target in [
            format!("http://127.0.0.1:{inside}/"),
            format!("http://127.0.0.2:{inside}/"),
            "http://169.254.169.254/latest/meta-data".to_owned(),
            format!("//127.0.0.1:{inside}/"),
            "file:///etc/passwd".to_owned(),
            "gopher://127.0.0.1:25/".to_owned(),
        ] {
            let head = format!("HTTP/1.1 {status} x\r\nlocation: {target}\r\nrefresh: 0;url={target}\r\n");
            let (port, asked) = counting(format!("{head}content-length: 0\r\nconnection: close\r\n\r\n")).await;
            let (outbound, _) = told(&[&["127.0.0.1"]]);
            let client = outbound.client(Timeouts::default()).unwrap();
            let url = format!("http://hooks.example:{port}/in");
            let response = client.request(reqwest::Method::POST, &url).unwrap().body("{}").send().await.unwrap();
            assert_eq!((response.status().as_u16(), asked.load(Ordering::SeqCst)), (status, 1), "{target}");
        }
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}
