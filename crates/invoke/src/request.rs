//! Reads a request of the API.

use crate::error::Refusal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Where the API begins.
pub(crate) const PREFIX: &str = "/2015-03-31/functions/";
const OPERATION: &str = "/invocations";
/// Payload of an invocation that is waited for: 6 MB.
pub(crate) const SYNC_LIMIT: u64 = 6 << 20;
/// Payload of an event that is handled later: 1 MB.
pub(crate) const ASYNC_LIMIT: u64 = 1 << 20;
/// `X-Amz-Client-Context`, as it is sent.
const CONTEXT_LIMIT: usize = 3583;

/// `X-Amz-Invocation-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The caller waits for the result.
    RequestResponse,
    /// It is handled later.
    Event,
    /// Whether it could be handled.
    DryRun,
}

/// What a request asks for, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) function: String,
    pub(crate) qualifier: Option<String>,
    pub(crate) kind: Kind,
    /// Whether the end of the log is wanted.
    pub(crate) tail: bool,
    /// JSON.
    pub(crate) client_context: Option<String>,
}

impl Asked {
    pub(crate) fn read(method: &Method, path: &str, query: Option<&str>, headers: &HeaderMap) -> Result<Self, Refusal> {
        let name = path.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(OPERATION));
        let (Some(name), &Method::POST) = (name, method) else {
            return Err(Refusal::UnknownOperation(format!("only `POST {PREFIX}NAME{OPERATION}` is known here")));
        };
        let (function, own) = read_name(&decoded(name)?)?;
        let given = query.and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("Qualifier=")));
        let given = given.map(decoded).transpose()?.filter(|text| !text.is_empty());
        let qualifier = match (own, given) {
            (Some(own), Some(given)) if own != given => {
                let message = "The derived qualifier from the function name does not match the specified qualifier.";
                return Err(Refusal::InvalidParameterValue(message.to_owned()));
            }
            (own, given) => own.or(given),
        };
        let kind = match text(headers, "x-amz-invocation-type")? {
            None | Some("RequestResponse") => Kind::RequestResponse,
            Some("Event") => Kind::Event,
            Some("DryRun") => Kind::DryRun,
            Some(other) => return Err(not_one_of(other, "invocationType", "Event, DryRun, RequestResponse")),
        };
        let tail = match text(headers, "x-amz-log-type")? {
            None | Some("None") => false,
            // Of an event that is handled later there is no log yet.
            Some("Tail") => kind == Kind::RequestResponse,
            Some(other) => return Err(not_one_of(other, "logType", "None, Tail")),
        };
        let client_context = text(headers, "x-amz-client-context")?.map(read_context).transpose()?;
        Ok(Self { function, qualifier, kind, tail, client_context })
    }

    /// Bytes that the body may have.
    pub(crate) fn limit(&self) -> u64 {
        if self.kind == Kind::Event { ASYNC_LIMIT } else { SYNC_LIMIT }
    }
}

/// The event in a body; without one it is `{}`.
pub(crate) fn payload(body: &[u8]) -> Result<String, Refusal> {
    if body.is_empty() {
        return Ok("{}".to_owned());
    }
    let invalid =
        |why: String| Refusal::InvalidRequestContent(format!("Could not parse request body into json: {why}"));
    let text = std::str::from_utf8(body).map_err(|error| invalid(error.to_string()))?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| invalid(error.to_string()))?;
    Ok(text.to_owned())
}

/// A name, a partial ARN (`ACCOUNT:function:NAME`) or an ARN, each with or without `:QUALIFIER`.
fn read_name(text: &str) -> Result<(String, Option<String>), Refusal> {
    let parts: Vec<&str> = text.split(':').collect();
    let (name, qualifier) = match *parts.as_slice() {
        [name] | [_, "function", name] | ["arn", _, "lambda", _, _, "function", name] => (name, None),
        [_, "function", name, qualifier] | ["arn", _, "lambda", _, _, "function", name, qualifier] => {
            (name, Some(qualifier))
        }
        [name, qualifier] => (name, Some(qualifier)),
        _ => ("", None),
    };
    let plain = |text: &str| {
        (1..=140).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_$.".contains(&b))
    };
    if !plain(name) || !qualifier.is_none_or(plain) {
        let message = format!("`{}` is no name or ARN of a function", text.escape_debug());
        return Err(Refusal::InvalidParameterValue(message));
    }
    Ok((name.to_owned(), qualifier.map(str::to_owned)))
}

fn read_context(text: &str) -> Result<String, Refusal> {
    let refuse = |message: &str| Err(Refusal::InvalidRequestContent(message.to_owned()));
    if text.len() > CONTEXT_LIMIT {
        return refuse("Client context must be no more than 3583 bytes.");
    }
    let Some(json) = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return refuse("Client context must be base64.");
    };
    match serde_json::from_str::<Value>(&json) {
        Ok(Value::Object(_)) => Ok(json),
        _ => refuse("Client context must be a valid Base64-encoded JSON object."),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let value = headers.get(name).map(http::HeaderValue::to_str).transpose();
    value.map_err(|_| Refusal::InvalidRequestContent(format!("the header `{name}` is not ASCII")))
}

