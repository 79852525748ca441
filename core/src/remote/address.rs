//! Where a fetch may go (KEY-03): judged by scheme and host before anything is resolved, and by the
//! very addresses that are then connected to, so that a name cannot change its mind in between.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::FetchError;
use crate::policy::Reach;

/// A URL taken apart: lower-case scheme and host, the port where one is written, the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// The origin of an absolute `http` or `https` URL without user information.
    pub(super) fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, _) = rest.split_at_checked(end)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
            _ => (authority, None),
        };
        let default = match scheme.to_ascii_lowercase().as_str() {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        };
        let port = port.filter(|port| Some(*port) != default);
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"@\\%".contains(&byte);
        let fits = !host.is_empty() && host.bytes().all(plain);
        fits.then(|| Self {
            scheme: scheme.to_ascii_lowercase(),
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The port that is written, or the scheme's own.
    pub(super) fn port(&self) -> u16 {
        let own = if self.scheme == "http" { 80 } else { 443 };
        self.port.unwrap_or(own)
    }

    pub(super) fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    fn is_loopback(&self) -> bool {
        names_loopback(&self.host)
    }
}

/// Whether a URL may be fetched at all: over https, from a host that was written down.
pub(super) fn check_url(reach: &Reach, url: &str) -> Result<Origin, FetchError> {
    let origin = Origin::of(url).ok_or_else(|| FetchError::BadUrl(shown(url)))?;
    let development = origin.scheme == "http" && origin.is_loopback() && reach.loopback_http;
    if !origin.is_https() && !development {
        return Err(FetchError::NotHttps(shown(url)));
    }
    if !reach.hosts.iter().any(|host| **host == *origin.host) {
        return Err(FetchError::HostNotAllowed(origin.host));
    }
    Ok(origin)
}

/// Whether an address that a name resolved to may be connected to.
pub(super) fn check_address(
    reach: &Reach,
    origin_host: &str,
    address: IpAddr,
) -> Result<(), FetchError> {
    let loopback = names_loopback(origin_host);
    let allowed = match Place::of(address) {
        Place::Public => true,
        Place::Private => reach.named || (reach.loopback_http && loopback && is_loopback(address)),
        Place::Nowhere => false,
    };
    if allowed {
        Ok(())
    } else {
        let host = origin_host.to_owned();
        Err(FetchError::PrivateAddress { host, address })
    }
}

/// The names of this machine that development may use.
fn names_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Public,
    /// Into a machine or a network of one's own: only for hosts that were written down.
    Private,
    /// Where no issuer is, and where clouds keep their instances' credentials: never.
    Nowhere,
}

impl Place {
    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    /// The IANA special-purpose registry (RFC 6890).
    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            // Instance metadata: link-local; Azure, Alibaba and Oracle elsewhere.
            [0, ..]
            | [169, 254, ..]
            | [168, 63, 129, 16]
            | [100, 100, 100, 200]
            | [192, 0, 0, 192]
            | [224..=255, ..] => Self::Nowhere,
            [10, ..]
            | [100, 64..=127, ..]
            | [127, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _] => Self::Private,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let segments = address.segments();
        let embedded = |high: u16, low: u16| {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            Self::of_v4(Ipv4Addr::new(a, b, c, d))
        };
        match segments {
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Private,
            // IPv4 in other clothes: mapped, NAT64 and 6to4 lead where the IPv4 address leads.
            [0, 0, 0, 0, 0, 0xFFFF, high, low]
            | [0, 0, 0, 0, 0xFFFF, 0, high, low]
            | [0x64, 0xFF9B, 0, 0, 0, 0, high, low] => embedded(high, low),
            [0x2002, high, low, ..] => embedded(high, low),
            // Unspecified and IPv4-compatible, link-local, site-local, multicast, Teredo, discard.
            [0, 0, 0, 0, 0, 0, ..]
            | [0xFE80..=0xFEFF, ..]
            | [0xFF00..=0xFFFF, ..]
            | [0x2001, 0, ..]
            | [0x100, 0, 0, 0, ..] => Self::Nowhere,
            // Unique local; where AWS keeps its IPv6 instance metadata (fd00:ec2::254).
            [0xFD00, 0x0EC2, ..] => Self::Nowhere,
            [0xFC00..=0xFDFF, ..]
            | [0x2001, 0xDB8, ..]
            | [0x3FFF, 0..=0x0FFF, ..]
            | [0x5F00, ..]
            | [0x64, 0xFF9B, 1, ..] => Self::Private,
            _ => Self::Public,
        }
    }
}

