//! The headers that the node can make, and those of them that a behavior asks for.

use http::HeaderName;
use rimward_config::{Behavior, ForwardHeaders};

macro_rules! headers {
    ($($(#[$doc:meta])* $name:ident $header:literal,)*) => {
        /// A header that the node can make.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ViewerHeader {
            $($(#[$doc])* #[doc = concat!("`", $header, "`.")] $name,)*
        }

        pub(super) static KNOWN: [(HeaderName, ViewerHeader); [$($header),*].len()] =
            [$((HeaderName::from_static($header), ViewerHeader::$name),)*];
    };
}

headers! {
    IsAndroid "cloudfront-is-android-viewer",
    IsDesktop "cloudfront-is-desktop-viewer",
    IsIos "cloudfront-is-ios-viewer",
    IsMobile "cloudfront-is-mobile-viewer",
    IsSmartTv "cloudfront-is-smarttv-viewer",
    IsTablet "cloudfront-is-tablet-viewer",
    /// `ip:port`.
    Address "cloudfront-viewer-address",
    /// Names joined by `:`.
    HeaderOrder "cloudfront-viewer-header-order",
    HeaderCount "cloudfront-viewer-header-count",
    /// `version:cipher:handshake`, over HTTPS alone.
    Tls "cloudfront-viewer-tls",
    /// Over HTTPS alone.
    Ja3 "cloudfront-viewer-ja3-fingerprint",
    /// Over HTTPS alone.
    Ja4 "cloudfront-viewer-ja4-fingerprint",
    ForwardedProto "cloudfront-forwarded-proto",
    HttpVersion "cloudfront-viewer-http-version",
    /// The viewer's path, in requests for error pages alone.
    ErrorUri "cloudfront-error-uri",
    /// The viewer's query, in requests for error pages alone.
    ErrorArgs "cloudfront-error-args",
    /// Two letters; with a database of places alone, as the others of places.
    Country "cloudfront-viewer-country",
    CountryName "cloudfront-viewer-country-name",
    CountryRegion "cloudfront-viewer-country-region",
    CountryRegionName "cloudfront-viewer-country-region-name",
    City "cloudfront-viewer-city",
    PostalCode "cloudfront-viewer-postal-code",
    Latitude "cloudfront-viewer-latitude",
    Longitude "cloudfront-viewer-longitude",
    MetroCode "cloudfront-viewer-metro-code",
    TimeZone "cloudfront-viewer-time-zone",
    /// With a database of networks alone.
    Asn "cloudfront-viewer-asn",
    /// With mutual TLS alone, as the others of certificates.
    CertSerialNumber "cloudfront-viewer-cert-serial-number",
    CertIssuer "cloudfront-viewer-cert-issuer",
    CertSubject "cloudfront-viewer-cert-subject",
    /// `1` or `0`.
    CertPresent "cloudfront-viewer-cert-present",
    CertSha256 "cloudfront-viewer-cert-sha256",
    /// For the origin alone.
    CertValidity "cloudfront-viewer-cert-validity",
    /// For the origin alone.
    CertPem "cloudfront-viewer-cert-pem",
}

/// The headers that a behavior's policies name. `forward` counts with a list of names, not with `all`: the vendor's
/// policy for all of the viewer's headers does not add its own either.
pub fn named_by(behavior: &Behavior) -> Vec<(HeaderName, ViewerHeader)> {
    let forwarded = |name: &HeaderName| match &behavior.forward.headers {
        ForwardHeaders::Only(names) => names.contains(name),
        _ => false,
    };
    let named = |name: &HeaderName| behavior.cache_policy.headers.contains(name) || forwarded(name);
    KNOWN.iter().filter(|(name, _)| named(name)).cloned().collect()
}
