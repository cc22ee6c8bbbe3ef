//! Key value stores over HTTP: the vendor's KeyValueStore API (`cloudfront-functions.md` section 12), with the store's
//! name in place of its ARN, and its import format in both directions.
//!
//! | | |
//! |---|---|
//! | `GET /key-value-stores` | all stores |
//! | `GET /key-value-stores/STORE` | one store: number of pairs, size, times |
//! | `GET /key-value-stores/STORE/keys?NextToken&MaxResults` | pairs in the order of their keys |
//! | `POST /key-value-stores/STORE/keys` | `Puts` and `Deletes`, all or nothing |
//! | `GET`, `PUT`, `DELETE /key-value-stores/STORE/keys/KEY` | one pair |
//! | `GET`, `PUT /key-value-stores/STORE/data` | everything, as `{"data":[{"key","value"}]}` |
//!
//! Writes need `If-Match` with the store's ETag, or `*` for whatever is there.

use crate::reply::Reply;
use crate::request::{Request, parse};
use crate::{broke, check_json, collect};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use rimward_kv::{Batch, IfMatch, NotWritten, Pairs, Store, Written};
use rimward_types::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where it is.
pub(crate) const ROOT: &str = "/key-value-stores";
/// Pairs on a page: at most, and unless `MaxResults` says otherwise.
pub const PAGE: usize = 50;
/// Bytes of a batch's JSON. 50 full pairs are less, even with every character escaped.
const BATCH: u64 = 1 << 20;
/// Bytes of a value's JSON.
const VALUE: u64 = 16 << 10;