fn decoded(text: &str) -> Result<String, Refusal> {
    let text = percent_decode_str(text).decode_utf8();
    text.map(std::borrow::Cow::into_owned)
        .map_err(|_| Refusal::InvalidParameterValue("the path is not UTF-8".to_owned()))
}

fn not_one_of(value: &str, parameter: &str, set: &str) -> Refusal {
    Refusal::InvalidParameterValue(format!(
        "1 validation error detected: Value '{}' at '{parameter}' failed to satisfy constraint: Member must satisfy \
         enum value set: [{set}]",
        value.escape_debug()
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn read(path: &str, query: Option<&str>, headers: &[(&'static str, &str)]) -> Result<Asked, Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Asked::read(&Method::POST, &format!("{PREFIX}{path}{OPERATION}"), query, &map)
    }

    /// lambda-at-edge.md 14.
    #[test]
    fn a_function_is_named_in_each_of_the_vendors_ways() {
        for (path, query, function, qualifier) in [
            ("resize", None, "resize", None),
            ("resize", Some("Qualifier=2"), "resize", Some("2")),
            ("resize", Some("Qualifier=%24LATEST"), "resize", Some("$LATEST")),
            ("resize", Some("Qualifier="), "resize", None),
            ("resize:2", None, "resize", Some("2")),
            ("resize%3A2", Some("Qualifier=2"), "resize", Some("2")),
            ("000000000000:function:resize", None, "resize", None),
            ("000000000000:function:resize:2", None, "resize", Some("2")),
            ("arn:aws:lambda:us-east-1:000000000000:function:resize", None, "resize", None),
            ("arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Aresize%3A2", None, "resize", Some("2")),
        ] {
            let asked = read(path, query, &[]).unwrap();
            assert_eq!((&*asked.function, asked.qualifier.as_deref()), (function, qualifier), "{path}");
        }
        for path in ["", "a/b", "a%2Fb", "a b", "a:b:c:d", "%ff", "arn:aws:s3:::bucket"] {
            assert!(matches!(read(path, None, &[]), Err(Refusal::InvalidParameterValue(_))), "{path}");
        }
        assert!(matches!(read("resize:1", Some("Qualifier=2"), &[]), Err(Refusal::InvalidParameterValue(_))));
    }

    /// lambda-at-edge.md 14.
    #[test]
    fn kinds_and_logs_are_the_vendors_words() {
        let kind = |value| read("f", None, &[("x-amz-invocation-type", value)]).map(|asked| asked.kind);
        assert_eq!(read("f", None, &[]).unwrap().kind, Kind::RequestResponse);
        assert_eq!(kind("Event"), Ok(Kind::Event));
        assert_eq!(kind("DryRun"), Ok(Kind::DryRun));
        assert!(matches!(kind("event"), Err(Refusal::InvalidParameterValue(_))));
        assert!(read("f", None, &[("x-amz-log-type", "Tail")]).unwrap().tail);
        assert!(!read("f", None, &[("x-amz-log-type", "Tail"), ("x-amz-invocation-type", "Event")]).unwrap().tail);
        assert!(matches!(read("f", None, &[("x-amz-log-type", "x")]), Err(Refusal::InvalidParameterValue(_))));
    }

    /// lambda-at-edge.md 14.
    #[test]
    fn a_client_context_is_a_json_object_in_base64() {
        let context = |text: &str| read("f", None, &[("x-amz-client-context", text)]).map(|asked| asked.client_context);
        assert_eq!(context(&STANDARD.encode(r#"{"custom":{}}"#)), Ok(Some(r#"{"custom":{}}"#.to_owned())));
        for bad in ["{}", &STANDARD.encode("[]"), &STANDARD.encode("x"), &"A".repeat(CONTEXT_LIMIT + 1)] {
            assert!(matches!(context(bad), Err(Refusal::InvalidRequestContent(_))), "{bad:.20}");
        }
    }

    #[test]
    fn another_operation_is_unknown() {
        for (method, path) in [
            (Method::GET, "/2015-03-31/functions/f/invocations"),
            (Method::POST, "/2015-03-31/functions/f"),
            (Method::POST, "/2015-03-31/functions/invocations"),
        ] {
            let asked = Asked::read(&method, path, None, &HeaderMap::new());
            assert!(asked.is_err(), "{method} {path}: {asked:?}");
        }
    }

    /// lambda-at-edge.md 14.
    #[test]
    fn a_payload_is_json_and_an_empty_one_an_empty_object() {
        assert_eq!(payload(b""), Ok("{}".to_owned()));
        assert_eq!(payload(b" [1] "), Ok(" [1] ".to_owned()));
        for bad in [&b"{"[..], b"x", b"{}{}", b"\xff"] {
            assert!(matches!(payload(bad), Err(Refusal::InvalidRequestContent(_))));
        }
    }

    proptest! {
        #[test]
        fn no_path_or_query_makes_it_panic(path in "[a-z:%0-9/$]{0,40}", query in "\\PC{0,20}") {
            let _ = read(&path, Some(&query), &[]);
        }
    }
}
