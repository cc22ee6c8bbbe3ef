//! Which hosts a function may talk to, how much, and what is told of it. Decisions only; `client` acts on them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rimward_types::ByteSize;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// A host and port that a function may talk to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    /// A host name, `*.` and a host name, an address, or `localhost`. An IPv6 address may stand in brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Grant {
    /// A grant.
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port }
    }

    fn names_an_address(&self) -> bool {
        let host = bare(&self.host);
        host.parse::<IpAddr>().is_ok() || host.eq_ignore_ascii_case("localhost")
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        if self.port != port {
            return false;
        }
        let granted = bare(&self.host);
        match granted.strip_prefix("*.") {
            None => granted.eq_ignore_ascii_case(host),
            Some(parent) => {
                let split = host.len().checked_sub(parent.len()).filter(|at| *at > 1 && host.is_char_boundary(*at));
                split.is_some_and(|at| host[..at].ends_with('.') && host[at..].eq_ignore_ascii_case(parent))
            }
        }
    }
}

/// What the outgoing requests of one invocation may take together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkLimits {
    /// How many there may be.
    pub calls: u32,
    /// Bytes of bodies, both ways.
    pub bytes: ByteSize,
    /// Time from the start of each to the end of its response, added up.
    pub time: Duration,
}

impl Default for NetworkLimits {
    /// 50 requests, 64 MB, 30 s: far more than a request should wait for, far less than what harms a neighbour.
    fn default() -> Self {
        Self { calls: 50, bytes: ByteSize::mb(64), time: Duration::from_secs(30) }
    }
}

/// One outgoing request of an invocation. Path and query are left out: they may carry what is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingCall {
    /// Method.
    pub method: String,
    /// Host and port.
    pub authority: String,
    /// The response's status, or why there is none.
    pub outcome: Result<u16, String>,
    /// Time to the end of the response's body; zero while it is on its way.
    pub time: Duration,
    /// Bytes of the request's body that were sent.
    pub sent: u64,
    /// Bytes of the response's body that came.
    pub received: u64,
}

/// Reads the certificates of authorities from PEM text.
///
/// # Errors
/// When there are none, or one is malformed.
pub fn authorities_from_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err("it has no certificates, expected PEM".to_owned()),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether a function may talk to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No grant names the host and port.
    Refused,
    /// Granted, as long as its addresses are public: a name in public DNS must not open the way into our own network.
    Public,
    /// Granted whatever the address: the grant itself is an address or `localhost`.
    Any,
}

/// Decides for `host` (without brackets) and `port`.
pub fn access(grants: &[Grant], host: &str, port: u16) -> Access {
    let host = bare(host);
    let covering = grants.iter().filter(|grant| grant.covers(host, port));
    covering.fold(Access::Refused, |access, grant| match access {
        Access::Any => access,
        _ if grant.names_an_address() => Access::Any,
        _ => Access::Public,
    })
}

/// Whether an address is one of the public internet: not loopback, private, link-local, shared, multicast, reserved,
/// documentation or benchmarking (IANA special-purpose registries), nor an IPv6 form that carries such an IPv4 address.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a == 10
        || a == 127
        || (a == 100 && b & 0xc0 == 64)
        || (a == 169 && b == 254)
        || (a == 172 && b & 0xf0 == 16)
        || (a == 192 && b == 168)
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b & 0xfe == 18 || (b == 51 && c == 100)))
        || (a == 203 && b == 0 && c == 113)
        || a >= 224)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Global unicast is 2000::/3; of it, 2001:db8::/32 and 3fff::/20 are documentation, 2001::/23 protocol assignments.
    segments[0] & 0xe000 == 0x2000
        && !(segments[0] == 0x2001 && (segments[1] == 0xdb8 || segments[1] & 0xfe00 == 0))
        && !(segments[0] == 0x3fff && segments[1] & 0xf000 == 0)
}

/// The IPv4 address that a mapped, compatible, NAT64 or 6to4 address leads to.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

fn bare(host: &str) -> &str {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests;
