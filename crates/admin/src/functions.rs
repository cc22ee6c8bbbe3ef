//! Functions over HTTP: stages, versions, publish and rollback (`cloudfront-functions.md` section 15, `lambda-at-edge.md`
//! section 13), and the test operation for viewer functions (section 16), in JSON with the vendor's names.
//!
//! | | |
//! |---|---|
//! | `GET /functions/NAME?Stage=` | the code of a stage, DEVELOPMENT unless it says LIVE |
//! | `GET /functions/NAME/describe?Stage=` | what the stage is |
//! | `PUT /functions/NAME` | the body becomes DEVELOPMENT; needs `If-Match` with DEVELOPMENT's ETag, or `*` |
//! | `POST /functions/NAME/publish` | LIVE becomes what DEVELOPMENT is; the same `If-Match` |
//! | `POST /functions/NAME/rollback` | LIVE becomes what it was, or `{"To": "file"}`, `{"To": "<number or version>"}` |
//! | `POST /functions/NAME/test` | `{"Stage", "EventObject"}` |

use crate::reply::Reply;
use crate::request::{Request, parse};
use crate::{check_json, collect};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use rimward_types::Stage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::future::Future;

/// Where it is.
pub(crate) const ROOT: &str = "/functions/";
/// Bytes of a test event (section 7), and of the JSON around it in base64.
pub const EVENT: usize = 40_960;
const TEST: u64 = 64 << 10;

/// The functions of a node.
pub trait StagedFunctions: Send + Sync + 'static {
    /// Bytes that the code of a function may have.
    fn code_limit(&self, name: &str) -> u64;

    /// What a stage is.
    ///
    /// # Errors
    /// When there is no such function, or what is kept of it cannot be read.
    fn describe(&self, name: &str, stage: Stage) -> impl Future<Output = Result<Staged, Refusal>> + Send;

    /// The code of a stage.
    ///
    /// # Errors
    /// As [`StagedFunctions::describe`].
    fn code(&self, name: &str, stage: Stage) -> impl Future<Output = Result<(Staged, Vec<u8>), Refusal>> + Send;

    /// Makes `code` DEVELOPMENT, if it compiles and DEVELOPMENT is what `expected` says.
    ///
    /// # Errors
    /// Why not; then nothing has changed.
    fn update(
        &self,
        name: &str,
        code: Vec<u8>,
        expected: &Expected,
    ) -> impl Future<Output = Result<Staged, Refusal>> + Send;

    /// Makes LIVE what DEVELOPMENT is, for every request from now on.
    ///
    /// # Errors
    /// Why not; then LIVE is what it was.
    fn publish(&self, name: &str, expected: &Expected) -> impl Future<Output = Result<Staged, Refusal>> + Send;

    /// Makes LIVE what it was before; `to` is `file`, a number, or the beginning of a version's name.
    ///
    /// # Errors
    /// Why not; then LIVE is what it was.
    fn roll_back(&self, name: &str, to: Option<&str>) -> impl Future<Output = Result<Staged, Refusal>> + Send;

    /// Runs an event through a stage of a viewer function.
    ///
    /// # Errors
    /// When there is no such viewer function, or the event is none. What the function does wrong is in the result.
    fn test(
        &self,
        name: &str,
        stage: Stage,
        event: &str,
        as_vendor: bool,
    ) -> impl Future<Output = Result<Tested, Refusal>> + Send;
}

/// Which version of DEVELOPMENT somebody expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is there.
    Any,
    /// This ETag.
    Exactly(String),
}

/// What a stage is.
#[derive(Debug, Clone)]
pub struct Staged {
    /// The function.
    pub name: String,
    /// The stage.
    pub stage: Stage,
    /// `cloudfront-js-1.0`, `cloudfront-js-2.0` or `wasm-component`.
    pub runtime: &'static str,
    /// The key value store that it may read.
    pub store: Option<String>,
    /// `UNPUBLISHED`, `UNASSOCIATED` or `DEPLOYED`.
    pub status: &'static str,
    /// SHA-256 of the code.
    pub version: String,
    /// Its number, where it was published.
    pub number: Option<u64>,
    /// When it came there, RFC 3339; `None` for the file of the configuration.
    pub since: Option<String>,
    /// The file of the configuration.
    pub file: String,
    /// Bytes of the code.
    pub bytes: usize,
    /// Its ETag.
    pub etag: String,
    /// What LIVE was before, the last one first; `None` is the file.
    pub earlier: Vec<Option<String>>,
    /// The published versions that are kept, the last one first.
    pub numbered: Vec<Numbered>,
    /// Until when it is throttled, RFC 3339.
    pub throttled_until: Option<String>,
}

