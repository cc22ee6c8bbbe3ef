//! The origin's half of a request: origin-request hook, origins with failover, origin-response hook, compression, store.

use crate::compress;
use crate::compress::eligible::Compression;
use crate::exchange::{Answer, Context, Kind, Trace};
use crate::lookup::from_hit;
use crate::{forward, lambda_origin, page, respond, viewer_headers};
use http::{Method, StatusCode, header};
use rimward_cache::{Cache, CacheResult, CacheStatus, Completed, Hit, Lead, OriginFailure, Purge, Times, Whole};
use rimward_config::{Origin, OriginGroup, Target};
use rimward_hooks::{RequestVerdict, ResponseVerdict};
use rimward_origin::{ErrorKind, MakeHead};
use rimward_telemetry::{OriginRecord, ResultType};
use rimward_types::{Body, Hook, RequestHead, ResponseHead};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What came of a fill.
pub struct Filled {
    /// For the viewer that asked; `Err` skips viewer-response.
    pub answer: Result<Answer, Answer>,
    /// For its record.
    pub trace: Trace,
}

/// What an origin, or the functions around it, gave.
struct Fetched {
    head: ResponseHead,
    body: Body,
    times: Times,
    /// A function made it.
    generated: bool,
}

/// Why nothing came.
enum Missed {
    /// A function failed, and this is its page.
    Function(Box<Answer>),
    /// The last origin asked did not answer.
    Origin(ErrorKind),
}

/// Fetches for the cache and for all who wait.
pub async fn fill(context: Arc<Context>, lead: Lead) -> Filled {
    let mut trace = Trace::default();
    let lead = lead.checked().await;
    let answer = match complete(&context, &mut trace, lead).await {
        // A 304 for something that is gone meanwhile: once more, without conditions.
        Ok(Completed::Again(lead)) => match complete(&context, &mut trace, lead).await {
            Ok(Completed::Again(_)) => Ok(origin_failed(&context, ErrorKind::Protocol)),
            other => other.map(|completed| completed_answer(completed, &trace)).or_else(|answer| answer),
        },
        other => other.map(|completed| completed_answer(completed, &trace)).or_else(|answer| answer),
    };
    Filled { answer, trace }
}

/// Fetches a slice. What the cache has nothing to complete for is an answer of its own.
pub async fn fill_slice(context: Arc<Context>, lead: Lead) -> (FilledSlice, Trace) {
    let mut trace = Trace::default();
    let lead = lead.checked().await;
    let completed = match complete(&context, &mut trace, lead).await {
        Ok(Completed::Again(lead)) => complete(&context, &mut trace, lead).await,
        other => other,
    };
    let filled = match completed {
        Ok(Completed::Stored(hit) | Completed::Refreshed(hit) | Completed::Stale(hit)) => FilledSlice::Slice(hit),
        Ok(Completed::Unsliced { whole }) => FilledSlice::Unsliced(whole),
        Ok(completed) => FilledSlice::Answer(Ok(completed_answer(completed, &trace))),
        Err(answer) => FilledSlice::Answer(answer),
    };
    (filled, trace)
}

/// What `viewer` gets of the whole that has come in place of a slice.
pub fn whole(whole: Whole, viewer: &RequestHead, trace: &Trace) -> Answer {
    completed_answer(whole.respond(Some(viewer)), trace)
}

/// What came of the fetch of a slice.
pub enum FilledSlice {
    /// A slice, or an error that is stored in its place.
    Slice(Hit),
    /// It cannot be had in slices; the whole, if that has come.
    Unsliced(Option<Box<Whole>>),
    /// Something else.
    Answer(Result<Answer, Answer>),
}

/// Fetches once for `lead`. `Err` is the answer where the cache has nothing to complete.
async fn complete(context: &Context, trace: &mut Trace, lead: Lead) -> Result<Completed, Result<Answer, Answer>> {
    match fetch(context, trace, &lead.conditional(), Body::Empty).await {
        Ok(fetched) => {
            let lead = lead.for_request(context.id);
            Ok(lead.respond(fetched.head, fetched.body, fetched.times))
        }
        Err(Missed::Function(page)) => Err(Err(*page)),
        Err(Missed::Origin(kind)) => {
            let status = lead.status();
            let stale = lead.fail(OriginFailure { status: kind.status() });
            Err(Ok(match stale {
                Some(hit) => from_hit(hit).because(kind.as_str()),
                None => Answer { cache: Some(status), ..origin_failed(context, kind) },
            }))
        }
    }
}

