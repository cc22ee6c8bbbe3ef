//! The two viewer hooks, each with any number of functions.

use crate::exchange::{Answer, Context, Exchange};
use crate::forward::overrides;
use crate::{origin_choice, respond};
use http::HeaderName;
use rimward_config::Target;
use rimward_hooks::{Failure, RequestVerdict, ResponseVerdict};
use rimward_types::{Body, Hook, RequestHead};

/// A request that viewer-request let go on.
pub struct Passed {
    /// As it became.
    pub request: RequestHead,
    /// Its body.
    pub body: Body,
    /// The origin that functions chose.
    pub chosen: Option<Target>,
    /// Headers that could mislead an origin, and that a function set.
    pub vouched: Vec<HeaderName>,
}

/// Runs viewer-request: before the cache, for every request. Of several functions each gets what the one before it made.
/// Each chooses an origin from the choice of the one before it.
///
/// # Errors
/// A function's own answer, or the page for its failure: it ends the chain. Neither meets cache, origin or viewer-response
/// (`cloudfront-functions.md` sections 2 and 6: fail closed).
pub async fn request(
    context: &Context,
    exchange: &mut Exchange,
    mut request: RequestHead,
    mut body: Body,
) -> Result<Passed, Answer> {
    let mut target = None;
    let runs = !context.plan.hooks.viewer_request.is_empty();
    let sent = runs.then(|| overrides::among(&request.headers));
    for function in context.plan.hooks.viewer_request.iter().filter(|function| !context.goes_past(function)) {
        let mut ran = function.on_request(Hook::ViewerRequest, &context.call(), request, body, None).await;
        if let RequestVerdict::Continue { rewrite: Some(rewrite), .. } = &ran.verdict {
            let assigned = target.as_ref().unwrap_or(&context.plan.behavior.origin);
            match origin_choice::target(assigned, &context.plan.origins, rewrite) {
                Ok(chosen) => target = Some(chosen),
                Err(invalid) => ran = ran.failed(Failure::invalid(&invalid)),
            }
        }
        exchange.hook(ran.report);
        (request, body) = match ran.verdict {
            RequestVerdict::Continue { head, body, .. } => (head, body),
            RequestVerdict::Answer { head, body } => return Err(respond::generated(head, body, function)),
            RequestVerdict::Failed(failure) => return Err(respond::failed(&failure, &context.id)),
        };
    }
    let vouched = sent.map(|sent| overrides::set_since(&sent, &request.headers)).unwrap_or_default();
    Ok(Passed { request, body, chosen: target, vouched })
}

/// Runs viewer-response: before every answer below 400 (`cloudfront-functions.md` section 2), and of 400 and above where
/// the behavior asks for it. The node's own pages for what failed are not seen.
/// Of several functions each gets what the one before it made.
///
/// # Errors
/// The page for a failure.
pub async fn response(
    context: &Context,
    exchange: &mut Exchange,
    request: &RequestHead,
    mut answer: Answer,
) -> Result<Answer, Answer> {
    if answer.is_own_page
        || (answer.head.status.as_u16() >= 400 && !context.plan.behavior.hooks.viewer_response_on_errors)
    {
        return Ok(answer);
    }
    for function in context.plan.hooks.viewer_response.iter().filter(|function| !context.goes_past(function)) {
        let call = context.call();
        let ran = function.on_response(Hook::ViewerResponse, &call, request, None, answer.head, answer.body).await;
        exchange.hook(ran.report);
        (answer.head, answer.body) = match ran.verdict {
            ResponseVerdict::Continue { head, body } => (head, body),
            ResponseVerdict::Failed(failure) => return Err(respond::failed(&failure, &context.id)),
        };
    }
    Ok(answer)
}
