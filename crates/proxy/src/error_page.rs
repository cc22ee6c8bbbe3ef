//! Pages of the site in place of errors (`cdn-behaviour.md` section 11, `CustomErrorResponse`).

use crate::compress;
use crate::exchange::{Answer, Context, Exchange};
use crate::lookup;
use crate::route;
use crate::viewer_headers;
use http::{Method, header};
use rimward_config::ErrorPage;
use rimward_telemetry::ResultType;
use rimward_types::{Body, RequestHead};
use std::sync::Arc;

/// Puts the configured page in place of an error that came from the origin or in its stead.
///
/// The page is found through its own behavior and the cache, with GET (or HEAD, where that was asked) and without viewer
/// hooks; origin hooks run. Where it cannot be had, the viewer gets the status that it failed with, and the body of the
/// original error is not sent on with it.
///
/// # Errors
/// The answer with the page: viewer-response does not see errors, whatever status they get.
pub async fn substitute(
    context: &Arc<Context>,
    exchange: &mut Exchange,
    request: &RequestHead,
    answer: Answer,
) -> Result<Answer, Answer> {
    let Some(page) = context.plan.error_pages.iter().find(|page| page.status == answer.head.status).cloned() else {
        return Ok(answer);
    };
    let Some((context, mut request)) = ask(context, &page, request) else { return Ok(answer) };
    let (path, query) = (&exchange.record.path, exchange.record.query.as_deref());
    viewer_headers::add_error(&context.plan.viewer_headers, path, query, &mut request);
    let found = match Box::pin(lookup::answer(&context, exchange, &request, Body::Empty)).await {
        Ok(found) | Err(found) => found,
    };
    // Why there was an error to replace stays in the record.
    let detail = answer.detail;
    if !found.head.status.is_success() {
        return Err(Answer { result: ResultType::Error, detail, ..found });
    }
    let mut head = found.head;
    head.status = page.answer_status;
    head.reason = None;
    Err(Answer { head, result: ResultType::Error, detail, ..found })
}

/// The request for the page, and the context of its behavior.
fn ask(context: &Arc<Context>, page: &ErrorPage, request: &RequestHead) -> Option<(Arc<Context>, RequestHead)> {
    let live = context.proxy.live();
    let behavior = live.config().distribution_for(&request.host()?)?.behavior_for(&page.page).ok()?;
    let plan = live.plan_of(behavior)?.clone();
    let mut wanted = RequestHead::get(&page.page);
    wanted.version = request.version;
    if request.method == Method::HEAD {
        wanted.method = Method::HEAD;
    }
    for name in [header::HOST, header::ACCEPT_ENCODING, header::USER_AGENT] {
        if let Some(value) = request.headers.get(&name) {
            wanted.headers.insert(name, value.clone());
        }
    }
    route::default_root_object(&plan, &mut wanted);
    compress::negotiate(&plan, &mut wanted);
    Some((context.under(plan), wanted))
}