fn completed_answer(completed: Completed, trace: &Trace) -> Answer {
    let answer = match completed {
        Completed::Stored(hit) | Completed::Refreshed(hit) | Completed::Stale(hit) => from_hit(hit),
        Completed::NotStored { head, body, reason, status, result } => Answer {
            detail: Some(reason.as_str()),
            cache: Some(status),
            ..Answer::new(head, body, result_type(result))
        },
        // A slice was to be refreshed in the background: no viewer has this answer.
        Completed::Unsliced { whole: Some(whole) } => return completed_answer(whole.respond(None), trace),
        Completed::Unsliced { whole: None } => {
            let head = ResponseHead::new(StatusCode::BAD_GATEWAY);
            Answer::new(head, Body::Empty, ResultType::Error)
        }
        // `fill` asks again and never passes this on.
        Completed::Again(lead) => {
            let head = ResponseHead::new(StatusCode::BAD_GATEWAY);
            Answer { cache: Some(lead.status()), ..Answer::new(head, Body::Empty, ResultType::Error) }
        }
    };
    let generated = trace.hooks.iter().any(|h| h.hook == Hook::OriginRequest && h.verdict == "answered");
    if generated && answer.head.status.as_u16() < 400 {
        return Answer { result: ResultType::LambdaGeneratedResponse, ..answer };
    }
    answer
}

/// Sends a request on for its viewer alone.
///
/// # Errors
/// An answer that skips viewer-response.
pub async fn pass(
    context: &Context,
    trace: &mut Trace,
    request: &RequestHead,
    body: Body,
    mut status: CacheStatus,
) -> Result<Answer, Answer> {
    let cache = &context.proxy.cache;
    let plan = &context.plan;
    // Dropped without an answer, the lead leaves no trace.
    let lead = cache.lead_post(&plan.distribution_id, request, &plan.rules);
    match fetch(context, trace, request, body).await {
        Ok(fetched) => {
            let invalidated = cache.invalidate(&plan.distribution_id, request, &fetched.head, &plan.rules);
            purge_groups(cache, invalidated.groups).await;
            if let Some(lead) = lead {
                let completed = lead.respond(fetched.head, fetched.body, fetched.times);
                return Ok(completed_answer(completed, trace));
            }
            status.forward_status = Some(fetched.head.status);
            let result = match CacheResult::Miss.with_status(fetched.head.status) {
                CacheResult::Miss if fetched.generated => ResultType::LambdaGeneratedResponse,
                other => result_type(other),
            };
            Ok(Answer { cache: Some(status), ..Answer::new(fetched.head, fetched.body, result) })
        }
        Err(Missed::Function(page)) => Err(*page),
        Err(Missed::Origin(kind)) => Ok(Answer { cache: Some(status), ..origin_failed(context, kind) }),
    }
}

/// Removes what has changed with a request, before its viewer is answered: nobody who has seen the change is given what was
/// before it.
async fn purge_groups(cache: &Cache, groups: Vec<Purge>) {
    if groups.is_empty() {
        return;
    }
    let cache = cache.clone();
    // A group may have very many members.
    if let Err(error) = tokio::task::spawn_blocking(move || cache.invalidate_groups(&groups)).await {
        tracing::error!("groups that have changed could not be purged: {error}");
    }
}

/// Asks an origin, and codes what it gave.
async fn fetch(context: &Context, trace: &mut Trace, request: &RequestHead, body: Body) -> Result<Fetched, Missed> {
    let fetched = ask_in_turn(context, trace, request, body).await?;
    if matches!(fetched.body, Body::Tunnel(_)) {
        return Ok(fetched);
    }
    let Context { plan, proxy, .. } = context;
    let (mut head, body) = (fetched.head, fetched.body);
    // An origin that is told no cookies cannot mean this viewer (`cdn-behaviour.md` section 14).
    if plan.rules.strip_set_cookie && !fetched.generated {
        head.headers.remove(header::SET_COOKIE);
    }
    let (head, body, done) = compress::encode(plan, &proxy.compressors, request, fetched.times, head, body);
    trace.compression = done.map(Compression::as_str);
    Ok(Fetched { head, body, ..fetched })
}

/// Asks the request's origin, or the members of its group in order.
async fn ask_in_turn(
    context: &Context,
    trace: &mut Trace,
    request: &RequestHead,
    body: Body,
) -> Result<Fetched, Missed> {
    let group = match &context.target {
        Target::Origin(origin) => return attempt(context, trace, request, body, origin).await,
        Target::Group(group) => group,
    };
    // A body can be sent once, and only reading may be repeated elsewhere (`cdn-behaviour.md` section 9).
    let repeatable = matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS) && body.is_empty();
    if !repeatable {
        return attempt(context, trace, request, body, &group.primary).await;
    }
    let first = attempt(context, trace, request, Body::Empty, &group.primary).await;
    if fails_over(group, trace, &first) {
        return attempt(context, trace, request, Body::Empty, &group.secondary).await;
    }
    first
}

