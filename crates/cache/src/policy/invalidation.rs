//! What an answer to an unsafe method makes doubtful (RFC 9111 section 4.4).

use crate::rules::Rules;
use http::header::{CONTENT_LOCATION, HOST, LOCATION};
use http::{HeaderName, StatusCode};
use rimward_types::{RequestHead, ResponseHead};
use smallvec::SmallVec;

/// Paths and queries to remove: the request's own and, on the same host, those of `Location` and `Content-Location`.
/// Empty for safe methods, for errors, and where the profile does not invalidate.
pub fn doubtful(request: &RequestHead, response: &ResponseHead, rules: &Rules) -> SmallVec<[String; 3]> {
    let mut urls = SmallVec::new();
    let is_success = response.status.is_success() || response.status.is_redirection();
    let not_modified = response.status == StatusCode::NOT_MODIFIED;
    // A method that is not known counts as unsafe.
    if !rules.profile.table().unsafe_invalidates || request.method.is_safe() || !is_success || not_modified {
        return urls;
    }
    urls.push(request.path_and_query());
    for name in [LOCATION, CONTENT_LOCATION] {
        let url = named(response, &name).and_then(|location| same_host_path(location, request));
        urls.extend(url.filter(|url| !urls.contains(url)));
    }
    urls
}

fn named<'a>(response: &'a ResponseHead, name: &HeaderName) -> Option<&'a str> {
    response.headers.get(name).and_then(|value| value.to_str().ok())
}

/// Path and query of a URI reference, resolved against the request's (RFC 3986 section 5.2). `None` when it is on
/// another host: nobody may invalidate what is not theirs (RFC 9111 section 4.4).
pub(super) fn same_host_path(reference: &str, request: &RequestHead) -> Option<String> {
    let reference = reference.split('#').next().unwrap_or_default();
    let after_scheme = match reference.split_once("://") {
        Some((scheme, rest)) if is_http(scheme) => Some(rest),
        _ => reference.strip_prefix("//"),
    };
    if let Some(rest) = after_scheme {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if !is_same_host(authority, request) {
            return None;
        }
        return Some(if path.starts_with('/') { resolved(path) } else { format!("/{path}") });
    }
    // What else has a colon before any slash is a URI of another scheme.
    if reference.split(['/', '?']).next().is_some_and(|first| first.contains(':')) {
        return None;
    }
    if reference.is_empty() {
        return Some(request.path_and_query());
    }
    if reference.starts_with('/') {
        return Some(resolved(reference));
    }
    if reference.starts_with('?') {
        return Some(format!("{}{reference}", request.path));
    }
    let folder = &request.path[..request.path.rfind('/').map_or(0, |at| at + 1)];
    Some(resolved(&format!("{folder}{reference}")))
}

/// An absolute path and its query, without dots in the path.
fn resolved(path_and_query: &str) -> String {
    let (path, query) = path_and_query.split_at(path_and_query.find('?').unwrap_or(path_and_query.len()));
    format!("{}{query}", without_dots(path))
}

fn is_http(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

fn is_same_host(authority: &str, request: &RequestHead) -> bool {
    let Some(host) = request.headers.get(HOST).and_then(|value| value.to_str().ok()) else { return false };
    let bare = |host: &str| {
        let host = host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")).unwrap_or(host);
        host.to_ascii_lowercase()
    };
    bare(authority) == bare(host)
}

/// RFC 3986 section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            name => kept.push(name),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, Method};
    use proptest::prelude::*;

    fn post(url: &str) -> RequestHead {
        let mut request = RequestHead::get(url);
        request.method = Method::POST;
        request.headers.insert(HOST, HeaderValue::from_static("www.example.com"));
        request
    }

    #[test]
    fn references_resolve_on_the_same_host_alone() {
        // RFC 3986 section 5.4, RFC 9111 section 4.4
        for (reference, expected) in [
            ("", Some("/b/c/d?q")),
            ("/x?y", Some("/x?y")),
            ("/x/../y?a/../b", Some("/y?a/../b")),
            ("http://www.example.com/x/./y", Some("/x/y")),
            ("g", Some("/b/c/g")),
            ("g?y#s", Some("/b/c/g?y")),
            ("?y", Some("/b/c/d?y")),
            ("../g", Some("/b/g")),
            ("../../../g", Some("/g")),
            ("./g/.", Some("/b/c/g/")),
            ("..", Some("/b/")),
            ("http://WWW.example.com:80/z", Some("/z")),
            ("https://www.example.com", Some("/")),
            ("https://www.example.com?a", Some("/?a")),
            ("//www.example.com/z", Some("/z")),
            ("https://other.example.com/z", None),
            ("//other/z", None),
            ("https://www.example.com.evil/z", None),
            ("https://www.example.com:8443/z", None),
            ("mailto:someone", None),
        ] {
            assert_eq!(same_host_path(reference, &post("/b/c/d?q")).as_deref(), expected, "{reference}");
        }
    }

    #[test]
    fn unsafe_methods_that_succeed_remove_their_url_and_what_they_name() {
        let urls = |method: &str, status: u16, profile| {
            let mut request = post("/a");
            request.method = Method::from_bytes(method.as_bytes()).expect("a method");
            let mut response = ResponseHead::new(StatusCode::from_u16(status).expect("a status"));
            response.headers.insert(LOCATION, HeaderValue::from_static("/b"));
            response.headers.insert(CONTENT_LOCATION, HeaderValue::from_static("http://other/c"));
            doubtful(&request, &response, &Rules { profile, ..Rules::default() }).into_vec()
        };
        use crate::rules::Profile::{CloudFront, Rfc};
        for method in ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH"] {
            assert_eq!(urls(method, 200, Rfc), ["/a", "/b"], "{method}");
            assert_eq!(urls(method, 303, Rfc), ["/a", "/b"], "{method}");
            assert!(urls(method, 500, Rfc).is_empty(), "{method}");
            assert!(urls(method, 404, Rfc).is_empty(), "{method}");
            assert!(urls(method, 200, CloudFront).is_empty(), "{method}");
        }
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            assert!(urls(method, 200, Rfc).is_empty(), "{method}");
        }
    }

    proptest! {
        #[test]
        fn any_reference_resolves_without_panic(reference in "\\PC{0,40}", path in "/[a-z/.]{0,20}") {
            if let Some(url) = same_host_path(&reference, &post(&path)) {
                prop_assert!(url.starts_with('/'));
            }
        }
    }
}
