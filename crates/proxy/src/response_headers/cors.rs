//! The CORS part of a policy: for requests with `Origin` alone.

use super::{Change, Reason, set};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use rimward_config::{AllowedHeaders, AllowedOrigin, Cors};

/// All that the part may write.
const NAMES: [HeaderName; 6] = [
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
];

/// Tells caches behind the node that answers depend on who asks: also where nobody does, or nothing is said
/// (RFC 9110 section 12.5.5).
pub(super) fn vary(cors: &Cors, headers: &mut HeaderMap) {
    if cors.depends_on_origin() && !varies_by_origin(headers) {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
}

pub(super) fn apply(
    cors: &Cors,
    origin: &HeaderValue,
    preflight: bool,
    headers: &mut HeaderMap,
    changes: &mut Vec<Change>,
) {
    let allowed = origin.to_str().is_ok_and(|text| cors.origins.iter().any(|allowed| allowed.matches(text)));
    if !allowed {
        // A policy that goes before the answer's own headers must not let through what it does not allow.
        let own = NAMES.into_iter().filter(|_| cors.overrides);
        changes.extend(own.filter(|name| headers.remove(name).is_some()).map(|name| (name, Reason::NotAllowed)));
        return;
    }
    // Nor may an answer grant what the policy denies.
    if cors.overrides && !cors.credentials && headers.remove(ACCESS_CONTROL_ALLOW_CREDENTIALS).is_some() {
        changes.push((ACCESS_CONTROL_ALLOW_CREDENTIALS, Reason::NotAllowed));
    }
    let everybody = cors.origins.contains(&AllowedOrigin::Any) && !cors.credentials;
    let mut say = |name: HeaderName, value: Option<HeaderValue>| {
        if let Some(value) = value {
            changes.push((name.clone(), set(headers, &name, value, cors.overrides)));
        }
    };
    let own = if everybody { HeaderValue::from_static("*") } else { origin.clone() };
    say(ACCESS_CONTROL_ALLOW_ORIGIN, Some(own));
    say(ACCESS_CONTROL_ALLOW_CREDENTIALS, cors.credentials.then(|| HeaderValue::from_static("true")));
    say(ACCESS_CONTROL_EXPOSE_HEADERS, listed(&cors.expose));
    if preflight {
        let methods: Vec<&str> = cors.methods.iter().map(http::Method::as_str).collect();
        say(ACCESS_CONTROL_ALLOW_METHODS, joined(&methods));
        say(ACCESS_CONTROL_ALLOW_HEADERS, listed(&cors.headers));
        say(ACCESS_CONTROL_MAX_AGE, cors.max_age.map(|age| HeaderValue::from(age.as_secs())));
    }
}

/// A list's value; `None` for an empty one. `*` is passed on: browsers do not count `Authorization` in.
fn listed(names: &AllowedHeaders) -> Option<HeaderValue> {
    match names {
        AllowedHeaders::All => Some(HeaderValue::from_static("*")),
        AllowedHeaders::Only(names) => joined(&names.iter().map(HeaderName::as_str).collect::<Vec<_>>()),
    }
}

fn joined(words: &[&str]) -> Option<HeaderValue> {
    HeaderValue::from_str(&words.join(", ")).ok().filter(|value| !value.is_empty())
}

fn varies_by_origin(headers: &HeaderMap) -> bool {
    let values = headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|name| name == "*" || name.eq_ignore_ascii_case("origin"))
}
