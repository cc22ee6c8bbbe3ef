//! Property names of events, made once: a request only copies references to them.

use boa_engine::{JsString, js_string, property::PropertyKey};

macro_rules! names {
    ($($field:ident = $text:literal),* $(,)?) => {
        /// Names of the members of event objects.
        pub(crate) struct Names {
            $(#[doc = $text] pub(crate) $field: PropertyKey,)*
            headers_known: Box<[PropertyKey]>,
        }

        impl Names {
            pub(crate) fn new() -> Self {
                Self {
                    $($field: PropertyKey::from(js_string!($text)),)*
                    headers_known: HEADERS.iter().map(|n| key(n)).collect(),
                }
            }
        }
    };
}

names! {
    attributes = "attributes",
    body = "body",
    context = "context",
    cookies = "cookies",
    data = "data",
    distribution_domain_name = "distributionDomainName",
    distribution_id = "distributionId",
    encoding = "encoding",
    event_type = "eventType",
    headers = "headers",
    ip = "ip",
    length = "length",
    method = "method",
    multi_value = "multiValue",
    querystring = "querystring",
    request = "request",
    request_id = "requestId",
    response = "response",
    status_code = "statusCode",
    status_description = "statusDescription",
    uri = "uri",
    value = "value",
    version = "version",
    viewer = "viewer",
}

/// Header names that browsers and caches send all the time, sorted.
const HEADERS: [&str; 48] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "access-control-allow-origin",
    "access-control-request-headers",
    "access-control-request-method",
    "age",
    "alt-svc",
    "authorization",
    "cache-control",
    "cloudfront-is-mobile-viewer",
    "cloudfront-viewer-country",
    "content-encoding",
    "content-language",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "dnt",
    "etag",
    "expires",
    "host",
    "if-modified-since",
    "if-none-match",
    "last-modified",
    "location",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "server",
    "strict-transport-security",
    "te",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "x-cache",
    "x-forwarded-for",
];

impl Names {
    /// The key for a header name; made anew only for rare names.
    pub(crate) fn header(&self, name: &str) -> PropertyKey {
        match HEADERS.binary_search(&name) {
            Ok(i) => self.headers_known[i].clone(),
            Err(_) => key(name),
        }
    }
}

/// The key for any name; integer-like names become index keys, as in JavaScript.
pub(crate) fn key(name: &str) -> PropertyKey {
    PropertyKey::from(JsString::from(name))
}

#[cfg(test)]
mod tests {
    use super::{HEADERS, Names, key};

    #[test]
    fn known_headers_are_sorted_so_that_the_search_finds_them() {
        assert!(HEADERS.is_sorted());
        let names = Names::new();
        assert!(HEADERS.iter().all(|h| names.header(h) == key(h)));
        assert_eq!(names.header("x-rare"), key("x-rare"));
    }
}