/// A URL as it may stand in a message: an operator's or an issuer's, bounded, without its query.
pub(super) fn shown(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    plain
        .chars()
        .filter(|character| !character.is_control())
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Origin, check_address, check_url};
    use crate::policy::Reach;
    use crate::remote::FetchError;

    fn reach(hosts: &[&str], named: bool, loopback_http: bool) -> Reach {
        Reach {
            hosts: hosts.iter().map(|host| Box::from(*host)).collect(),
            named,
            loopback_http,
            authorities: None,
        }
    }

    #[test]
    fn urls_are_https_and_of_a_host_that_was_written_down() {
        let own = reach(&["login.example.com"], false, false);
        for url in [
            "https://login.example.com/keys",
            "https://LOGIN.example.com:8443/keys?p=1",
            "HTTPS://login.example.com",
        ] {
            assert!(check_url(&own, url).is_ok(), "{url}");
        }
        for url in [
            "http://login.example.com/keys",
            "ftp://login.example.com/",
            "file:///etc/passwd",
            "https://login.example.com.evil.example/",
            "https://login.example.com@evil.example/",
            "https://evil.example\\@login.example.com/",
            "https://evil.example#login.example.com",
            "https://login.example.com:99999/",
            "https://login%2eexample.com/",
            "https:///keys",
            "login.example.com",
            "",
        ] {
            assert!(check_url(&own, url).is_err(), "{url}");
        }
        assert_eq!(
            check_url(&own, "https://keys.example.com/"),
            Err(FetchError::HostNotAllowed("keys.example.com".to_owned()))
        );
    }

    #[test]
    fn plain_http_is_for_development_on_this_machine() {
        let own = reach(&["localhost", "a.example"], false, true);
        assert!(check_url(&own, "http://localhost:1/").is_ok());
        assert!(check_url(&own, "http://a.example/").is_err());
        let strict = reach(&["localhost"], true, false);
        assert!(check_url(&strict, "http://localhost:1/").is_err());
    }

    #[test]
    fn addresses_that_lead_inside_are_for_hosts_that_were_named() {
        let inside = [
            "127.0.0.1",
            "127.8.8.8",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "fc00::1",
            "fd12:3456::1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:0a00:0001::1",
            "2001:db8::1",
        ];
        for address in inside {
            let ip = address.parse().unwrap();
            assert!(check_address(&reach(&["a.example"], false, false), "a.example", ip).is_err());
            assert!(check_address(&reach(&["a.example"], true, false), "a.example", ip).is_ok());
        }
        for address in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1",
            "::ffff:8.8.8.8",
        ] {
            let ip = address.parse().unwrap();
            assert!(check_address(&reach(&["a.example"], false, false), "a.example", ip).is_ok());
        }
    }

    #[test]
    fn link_local_and_the_like_are_for_nobody() {
        for address in [
            "169.254.169.254",
            "168.63.129.16",
            "100.100.100.200",
            "192.0.0.192",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "fe80::1",
            "ff02::1",
            "::",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fd00:ec2::254",
            "2002:a9fe:a9fe::",
            "2001:0:1::1",
            "::10.0.0.1",
            "fec0::1",
        ] {
            let ip = address.parse().unwrap();
            let named = reach(&["a.example"], true, true);
            assert!(check_address(&named, "a.example", ip).is_err(), "{address}");
        }
    }

    #[test]
    fn development_does_not_open_the_network_behind_it() {
        let development = reach(&["localhost"], false, true);
        let to = |host, ip: &str| check_address(&development, host, ip.parse().unwrap());
        assert!(to("localhost", "127.0.0.1").is_ok() && to("[::1]", "::1").is_ok());
        assert!(to("localhost", "10.0.0.1").is_err());
        assert!(to("rebound.example", "127.0.0.1").is_err());
    }

    #[test]
    fn origins_are_told_apart_by_scheme_host_and_port() {
        let same = |a, b| Origin::of(a) == Origin::of(b);
        assert!(same("https://a.example/x", "https://A.example/y?z"));
        assert!(same("https://a.example", "https://a.example:443/"));
        assert!(!same("https://a.example", "https://a.example:80/"));
        assert!(!same("https://a.example", "https://a.example:444"));
        assert!(!same("https://a.example", "http://a.example"));
        assert!(!same("https://a.example", "https://b.example"));
    }
}
