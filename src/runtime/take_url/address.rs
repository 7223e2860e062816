//! Which addresses are outside, and a resolver that finds no others.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Finds the addresses of names, and leaves out those that are inside. It is
/// the one that connections are made with: nothing is looked up twice, so a
/// name cannot become another between the check and the connection.
#[derive(Debug, Clone)]
pub(super) struct Outside {
    pub allow_private: bool,
    pub pins: Vec<(String, SocketAddr)>,
    /// The proxy's own name, which may well be inside.
    pub proxy: Option<String>,
}

/// A name all of whose addresses are inside.
#[derive(Debug, thiserror::Error)]
#[error("all addresses of {0} are inside this network")]
pub(super) struct OnlyInside(String);

impl Outside {
    pub fn pinned(&self, name: &str) -> Option<SocketAddr> {
        let pin = self.pins.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        pin.map(|(_, address)| *address)
    }

    fn any(&self, name: &str) -> bool {
        self.allow_private || self.proxy.as_deref().is_some_and(|p| p == name)
    }
}

impl Resolve for Outside {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let (pin, any) = (self.pinned(&name), self.any(&name));
        Box::pin(async move {
            let found: Vec<SocketAddr> = match pin {
                Some(address) => return Ok(Box::new(std::iter::once(address)) as Addrs),
                None => tokio::net::lookup_host((name.as_str(), 0)).await?.collect(),
            };
            let outside: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| any || is_outside(address.ip()))
                .collect();
            if outside.is_empty() {
                return Err(OnlyInside(name).into());
            }
            Ok(Box::new(outside.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the internet's, after IANA's registries of
/// special-purpose addresses.
pub(super) fn is_outside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_outside_v4(v4),
        IpAddr::V6(v6) => is_outside_v6(v6),
    }
}

/// <https://www.iana.org/assignments/iana-ipv4-special-registry>
fn is_outside_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let inside = match (a, b, c) {
        // This network, private, loopback; multicast, reserved, broadcast.
        (0 | 10 | 127 | 224.., _, _) => true,
        // A provider's own network.
        (100, 64..=127, _) => true,
        // Link-local: here clouds keep their secrets.
        (169, 254, _) => true,
        (172, 16..=31, _) | (192, 168, _) => true,
        // Protocol assignments, documentation, the old 6to4 relays.
        (192, 0, 0 | 2) | (192, 88, 99) => true,
        // Benchmarks.
        (198, 18..=19, _) => true,
        (198, 51, 100) | (203, 0, 113) => true,
        _ => false,
    };
    !inside
}

/// <https://www.iana.org/assignments/iana-ipv6-special-registry>. Only 2000::/3
/// is given out, so unspecified, loopback, discard, unique local, link-local
/// and multicast addresses are inside without being named.
fn is_outside_v6(address: Ipv6Addr) -> bool {
    if let Some(v4) = wrapped(address) {
        return is_outside_v4(v4);
    }
    let [a, b, ..] = address.segments();
    match (a, b) {
        // Protocol assignments, Teredo among them; documentation, twice.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => false,
        _ => (0x2000..0x4000).contains(&a),
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped (`::ffff:0:0/96`),
/// translated (NAT64, `64:ff9b::/96`) or tunnelled (6to4, `2002::/16`). A
/// network's own NAT64 prefix cannot be told from other addresses.
fn wrapped(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => Some(of(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_outside;

    /// All of these through the public way would be names in a real DNS.
    #[test]
    fn special_addresses_are_inside_up_to_their_edges() {
        let inside = "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 \
            127.255.255.255 169.254.169.254 172.16.0.0 172.31.255.255 192.0.0.1 192.0.2.1 \
            192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 \
            239.255.255.255 240.0.0.1 255.255.255.255 \
            :: ::1 ::7f00:1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 64:ff9b::a00:1 64:ff9b::7f00:1 \
            64:ff9b:1::1 100::1 2001::1 2001:1ff::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 \
            3fff:fff::1 4000::1 5f00::1 fc00::1 fd12::1 fe80::1 fec0::1 ff02::1";
        for address in inside.split_whitespace() {
            assert!(!is_outside(address.parse().unwrap()), "{address}");
        }
        let outside = "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.0.0.1 \
            128.0.0.1 169.253.0.1 172.15.255.255 172.32.0.0 192.0.1.1 192.167.0.1 198.17.0.1 \
            198.20.0.0 223.255.255.255 ::ffff:8.8.8.8 64:ff9b::808:808 2001:200::1 2001:4860::1 \
            2002:808:808::1 2606:4700::1111 2a00::1 3fff:1000::1";
        for address in outside.split_whitespace() {
            assert!(is_outside(address.parse().unwrap()), "{address}");
        }
    }
}
