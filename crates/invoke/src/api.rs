//! Answers the API's requests.

use crate::error::Refusal;
use crate::functions::{Functions, Invocation, NotRun, Ran};
use crate::queue::{Accepted, Queue};
use crate::request::{self, Asked, Kind, PREFIX};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use rimward_types::{Body, BodyError, RequestHead, ResponseHead};
use serde_json::{Value, json};
use std::sync::Arc;

/// Bytes of the log that a caller may get.
const TAIL: usize = 4096;
/// A result that is waited for.
const RESULT_LIMIT: usize = request::SYNC_LIMIT as usize;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");

/// The API over the functions of a node.
pub struct Api<F> {
    functions: Arc<F>,
    queue: Option<Arc<Queue>>,
}

/// An answer that is not yet sent.
struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: String,
}

impl<F: Functions> Api<F> {
    /// The API of `functions`; events go to `queue`. Without one, events are refused.
    pub fn new(functions: Arc<F>, queue: Option<Arc<Queue>>) -> Self {
        Self { functions, queue }
    }

    /// Whether a path belongs to the API.
    pub fn owns(path: &str) -> bool {
        path.starts_with(PREFIX)
    }

    /// Answers a request.
    pub async fn call(&self, head: &RequestHead, body: Body) -> (ResponseHead, Body) {
        let id = self.functions.invocation_id();
        let answer = self.answer(&id, head, body).await.unwrap_or_else(|refusal| refused(&refusal));
        answer.finish(&id)
    }

    /// The answer to a request that must not be answered otherwise.
    pub fn refuse(&self, refusal: &Refusal) -> (ResponseHead, Body) {
        refused(refusal).finish(&self.functions.invocation_id())
    }

    async fn answer(&self, id: &str, head: &RequestHead, body: Body) -> Result<Answer, Refusal> {
        let asked = Asked::read(&head.method, &head.path, head.query.as_deref(), &head.headers)?;
        self.functions.settings(&asked.function, asked.qualifier.as_deref())?;
        let payload = request::payload(&collect(body, asked.limit()).await?)?;
        match asked.kind {
            Kind::DryRun => Ok(Answer::new(StatusCode::NO_CONTENT, String::new())),
            Kind::Event => {
                let Asked { function, qualifier, .. } = asked;
                let no_queue = || Refusal::Service("this node has no queue for events; its log says why".to_owned());
                let queue = self.queue.as_ref().ok_or_else(no_queue)?;
                queue.accept(Accepted { id: id.to_owned(), function, qualifier, payload }).await?;
                Ok(Answer::new(StatusCode::ACCEPTED, String::new()))
            }
            Kind::RequestResponse => self.wait_for(id, &asked, &payload).await,
        }
    }

    async fn wait_for(&self, id: &str, asked: &Asked, payload: &str) -> Result<Answer, Refusal> {
        let invocation = Invocation {
            function: &asked.function,
            qualifier: asked.qualifier.as_deref(),
            id,
            payload,
            client_context: asked.client_context.as_deref(),
        };
        let ran = self.functions.run(invocation).await.map_err(|not| match not {
            NotRun::Throttled(limit) => Refusal::Throttled(limit),
            NotRun::Refused(refusal) => refusal,
        })?;
        let tail = asked.tail.then(|| STANDARD.encode(tail(&ran.log)));
        let version = executed(asked.qualifier.as_deref(), &ran);
        let (body, failed) = match ran.result {
            Ok(text) if text.len() > RESULT_LIMIT => (too_large().to_string(), true),
            Ok(text) => (text, false),
            Err(error) => (error.to_string(), true),
        };
        let mut answer = Answer::new(StatusCode::OK, body);
        answer.headers.push((EXECUTED_VERSION, version));
        if failed {
            answer.headers.push((FUNCTION_ERROR, "Unhandled".to_owned()));
        }
        answer.headers.extend(tail.map(|tail| (LOG_RESULT, tail)));
        Ok(answer)
    }
}

/// `$LATEST` for who did not ask for a version.
fn executed(qualifier: Option<&str>, ran: &Ran) -> String {
    match qualifier {
        None | Some("$LATEST") => "$LATEST".to_owned(),
        Some(_) => ran.version.to_string(),
    }
}

fn too_large() -> Value {
    json!({
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": format!("Response payload size exceeded maximum allowed payload size ({RESULT_LIMIT} bytes)."),
    })
}

/// The last 4 KB, from the beginning of a character.
fn tail(log: &[String]) -> String {
    let mut text = log.join("\n");
    text.push('\n');
    let start = text.ceil_char_boundary(text.len().saturating_sub(TAIL));
    text.split_off(start)
}

async fn collect(body: Body, limit: u64) -> Result<bytes::Bytes, Refusal> {
    body.collect(limit).await.map_err(|error| match error {
        BodyError::TooLarge(limit) => Refusal::TooLarge(limit),
        other => Refusal::InvalidRequestContent(other.to_string()),
    })
}

fn refused(refusal: &Refusal) -> Answer {
    let mut answer = Answer::new(refusal.status(), refusal.body().to_string());
    answer.headers.push((ERROR_TYPE, refusal.kind().to_owned()));
    if refusal.status() == StatusCode::TOO_MANY_REQUESTS {
        answer.headers.push((RETRY_AFTER, "1".to_owned()));
    }
    answer
}

impl Answer {
    fn new(status: StatusCode, body: String) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    fn finish(self, id: &str) -> (ResponseHead, Body) {
        let mut head = ResponseHead::new(self.status);
        let insert = |headers: &mut HeaderMap, name: HeaderName, text: &str| {
            // What is put here is ASCII; a function's name may not be, and then says nothing.
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        };
        insert(&mut head.headers, REQUEST_ID, id);
        for (name, value) in self.headers {
            insert(&mut head.headers, name, &value);
        }
        head.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status != StatusCode::NO_CONTENT {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        if !self.body.is_empty() {
            head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        (head, self.body.into())
    }
}

#[cfg(test)]
mod tests;
