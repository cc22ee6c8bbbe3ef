//! Why a function's result was refused.

use crate::FailureCategory;
use crate::headers::Tier;

/// What a function did to a read-only header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    Added,
    /// Its values differ.
    Changed,
    /// It is gone.
    Deleted,
}

impl Change {
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Change::Added => "add",
            Change::Changed => "change",
            Change::Deleted => "delete",
        }
    }
}

/// The rule that a result broke. `Display` is the operator's text; the viewer sees [`Invalid::sentence`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The handler threw, or its promise was rejected or never settled; an execution error.
    #[error("{message}")]
    Threw {
        /// `TypeError: ...`.
        message: String,
        /// Line in the function, from 1; 0 when not known.
        line: u32,
        /// Column, as with the line.
        column: u32,
    },
    /// The result is no request and no response, or a member has the wrong shape; the text says which.
    #[error("{0}")]
    Shape(String),
    /// A member of the result has the wrong type.
    #[error("{member} must be {expected}")]
    Type {
        /// Path of the member, as `response.headers.location`.
        member: String,
        /// What it should be.
        expected: &'static str,
    },
    /// `method` changed (`cloudfront-functions.md` section 4.1 rule 1).
    #[error("request.method is read-only: was `{was}`, is `{now}`")]
    Method {
        /// The viewer's method.
        was: String,
        /// The function's.
        now: String,
    },
    /// `clientIp` changed (`lambda-at-edge.md` section 5.3).
    #[error("request.clientIp is read-only")]
    ClientIp,
    /// `uri` broke a rule (`cloudfront-functions.md` section 4.1 rule 2).
    #[error("request.uri {0}")]
    Uri(&'static str),
    /// The query string broke a rule (`cloudfront-functions.md` section 4.1 rule 4).
    #[error("request.querystring {0}")]
    Query(&'static str),
    /// URI and query together are too long (`cloudfront-functions.md` section 4.1 rule 3).
    #[error("uri and query string have {0} bytes; fewer than 8192 are allowed")]
    UrlTooLong(usize),
    /// A header name that is not lower case (`cloudfront-functions.md` section 3.2).
    #[error("header names must be in lower case: `{0}`")]
    HeaderCase(String),
    /// A header name that is no token.
    #[error("`{0}` is not a header name")]
    HeaderName(String),
    /// A header value with a control character (`lambda-at-edge.md` section 6.4).
    #[error("invalid character {character:?} in the value of header `{name}`")]
    HeaderValue {
        /// Name of the header.
        name: String,
        /// The first offending character.
        character: char,
    },
    /// A header that functions may not set (`cloudfront-functions.md` section 5).
    #[error("the function tried to add a disallowed header: `{0}`")]
    Disallowed(String),
    /// A header that functions may only read in this hook (`cloudfront-functions.md` section 5).
    #[error("the function tried to {} a read-only header: `{name}`", change.verb())]
    ReadOnly {
        /// Name of the header.
        name: String,
        /// What it did.
        change: Change,
    },
    /// Cookies given as a header (`cloudfront-functions.md` section 4.2 rule 6).
    #[error("cookies are set through `cookies`, not through header `{0}`")]
    CookieHeader(String),
    /// A cookie that would not survive on the wire.
    #[error("cookie `{name}` {fault}")]
    Cookie {
        /// Name of the cookie.
        name: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A status outside 200..=599 (`cloudfront-functions.md` section 4.2 rule 1).
    #[error("status must be an integer from 200 to 599, is {0}")]
    Status(String),
    /// The status changed where it is read-only (`lambda-at-edge.md` section 3.3).
    #[error("response.status is read-only in viewer-response")]
    StatusChanged,
    /// A 101 became something else: the connection has switched protocols (`lambda-at-edge.md` section 2).
    #[error("{0} of a 101 cannot be changed: the connection has switched protocols")]
    Switched(&'static str),
    /// A reason phrase with a control character.
    #[error("the status description has a control character")]
    Reason,
    /// A body that is not allowed or not readable.
    #[error("body {0}")]
    Body(&'static str),
    /// Something is larger than its limit.
    #[error("{what} has {size} bytes; the limit is {limit}")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A returned origin broke a rule (`lambda-at-edge.md` section 3.6).
    #[error("request.origin.{field} {fault}")]
    Origin {
        /// Path of the field below `origin`.
        field: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// An origin helper was given something wrong (`cloudfront-functions.md` sections 11.3 to 11.5).
    #[error("{property} {fault}")]
    OriginRewrite {
        /// Path of the property, as `updateRequestOrigin.timeouts.readTimeout`.
        property: String,
        /// What is wrong with it.
        fault: &'static str,
    },
}

impl Invalid {
    /// The category that the viewer and the record get.
    pub fn category(&self, tier: Tier) -> FailureCategory {
        match (tier, self) {
            (Tier::Viewer, Invalid::Threw { .. }) => FailureCategory::FunctionExecution,
            (Tier::Viewer, _) => FailureCategory::FunctionValidation,
            (Tier::Lambda, Invalid::Threw { .. }) => FailureCategory::LambdaExecution,
            (Tier::Lambda, _) => FailureCategory::LambdaValidation,
        }
    }

    /// The sentence for the viewer's page: the kind of mistake, never the function's own words
    /// (`cloudfront-functions.md` section 6, `lambda-at-edge.md` section 9).
    pub fn sentence(&self, tier: Tier) -> &'static str {
        match (tier, self) {
            (_, Invalid::Threw { .. }) => self.category(tier).sentence(),
            (Tier::Viewer, Invalid::HeaderCase(_)) => {
                "The CloudFront function returned an invalid value: response.headers must have header names in lower case."
            }
            (Tier::Viewer, Invalid::Disallowed(_) | Invalid::ReadOnly { .. }) => {
                "The CloudFront function tried to add, delete, or change a restricted header."
            }
            (Tier::Viewer, Invalid::Origin { .. } | Invalid::OriginRewrite { .. }) => {
                "The CloudFront function returned an invalid value for origin rewrite."
            }
            (Tier::Lambda, Invalid::ReadOnly { .. }) => {
                "The Lambda function result failed validation: The function tried to add, delete, or change a read-only header."
            }
            (Tier::Lambda, Invalid::Disallowed(_)) => {
                "The Lambda function result failed validation: The function tried to add a blacklisted header."
            }
            (Tier::Lambda, Invalid::Body(_) | Invalid::TooLarge { .. }) => {
                "The Lambda function result failed validation: The body is not a string, is not an object, or exceeds the maximum size."
            }
            (Tier::Lambda, Invalid::Type { member, expected: "an array" }) if member.contains(".headers.") => {
                "The Lambda function result failed validation: The Lambda function returned an invalid entry in the headers object: Each header entry in the headers object must be an array."
            }
            _ => self.category(tier).sentence(),
        }
    }

    /// `FunctionErrorMessage` of the vendor's test operation (`cloudfront-functions.md` section 16).
    pub fn test_message(&self) -> String {
        match self {
            Invalid::Threw { message, line: 0, .. } => {
                format!("{} {message}", FailureCategory::FunctionExecution.sentence())
            }
            Invalid::Threw { message, line, .. } => {
                format!("{} {message} in {line}", FailureCategory::FunctionExecution.sentence())
            }
            _ => format!("The CloudFront function returned an invalid value: {self}"),
        }
    }
}

/// Why a text is no event that a function could be given in a test.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEvent {
    /// No JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON of the wrong shape.
    #[error("`{member}` must be {expected}")]
    Shape {
        /// Path of the member, as `request.uri`.
        member: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A part that breaks a rule of results too.
    #[error(transparent)]
    Part(#[from] Invalid),
}

impl InvalidEvent {
    pub(crate) fn shape(member: &str, expected: &'static str) -> Self {
        Self::Shape { member: member.to_owned(), expected }
    }
}
