//! `[response-headers-policies.NAME]` (`cdn-behaviour.md` section 14).

use crate::AllowedOrigin;
use http::{HeaderName, HeaderValue, Method};
use std::sync::Arc;
use std::time::Duration;

/// `[response-headers-policies.NAME]`: headers that are removed from a behavior's answers, and added to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHeadersPolicy {
    /// Its name: 1 to 64 letters, digits, `-` and `_`.
    pub name: Arc<str>,
    /// `remove`: headers that are taken away before anything is added, at most 50. Default: none.
    pub remove: Vec<HeaderName>,
    /// `cors`: for requests with `Origin`. Default: none.
    pub cors: Option<Cors>,
    /// `security`, as the headers that it comes to. Default: none.
    pub security: Vec<PolicyHeader>,
    /// `headers`: any others, at most 50, `{ x-own = "1", x-other = { value = "2", override = false } }`. Default: none.
    pub headers: Vec<PolicyHeader>,
    /// `server-timing`: the share of answers with `Server-Timing`, in percent with up to 4 decimals. With 0, those alone that
    /// a request asks for with `Pragma: server-timing`. Default: none at all.
    pub server_timing: Option<Share>,
}

/// One header of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyHeader {
    /// Its name.
    pub name: HeaderName,
    /// Its value; may be empty.
    pub value: HeaderValue,
    /// `override`: whether it goes before what the answer has. Default: true.
    pub overrides: bool,
}

/// `cors`: cross-origin resource sharing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// `origins`: who may read answers, at least one: `"*"`, `"https://www.example.com"`, `"*.example.com"`, `"localhost:*"`.
    pub origins: Vec<AllowedOrigin>,
    /// `methods`: what a preflight allows, `"all"` (the vendor's seven) or a list. Default: GET and HEAD.
    pub methods: Vec<Method>,
    /// `headers`: request headers that a preflight allows, `["*"]` or names. Default: none.
    pub headers: AllowedHeaders,
    /// `expose`: response headers that scripts may read. Default: none.
    pub expose: AllowedHeaders,
    /// `credentials`: whether requests with cookies are allowed. Default: false.
    pub credentials: bool,
    /// `max-age`: how long a browser may keep a preflight's answer, up to 1 d. Default: the header is left out.
    pub max_age: Option<Duration>,
    /// `override`: whether the policy goes before what the answer has. Default: true.
    pub overrides: bool,
}

/// Names of headers in a list of `cors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedHeaders {
    /// `["*"]`.
    All,
    /// These; may be none.
    Only(Vec<HeaderName>),
}

/// A share of a whole, in steps of a ten-thousandth of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    const WHOLE: u32 = 1_000_000;

    /// A share in percent, 0 to 100 with at most 4 decimals.
    pub fn of_percent(percent: f64) -> Option<Self> {
        let steps = percent * 10_000.0;
        let whole = (0.0..=f64::from(Self::WHOLE)).contains(&steps) && (steps - steps.round()).abs() < 1e-6;
        // The range was checked.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        whole.then(|| Self(steps.round() as u32))
    }

    /// Whether a draw falls into the share; `draw` is any number, equally likely.
    pub fn contains(self, draw: u64) -> bool {
        draw % u64::from(Self::WHOLE) < u64::from(self.0)
    }
}

impl ResponseHeadersPolicy {
    /// A policy that does nothing.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        let (remove, security, headers) = (Vec::new(), Vec::new(), Vec::new());
        Self { name: name.into(), remove, cors: None, security, headers, server_timing: None }
    }

    /// The vendor's managed policies.
    pub fn built_in() -> Vec<Self> {
        let header = |name, value, overrides| PolicyHeader {
            name: HeaderName::from_static(name),
            value: HeaderValue::from_static(value),
            overrides,
        };
        let security = || {
            vec![
                header("strict-transport-security", "max-age=31536000", false),
                header("x-content-type-options", "nosniff", true),
                header("x-frame-options", "SAMEORIGIN", false),
                header("x-xss-protection", "1; mode=block", false),
                header("referrer-policy", "strict-origin-when-cross-origin", false),
            ]
        };
        let cors = |preflight: bool| Cors {
            origins: vec![AllowedOrigin::Any],
            methods: if preflight { Cors::all_methods() } else { Vec::new() },
            headers: AllowedHeaders::Only(Vec::new()),
            expose: if preflight { AllowedHeaders::All } else { AllowedHeaders::Only(Vec::new()) },
            credentials: false,
            max_age: None,
            overrides: false,
        };
        vec![
            Self { cors: Some(cors(false)), ..Self::new("simple-cors") },
            Self { cors: Some(cors(true)), ..Self::new("cors-with-preflight") },
            Self { security: security(), ..Self::new("security-headers") },
            Self { cors: Some(cors(false)), security: security(), ..Self::new("cors-and-security-headers") },
            Self {
                cors: Some(cors(true)),
                security: security(),
                ..Self::new("cors-with-preflight-and-security-headers")
            },
        ]
    }
}

impl Cors {
    /// The vendor's `ALL`.
    pub fn all_methods() -> Vec<Method> {
        vec![Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::POST, Method::PATCH, Method::DELETE]
    }

    /// Whether an answer depends on who asks: not where everybody may read it.
    pub fn depends_on_origin(&self) -> bool {
        self.credentials || !self.origins.contains(&AllowedOrigin::Any)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_share_has_at_most_four_decimals_and_takes_its_part_of_all_draws() {
        for wrong in [-0.1, 100.1, 0.00001, f64::NAN, f64::INFINITY] {
            assert_eq!(Share::of_percent(wrong), None, "{wrong}");
        }
        let count = |share: f64| (0..1_000_000).filter(|n| Share::of_percent(share).unwrap().contains(*n)).count();
        assert_eq!((count(0.0), count(0.0001), count(12.3456), count(100.0)), (0, 1, 123_456, 1_000_000));
    }
}
