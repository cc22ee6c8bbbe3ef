//! Validation that mends what it can (`lambda-at-edge.md` section 15 rule 5): for functions that come from elsewhere and
//! are not clean yet. What a function did to a header that it may not touch is undone; all other rules hold as always.

use super::{Encoding, HeaderLines, LambdaEvent, Outcome, Returned, validate};
use crate::{Invalid, Strictness};
use http::HeaderMap;

/// Breaches that are mended in one result; with more of them it is refused.
const MENDED: usize = 64;

/// Validates as [`validate`] does, and gives the breaches that were mended.
///
/// # Errors
/// The first rule that the result breaks and that is not about a single header.
pub fn validate_leniently(
    event: &LambdaEvent<'_>,
    mut returned: Returned,
    encoding: Encoding,
) -> Result<(Outcome, Vec<Invalid>), Invalid> {
    let mut mended = Vec::new();
    loop {
        let breach = match validate(event, returned.clone(), encoding, Strictness::Strict) {
            Ok(outcome) => return Ok((outcome, mended)),
            Err(breach) => breach,
        };
        if mended.len() >= MENDED || !mend(event, &mut returned, &breach) {
            return Err(breach);
        }
        mended.push(breach);
    }
}

/// Undoes a breach; `false` when it cannot be undone.
fn mend(event: &LambdaEvent<'_>, returned: &mut Returned, breach: &Invalid) -> bool {
    let none = HeaderMap::new();
    let (lines, original) = match returned {
        Returned::Request(request) => (&mut request.headers, &event.request.headers),
        // A response that a request hook makes starts from nothing.
        Returned::Response(response) => {
            (&mut response.headers, event.response.filter(|_| event.hook.is_response()).map_or(&none, |r| &r.headers))
        }
    };
    match breach {
        Invalid::ReadOnly { name, .. } => {
            remove(lines, name);
            lines.extend(original.get_all(name).iter().map(|value| (name.clone(), value.as_bytes().to_vec())));
            true
        }
        Invalid::Disallowed(name) | Invalid::HeaderName(name) | Invalid::HeaderValue { name, .. } => {
            remove(lines, name)
        }
        _ => false,
    }
}

/// Removes all lines of a name, and says whether there were any.
fn remove(lines: &mut HeaderLines, name: &str) -> bool {
    let before = lines.len();
    lines.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    lines.len() < before
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::ViewerContext;
    use crate::invalid::Change;
    use crate::lambda::{ReturnedRequest, ReturnedResponse};
    use http::HeaderValue;
    use rimward_types::{Hook, RequestHead, ResponseHead};

    fn head() -> RequestHead {
        let mut head = RequestHead::get("/");
        head.headers.insert("host", HeaderValue::from_static("www.example.com"));
        head.headers.insert("via", HeaderValue::from_static("1.1 viewer"));
        head
    }

    fn event(hook: Hook, request: &RequestHead) -> LambdaEvent<'_> {
        let context = ViewerContext {
            distribution_domain_name: "d.example",
            distribution_id: "E",
            request_id: "id",
            viewer_ip: "192.0.2.1",
        };
        LambdaEvent { hook, context, request, body: None, origin: None, response: None }
    }

    fn lines(lines: &[(&str, &str)]) -> HeaderLines {
        lines.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
    }

    fn request(headers: &[(&str, &str)]) -> Returned {
        Returned::Request(ReturnedRequest {
            method: "GET".to_owned(),
            client_ip: None,
            uri: "/".to_owned(),
            querystring: String::new(),
            headers: lines(headers),
            body: None,
            origin: None,
        })
    }

    /// lambda-at-edge.md 15 rule 5.
    #[test]
    fn what_was_done_to_headers_that_are_not_the_functions_is_undone_and_told() {
        let head = head();
        let returned =
            request(&[("host", "evil.example"), ("x-cache", "Hit"), ("x-a", "1"), ("x-b", "a\nb"), ("c d", "1")]);
        let event = event(Hook::ViewerRequest, &head);
        let (outcome, mended) = validate_leniently(&event, returned, Encoding::Text).unwrap();
        let Outcome::Request { head: new, .. } = outcome else { panic!("a response") };
        assert_eq!(new.headers["host"], "www.example.com");
        assert_eq!(new.headers["via"], "1.1 viewer");
        assert_eq!((new.headers["x-a"].to_str().unwrap(), new.headers.len()), ("1", 3));
        assert_eq!(mended.len(), 5, "{mended:?}");
        assert!(mended.contains(&Invalid::Disallowed("x-cache".to_owned())));
        assert!(mended.contains(&Invalid::ReadOnly { name: "via".to_owned(), change: Change::Deleted }));
    }

    #[test]
    fn a_generated_response_starts_from_nothing() {
        let head = head();
        let returned = Returned::Response(ReturnedResponse {
            status: 200,
            reason: None,
            headers: lines(&[("via", "1.1 me"), ("x-a", "1")]),
            body: None,
        });
        let event = event(Hook::OriginRequest, &head);
        let (outcome, mended) = validate_leniently(&event, returned, Encoding::Text).unwrap();
        let Outcome::Response(new, _) = outcome else { panic!("a request") };
        assert!(!new.headers.contains_key("via") && new.headers.contains_key("x-a"));
        assert_eq!(mended, [Invalid::ReadOnly { name: "via".to_owned(), change: Change::Added }]);
    }

    #[test]
    fn other_rules_hold_as_always() {
        let head = head();
        let own = ResponseHead::new(http::StatusCode::OK);
        let mut event = event(Hook::ViewerResponse, &head);
        event.response = Some(&own);
        let returned =
            Returned::Response(ReturnedResponse { status: 404, reason: None, headers: Vec::new(), body: None });
        assert_eq!(validate_leniently(&event, returned, Encoding::Text).unwrap_err(), Invalid::StatusChanged);
    }

    #[test]
    fn a_clean_result_is_not_touched() {
        let head = head();
        let returned = request(&[("host", "www.example.com"), ("via", "1.1 viewer")]);
        let (_, mended) = validate_leniently(&event(Hook::ViewerRequest, &head), returned, Encoding::Text).unwrap();
        assert!(mended.is_empty());
    }
}