/// A published version.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Numbered {
    /// Its number, from 1, never used again.
    pub number: u64,
    /// SHA-256 of the code.
    pub version: String,
    /// When it was published, RFC 3339.
    pub since: String,
}

/// What came of a test event (section 16).
#[derive(Debug, Clone)]
pub struct Tested {
    /// Which stage ran.
    pub staged: Staged,
    /// The share of the time limit, 0 to 100.
    pub utilization: u8,
    /// Lines of `console.log`.
    pub logs: Vec<String>,
    /// Empty on success.
    pub error: String,
    /// JSON text; empty on failure.
    pub output: String,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such function.
    #[error("there is no function `{0}`")]
    NoFunction(String),
    /// It is a component.
    #[error("function `{0}` is a component; the test operation is for viewer functions")]
    NotViewer(String),
    /// DEVELOPMENT is another one by now.
    #[error("Pre-Condition failed: the ETag of DEVELOPMENT is {0}")]
    Stale(String),
    /// The code is refused.
    #[error("{message}")]
    Code {
        /// With line, column and excerpt, where they are known.
        message: String,
        /// How to mend it.
        hint: Option<String>,
    },
    /// There is nothing to go back to.
    #[error("{0}")]
    NoWayBack(String),
    /// The event is none.
    #[error("{0}")]
    Event(String),
    /// The node cannot do it.
    #[error("{0}")]
    Node(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct TestFunction {
    #[serde(default)]
    stage: Option<String>,
    event_object: Value,
    #[serde(default)]
    as_vendor: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RollBack {
    #[serde(default)]
    to: Option<String>,
}

/// Answers a request.
pub(crate) async fn answer(node: &impl StagedFunctions, request: Request<'_>) -> Result<Reply, Reply> {
    let (name, what) = request.path.split_once('/').unwrap_or((request.path, ""));
    match what {
        "" if request.method == Method::PUT => {
            let expected = expected(&request)?;
            let code = collect(request.body, node.code_limit(name)).await?;
            summary(node.update(name, code.to_vec(), &expected).await)
        }
        "" => {
            request.allow(&Method::GET, "GET, HEAD, PUT")?;
            let (staged, code) = node.code(name, stage(request.query)?).await.map_err(refused)?;
            Ok(Reply::code(code).etag(&staged.etag))
        }
        "describe" => {
            request.allow(&Method::GET, "GET, HEAD")?;
            summary(node.describe(name, stage(request.query)?).await)
        }
        "publish" => {
            request.allow(&Method::POST, "POST")?;
            summary(node.publish(name, &expected(&request)?).await)
        }
        "rollback" => {
            request.allow(&Method::POST, "POST")?;
            let body = collect(request.body, TEST).await?;
            let back = if body.is_empty() { RollBack::default() } else { parse(&body, r#"{"To": "file"}"#)? };
            summary(node.roll_back(name, back.to.as_deref()).await)
        }
        "test" => {
            request.allow(&Method::POST, "POST")?;
            check_json(request.headers)?;
            let body = collect(request.body, TEST).await?;
            let test: TestFunction = parse(&body, r#"{"Stage": "DEVELOPMENT", "EventObject": {...}}"#)?;
            let stage = test.stage.as_deref().map_or(Ok(Stage::default()), read_stage)?;
            let tested = node.test(name, stage, &event(&test.event_object)?, test.as_vendor).await.map_err(refused)?;
            Ok(Reply::json(StatusCode::OK, &tested.to_json()))
        }
        _ => Err(Reply::error(
            StatusCode::NOT_FOUND,
            "there is nothing here",
            "try /functions/NAME, and there /describe, /publish, /rollback, /test",
        )),
    }
}

/// The event: base64 as the vendor's API has it, or the JSON itself.
fn event(object: &Value) -> Result<String, Reply> {
    let text = match object {
        Value::String(text) => {
            let bytes = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            bytes.ok_or_else(|| {
                Reply::wrong("`EventObject` is a text but no base64", "send the event's JSON, or base64 of it")
            })?
        }
        object => object.to_string(),
    };
    if text.len() > EVENT {
        return Err(Reply::wrong(&format!("the event has more than {EVENT} bytes"), "make it smaller"));
    }
    Ok(text)
}

impl Staged {
    /// `FunctionSummary`, and what only this node has.
    pub fn to_json(&self) -> Value {
        let stores: Vec<Value> = self.store.iter().map(|store| json!({ "KeyValueStoreARN": store })).collect();
        json!({
            "Name": self.name,
            "Status": self.status,
            "FunctionConfig": {
                "Comment": "",
                "Runtime": self.runtime,
                "KeyValueStoreAssociations": { "Quantity": stores.len(), "Items": stores },
            },
            "FunctionMetadata": {
                "FunctionARN": self.name,
                "Stage": self.stage.to_string(),
                "LastModifiedTime": self.since,
            },
            "ETag": self.etag,
            "Version": self.version,
            "Number": self.number,
            "Source": if self.since.is_some() { "published" } else { "file" },
            "File": self.file,
            "Bytes": self.bytes,
            "Earlier": self.earlier,
            "Versions": self.numbered,
            "ThrottledUntil": self.throttled_until,
        })
    }
}

impl Tested {
    /// `TestResult`.
    pub fn to_json(&self) -> Value {
        json!({
            "FunctionSummary": self.staged.to_json(),
            "ComputeUtilization": self.utilization.to_string(),
            "FunctionExecutionLogs": self.logs,
            "FunctionErrorMessage": self.error,
            "FunctionOutput": self.output,
        })
    }
}

impl Serialize for Staged {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

fn summary(staged: Result<Staged, Refusal>) -> Result<Reply, Reply> {
    let staged = staged.map_err(refused)?;
    Ok(Reply::json(StatusCode::OK, &staged).etag(&staged.etag))
}

fn refused(refusal: Refusal) -> Reply {
    let text = refusal.to_string();
    let (status, hint) = match refusal {
        Refusal::NoFunction(_) => (StatusCode::NOT_FOUND, "`GET /functions` lists them".to_owned()),
        Refusal::NotViewer(_) => {
            let hint = "invoke it with the qualifier `$LATEST`: POST /2015-03-31/functions/NAME/invocations";
            (StatusCode::BAD_REQUEST, hint.to_owned())
        }
        Refusal::Stale(_) => {
            let hint = "somebody wrote in between: look again, and send the ETag that you then get";
            (StatusCode::PRECONDITION_FAILED, hint.to_owned())
        }
        Refusal::Code { hint, .. } => {
            (StatusCode::UNPROCESSABLE_ENTITY, hint.unwrap_or_else(|| "nothing has changed".to_owned()))
        }
        Refusal::NoWayBack(_) => (StatusCode::CONFLICT, "`describe` lists the versions that are kept".to_owned()),
        Refusal::Event(_) => (StatusCode::BAD_REQUEST, "send an event of CloudFront Functions".to_owned()),
        Refusal::Node(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the node's log says more".to_owned()),
    };
    Reply::error(status, text, hint)
}

fn stage(query: &str) -> Result<Stage, Reply> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("Stage="));
    value.map_or(Ok(Stage::default()), read_stage)
}

fn read_stage(text: &str) -> Result<Stage, Reply> {
    text.parse().map_err(|why: &str| Reply::wrong(why, "leave it out for DEVELOPMENT"))
}

fn expected(request: &Request<'_>) -> Result<Expected, Reply> {
    Ok(match request.if_match("DEVELOPMENT")? {
        "*" => Expected::Any,
        tag => Expected::Exactly(tag.trim_matches('"').to_owned()),
    })
}

#[cfg(test)]
mod tests;
