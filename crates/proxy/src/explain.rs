//! Why a request would be answered as it would: the phases without what they leave behind. Nothing is fetched, stored or
//! recorded.
//!
//! A viewer function runs, since the key is made of what it returns, and it can do nothing but return something. A
//! function of the origin tier may act outside: it does not run, and the explanation says so.

use crate::compress;
use crate::exchange::{Answer, Context, Exchange};
use crate::grpc::{self, Judgement};
use crate::live::Plan;
use crate::pipeline::Proxy;
use crate::viewer::Passed;
use crate::{guard, hop_by_hop, purge, route, viewer, viewer_headers};
use http::Version;
use http::header::{ACCEPT_ENCODING, HeaderName, HeaderValue};
use rimward_cache::{Explanation, Key, Purged};
use rimward_config::{Acl, Target};
use rimward_types::{Body, Connection, Hook, RequestHead};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// Asks for an explanation in a request, and has it in the answer.
pub const RIMWARD_EXPLAIN: HeaderName = HeaderName::from_static("rimward-explain");
/// The longest value of [`RIMWARD_EXPLAIN`], in bytes: half of what some clients take as a line.
const LONGEST: usize = 4096;

/// What becomes of a request, and why. Serialises to JSON; shows as lines of text.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Explained {
    /// Method.
    pub method: String,
    /// URL.
    pub url: String,
    /// What it is taken for, where the behavior has gRPC and it came over HTTP/2.
    pub grpc: Option<&'static str>,
    /// Id of the distribution, when one has the host.
    pub distribution: Option<Arc<str>>,
    /// Path pattern of the behavior.
    pub behavior: Option<Arc<str>>,
    /// Name of its origin, or of the primary and the secondary of its group; what a function chose instead, if one did.
    pub origins: Vec<Arc<str>>,
    /// Name of its cache policy.
    pub cache_policy: Option<Arc<str>>,
    /// Name of its response headers policy, where it has one.
    pub response_headers_policy: Option<Arc<str>>,
    /// The functions at viewer-request, in order.
    pub functions: Vec<FunctionPart>,
    /// Where it ends before the cache is asked.
    pub ends: Option<End>,
    /// Path and query that the key is made of: after viewer-request, with the default root object.
    pub cached_as: Option<String>,
    /// `Accept-Encoding`, made normal, where the behavior compresses.
    pub accept_encoding: Option<String>,
    /// The cache's part.
    pub cache: Option<Explanation>,
}

/// A function's part.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FunctionPart {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it was run for this explanation.
    pub ran: bool,
    /// What came of it: `continued`, `answered`, a failure, or why it was not run.
    pub verdict: &'static str,
    /// The reason of a failure.
    pub reason: Option<String>,
}

/// An end before the cache.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct End {
    /// The phase.
    pub phase: &'static str,
    /// Status of the answer.
    pub status: u16,
    /// The word of `X-Cache`.
    pub result: &'static str,
    /// The word of the record's `detail`.
    pub detail: Option<&'static str>,
}

/// Explains `request` as if it came over `connection`.
pub async fn explain(proxy: &Arc<Proxy>, connection: Arc<Connection>, mut request: RequestHead) -> Explained {
    let mut explained = Explained::of(&connection, &request);
    let live = proxy.live();
    // A record that is never taken.
    let mut exchange = Exchange::begin(proxy, &connection, &request);
    let plan = match route::route(&live, &mut exchange, &request) {
        Ok(plan) => plan,
        Err(answer) => {
            explained.distribution = exchange.record.distribution;
            return explained.ending("route", &answer);
        }
    };
    explained.falls_under(&plan);
    let is_call = explained.is_call(&plan, &request);
    // Over TLS the viewer is taken to show what is asked for.
    if connection.tls.is_none()
        && let Err(answer) = guard::authenticate(&exchange, &connection, &plan, &request)
    {
        return explained.ending("guard", &answer);
    }
    if let Some(granted) = purge::is_granted(&live.config().node.acl, &connection, &request) {
        let answer = match granted {
            true => purge::receipt(false, Purged::default()),
            false => guard::refuse(&exchange, &guard::Refusal::PurgeNotGranted),
        };
        return explained.ending("purge", &answer);
    }
    if let Err(answer) = guard::locate(&exchange, &connection, &plan) {
        return explained.ending("guard", &answer);
    }
    if let Err(answer) = guard::admit(&exchange, &connection, &plan.behavior, &request, &Body::Empty) {
        return explained.ending("guard", &answer);
    }
    hop_by_hop::end_here(&mut request);
    viewer_headers::strip(&mut request);
    viewer_headers::add(&plan, &connection, false, &mut request);
    let context = Context::alone(proxy, plan, connection, exchange.record.id);
    let functions = &context.plan.hooks.viewer_request;
    // A behavior has functions of one tier at its viewer hooks.
    if functions.iter().any(|function| function.is_lambda()) {
        let verdict = match is_call {
            true => "not run: gRPC goes past origin functions",
            false => "not run: it may act outside; what it would change is not seen below",
        };
        let part = |name: &Arc<str>| FunctionPart { name: name.clone(), ran: false, verdict, reason: None };
        explained.functions = functions.iter().map(|function| part(function.name())).collect();
    } else if !functions.is_empty() {
        let ran = viewer::request(&context, &mut exchange, request, Body::Empty).await;
        let hooks = exchange.record.hooks.drain(..).filter(|hook| hook.hook == Hook::ViewerRequest);
        explained.functions = hooks
            .map(|hook| FunctionPart { name: hook.function, ran: true, verdict: hook.verdict, reason: hook.reason })
            .collect();
        request = match ran {
            Ok(Passed { request, chosen, .. }) => {
                if let Some(target) = &chosen {
                    explained.goes_to(target, is_call);
                }
                request
            }
            Err(answer) => return explained.ending("viewer-request", &answer),
        };
    }
    if is_call {
        return explained;
    }
    let plan = &context.plan;
    route::default_root_object(plan, &mut request);
    compress::negotiate(plan, &mut request);
    explained.cached_as = Some(request.path_and_query());
    explained.accept_encoding = plan.compress.and_then(|_| request.header(ACCEPT_ENCODING.as_str()).map(str::to_owned));
    let key = Key::new(&plan.distribution_id, &request, &plan.rules.key);
    explained.cache = Some(proxy.cache.explain_from_disk(&key, &request, &plan.rules).await);
    explained
}

