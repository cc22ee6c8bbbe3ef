//! What is decided before any function runs: viewer protocol and method (`cdn-behaviour.md` sections 2 and 4).

use crate::exchange::{Answer, Exchange};
use crate::forward;
use crate::live::Plan;
use crate::page;
use http::{HeaderValue, Method, StatusCode, Version, header};
use rimward_config::{AmbiguousPath, Behavior, MutualTlsMode, ViewerProtocol};
use rimward_telemetry::ResultType;
use rimward_types::{Body, Connection, RequestHead, ResponseHead};

/// Why a request goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No distribution has this host.
    UnknownHost,
    /// The distribution asks viewers for certificates, and the connection was made for another one.
    Misdirected,
    /// The distribution is not served in the viewer's country.
    Country,
    /// The behavior does not allow the method.
    MethodNotAllowed,
    /// PURGE from an address that the access list does not grant it.
    PurgeNotGranted,
    /// A GET or HEAD with a body.
    BodyOnGet,
    /// An origin may read the path as another one.
    AmbiguousPath(AmbiguousPath),
    /// The request has passed nodes such as this one too often.
    Loop,
    /// The behavior wants HTTPS and the viewer speaks HTTP.
    HttpsOnly,
    /// The behavior sends viewers to HTTPS: 301 for GET and HEAD, else 307.
    RedirectToHttps {
        /// Where to.
        location: String,
        /// Whether the method must be kept.
        keep_method: bool,
    },
    /// OPTIONS that may go no further (`Max-Forwards: 0`): the node answers it itself (RFC 9110 section 7.6.2).
    LastHop {
        /// What the behavior allows.
        allow: &'static str,
    },
}

impl Refusal {
    /// The status that the viewer gets.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::RedirectToHttps { keep_method: false, .. } => StatusCode::MOVED_PERMANENTLY,
            Self::RedirectToHttps { keep_method: true, .. } => StatusCode::TEMPORARY_REDIRECT,
            Self::LastHop { .. } => StatusCode::OK,
            Self::AmbiguousPath(_) => StatusCode::BAD_REQUEST,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            _ => StatusCode::FORBIDDEN,
        }
    }

    /// The word in the record.
    pub fn detail(&self) -> &'static str {
        match self {
            Self::UnknownHost => "InvalidRequestHost",
            Self::Misdirected => "InvalidRequestCertificate",
            Self::Country => "ClientGeoBlocked",
            Self::MethodNotAllowed => "InvalidRequestMethod",
            Self::PurgeNotGranted => "PurgeNotGranted",
            Self::BodyOnGet => "InvalidRequestBody",
            Self::AmbiguousPath(AmbiguousPath::HiddenDotSegment) => "AmbiguousPath",
            Self::AmbiguousPath(AmbiguousPath::AnotherBehavior) => "AmbiguousBehavior",
            Self::Loop => "RequestLoop",
            Self::HttpsOnly => "HttpsRequired",
            Self::RedirectToHttps { .. } => "Redirect",
            Self::LastHop { .. } => "MaxForwards",
        }
    }

    /// The sentence on the page.
    pub fn sentence(&self) -> &'static str {
        match self {
            Self::UnknownHost => "No distribution of this node serves the host that was asked for.",
            Self::Misdirected => "The host asks viewers for certificates; it needs a connection of its own.",
            Self::Country => "This distribution is not served in your country.",
            // Whether there is such a method for others is nobody's business.
            Self::MethodNotAllowed | Self::PurgeNotGranted => {
                "This distribution is not configured to allow the HTTP request method."
            }
            Self::BodyOnGet => "A GET or HEAD request must not have a body.",
            Self::AmbiguousPath(AmbiguousPath::HiddenDotSegment) => {
                "The path has a dot segment beside an encoded slash, a backslash, a semicolon or an empty segment."
            }
            Self::AmbiguousPath(AmbiguousPath::AnotherBehavior) => {
                "The path means another one once its encoded characters, backslashes or semicolons are read as an origin may read them."
            }
            Self::Loop => "The request came through too many nodes; it seems to run in a circle.",
            Self::HttpsOnly => "This content is served over HTTPS alone.",
            Self::RedirectToHttps { .. } => "This content is served over HTTPS.",
            Self::LastHop { .. } => "The request asks to be sent no further.",
        }
    }
}

