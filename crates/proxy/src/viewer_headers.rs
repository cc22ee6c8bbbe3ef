//! `CloudFront-*` headers that tell of the viewer (`cloudfront-functions.md` section 14): those that a policy of the behavior names
//! and that a single node can know. What a viewer sends under such a name ends here.

mod certificate;
mod device;
mod known;
mod place;

pub use certificate::add_for_origin;
pub use known::{ViewerHeader, named_by};

use crate::geo::Geo;
use crate::live::Plan;
use device::Devices;
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use rimward_types::connection::Mutual;
use rimward_types::{Connection, RequestHead};
use std::cell::OnceCell;

/// Cut of `CloudFront-Viewer-Header-Order` in characters.
const ORDER: usize = 7680;

/// What the names of all headers begin with that a node vouches for (section 14: the service's own by convention).
const PREFIX: &str = "cloudfront-";

/// Takes out what a viewer says itself under names that are the node's: whoever reads them trusts them, whether or not a policy
/// names them.
pub fn strip(request: &mut RequestHead) {
    if !request.headers.keys().any(is_the_nodes) {
        return;
    }
    let names: Vec<_> = request.headers.keys().filter(|name| is_the_nodes(name)).cloned().collect();
    for name in names {
        request.headers.remove(name);
    }
}

/// Many origins take `_` and `-` for the same: `HTTP_CLOUDFRONT_VIEWER_COUNTRY` in CGI and what came after it.
fn is_the_nodes(name: &HeaderName) -> bool {
    let start = name.as_str().as_bytes().get(..PREFIX.len());
    start.is_some_and(|start| start.iter().zip(PREFIX.bytes()).all(|(a, b)| *a == b || (*a == b'_' && b == b'-')))
}

/// Headers that tell of one viewer's request as it came.
pub struct Told(Vec<(HeaderName, Option<HeaderValue>)>);

impl Told {
    /// Puts them into the request, in the place of what is there under their names.
    pub fn put(self, request: &mut RequestHead) {
        for (name, value) in self.0 {
            match value {
                Some(value) => request.headers.insert(name, value),
                None => request.headers.remove(name),
            };
        }
    }
}

/// Whose headers they are.
#[derive(Clone, Copy)]
struct Viewer<'a> {
    connection: &'a Connection,
    /// Whether the connection had a request before.
    reused: bool,
    /// What mutual TLS came to for the request's distribution.
    mutual: Option<&'a Mutual>,
    /// Who knows where it is.
    geo: &'a Geo,
}

/// Adds the headers that the plan names, in the place of what the viewer sent under their names.
pub fn add(plan: &Plan, connection: &Connection, reused: bool, request: &mut RequestHead) {
    told(plan, connection, reused, request).put(request);
}

/// What the headers that the plan names say of `request`.
pub fn told(plan: &Plan, connection: &Connection, reused: bool, request: &RequestHead) -> Told {
    let mutual = plan.mutual_tls.and_then(|_| connection.mutual(&plan.distribution_id));
    of_viewer(&plan.viewer_headers, Viewer { connection, reused, mutual, geo: &plan.geo }, request)
}

