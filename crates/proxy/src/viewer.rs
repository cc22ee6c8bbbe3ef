//! The two viewer hooks.

use crate::exchange::{Answer, Context, Exchange};
use crate::respond;
use rimward_hooks::{RequestVerdict, ResponseVerdict};
use rimward_types::{Body, Hook, RequestHead};

/// Runs viewer-request: before the cache, for every request.
///
/// # Errors
/// The function's own answer, or the page for its failure. Neither meets cache, origin or viewer-response
/// (`cloudfront-functions.md` sections 2 and 6: fail closed).
pub async fn request(
    context: &Context,
    exchange: &mut Exchange,
    request: RequestHead,
    body: Body,
) -> Result<(RequestHead, Body), Answer> {
    let Some(function) = &context.plan.hooks.viewer_request else {
        return Ok((request, body));
    };
    let ran = function.on_request(Hook::ViewerRequest, &context.call(), request, body, None).await;
    exchange.hook(ran.report);
    match ran.verdict {
        RequestVerdict::Continue { head, body, .. } => Ok((head, body)),
        RequestVerdict::Answer { head, body } => Err(respond::generated(head, body, function)),
        RequestVerdict::Failed(failure) => Err(respond::failed(&failure, &context.id)),
    }
}

/// Runs viewer-response: before every answer below 400 (`cloudfront-functions.md` section 2), and of 400 and above where
/// the behavior asks for it. The node's own pages for what failed are not seen.
///
/// # Errors
/// The page for a failure.
pub async fn response(
    context: &Context,
    exchange: &mut Exchange,
    request: &RequestHead,
    answer: Answer,
) -> Result<Answer, Answer> {
    let Some(function) = &context.plan.hooks.viewer_response else {
        return Ok(answer);
    };
    if answer.is_own_page
        || (answer.head.status.as_u16() >= 400 && !context.plan.behavior.hooks.viewer_response_on_errors)
    {
        return Ok(answer);
    }
    let Answer { head, body, result, detail, cache, is_own_page } = answer;
    let ran = function.on_response(Hook::ViewerResponse, &context.call(), request, None, head, body).await;
    exchange.hook(ran.report);
    match ran.verdict {
        ResponseVerdict::Continue { head, body } => Ok(Answer { head, body, result, detail, cache, is_own_page }),
        ResponseVerdict::Failed(failure) => Err(respond::failed(&failure, &context.id)),
    }
}
