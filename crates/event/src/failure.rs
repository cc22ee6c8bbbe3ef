//! What a viewer gets when a function fails. Fail closed: the request goes no further.

use crate::Invalid;
use crate::headers::Tier;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, StatusCode};
use rimward_types::ResponseHead;

/// `X-Cache` of a response that a viewer-tier function made (`cloudfront-functions.md` section 4.2 rule 8).
pub const FUNCTION_GENERATED_RESPONSE: &str = "FunctionGeneratedResponse from cloudfront";
/// `X-Cache` of a response that an origin-tier function made (`lambda-at-edge.md` section 5.2).
pub const LAMBDA_GENERATED_RESPONSE: &str = "LambdaGeneratedResponse from cloudfront";

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

/// The kinds of failure (`cloudfront-functions.md` section 6, `lambda-at-edge.md` section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureCategory {
    /// A viewer-tier function threw, or hit its time or memory wall.
    FunctionExecution,
    /// A viewer-tier function returned something not allowed.
    FunctionValidation,
    /// A viewer-tier function is not let run: it does not compile, or keeps breaking its limits.
    FunctionThrottled,
    /// An origin-tier function threw, crashed or ran out of memory.
    LambdaExecution,
    /// An origin-tier function returned something not allowed.
    LambdaValidation,
    /// An origin-tier function ran out of time, or too many of it run.
    LambdaLimitExceeded,
}

impl FailureCategory {
    /// All of them.
    pub const ALL: [FailureCategory; 6] = [
        FailureCategory::FunctionExecution,
        FailureCategory::FunctionValidation,
        FailureCategory::FunctionThrottled,
        FailureCategory::LambdaExecution,
        FailureCategory::LambdaValidation,
        FailureCategory::LambdaLimitExceeded,
    ];

    /// The viewer's status: 502 for a bad result, 503 for the rest.
    pub fn status(self) -> StatusCode {
        match self {
            FailureCategory::FunctionValidation | FailureCategory::LambdaValidation => StatusCode::BAD_GATEWAY,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Result type in logs, such as `FunctionExecutionError`.
    pub fn result_type(self) -> &'static str {
        match self {
            FailureCategory::FunctionExecution => "FunctionExecutionError",
            FailureCategory::FunctionValidation => "FunctionValidationError",
            FailureCategory::FunctionThrottled => "FunctionThrottledError",
            FailureCategory::LambdaExecution => "LambdaExecutionError",
            FailureCategory::LambdaValidation => "LambdaValidationError",
            FailureCategory::LambdaLimitExceeded => "LambdaLimitExceeded",
        }
    }

    /// Value of `X-Cache`.
    pub fn x_cache(self) -> &'static str {
        match self {
            FailureCategory::FunctionExecution => "FunctionExecutionError from cloudfront",
            FailureCategory::FunctionValidation => "FunctionValidationError from cloudfront",
            FailureCategory::FunctionThrottled => "FunctionThrottledError from cloudfront",
            FailureCategory::LambdaExecution => "LambdaExecutionError from cloudfront",
            FailureCategory::LambdaValidation => "LambdaValidationError from cloudfront",
            FailureCategory::LambdaLimitExceeded => "LambdaLimitExceeded from cloudfront",
        }
    }

    /// The sentence for the viewer's page.
    pub fn sentence(self) -> &'static str {
        match self {
            FailureCategory::FunctionExecution | FailureCategory::FunctionThrottled => {
                "The CloudFront function associated with the CloudFront distribution is invalid or could not run."
            }
            FailureCategory::FunctionValidation => "The CloudFront function returned an invalid value.",
            FailureCategory::LambdaExecution => {
                "The Lambda function associated with the CloudFront distribution is invalid or doesn't have the required permissions."
            }
            FailureCategory::LambdaValidation => {
                "The Lambda function result failed validation: The function returned an invalid value."
            }
            FailureCategory::LambdaLimitExceeded => {
                "The Lambda function associated with the CloudFront distribution was throttled."
            }
        }
    }

    /// The whole answer for a viewer. It carries no detail of the failure but the kind.
    pub fn answer(self, request_id: &str) -> (ResponseHead, Bytes) {
        answer(self, self.sentence(), request_id)
    }
}

impl Invalid {
    /// The whole answer for a viewer whose request met this invalid result.
    pub fn answer(&self, tier: Tier, request_id: &str) -> (ResponseHead, Bytes) {
        answer(self.category(tier), self.sentence(tier), request_id)
    }
}

fn answer(category: FailureCategory, sentence: &str, request_id: &str) -> (ResponseHead, Bytes) {
    let body = Bytes::from(page(category.status(), sentence, request_id));
    let mut head = ResponseHead::new(category.status());
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    head.headers.insert(X_CACHE, HeaderValue::from_static(category.x_cache()));
    (head, body)
}

/// The error page: status, one sentence, the request's id (`lambda-at-edge.md` section 9).
/// `sentence` is HTML text of ours; `request_id` is made by us and has no markup.
pub fn page(status: StatusCode, sentence: &str, request_id: &str) -> String {
    let code = status.as_u16();
    format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\">\n\
         <title>ERROR: The request could not be satisfied</title>\n</head><body>\n\
         <h1>{code} ERROR</h1>\n<h2>The request could not be satisfied.</h2>\n<hr>\n\
         <p>{sentence} Try again later, or contact the owner of this site.</p>\n<hr>\n\
         <pre>Generated by cloudfront (CloudFront)\nRequest ID: {request_id}\n</pre>\n</body></html>\n"
    )
}

#[cfg(test)]
mod tests;
