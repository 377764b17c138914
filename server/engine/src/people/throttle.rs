//! How long to wait after how many failures.

use chrono::TimeDelta;
use std::net::IpAddr;

/// Failures that cost nothing but themselves: people mistype.
const FREE: i32 = 4;

/// The longest wait: long enough to make guessing hopeless, short enough that who is locked out by somebody else waits it out.
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// Failures older than this no longer count.
pub(super) const FORGOTTEN: TimeDelta = TimeDelta::hours(1);

/// The wait after so many failures in a row: none for the first four, 2ⁿ seconds from the fifth on, 15 minutes at most.
pub(super) fn wait(failures: i32) -> Option<TimeDelta> {
    (failures > FREE).then(|| match u32::try_from(failures) {
        Ok(n @ 0..=9) => TimeDelta::seconds(1 << n),
        _ => LONGEST,
    })
}

/// What failures are counted against. The network address first: every process locks them in this order.
pub(super) fn subjects(email: &str, address: IpAddr) -> [String; 2] {
    [format!("addr:{}", network(address)), format!("email:{email}")]
}

/// One household: an IPv4 address, or the /64 that an IPv6 host can choose its addresses from.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_from_the_fifth_failure_up_to_a_quarter_of_an_hour() {
        let waits: Vec<_> = (1..=12).map(|n| wait(n).map_or(0, |wait| wait.num_seconds())).collect();
        assert_eq!(waits, [0, 0, 0, 0, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(wait(i32::MAX), Some(LONGEST));
    }

    #[test]
    fn neighbours_in_a_64_are_one() {
        let of = |text: &str| subjects("a@b", text.parse().unwrap())[0].clone();
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8::1"));
        assert_eq!(of("::ffff:192.0.2.7"), "addr:192.0.2.7");
    }
}
