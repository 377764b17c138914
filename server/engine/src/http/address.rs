//! Which addresses are public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The IPv4 address that an IPv6 one stands for (`::ffff:0:0/96`: the system connects to the IPv4 address), else the address
/// itself. All other forms that hide one are not public, whatever they hide.
pub(super) fn embedded_v4(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Whether the whole Internet can reach it, by the IANA registries of special addresses.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127, ..]            // this network, private, loopback
            | [100, 64..=127, ..]     // carriers' shared space
            | [169, 254, ..]          // link-local, where clouds keep their metadata
            | [172, 16..=31, ..]      // private
            | [192, 0, 0 | 2, _]      // protocol assignments, documentation
            | [192, 88, 99, _]        // 6to4 relays
            | [192, 168, ..]          // private
            | [198, 18 | 19, ..]      // benchmarking
            | [198, 51, 100, _]       // documentation
            | [203, 0, 113, _]        // documentation
            | [224..=255, ..] // multicast, reserved, broadcast
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Only 2000::/3 is given out at all; outside of it are loopback, unique and link-local, multicast, NAT64 (64:ff9b::/96),
    // and what was once IPv4-compatible (::/96) or translated (::ffff:0:0:0/96).
    match address.segments() {
        [0x2001, 0..=0x01ff, ..] => false, // protocols; Teredo among them, which hides an IPv4 address
        [0x2001, 0x0db8, ..] => false,     // documentation
        [0x2002, ..] => false,             // 6to4, which hides one too
        [0x3fff, 0..=0x0fff, ..] => false, // documentation
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}