/// Whether a distribution with mutual TLS may be reached over a connection: one that was made for it, by its server name, and
/// over which the viewer has shown what the distribution asks for (RFC 9110 section 15.5.20: else 421, so that the viewer connects
/// anew). It is never served without TLS.
///
/// # Errors
/// The answer to a request that goes no further.
pub fn authenticate(
    exchange: &Exchange,
    connection: &Connection,
    plan: &Plan,
    request: &RequestHead,
) -> Result<(), Answer> {
    let Some(mode) = plan.mutual_tls else { return Ok(()) };
    let refusal = match (&connection.tls, connection.mutual(&plan.distribution_id)) {
        (None, _) if plan.behavior.viewer_protocol == ViewerProtocol::RedirectToHttps => redirect(request),
        (None, _) => Refusal::HttpsOnly,
        (Some(_), Some(mutual)) if mode == MutualTlsMode::Optional || mutual.certificate.is_some() => return Ok(()),
        (Some(_), _) => Refusal::Misdirected,
    };
    Err(refuse(exchange, &refusal))
}

/// Whether the distribution is served where the viewer is (`cdn-behaviour.md` section 16).
///
/// # Errors
/// The answer to a request that goes no further.
pub fn locate(exchange: &Exchange, connection: &Connection, plan: &Plan) -> Result<(), Answer> {
    let Some(restriction) = &plan.geo_restriction else { return Ok(()) };
    let place = plan.geo.place_of(connection.peer.ip());
    match restriction.serves(place.as_ref().and_then(|place| place.country.as_deref())) {
        true => Ok(()),
        false => Err(refuse(exchange, &Refusal::Country)),
    }
}

/// Lets a request in, or answers it.
///
/// # Errors
/// The answer to a request that goes no further.
pub fn admit(
    exchange: &Exchange,
    connection: &Connection,
    behavior: &Behavior,
    request: &RequestHead,
    body: &Body,
) -> Result<(), Answer> {
    check(connection, behavior, request, body).map_err(|refusal| refuse(exchange, &refusal))
}

/// The answer to a refused request.
pub fn refuse(exchange: &Exchange, refusal: &Refusal) -> Answer {
    if let Refusal::RedirectToHttps { location, .. } = refusal {
        let mut head = ResponseHead::new(refusal.status());
        if let Ok(location) = HeaderValue::from_str(location) {
            head.headers.insert(header::LOCATION, location);
        }
        return Answer::new(head, Body::Empty, ResultType::Redirect);
    }
    if let Refusal::LastHop { allow } = refusal {
        let mut head = ResponseHead::new(refusal.status());
        head.headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        return Answer::new(head, Body::Empty, ResultType::Miss).because(refusal.detail());
    }
    let (head, body) = page::page(refusal.status(), refusal.sentence(), &exchange.record.id);
    Answer::new(head, body, ResultType::Error).because(refusal.detail())
}

/// Whether `head` may go on to the behavior's hooks and cache.
///
/// # Errors
/// The reason why not.
pub fn check(connection: &Connection, behavior: &Behavior, head: &RequestHead, body: &Body) -> Result<(), Refusal> {
    if connection.tls.is_none() {
        match behavior.viewer_protocol {
            ViewerProtocol::AllowAll => {}
            ViewerProtocol::HttpsOnly => return Err(Refusal::HttpsOnly),
            ViewerProtocol::RedirectToHttps => return Err(redirect(head)),
        }
    }
    if !behavior.methods.contains(&head.method) {
        return Err(Refusal::MethodNotAllowed);
    }
    if head.method == Method::OPTIONS && forward::hops_left(&head.headers) == Some(0) {
        return Err(Refusal::LastHop { allow: behavior.methods.as_str() });
    }
    if forward::is_loop(&head.headers) {
        return Err(Refusal::Loop);
    }
    // HTTP/2 need not name a length (RFC 9113 section 8.1.1): the head alone does not tell.
    if is_get(&head.method) && (has_body(head) || !body.is_empty()) {
        return Err(Refusal::BodyOnGet);
    }
    Ok(())
}

fn redirect(head: &RequestHead) -> Refusal {
    let keep_method = !is_get(&head.method);
    // HTTP/1.0 knows no 307 (`cdn-behaviour.md` section 4).
    match head.host() {
        Some(host) if !(keep_method && head.version == Version::HTTP_10) => {
            Refusal::RedirectToHttps { location: format!("https://{host}{}", head.path_and_query()), keep_method }
        }
        _ => Refusal::HttpsOnly,
    }
}

fn is_get(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// Whether a request says that it has a body.
pub fn has_body(head: &RequestHead) -> bool {
    head.headers.contains_key(header::TRANSFER_ENCODING)
        || head.header("content-length").is_some_and(|n| n.trim() != "0")
}
