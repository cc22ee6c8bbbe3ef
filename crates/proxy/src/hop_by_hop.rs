//! Fields that a viewer meant for this node alone (RFC 9110 section 7.6.1).

use http::header::{self, HeaderName, HeaderValue};
use rimward_types::RequestHead;

/// Options of a connection that name no field, or one that the node looks after itself.
const OPTIONS: [&str; 5] = ["close", "keep-alive", "upgrade", "te", "trailers"];

/// Takes out the fields that the viewer's `Connection` names. It must come before the node adds fields of its own: a viewer that names
/// those would have them taken out on the way to the origin, whose answer is stored as if it had seen them.
pub fn end_here(request: &mut RequestHead) {
    if !request.headers.contains_key(header::CONNECTION) {
        return;
    }
    let listed = request.headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<HeaderName> = listed
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !OPTIONS.iter().any(|option| option.eq_ignore_ascii_case(name)))
        .filter_map(|name| HeaderName::try_from(name).ok())
        // Framing and routing are nobody's to take out.
        .filter(|name| ![header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::HOST].contains(name))
        .collect();
    if named.is_empty() {
        return;
    }
    let switches = request.asks_for_websocket();
    for name in &named {
        request.headers.remove(name);
    }
    match switches {
        true => request.headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade")),
        false => request.headers.remove(header::CONNECTION),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(headers: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        let mut head = RequestHead::get("/");
        for (name, value) in headers {
            head.headers.append(*name, HeaderValue::from_static(value));
        }
        end_here(&mut head);
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_connection_names_ends_here_with_it() {
        let sent = [("connection", "close, X-Own, cloudfront-viewer-cert-present"), ("x-own", "1"), ("accept", "*/*")];
        assert_eq!(ended(&sent), pairs(&[("accept", "*/*")]));
    }

    #[test]
    fn host_and_framing_stay_whoever_names_them() {
        let sent = [("connection", "host, content-length"), ("host", "a.test"), ("content-length", "0")];
        assert_eq!(ended(&sent), pairs(&sent));
    }

    #[test]
    fn a_handshake_stays_one() {
        let sent = [("connection", "x-own, Upgrade"), ("upgrade", "websocket"), ("x-own", "1")];
        assert_eq!(ended(&sent), pairs(&[("connection", "Upgrade"), ("upgrade", "websocket")]));
        assert_eq!(ended(&[("connection", "keep-alive")]), pairs(&[("connection", "keep-alive")]));
    }
}
