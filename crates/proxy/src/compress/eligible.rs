//! Whether an answer is coded, and why not (`cdn-behaviour.md` section 13).

use super::Scope;
use super::encoder::Coding;
use super::offer::Offer;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode};
use rimward_types::ResponseHead;

/// Sizes, in bytes, of bodies that are coded (section 13). Smaller ones gain nothing, larger ones take too long.
const SIZES: std::ops::RangeInclusive<u64> = 1_000..=10_000_000;

/// What was done with an answer, for its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Coded.
    Coded(Coding),
    /// Passed on as it came.
    Not(NotCoded),
}

/// Why an answer is not coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotCoded {
    /// The status is not 200, 403 or 404.
    Status,
    /// It has a coding already.
    CodedBefore,
    /// Its type is not listed.
    Type,
    /// It is below 1,000 or above 10,000,000 bytes.
    Size,
    /// Its length is not known, and the cache policy is one of CloudFront's kind.
    SizeUnknown,
    /// `Cache-Control: no-transform` (RFC 9110 section 7.7).
    NoTransform,
    /// It has a digest of its bytes, which would be wrong (RFC 9530).
    Digest,
    /// The viewer takes no coding of ours, or asks for a part.
    Viewer,
    /// It is not stored, or stale at once, and the cache policy is one of CloudFront's kind.
    NotKept,
    /// As many bodies as may be are being coded.
    Busy,
}

/// A decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// For this viewer.
    Yes(Coding),
    /// For other viewers it would be: the answer varies.
    NotForThisViewer(NotCoded),
    /// For nobody.
    Never(NotCoded),
}

/// Judges an answer to a viewer with `offer`. `length`: of its body in bytes, where it is known.
pub fn judge(head: &ResponseHead, length: Option<u64>, scope: Scope, offer: Offer) -> Judged {
    if let Some(reason) = never(head, length, scope) {
        return Judged::Never(reason);
    }
    match offer.coding() {
        Some(coding) => Judged::Yes(coding),
        None => Judged::NotForThisViewer(NotCoded::Viewer),
    }
}

fn never(head: &ResponseHead, length: Option<u64>, scope: Scope) -> Option<NotCoded> {
    let headers = &head.headers;
    if !matches!(head.status, StatusCode::OK | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
        || headers.contains_key(CONTENT_RANGE)
    {
        return Some(NotCoded::Status);
    }
    if headers.contains_key(CONTENT_ENCODING) {
        return Some(NotCoded::CodedBefore);
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_listed(content_type) {
        return Some(NotCoded::Type);
    }
    if has_no_transform(headers) {
        return Some(NotCoded::NoTransform);
    }
    if DIGESTS.iter().any(|name| headers.contains_key(name)) {
        return Some(NotCoded::Digest);
    }
    match length {
        Some(length) if !SIZES.contains(&length) => Some(NotCoded::Size),
        None if scope == Scope::CloudFront => Some(NotCoded::SizeUnknown),
        _ => None,
    }
}

/// RFC 9530 sections 2 and 3, and what came before them.
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-md5"),
];

/// Whether `Cache-Control` has `no-transform`.
pub fn has_no_transform(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|directive| directive.trim().eq_ignore_ascii_case("no-transform"))
}

/// Whether a media type is listed. Its parameters do not count.
fn is_listed(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    TYPES.binary_search(&media_type.as_str()).is_ok()
}

/// `cdn-behaviour.md` section 13, sorted.
const TYPES: [&str; 48] = [
    "application/dash+xml",
    "application/eot",
    "application/font",
    "application/font-sfnt",
    "application/javascript",
    "application/json",
    "application/opentype",
    "application/otf",
    "application/pdf",
    "application/pkcs7-mime",
    "application/protobuf",
    "application/rss+xml",
    "application/truetype",
    "application/ttf",
    "application/vnd.apple.mpegurl",
    "application/vnd.mapbox-vector-tile",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-font-opentype",
    "application/x-font-truetype",
    "application/x-font-ttf",
    "application/x-httpd-cgi",
    "application/x-javascript",
    "application/x-mpegurl",
    "application/x-opentype",
    "application/x-otf",
    "application/x-perl",
    "application/x-ttf",
    "application/xhtml+xml",
    "application/xml",
    "font/eot",
    "font/opentype",
    "font/otf",
    "font/ttf",
    "image/svg+xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
    "text/js",
    "text/plain",
    "text/richtext",
    "text/tab-separated-values",
    "text/x-component",
    "text/x-java-source",
    "text/x-script",
    "text/xml",
    "vnd.apple.mpegurl",
];

