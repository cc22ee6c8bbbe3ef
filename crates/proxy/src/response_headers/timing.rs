//! `Server-Timing`: what the record knows, for the viewer (`cdn-behaviour.md` section 14).

use http::{HeaderMap, HeaderName, HeaderValue};
use rimward_telemetry::ResultType;
use std::time::Duration;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What is told of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Timing<'a> {
    /// How it came about.
    pub result: ResultType,
    /// The node's place, when it has a name.
    pub place: Option<&'a str>,
    /// The request's id.
    pub id: &'a str,
    /// Time to the first byte of the origin that gave it, when one was asked.
    pub upstream: Option<Duration>,
    /// Time from the request's head to the answer's.
    pub downstream: Duration,
}

impl Timing<'_> {
    /// Adds the header. The origin's own metrics stay in front, but not those of a stored answer: they tell of another
    /// request.
    pub fn add_to(&self, headers: &mut HeaderMap) {
        let mut text = Vec::new();
        if !matches!(self.result, ResultType::Hit | ResultType::RefreshHit) {
            for own in headers.get_all(SERVER_TIMING) {
                text.extend_from_slice(own.as_bytes());
                text.push(b',');
            }
        }
        text.extend_from_slice(self.metrics().join(",").as_bytes());
        if let Ok(value) = HeaderValue::from_bytes(&text) {
            headers.insert(SERVER_TIMING, value);
        }
    }

    /// The metrics, in the vendor's words.
    fn metrics(&self) -> Vec<String> {
        let mut metrics = Vec::with_capacity(6);
        if let Some(upstream) = self.upstream {
            metrics.push("cdn-upstream-layer;desc=\"EDGE\"".to_owned());
            metrics.push(format!("cdn-upstream-fbl;dur={}", upstream.as_millis()));
        }
        metrics.extend(match self.result {
            ResultType::Hit => Some("cdn-cache-hit".to_owned()),
            ResultType::RefreshHit => Some("cdn-cache-refresh".to_owned()),
            ResultType::Miss => Some("cdn-cache-miss".to_owned()),
            _ => None,
        });
        metrics.extend(self.place.map(|place| format!("cdn-pop;desc=\"{}\"", place.replace(['"', '\\'], ""))));
        metrics.push(format!("cdn-rid;desc=\"{}\"", self.id));
        if self.result == ResultType::Hit {
            metrics.push("cdn-hit-layer;desc=\"EDGE\"".to_owned());
        }
        metrics.push(format!("cdn-downstream-fbl;dur={}", self.downstream.as_millis()));
        metrics
    }
}