/// Whether the primary's answer sends the request to the secondary: by the status that the origin itself gave, not by
/// what a function made of it.
fn fails_over(group: &OriginGroup, trace: &Trace, first: &Result<Fetched, Missed>) -> bool {
    let status = match first {
        Err(Missed::Origin(kind)) => kind.failover_status().map(|s| s.as_u16()),
        Err(Missed::Function(_)) => None,
        Ok(fetched) if fetched.generated => None,
        Ok(_) => trace.origins.last().and_then(|o| o.status),
    };
    status.is_some_and(|status| group.failover.contains(&status))
}

/// One origin, with the hooks on both sides of it.
async fn attempt(
    context: &Context,
    trace: &mut Trace,
    request: &RequestHead,
    body: Body,
    origin: &Arc<Origin>,
) -> Result<Fetched, Missed> {
    let hooks = &context.plan.hooks;
    if hooks.origin_request.is_some() || hooks.origin_response.is_some() {
        // Larger: not in the task of every request.
        return Box::pin(attempt_with_hooks(context, trace, request, body, origin)).await;
    }
    let requested = context.proxy.clock.now();
    let make = || for_origin(context, outgoing(context, request, origin));
    let (head, body) = ask(context, trace, &make, body, origin).await.map_err(Missed::Origin)?;
    let times = Times { requested, received: context.proxy.clock.now() };
    Ok(Fetched { head, body, times, generated: false })
}

async fn attempt_with_hooks(
    context: &Context,
    trace: &mut Trace,
    request: &RequestHead,
    body: Body,
    origin: &Arc<Origin>,
) -> Result<Fetched, Missed> {
    let plan = &context.plan;
    let requested = context.proxy.clock.now();
    let outgoing = outgoing(context, request, origin);
    let shown = lambda_origin::shown(origin);
    let host = outgoing.headers.get(header::HOST).cloned();
    let (outgoing, body, chosen) = match &plan.hooks.origin_request {
        None => (outgoing, body, None),
        Some(function) => {
            let ran = function.on_request(Hook::OriginRequest, &context.call(), outgoing, body, Some(&shown)).await;
            trace.hook(&context.id, ran.report);
            match ran.verdict {
                RequestVerdict::Continue { head, body, origin, .. } => (head, body, origin),
                RequestVerdict::Answer { head, body } => {
                    let times = Times { requested, received: context.proxy.clock.now() };
                    return Ok(Fetched { head, body, times, generated: true });
                }
                RequestVerdict::Failed(failure) => {
                    return Err(Missed::Function(Box::new(respond::failed(&failure, &context.id))));
                }
            }
        }
    };
    let mut outgoing = outgoing;
    let assigned = origin;
    let origin = match &chosen {
        None => origin.clone(),
        Some(chosen) => match plan.origin_named(chosen) {
            Some(named) => {
                forward::move_host(&mut outgoing, host.as_ref(), origin, named);
                named.clone()
            }
            None => {
                let made = lambda_origin::made(chosen, origin);
                if made.bucket.is_some() {
                    forward::move_host(&mut outgoing, host.as_ref(), origin, &made);
                } else if outgoing.headers.get(header::HOST) == host.as_ref()
                    && host.is_some_and(|h| h != made.host().as_str())
                {
                    // `lambda-at-edge.md` section 10: the old `Host` stays, which many servers do not know.
                    tracing::debug!(request = %context.id, origin = %made.name, "the function left `host` as it was");
                }
                Arc::new(made)
            }
        },
    };
    forward::keep_moved(&mut outgoing, request, plan, assigned, &origin);
    // The hook is shown what was asked.
    let response_hook = plan.hooks.origin_response.as_ref().map(|function| (function, outgoing.clone()));
    let outgoing = for_origin(context, outgoing);
    let (head, body) = ask(context, trace, &|| outgoing.clone(), body, &origin).await.map_err(Missed::Origin)?;
    let times = Times { requested, received: context.proxy.clock.now() };
    let Some((function, asked)) = response_hook else {
        return Ok(Fetched { head, body, times, generated: false });
    };
    let shown = chosen.map_or(shown, |chosen| *chosen);
    let call = context.call();
    let ran = function.on_response(Hook::OriginResponse, &call, &asked, Some(&shown), head, body).await;
    trace.hook(&context.id, ran.report);
    match ran.verdict {
        ResponseVerdict::Continue { head, body } => Ok(Fetched { head, body, times, generated: false }),
        ResponseVerdict::Failed(failure) => Err(Missed::Function(Box::new(respond::failed(&failure, &context.id)))),
    }
}

