//! `CloudFront-*` headers that tell of the viewer (`cloudfront-functions.md` section 14): those that a policy of the behavior names
//! and that a single node can know. What a viewer sends under such a name does not count.

mod device;

use http::{HeaderMap, HeaderName, HeaderValue, Version};
use rimward_config::{Behavior, ForwardHeaders};
use rimward_types::{Connection, RequestHead};

use device::Devices;

/// Cut of `CloudFront-Viewer-Header-Order` in characters.
const ORDER: usize = 7680;

/// A header that the node can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewerHeader {
    /// `CloudFront-Is-Android-Viewer`
    IsAndroid,
    /// `CloudFront-Is-Desktop-Viewer`
    IsDesktop,
    /// `CloudFront-Is-IOS-Viewer`
    IsIos,
    /// `CloudFront-Is-Mobile-Viewer`
    IsMobile,
    /// `CloudFront-Is-SmartTV-Viewer`
    IsSmartTv,
    /// `CloudFront-Is-Tablet-Viewer`
    IsTablet,
    /// `CloudFront-Viewer-Address`: `ip:port`.
    Address,
    /// `CloudFront-Viewer-Header-Order`: names joined by `:`.
    HeaderOrder,
    /// `CloudFront-Viewer-Header-Count`
    HeaderCount,
    /// `CloudFront-Viewer-TLS`: `version:cipher:handshake`, over HTTPS alone.
    Tls,
    /// `CloudFront-Viewer-JA3-Fingerprint`, over HTTPS alone.
    Ja3,
    /// `CloudFront-Viewer-JA4-Fingerprint`, over HTTPS alone.
    Ja4,
    /// `CloudFront-Forwarded-Proto`
    ForwardedProto,
    /// `CloudFront-Viewer-Http-Version`
    HttpVersion,
    /// `CloudFront-Error-Uri`: the viewer's path, in requests for error pages alone.
    ErrorUri,
    /// `CloudFront-Error-Args`: the viewer's query, in requests for error pages alone.
    ErrorArgs,
}

const KNOWN: [(HeaderName, ViewerHeader); 16] = [
    (HeaderName::from_static("cloudfront-is-android-viewer"), ViewerHeader::IsAndroid),
    (HeaderName::from_static("cloudfront-is-desktop-viewer"), ViewerHeader::IsDesktop),
    (HeaderName::from_static("cloudfront-is-ios-viewer"), ViewerHeader::IsIos),
    (HeaderName::from_static("cloudfront-is-mobile-viewer"), ViewerHeader::IsMobile),
    (HeaderName::from_static("cloudfront-is-smarttv-viewer"), ViewerHeader::IsSmartTv),
    (HeaderName::from_static("cloudfront-is-tablet-viewer"), ViewerHeader::IsTablet),
    (HeaderName::from_static("cloudfront-viewer-address"), ViewerHeader::Address),
    (HeaderName::from_static("cloudfront-viewer-header-order"), ViewerHeader::HeaderOrder),
    (HeaderName::from_static("cloudfront-viewer-header-count"), ViewerHeader::HeaderCount),
    (HeaderName::from_static("cloudfront-viewer-tls"), ViewerHeader::Tls),
    (HeaderName::from_static("cloudfront-viewer-ja3-fingerprint"), ViewerHeader::Ja3),
    (HeaderName::from_static("cloudfront-viewer-ja4-fingerprint"), ViewerHeader::Ja4),
    (HeaderName::from_static("cloudfront-forwarded-proto"), ViewerHeader::ForwardedProto),
    (HeaderName::from_static("cloudfront-viewer-http-version"), ViewerHeader::HttpVersion),
    (HeaderName::from_static("cloudfront-error-uri"), ViewerHeader::ErrorUri),
    (HeaderName::from_static("cloudfront-error-args"), ViewerHeader::ErrorArgs),
];

/// The headers that a behavior's policies name. `forward` counts with a list of names, not with `all`: the vendor's
/// policy for all of the viewer's headers does not add its own either.
pub fn named_by(behavior: &Behavior) -> Vec<(HeaderName, ViewerHeader)> {
    let forwarded = |name: &HeaderName| match &behavior.forward.headers {
        ForwardHeaders::Only(names) => names.contains(name),
        _ => false,
    };
    KNOWN.into_iter().filter(|(name, _)| behavior.cache_policy.headers.contains(name) || forwarded(name)).collect()
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

/// Adds the headers, in the place of what the viewer sent under their names.
pub fn add(named: &[(HeaderName, ViewerHeader)], connection: &Connection, reused: bool, request: &mut RequestHead) {
    told(named, connection, reused, request).put(request);
}

/// What the headers say of `request`.
pub fn told(
    named: &[(HeaderName, ViewerHeader)],
    connection: &Connection,
    reused: bool,
    request: &RequestHead,
) -> Told {
    if named.is_empty() {
        return Told(Vec::new());
    }
    let sent = Sent::of(&request.headers, request.version);
    let devices = Devices::of(request.header("user-agent").unwrap_or_default());
    let fingerprints = connection.tls.as_ref().and_then(|tls| tls.fingerprints.as_ref());
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