/// The key value stores of a node.
pub trait KeyValues: Send + Sync + 'static {
    /// Those that the configuration names, in the order of their names. Must not wait.
    fn stores(&self) -> Vec<(Arc<str>, Arc<Store>)>;

    /// The time of a write.
    fn now(&self) -> Timestamp;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct PutKey {
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct UpdateKeys {
    #[serde(default)]
    puts: Vec<PutItem>,
    #[serde(default)]
    deletes: Vec<DeleteItem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct PutItem {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct DeleteItem {
    key: String,
}

/// Answers a request.
pub(crate) async fn answer(node: &impl KeyValues, request: Request<'_>) -> Result<Reply, Reply> {
    let mut parts = request.path.trim_start_matches('/').splitn(3, '/');
    let (name, what, key) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    if name.is_empty() {
        request.allow(&Method::GET, "GET, HEAD")?;
        let stores = node.stores();
        let items: Vec<Value> = stores.iter().map(|(name, store)| describe(name, store)).collect();
        return Ok(Reply::json(StatusCode::OK, &json!({ "Items": items })));
    }
    let (name, store) = named(node, &percent_decode_str(name).decode_utf8_lossy())?;
    let now = node.now();
    match (what, key) {
        (None, _) => {
            request.allow(&Method::GET, "GET, HEAD")?;
            let etag = store.snapshot().etag().to_string();
            Ok(Reply::json(StatusCode::OK, &describe(&name, &store)).etag(&etag))
        }
        (Some("keys"), None) if request.method == Method::POST => batch(store, now, request).await,
        (Some("keys"), None) => {
            request.allow(&Method::GET, "GET, HEAD, POST")?;
            list(&store, request.query)
        }
        (Some("keys"), Some(key)) => {
            let key = percent_decode_str(key)
                .decode_utf8()
                .map_err(|_| Reply::wrong("the key is not UTF-8", "encode it so"))?;
            one(store, now, &key, request).await
        }
        (Some("data"), None) => data(store, now, request).await,
        _ => Err(not_found("there is nothing here", "try /key-value-stores/STORE/keys")),
    }
}

fn named(node: &impl KeyValues, name: &str) -> Result<(Arc<str>, Arc<Store>), Reply> {
    let stores = node.stores();
    let known = || {
        let names: Vec<&str> = stores.iter().map(|(name, _)| &**name).collect();
        if names.is_empty() { "the configuration has no [key-value-stores]".to_owned() } else { names.join(", ") }
    };
    let found = stores.iter().find(|(known, _)| &**known == name).cloned();
    found.ok_or_else(|| not_found(&format!("there is no key value store `{name}`"), &format!("there is: {}", known())))
}

/// `DescribeKeyValueStore`.
fn describe(name: &str, store: &Store) -> Value {
    let seen = store.snapshot();
    let meta = seen.meta();
    let seconds = |at: Timestamp| at.as_millis() as f64 / 1000.0;
    json!({
        "Name": name,
        "ItemCount": meta.keys,
        "TotalSizeInBytes": seen.pairs().size().as_u64(),
        "SizeLimitInBytes": store.limit().as_u64(),
        "Created": seconds(meta.created),
        "LastModified": seconds(meta.updated),
        "Status": "READY",
        "ETag": seen.etag().to_string(),
    })
}

/// `ListKeys`.
fn list(store: &Store, query: &str) -> Result<Reply, Reply> {
    let mut after = None;
    let mut most = PAGE;
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        match name {
            "NextToken" => {
                let key = URL_SAFE_NO_PAD.decode(value).ok().and_then(|key| String::from_utf8(key).ok());
                after =
                    Some(key.ok_or_else(|| Reply::wrong("`NextToken` is none of this API's", "send it as it came"))?);
            }
            "MaxResults" => {
                let number = value.parse().ok().filter(|number| (1..=PAGE).contains(number));
                most = number
                    .ok_or_else(|| Reply::wrong("`MaxResults` is a number from 1 to 50", "leave it out for 50"))?;
            }
            _ => {}
        }
    }
    let seen = store.snapshot();
    let pairs = seen.pairs().sorted();
    let start = after.map_or(0, |after| pairs.partition_point(|(key, _)| *key <= after.as_str()));
    let page = &pairs[start..pairs.len().min(start + most)];
    let items: Vec<Value> = page.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    let mut answer = json!({ "Items": items });
    if let Some((last, _)) = page.last().filter(|_| start + page.len() < pairs.len()) {
        answer["NextToken"] = URL_SAFE_NO_PAD.encode(last).into();
    }
    Ok(Reply::json(StatusCode::OK, &answer).etag(&seen.etag().to_string()))
}

/// `GetKey`, `PutKey`, `DeleteKey`.
async fn one(store: Arc<Store>, now: Timestamp, key: &str, request: Request<'_>) -> Result<Reply, Reply> {
    if request.method == Method::PUT {
        check_json(request.headers)?;
        let expected = if_match(&request)?;
        let body = collect(request.body, VALUE).await?;
        let put: PutKey = parse(&body, r#"{"Value": "..."}"#)?;
        return write(store, now, expected, Batch::put(key, &put.value)).await;
    }
    if request.method == Method::DELETE {
        return write(store, now, if_match(&request)?, Batch::delete(key)).await;
    }
    request.allow(&Method::GET, "GET, HEAD, PUT, DELETE")?;
    let seen = store.snapshot();
    let value = seen.get(key).ok_or_else(|| not_found(&format!("the store has no key `{key}`"), "list the keys"))?;
    let pairs = seen.pairs();
    let answer = json!({
        "Key": key, "Value": &*value, "ItemCount": pairs.len(), "TotalSizeInBytes": pairs.size().as_u64(),
    });
    Ok(Reply::json(StatusCode::OK, &answer).etag(&seen.etag().to_string()))
}

/// `UpdateKeys`.
async fn batch(store: Arc<Store>, now: Timestamp, request: Request<'_>) -> Result<Reply, Reply> {
    check_json(request.headers)?;
    let expected = if_match(&request)?;
    let body = collect(request.body, BATCH).await?;
    let update: UpdateKeys = parse(&body, r#"{"Puts": [{"Key", "Value"}], "Deletes": [{"Key"}]}"#)?;
    let puts = update.puts.into_iter().map(|item| (item.key, item.value));
    let batch = Batch::try_new(puts, update.deletes.into_iter().map(|item| item.key))
        .map_err(|invalid| Reply::wrong(&invalid.to_string(), "send several batches"))?;
    write(store, now, expected, batch).await
}

/// Export and import.
async fn data(store: Arc<Store>, now: Timestamp, request: Request<'_>) -> Result<Reply, Reply> {
    if request.method != Method::PUT {
        request.allow(&Method::GET, "GET, HEAD, PUT")?;
        let seen = store.snapshot();
        return Ok(Reply::json_text(seen.pairs().to_json()).etag(&seen.etag().to_string()));
    }
    check_json(request.headers)?;
    let expected = if_match(&request)?;
    let limit = store.limit();
    let body = collect(request.body, limit.as_u64()).await?;
    let work = move || {
        let pairs = Pairs::from_json(limit, &body).map_err(NotWritten::from)?;
        store.replace(pairs, &expected, now)
    };
    written(tokio::task::spawn_blocking(work).await)
}

/// A write waits for the disk, which no worker may.
async fn write(store: Arc<Store>, now: Timestamp, expected: IfMatch, batch: Batch) -> Result<Reply, Reply> {
    written(tokio::task::spawn_blocking(move || store.update(&batch, &expected, now)).await)
}

fn written(ended: Result<Result<Written, NotWritten>, tokio::task::JoinError>) -> Result<Reply, Reply> {
    let not = match ended {
        Ok(Ok(Written { keys, size, etag })) => {
            let etag = etag.to_string();
            let answer = json!({ "ItemCount": keys, "TotalSizeInBytes": size.as_u64(), "ETag": etag });
            return Ok(Reply::json(StatusCode::OK, &answer).etag(&etag));
        }
        Ok(Err(not)) => not,
        Err(_) => return Err(broke("writing the store")),
    };
    let text = not.to_string();
    Err(match not {
        NotWritten::Stale(now) => {
            let hint = "somebody wrote in between: look again, and send the ETag that you then get";
            Reply::error(StatusCode::PRECONDITION_FAILED, text, hint).etag(&now.to_string())
        }
        NotWritten::Invalid(invalid) => {
            let full = matches!(invalid, rimward_kv::InvalidStore::StoreTooLarge { .. });
            let status = if full { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
            Reply::error(status, text, invalid.hint().unwrap_or_else(|| "nothing was written".to_owned()))
        }
        NotWritten::Disk(_) => {
            tracing::error!(error = text, "key value store");
            Reply::error(StatusCode::INTERNAL_SERVER_ERROR, text, "the store has what it had")
        }
    })
}

fn if_match(request: &Request<'_>) -> Result<IfMatch, Reply> {
    request.if_match("the store").map(IfMatch::read)
}

fn not_found(message: &str, hint: &str) -> Reply {
    Reply::error(StatusCode::NOT_FOUND, message, hint)
}

#[cfg(test)]
mod tests;