/// The request as the policies make it, which is what a function is shown.
fn outgoing(context: &Context, request: &RequestHead, origin: &Origin) -> RequestHead {
    forward::origin_request(request, &context.plan, origin, context)
}

/// With what the origin alone is told.
fn for_origin(context: &Context, mut outgoing: RequestHead) -> RequestHead {
    viewer_headers::add_for_origin(&context.plan, &context.connection, &mut outgoing);
    outgoing
}

/// Sends the request, and notes what came.
async fn ask(
    context: &Context,
    trace: &mut Trace,
    make: MakeHead<'_>,
    body: Body,
    origin: &Origin,
) -> Result<(ResponseHead, Body), ErrorKind> {
    let began = Instant::now();
    let origins = &context.proxy.origins;
    let fetched = match context.kind == Kind::WebSocket {
        true => origins.open_websocket(origin, make, &context.interim).await,
        false => origins.fetch_telling(origin, make, body, &context.interim).await,
    };
    let mut note = |status: Option<u16>, attempts: u32, time: Duration, error: Option<String>| {
        trace.origins.push(OriginRecord { origin: origin.name.clone(), status, attempts, time, error });
    };
    match fetched {
        Ok(fetched) => {
            let (status, first_byte) = (fetched.head.status, fetched.timing.first_byte);
            if fetched.signed && is_about_the_signature(status) {
                let code = bucket_code(fetched.body).await;
                tracing::warn!(origin = %origin.name, request = %context.id, %status, code, "the bucket refused");
                let refused = format!("the bucket refused: {code}");
                note(Some(status.as_u16()), fetched.attempts, first_byte, Some(refused));
                return Ok(page::page(status, "The node may not have this from its origin.", &context.id));
            }
            // Whoever takes it for the whole has a broken file (RFC 9110 section 15.3.7).
            if status == StatusCode::PARTIAL_CONTENT && !fetched.for_range {
                let wrong = "206 to a request without `Range`".to_owned();
                note(Some(status.as_u16()), fetched.attempts, first_byte, Some(wrong));
                return Err(ErrorKind::Protocol);
            }
            note(Some(status.as_u16()), fetched.attempts, first_byte, None);
            Ok((fetched.head, fetched.body))
        }
        Err(error) => {
            tracing::warn!(origin = %origin.name, request = %context.id, attempts = error.attempts, "{error}");
            note(None, error.attempts, began.elapsed(), Some(error.to_string()));
            Err(error.kind)
        }
    }
}

/// A bucket's own words about a request that the node signed are the operator's: they repeat the key's id, the token and
/// what was signed.
fn is_about_the_signature(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// The one word of a bucket's error, such as `AccessDenied`; empty when it has none.
async fn bucket_code(body: Body) -> String {
    const ERROR: u64 = 8 << 10;
    let text = body.collect(ERROR).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map_or("", |(code, _)| code);
    code.chars().filter(char::is_ascii_alphanumeric).take(64).collect()
}

/// The same, with the reason.
pub fn origin_failed(context: &Context, kind: ErrorKind) -> Answer {
    let answer = failed_elsewhere(context, kind.status());
    answer.because(kind.as_str())
}

/// The page for an origin that did not answer.
pub fn failed_elsewhere(context: &Context, status: StatusCode) -> Answer {
    let sentence = match status {
        StatusCode::GATEWAY_TIMEOUT => "The origin did not answer in time.",
        StatusCode::BAD_REQUEST => "The request ended before it was complete, or its path can be read in two ways.",
        StatusCode::SERVICE_UNAVAILABLE => "The node has no capacity for this request at the moment.",
        _ => "The node could not get a valid answer from the origin.",
    };
    let (head, body) = page::page(status, sentence, &context.id);
    Answer { is_own_page: true, ..Answer::new(head, body, ResultType::Error) }
}

/// The record's word for the cache's.
pub fn result_type(result: CacheResult) -> ResultType {
    match result {
        CacheResult::Hit => ResultType::Hit,
        CacheResult::RefreshHit => ResultType::RefreshHit,
        CacheResult::Miss => ResultType::Miss,
        CacheResult::Error => ResultType::Error,
    }
}
