//! Headers that nobody may have the node add to requests for an origin: they are of the message, or the node's own.

/// Whether the header may not be an origin's custom header (`cdn-behaviour.md` section 7.4). `name` is lower case.
pub fn is_denied_at_origin(name: &str) -> bool {
    matches!(
        name,
        "cache-control"
            | "connection"
            | "content-length"
            | "cookie"
            | "host"
            | "if-match"
            | "if-modified-since"
            | "if-none-match"
            | "if-range"
            | "if-unmodified-since"
            | "max-forwards"
            | "pragma"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "range"
            | "request-range"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "via"
            | "x-real-ip"
    ) || name.starts_with("x-amz-")
        || name.starts_with("x-edge-")
}