/// Whether the request asks for an explanation, and may. The origin does not see the wish.
pub fn grant(acl: &Acl, exchange: &mut Exchange, connection: &Connection, request: &mut RequestHead) {
    if !acl.explain.is_empty()
        && acl.explain.contains(connection.peer.ip())
        && request.headers.remove(RIMWARD_EXPLAIN).is_some()
    {
        exchange.explanation = Some(String::new());
    }
}

/// The value of [`RIMWARD_EXPLAIN`]: what the record knows, then the cache's part, on one line.
pub fn value(exchange: &Exchange, cache: &str) -> Option<HeaderValue> {
    let record = &exchange.record;
    let part = |name: &str, value: Option<&str>| value.map(|value| format!("{name} {value}"));
    let hook = record.hooks.iter().find(|hook| hook.hook == Hook::ViewerRequest);
    let line: Vec<String> = [
        part("distribution", record.distribution.as_deref()),
        part("behavior", record.behavior.as_deref()),
        hook.map(|hook| format!("viewer-request {} {}", hook.function, hook.verdict)),
        part("response headers", exchange.response_headers.as_deref()),
        part("detail", record.detail),
    ]
    .into_iter()
    .flatten()
    .chain(cache.lines().map(|line| line.trim().to_owned()))
    .collect();
    let text: String =
        line.join("; ").chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
    HeaderValue::from_str(&text[..text.len().min(LONGEST)]).ok()
}

impl Explained {
    fn of(connection: &Connection, request: &RequestHead) -> Self {
        let host = request.header("host").unwrap_or_default();
        Self {
            method: request.method.to_string(),
            url: format!("{}://{host}{}", connection.scheme(), request.path_and_query()),
            grpc: None,
            distribution: None,
            behavior: None,
            origins: Vec::new(),
            cache_policy: None,
            response_headers_policy: None,
            functions: Vec::new(),
            ends: None,
            cached_as: None,
            accept_encoding: None,
            cache: None,
        }
    }

    fn falls_under(&mut self, plan: &Plan) {
        self.distribution = Some(plan.distribution_id.clone());
        self.behavior = Some(plan.pattern.clone());
        self.cache_policy = Some(plan.behavior.cache_policy.name.clone());
        self.response_headers_policy = plan.behavior.response_headers_policy.as_ref().map(|policy| policy.name.clone());
        self.goes_to(&plan.behavior.origin, false);
    }

    /// Whether it is a gRPC call. Whoever asks says what is in a request, not how it comes; it is taken to come over HTTP/2.
    fn is_call(&mut self, plan: &Plan, request: &RequestHead) -> bool {
        if !plan.behavior.grpc {
            return false;
        }
        let judgement = grpc::judge(&RequestHead { version: Version::HTTP_2, ..request.clone() });
        self.grpc = Some(judgement.sentence());
        let is_call = judgement == Judgement::Call;
        self.goes_to(&plan.behavior.origin, is_call);
        is_call
    }

    fn goes_to(&mut self, target: &Target, is_call: bool) {
        self.origins = match target {
            target if is_call => vec![grpc::origin_of(target).name.clone()],
            Target::Origin(origin) => vec![origin.name.clone()],
            Target::Group(group) => vec![group.primary.name.clone(), group.secondary.name.clone()],
        };
    }

    fn ending(mut self, phase: &'static str, answer: &Answer) -> Self {
        let (status, result) = (answer.head.status.as_u16(), answer.result.as_str());
        self.ends = Some(End { phase, status, result, detail: answer.detail });
        self
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.method, self.url)?;
        match (&self.distribution, &self.behavior) {
            (Some(distribution), Some(behavior)) => {
                writeln!(f, "distribution {distribution}, behavior {behavior}")?;
            }
            (Some(distribution), None) => writeln!(f, "distribution {distribution}, no behavior")?,
            _ => writeln!(f, "no distribution")?,
        }
        if let Some(policy) = &self.cache_policy {
            write!(f, "origin {}, cache policy {policy}", self.origins.join(", then "))?;
            match &self.response_headers_policy {
                Some(policy) => writeln!(f, ", response headers policy {policy}")?,
                None => writeln!(f)?,
            }
        }
        if let Some(grpc) = self.grpc {
            writeln!(f, "{grpc}")?;
        }
        for FunctionPart { name, verdict, reason, .. } in &self.functions {
            write!(f, "viewer-request {name}: {verdict}")?;
            match reason {
                Some(reason) => writeln!(f, ": {reason}")?,
                None => writeln!(f)?,
            }
        }
        if let Some(End { phase, status, result, detail }) = &self.ends {
            write!(f, "ends at {phase}: {status} {result}")?;
            match detail {
                Some(detail) => writeln!(f, ", {detail}")?,
                None => writeln!(f)?,
            }
        }
        if let Some(url) = &self.cached_as {
            writeln!(f, "cached as {url}")?;
        }
        if let Some(codings) = &self.accept_encoding {
            writeln!(f, "accept-encoding {codings}, made normal")?;
        }
        match &self.cache {
            Some(cache) => cache.fmt(f),
            None => Ok(()),
        }
    }
}
