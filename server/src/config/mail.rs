//! By which server e-mail goes out.

use super::Env;
use engine::notify::email::is_address;
use engine::notify::{MailServer, Tls};
use engine::vault::Secret;
use std::net::IpAddr;
use url::{Host, Url};

/// By which server e-mail goes out.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The server; without it there are no e-mail channels.
    ///
    /// `LINEWATCH_MAIL_URL`: such as `smtp://user:password@mail.example.com:587` (STARTTLS, without which nothing is sent) or
    /// `smtps://user:password@mail.example.com:465` (TLS from the first byte). What is special in a URL is written `%40` for `@` and
    /// so on. `?tls=none` sends in the open, without a password, and only to a server on this machine.
    ///
    /// `LINEWATCH_MAIL_FROM`: from whom, such as `Linewatch <linewatch@example.com>`; needed with the server.
    pub server: Option<MailServer>,
}

impl Mail {
    /// Reads the section.
    pub fn from_env(env: &mut Env<'_>) -> Self {
        let from = env.parsed("LINEWATCH_MAIL_FROM", |text| {
            if is_address(text) { Ok(text.to_owned()) } else { Err(format!("“{text}” is not an e-mail address")) }
        });
        let named = env.text("LINEWATCH_MAIL_URL").is_some();
        let server = env.parsed("LINEWATCH_MAIL_URL", server);
        if named && from.is_none() {
            env.wrong("LINEWATCH_MAIL_FROM", "is needed with LINEWATCH_MAIL_URL: from whom messages come");
        }
        Self { server: server.zip(from).map(|(server, from)| MailServer { from, ..server }) }
    }
}

/// Reads the address; what is said of it never repeats it, for it holds a password.
fn server(text: &str) -> Result<MailServer, String> {
    let example = "write it as smtp://user:password@mail.example.com:587 or smtps://user:password@mail.example.com:465";
    let url = Url::parse(text).map_err(|_| format!("this is not a URL: {example}"))?;
    let implicit = match url.scheme() {
        "smtp" => false,
        "smtps" => true,
        _ => return Err(format!("this begins with neither smtp:// nor smtps://: {example}")),
    };
    let mut tls = if implicit { Tls::Implicit } else { Tls::Required };
    for (name, value) in url.query_pairs() {
        tls = match (&*name, &*value, implicit) {
            ("tls", "required", false) => Tls::Required,
            ("tls", "none", false) => Tls::Without,
            _ => return Err("after the ? stands tls=required or tls=none, and with smtps:// nothing".to_owned()),
        };
    }
    let host = url.host().ok_or_else(|| format!("it names no host: {example}"))?;
    let host = match host {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err("there is something after the host that does not belong there".to_owned());
    }
    let plain = |text: &str| {
        let decoded = url::form_urlencoded::parse(format!("a={}", text.replace('+', "%2B")).as_bytes())
            .next()
            .map(|(_, value)| value.into_owned());
        decoded.unwrap_or_default()
    };
    let login = url.password().map(|password| (plain(url.username()), Secret::from(plain(password))));
    if login.is_none() && !url.username().is_empty() {
        return Err("it names a user without a password".to_owned());
    }
    if tls == Tls::Without && (login.is_some() || !on_this_machine(&host)) {
        return Err("tls=none is only for a server on this machine that asks for no password".to_owned());
    }
    let port = url.port().unwrap_or(if implicit { 465 } else { 587 });
    Ok(MailServer { host, port, tls, login, from: String::new() })
}

fn on_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_how_the_way_is_protected() {
        for (text, port, tls) in [
            ("smtp://u:p@mail.example.com", 587, Tls::Required),
            ("smtp://u:p@mail.example.com:2525?tls=required", 2525, Tls::Required),
            ("smtps://u:p@mail.example.com", 465, Tls::Implicit),
            ("smtp://127.0.0.1:1025?tls=none", 1025, Tls::Without),
            ("smtp://localhost:1025?tls=none", 1025, Tls::Without),
        ] {
            let read = server(text).unwrap();
            assert_eq!((read.port, read.tls), (port, tls), "{text}");
        }
        let (name, password) = server("smtp://a%40b.example:p%2Fw+%3A@mail.example.com").unwrap().login.unwrap();
        assert_eq!((name.as_str(), password.expose()), ("a@b.example", "p/w+:"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for text in [
            "mail.example.com",
            "http://u:hunter2@mail.example.com",
            "smtp://u:hunter2@mail.example.com?tls=none",
            "smtp://mail.example.com?tls=none",
            "smtps://u:hunter2@mail.example.com?tls=required",
            "smtp://u@mail.example.com",
            "smtp://u:hunter2@mail.example.com/inbox",
        ] {
            let why = server(text).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
        let find = |name: &str| (name == "LINEWATCH_MAIL_URL").then(|| "smtps://u:hunter2@mail.example.com".to_owned());
        let mut env = Env::new(&find);
        Mail::from_env(&mut env);
        assert!(env.finish().unwrap_err().to_string().contains("LINEWATCH_MAIL_FROM"));
        assert!(!format!("{:?}", server("smtps://u:hunter2@mail.example.com")).contains("hunter2"));
    }
}
