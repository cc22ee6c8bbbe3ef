//! What the node adds to every answer, and how the record is closed.

use crate::exchange::{Answer, Exchange};
use crate::explain;
use crate::finish::{self, RecordedBody};
use crate::forward;
use crate::page;
use crate::pipeline::Proxy;
use crate::response_headers::Timing;
use http::Version;
use http::header::{HeaderName, HeaderValue, SERVER, VIA};
use rimward_hooks::{Failure, FailureCategory, Function};
use rimward_telemetry::ResultType;
use rimward_types::{Body, RequestId, ResponseHead};

/// `Server` of answers that the node makes.
pub const SERVER_NAME: HeaderValue = HeaderValue::from_static("Rimward");
const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const X_AMZ_CF_ID: HeaderName = HeaderName::from_static("x-amz-cf-id");
const X_AMZ_CF_POP: HeaderName = HeaderName::from_static("x-amz-cf-pop");

/// A function's own answer at viewer-request.
pub fn generated(mut head: ResponseHead, body: Body, function: &Function) -> Answer {
    head.headers.entry(SERVER).or_insert(SERVER_NAME);
    let result =
        if function.is_lambda() { ResultType::LambdaGeneratedResponse } else { ResultType::FunctionGeneratedResponse };
    Answer::new(head, body, result)
}

/// The page for a function that failed. The true reason is in the record; a viewer reads the category's sentence.
pub fn failed(failure: &Failure, id: &RequestId) -> Answer {
    let (head, body) = page::page(failure.category.status(), failure.sentence, id);
    let result = match failure.category {
        FailureCategory::FunctionExecution => ResultType::FunctionExecutionError,
        FailureCategory::FunctionValidation => ResultType::FunctionValidationError,
        FailureCategory::FunctionThrottled => ResultType::FunctionThrottledError,
        FailureCategory::LambdaExecution => ResultType::LambdaExecutionError,
        FailureCategory::LambdaValidation => ResultType::LambdaValidationError,
        FailureCategory::LambdaLimitExceeded => ResultType::LambdaLimitExceeded,
    };
    Answer::new(head, body, result)
}

/// Adds the node's own headers (`cdn-behaviour.md` section 14) and gives the record to the body.
pub fn finish(proxy: &Proxy, mut exchange: Exchange, answer: Answer) -> (ResponseHead, RecordedBody) {
    let Answer { mut head, body, result, detail, cache, .. } = answer;
    exchange.record.detail = detail;
    if let Some(value) = exchange.explanation.take().and_then(|cache| explain::value(&exchange, &cache)) {
        head.headers.insert(explain::RIMWARD_EXPLAIN, value);
    }
    let Exchange { mut record, began, server_timing, .. } = exchange;
    if let Some(status) = &cache {
        let status = status.append_to(&mut head.headers);
        record.cache = Some(rimward_telemetry::CacheRecord { status, stored: None });
    }
    // As it was received: over HTTP/2 from the origin of a call, else over HTTP/1.1.
    let is_call = record.grpc.as_ref().is_some_and(|grpc| grpc.call().is_some());
    let version = if is_call { Version::HTTP_2 } else { Version::HTTP_11 };
    head.headers.append(VIA, HeaderValue::from_static(forward::via(version)));
    head.headers.insert(X_CACHE, HeaderValue::from_static(result.x_cache()));
    if let Ok(id) = HeaderValue::from_str(record.id.as_str()) {
        head.headers.insert(X_AMZ_CF_ID, id);
    }
    let live = proxy.live();
    if let Some(place) = live.place() {
        head.headers.insert(X_AMZ_CF_POP, place.clone());
    }
    if server_timing {
        let place = live.place().and_then(|place| place.to_str().ok());
        let upstream = record.origins.last().map(|origin| origin.time);
        Timing { result, place, id: record.id.as_str(), upstream, downstream: began.elapsed() }
            .add_to(&mut head.headers);
    }
    record.result = result;
    record.status = head.status.as_u16();
    finish::learn_status(&mut record, &head.headers);
    record.first_byte = began.elapsed();
    (head, RecordedBody::new(body, record, began, proxy.records.clone()))
}