impl Compression {
    /// The word in the record: the coding, or why there is none.
    pub fn as_str(self) -> &'static str {
        match self {
            Compression::Coded(coding) => coding.as_str(),
            Compression::Not(reason) => reason.as_str(),
        }
    }
}

impl NotCoded {
    /// The word in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            NotCoded::Status => "not-for-status",
            NotCoded::CodedBefore => "coded-before",
            NotCoded::Type => "not-for-type",
            NotCoded::Size => "not-for-size",
            NotCoded::SizeUnknown => "size-unknown",
            NotCoded::NoTransform => "no-transform",
            NotCoded::Digest => "has-digest",
            NotCoded::Viewer => "not-asked-for",
            NotCoded::NotKept => "not-kept",
            NotCoded::Busy => "busy",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn head(status: u16, headers: &[(&'static str, &'static str)]) -> ResponseHead {
        let mut head = ResponseHead::new(StatusCode::from_u16(status).unwrap_or_default());
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        for (name, value) in headers {
            head.headers.insert(*name, HeaderValue::from_static(value));
        }
        head
    }

    fn why(head: &ResponseHead, length: Option<u64>, scope: Scope) -> Option<NotCoded> {
        match judge(head, length, scope, Offer::Gzip) {
            Judged::Yes(coding) => {
                assert_eq!(coding, Coding::Gzip);
                None
            }
            Judged::Never(reason) | Judged::NotForThisViewer(reason) => Some(reason),
        }
    }

    #[test]
    fn the_list_of_types_is_sorted_and_parameters_do_not_count() {
        assert!(TYPES.is_sorted());
        for yes in ["text/html", "Text/HTML ; charset=utf-8", "image/svg+xml", "application/json"] {
            assert!(is_listed(yes), "{yes}");
        }
        for no in ["", "image/png", "text/event-stream", "application/octet-stream", "text/html,text/css"] {
            assert!(!is_listed(no), "{no}");
        }
    }

    #[test]
    fn an_answer_is_coded_when_all_holds() {
        // `cdn-behaviour.md` section 13
        type Case = (u16, &'static [(&'static str, &'static str)], Option<u64>, Option<NotCoded>);
        let cases: [Case; 16] = [
            (200, &[], Some(1000), None),
            (403, &[], Some(10_000_000), None),
            (404, &[], Some(5000), None),
            (200, &[], Some(999), Some(NotCoded::Size)),
            (200, &[], Some(10_000_001), Some(NotCoded::Size)),
            (200, &[], None, Some(NotCoded::SizeUnknown)),
            (201, &[], Some(5000), Some(NotCoded::Status)),
            (206, &[], Some(5000), Some(NotCoded::Status)),
            (500, &[], Some(5000), Some(NotCoded::Status)),
            (200, &[("content-range", "bytes 0-1/2")], Some(5000), Some(NotCoded::Status)),
            (200, &[("content-encoding", "gzip")], Some(5000), Some(NotCoded::CodedBefore)),
            (200, &[("content-type", "image/png")], Some(5000), Some(NotCoded::Type)),
            (200, &[("cache-control", "max-age=1, No-Transform")], Some(5000), Some(NotCoded::NoTransform)),
            (200, &[("cache-control", "max-age=1")], Some(5000), None),
            (200, &[("repr-digest", "sha-256=:AA==:")], Some(5000), Some(NotCoded::Digest)),
            (200, &[("content-md5", "AA==")], Some(5000), Some(NotCoded::Digest)),
        ];
        for (status, headers, length, expected) in cases {
            assert_eq!(why(&head(status, headers), length, Scope::CloudFront), expected, "{status} {headers:?}");
        }
        assert_eq!(why(&head(200, &[]), None, Scope::All), None);
    }

    #[test]
    fn for_a_viewer_that_takes_no_coding_it_varies_all_the_same() {
        let judged = |headers| judge(&head(200, headers), Some(5000), Scope::All, Offer::Identity);
        assert_eq!(judged(&[]), Judged::NotForThisViewer(NotCoded::Viewer));
        assert_eq!(judged(&[("content-type", "image/png")]), Judged::Never(NotCoded::Type));
    }
}
