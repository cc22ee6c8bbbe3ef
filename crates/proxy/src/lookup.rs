//! Cache key, lookup, collapse; a miss goes on to [`crate::fill`].

use crate::exchange::{Answer, Context, Exchange, Kind, Trace};
use crate::fill::{self, Filled};
use crate::forward;
use crate::grpc;
use crate::led;
use crate::page;
use crate::slices;
use rimward_cache::status::Forward;
use rimward_cache::{Begin, CacheStatus, Followed, Hit, Key, Lead, PassReason, Refusal};
use rimward_telemetry::ResultType;
use rimward_types::{Body, RequestHead};
use std::sync::Arc;

/// How often a request may begin again because the one that it waited for gave up.
const MOST_RETRIES: usize = 4;

/// Answers from the cache or, through it, from an origin.
///
/// # Errors
/// An answer that viewer-response must not see: the page for a failed function.
pub async fn answer(
    context: &Arc<Context>,
    exchange: &mut Exchange,
    request: &RequestHead,
    body: Body,
) -> Result<Answer, Answer> {
    if context.kind == Kind::Grpc {
        return Ok(grpc::answer(context, exchange, request, body).await);
    }
    if context.kind == Kind::WebSocket {
        let answer = pass(context, exchange, request, body, CacheStatus::passed(PassReason::Upgrade)).await?;
        return Ok(match forward::forwards_websocket(request, &context.plan) {
            false if answer.detail.is_none() && answer.head.status != http::StatusCode::SWITCHING_PROTOCOLS => {
                answer.because("WebSocketHeadersNotForwarded")
            }
            _ => answer,
        });
    }
    // The cache judges heads, and over HTTP/2 a head need not tell that there is a body.
    if request.method == http::Method::OPTIONS && !body.is_empty() {
        return pass(context, exchange, request, body, CacheStatus::passed(PassReason::Method)).await;
    }
    let plan = &context.plan;
    let key = Key::new(&plan.distribution_id, request, &plan.rules.key);
    if let Some(explanation) = &mut exchange.explanation {
        *explanation = context.proxy.cache.explain_from_disk(&key, request, &plan.rules).await.to_string();
    }
    let cache = &context.proxy.cache;
    let mut past_disk = false;
    for _ in 0..MOST_RETRIES {
        let begin = match past_disk {
            false => cache.begin(&key, request, &plan.rules),
            true => cache.begin_past_disk(&key, request, &plan.rules),
        };
        match begin {
            Begin::Hit(hit) => match hit.checked().await {
                Ok(hit) => return Ok(from_hit(hit)),
                Err(_) => past_disk = true,
            },
            Begin::Stale(hit, lead) => match hit.checked().await {
                Ok(hit) => {
                    refresh(context, lead);
                    return Ok(from_hit(hit));
                }
                Err(_) => past_disk = true,
            },
            Begin::Lead(lead) => return lead_fill(context, exchange, lead).await,
            Begin::Follow(follow) => match follow.wait().await {
                Followed::Hit(hit) => match hit.checked().await {
                    Ok(hit) => return Ok(from_hit(hit)),
                    Err(_) => past_disk = true,
                },
                Followed::Alone(lead) => return lead_fill(context, exchange, lead).await,
                Followed::Retry => {}
                Followed::Failed(failure) => return Ok(fill::failed_elsewhere(context, failure.status)),
            },
            Begin::Slices(found) => {
                // Without an answer it begins again; the whole is asked for, where it cannot be had in slices.
                if let Some(answer) = slices::answer(context, exchange, request, found).await? {
                    return Ok(answer);
                }
            }
            Begin::Pass(reason) => return pass(context, exchange, request, body, CacheStatus::passed(reason)).await,
            Begin::Refuse(refusal) => return Ok(refused(context, refusal)),
        }
    }
    // Leaders keep giving up; whatever they met, this request meets it itself.
    let status = CacheStatus { detail: Some("leaders-gave-up"), ..CacheStatus::forwarded(Forward::UriMiss) };
    pass(context, exchange, request, body, status).await
}

/// The answer to a request that may not be answered from elsewhere.
pub fn refused(context: &Context, refusal: Refusal) -> Answer {
    let sentence = "The answer is not in the cache, and the request asks for nothing else.";
    let (head, body) = page::page(refusal.status(), sentence, &context.id);
    let answer = Answer { is_own_page: true, ..Answer::new(head, body, ResultType::Error) };
    answer.because("OnlyIfCached")
}

/// Asks the origin on behalf of all who wait. It outlives this viewer: the others want the answer.
async fn lead_fill(context: &Arc<Context>, exchange: &mut Exchange, lead: Lead) -> Result<Answer, Answer> {
    match led::led(context, lead, |lead| fill::fill(context.clone(), lead)).await {
        Ok(Some(filled)) => take(exchange, filled),
        // This viewer waits, so that it is not deserted.
        Ok(None) => Err(fill::failed_elsewhere(context, http::StatusCode::BAD_GATEWAY)),
        Err(page) => Err(*page),
    }
}

/// Refreshes what is stale while it is served (RFC 5861 section 3). The refresh has a record of its own in the log.
pub fn refresh(context: &Arc<Context>, lead: Lead) {
    let Some(place) = lead.try_unattended() else {
        tracing::debug!(request = %context.id, "not refreshed: too many refreshes wait for their origins");
        return;
    };
    let context = Arc::new(context.unattended());
    tokio::spawn(async move {
        led::in_background(&context, fill::fill(context.clone(), lead)).await;
        drop(place);
    });
}

/// Sends a request on that the cache has no part in.
async fn pass(
    context: &Arc<Context>,
    exchange: &mut Exchange,
    request: &RequestHead,
    body: Body,
    status: CacheStatus,
) -> Result<Answer, Answer> {
    let mut trace = Trace::default();
    let passed = fill::pass(context, &mut trace, request, body, status).await;
    take(exchange, Filled { answer: passed, trace })
}

fn take(exchange: &mut Exchange, filled: Filled) -> Result<Answer, Answer> {
    exchange.learn(filled.trace);
    filled.answer
}

/// The answer that a hit is.
pub fn from_hit(hit: Hit) -> Answer {
    Answer { cache: Some(hit.status), ..Answer::new(hit.head, hit.body, fill::result_type(hit.result)) }
}
