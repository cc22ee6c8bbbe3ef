//! Origin-tier functions at their hooks.

use crate::function::Call;
use crate::isolate::changed;
use crate::peek::peek;
use crate::verdict::{Cost, Failure, RequestVerdict, ResponseVerdict, Verdict};
use rimward_event::FailureCategory;
use rimward_event::headers::Tier;
use rimward_event::lambda::{BodyView, LambdaEvent, LambdaOrigin, Outcome, body_limit};
use rimward_sandbox::Function;
use rimward_types::{Body, Hook, RequestHead, ResponseHead};

/// One call at a request hook.
pub(crate) struct RequestCall<'a> {
    pub(crate) hook: Hook,
    pub(crate) call: &'a Call<'a>,
    pub(crate) head: RequestHead,
    pub(crate) body: Body,
    pub(crate) origin: Option<&'a LambdaOrigin>,
    pub(crate) include_body: bool,
}

pub(crate) async fn on_request(function: &Function, call: RequestCall<'_>) -> (RequestVerdict, Cost) {
    let RequestCall { hook, call, head, body, origin, include_body } = call;
    // A GET carries none (`lambda-at-edge.md` section 3.5).
    let wanted = include_body && !body.is_empty();
    let (view, truncated, body) = if wanted {
        match peek(body, body_limit(hook)).await {
            Ok(peeked) => (Some(peeked.view), peeked.truncated, peeked.body),
            Err(error) => {
                let failure = Failure::new(FailureCategory::LambdaExecution, error.to_string());
                return (RequestVerdict::failed(failure), Cost::default());
            }
        }
    } else {
        (None, false, body)
    };
    let view = view.as_deref().map(|data| BodyView { data, truncated });
    let (outcome, cost) = invoke(function, call, hook, &head, view, origin, None).await;
    let verdict = match outcome {
        Ok(Outcome::Request { head, body: change, origin }) => {
            RequestVerdict::Continue { head, body: changed(body, change), origin, rewrite: None }
        }
        Ok(Outcome::Response(head, change)) => RequestVerdict::Answer { head, body: changed(Body::Empty, change) },
        Err(failure) => RequestVerdict::failed(failure),
    };
    (verdict, cost)
}

pub(crate) async fn on_response(
    function: &Function,
    hook: Hook,
    call: &Call<'_>,
    request: &RequestHead,
    origin: Option<&LambdaOrigin>,
    head: ResponseHead,
    body: Body,
) -> (ResponseVerdict, Cost) {
    let (outcome, cost) = invoke(function, call, hook, request, None, origin, Some(&head)).await;
    let verdict = match outcome {
        Ok(Outcome::Response(head, change)) => ResponseVerdict::Continue { head, body: changed(body, change) },
        Ok(Outcome::Request { .. }) => {
            let reason = "the function returned a request at a response hook";
            ResponseVerdict::failed(Failure::new(FailureCategory::LambdaValidation, reason))
        }
        Err(failure) => ResponseVerdict::failed(failure),
    };
    (verdict, cost)
}

async fn invoke(
    function: &Function,
    call: &Call<'_>,
    hook: Hook,
    request: &RequestHead,
    body: Option<BodyView<'_>>,
    origin: Option<&LambdaOrigin>,
    response: Option<&ResponseHead>,
) -> (Result<Outcome, Failure>, Cost) {
    let viewer_ip = call.viewer.to_string();
    let context = call.context(&viewer_ip);
    let event = LambdaEvent { hook, context, request, body, origin, response };
    let ran = function.invoke(&event).await;
    let limit = function.timeout(hook);
    let share = ran.cost.duration.as_nanos().saturating_mul(100) / limit.as_nanos().max(1);
    let utilization = u8::try_from(share).unwrap_or(100).min(100);
    let cost = Cost { time: ran.cost.duration, utilization, logs: ran.logs, calls: ran.calls, ..Cost::default() };
    (ran.result.map_err(|failure| failed(&failure)), cost)
}

fn failed(failure: &rimward_sandbox::Failure) -> Failure {
    let category = failure.category();
    let sentence = match failure {
        rimward_sandbox::Failure::Invalid(invalid) => invalid.sentence(Tier::Lambda),
        _ => category.sentence(),
    };
    Failure { category, sentence, reason: failure.to_string() }
}
