//! Headers in which a request names another host, scheme, path, method, address or user than its own.
//!
//! An origin that believes them gives an answer that belongs to another key, and the cache would hand it to everybody.
//! `cdn-behaviour.md` section 7.3 has some of them removed; common frameworks, and other proxies behind the node, believe the rest.
//! They reach the origin where they are in the key, where `forward` lists them by name, where nothing is stored, and where a
//! viewer-request function set them: then they are no viewer's word.

use http::{HeaderMap, HeaderName};

/// What the names of whole families begin with.
const FAMILIES: [&str; 10] = [
    "x-forwarded-",
    "x-original-",
    "x-rewrite-",
    // Who the viewer is, as proxies that authenticate say it (oauth2-proxy, AWS, Google, Azure), or that end TLS.
    "x-auth-request-",
    "x-amzn-oidc-",
    "x-goog-authenticated-user-",
    "x-ms-client-principal",
    "ssl-client-",
    "x-ssl-",
    // How Next.js passes routing between its own parts (CVE-2025-29927).
    "x-middleware-",
];

/// Single names, those that tools which look for cache poisoning try among them.
const NAMES: [&str; 58] = [
    "base-url",
    "cf-connecting-ip",
    "cf-visitor",
    "client-ip",
    "fastly-client-ip",
    "fastly-ssl",
    "forwarded",
    "forwarded-for",
    "forwarded-host",
    "forwarded-proto",
    "front-end-https",
    "http-url",
    "proxy-host",
    "proxy-url",
    "remote-addr",
    "remote-user",
    "request-uri",
    "true-client-ip",
    "x-arr-ssl",
    "x-authenticated-user",
    "x-backend-host",
    "x-client-cert",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-original-path",
    "x-forwarded",
    "x-forwarder-for",
    "x-gateway-host",
    "x-host",
    "x-http-destinationurl",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-http-path-override",
    "x-https",
    "x-invoke-path",
    "x-invoke-query",
    "x-invoke-status",
    "x-matched-path",
    "x-method-override",
    "x-now-route-matches",
    "x-originating-ip",
    "x-override-url",
    "x-proxy-host",
    "x-proxy-url",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-group",
    "x-remote-ip",
    "x-remote-user",
    "x-request-uri",
    "x-scheme",
    "x-server-name",
    "x-true-ip",
    "x-url-scheme",
    "x-wap-profile",
    "x-webauth-user",
];

/// Those that are there.
pub(crate) fn among(headers: &HeaderMap) -> HeaderMap {
    headers.iter().filter(|(name, _)| is_override(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Those in `headers` that are not as they were `before`.
pub(crate) fn set_since(before: &HeaderMap, headers: &HeaderMap) -> Vec<HeaderName> {
    let differs = |name: &&HeaderName| !headers.get_all(*name).iter().eq(before.get_all(*name).iter());
    headers.keys().filter(|name| is_override(name)).filter(differs).cloned().collect()
}

/// Whether the header is one of them. `X-Forwarded-For` is not: the node appends to it, and every origin knows what it is worth.
pub(super) fn is_override(name: &HeaderName) -> bool {
    let name = name.as_str();
    // CGI and what came after it take both marks for the same.
    match name.contains('_') {
        true => is_listed(&name.replace('_', "-")) || name.replace('_', "-") == "x-forwarded-for",
        false => is_listed(name),
    }
}

fn is_listed(name: &str) -> bool {
    if name == "x-forwarded-for" {
        return false;
    }
    FAMILIES.iter().any(|family| name.starts_with(family)) || NAMES.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order() {
        assert!(NAMES.is_sorted());
    }

    #[test]
    fn a_name_counts_however_it_is_spelled() {
        for name in
            ["true-client-ip", "x-original-uri", "x-forwarded-user", "x_forwarded_host", "x_forwarded_for", "base_url"]
        {
            assert!(is_override(&HeaderName::from_static(name)), "{name}");
        }
        for name in ["x-forwarded-for", "accept", "x-request-id", "x-requested-with", "x-api-key"] {
            assert!(!is_override(&HeaderName::from_static(name)), "{name}");
        }
    }
}