fn of_viewer(named: &[(HeaderName, ViewerHeader)], viewer: Viewer<'_>, request: &RequestHead) -> Told {
    if named.is_empty() {
        return Told(Vec::new());
    }
    let Viewer { connection, reused, mutual, geo } = viewer;
    let sent = Sent::of(&request.headers, request.version);
    let devices = Devices::of(request.header("user-agent").unwrap_or_default());
    let fingerprints = connection.tls.as_ref().and_then(|tls| tls.fingerprints.as_ref());
    // Looked up once, and where a header asks for it alone.
    let place = OnceCell::new();
    let value = |header: &ViewerHeader| {
        let value = match header {
            ViewerHeader::IsAndroid => Some(devices.android.to_string()),
            ViewerHeader::IsDesktop => Some(devices.desktop.to_string()),
            ViewerHeader::IsIos => Some(devices.ios.to_string()),
            ViewerHeader::IsMobile => Some(devices.mobile.to_string()),
            ViewerHeader::IsSmartTv => Some(devices.smart_tv.to_string()),
            ViewerHeader::IsTablet => Some(devices.tablet.to_string()),
            ViewerHeader::Address => Some(format!("{}:{}", connection.peer.ip(), connection.peer.port())),
            ViewerHeader::HeaderOrder => Some(sent.order.clone()),
            ViewerHeader::HeaderCount => Some(sent.count.to_string()),
            ViewerHeader::Tls => connection.tls.as_ref().map(|tls| {
                let handshake = match (reused, tls.resumed) {
                    (true, _) => "connectionReused",
                    (false, true) => "sessionResumed",
                    (false, false) => "fullHandshake",
                };
                format!("{}:{}:{handshake}", tls.version, tls.cipher)
            }),
            ViewerHeader::Ja3 => fingerprints.map(|of| of.ja3.clone()),
            ViewerHeader::Ja4 => fingerprints.map(|of| of.ja4.clone()),
            ViewerHeader::ForwardedProto => Some(connection.scheme().to_owned()),
            ViewerHeader::HttpVersion => Some(version(request.version).to_owned()),
            ViewerHeader::ErrorUri | ViewerHeader::ErrorArgs => None,
            ViewerHeader::CertValidity | ViewerHeader::CertPem => None,
            ViewerHeader::Country
            | ViewerHeader::CountryName
            | ViewerHeader::CountryRegion
            | ViewerHeader::CountryRegionName
            | ViewerHeader::City
            | ViewerHeader::PostalCode
            | ViewerHeader::Latitude
            | ViewerHeader::Longitude
            | ViewerHeader::MetroCode
            | ViewerHeader::TimeZone => {
                let place = place.get_or_init(|| geo.place_of(connection.peer.ip()));
                place.as_ref().and_then(|place| place::value(*header, place))
            }
            ViewerHeader::Asn => geo.network_of(connection.peer.ip()).map(|number| number.to_string()),
            ViewerHeader::CertSerialNumber
            | ViewerHeader::CertIssuer
            | ViewerHeader::CertSubject
            | ViewerHeader::CertPresent
            | ViewerHeader::CertSha256 => mutual.and_then(|mutual| certificate::value(*header, mutual)),
        };
        value.and_then(|value| HeaderValue::from_str(&value).ok())
    };
    Told(named.iter().map(|(name, header)| (name.clone(), value(header))).collect())
}

/// Adds to a request for an error page what it stands in for: the viewer's own path and query.
pub fn add_error(named: &[(HeaderName, ViewerHeader)], path: &str, query: Option<&str>, request: &mut RequestHead) {
    for (name, header) in named {
        let value = match header {
            ViewerHeader::ErrorUri => Some(path),
            ViewerHeader::ErrorArgs => query.filter(|query| !query.is_empty()),
            _ => None,
        };
        if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
            request.headers.insert(name, value);
        }
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 | Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        Version::HTTP_3 => "3.0",
        _ => "1.1",
    }
}

/// The viewer's own header lines.
struct Sent {
    order: String,
    count: usize,
}

impl Sent {
    fn of(headers: &HeaderMap, version: Version) -> Self {
        let capitals = matches!(version, Version::HTTP_09 | Version::HTTP_10 | Version::HTTP_11);
        let mut order = String::new();
        for name in headers.keys() {
            let before = order.len();
            if before > 0 {
                order.push(':');
            }
            if capitals {
                push_capitalized(name.as_str(), &mut order);
            } else {
                order.push_str(name.as_str());
            }
            if order.len() > ORDER {
                order.truncate(ORDER);
                break;
            }
        }
        Self { order, count: headers.len() }
    }
}

/// The case of names is lost on the way; HTTP/1.1 clients mostly write them so.
fn push_capitalized(name: &str, out: &mut String) {
    let mut first = true;
    for c in name.chars() {
        out.push(if first { c.to_ascii_uppercase() } else { c });
        first = c == '-';
    }
}

#[cfg(test)]
mod tests;
