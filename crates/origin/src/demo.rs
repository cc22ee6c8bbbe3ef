//! The demo origin, `url = "builtin:demo"`: an origin inside the node, so that everything can be tried without a
//! server. It opens no socket. Every answer has `x-demo-origin`, the name of the configured origin, and `x-demo-serial`,
//! which counts the requests that reached it: a cache hit shows the old number.
//!
//! | path | answer |
//! |---|---|
//! | `.../echo`, `/echo/...` | JSON with the request that arrived: `origin`, `method`, `path`, `query`, `headers` (one line each, `"x-ab-group": "b"`), `body`. `no-store` |
//! | `/status/404` | that status (200 to 599) with a small page. `no-store` |
//! | `/slow?ms=500` | a page, made in that time (at most 10,000 ms). `max-age=10`, so that collapsing can be watched |
//! | `/size/100000` | that many bytes of text (at most 64 MB). `max-age=3600` |
//! | `/cache/max-age/60` | a page with `cache-control: max-age=60`; so any directive with a number |
//! | `/cache/no-store` | a page with `cache-control: no-store`; so any directive without one |
//! | `/` | a page that lists these |
//! | anything else | a page that names origin, path and query. `max-age=60`; so `/hello`, `/ab/a/`, `/docs/x/index.html`, `/select/y`, `/private/z` |
//!
//! Pages have `etag` and `last-modified` and answer `if-none-match` and `if-modified-since` with 304. Methods besides
//! GET, HEAD and OPTIONS are echoed on every path but `/status/...`.

use crate::{Fetched, Timing};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use rimward_types::{Body, RequestHead, ResponseHead, Timestamp};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Longest that `/slow` takes, in ms.
const SLOWEST: u64 = 10_000;
/// Most that `/size` gives, in bytes.
const LARGEST: usize = 64 << 20;
/// Most that an echo shows of a body, in bytes.
const BODY_SHOWN: u64 = 64 << 10;
/// When all pages were last changed.
const LAST_MODIFIED: &str = "Wed, 01 Jan 2025 00:00:00 GMT";
const LAST_MODIFIED_SECS: u64 = 1_735_689_600;

static SERIAL: AtomicU64 = AtomicU64::new(0);

/// Answers a request as the origin `name`, at `now`.
pub async fn answer(name: &str, head: RequestHead, body: Body, now: Timestamp) -> Fetched {
    let began = Instant::now();
    let mut reply = reply(name, &head, body).await;
    reply.headers.insert(header::DATE, date(now));
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed) + 1;
    reply.headers.insert(HeaderName::from_static("x-demo-serial"), serial.into());
    if let Ok(name) = HeaderValue::from_str(name) {
        reply.headers.insert(HeaderName::from_static("x-demo-origin"), name);
    }
    if let Ok(length) = HeaderValue::from_str(&reply.body.len().to_string())
        && !matches!(reply.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    {
        reply.headers.insert(header::CONTENT_LENGTH, length);
    }
    let head_only = head.method == Method::HEAD;
    let for_range = head.headers.contains_key(header::RANGE);
    let head = ResponseHead { status: reply.status, reason: None, headers: reply.headers };
    let body = if head_only { Body::Empty } else { reply.body.into() };
    let timing = Timing { connect: Duration::ZERO, first_byte: began.elapsed() };
    Fetched { head, body, timing, connection_reused: false, attempts: 1, signed: false, for_range }
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

async fn reply(name: &str, head: &RequestHead, body: Body) -> Reply {
    let path = head.path.as_str();
    let (first, rest) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    if head.method == Method::OPTIONS {
        let mut reply = Reply::new(StatusCode::NO_CONTENT, "text/plain", Bytes::new());
        reply.set(header::ALLOW, "GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE");
        return reply;
    }
    match first {
        "status" => status(name, rest),
        "echo" => echo(name, head, body).await,
        _ if !reads || path.ends_with("/echo") => echo(name, head, body).await,
        "slow" => slow(name, head).await,
        "size" => size(head, rest),
        "cache" => match directive(rest) {
            Some(directive) => {
                page(name, head, &format!("Sent with <code>cache-control: {directive}</code>."), &directive)
            }
            None => status(name, "404"),
        },
        "" => page(name, head, WELCOME, "max-age=60"),
        _ => page(name, head, "", "max-age=60"),
    }
}

const WELCOME: &str = "This origin is inside the node. Try <a href=\"/echo\">/echo</a>, \
    <a href=\"/cache/max-age/60\">/cache/max-age/60</a>, <a href=\"/cache/no-store\">/cache/no-store</a>, \
    <a href=\"/slow?ms=500\">/slow?ms=500</a>, <a href=\"/status/404\">/status/404</a>, \
    <a href=\"/size/100000\">/size/100000</a>, or any other path.";

fn page(name: &str, head: &RequestHead, text: &str, cache_control: &str) -> Reply {
    let target = escape(&head.path_and_query());
    let group = head.header("x-ab-group").map(|group| format!("<p>Group: {}</p>\n", escape(group))).unwrap_or_default();
    let text = if text.is_empty() { String::new() } else { format!("<p>{text}</p>\n") };
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Rimward demo</title></head>\n<body>\n\
         <h1>Rimward demo</h1>\n<p>Origin: {}</p>\n<p>Path: <code>{target}</code></p>\n{group}{text}</body>\n</html>\n",
        escape(name)
    );
    let mut reply = Reply::new(StatusCode::OK, "text/html; charset=utf-8", html.into());
    reply.cacheable(head, cache_control);
    reply
}

async fn echo(name: &str, head: &RequestHead, body: Body) -> Reply {
    let mut headers = Map::new();
    for field in head.headers.keys() {
        let values = head.headers.get_all(field).iter().map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        headers.insert(field.to_string(), Value::String(values.collect::<Vec<_>>().join(", ")));
    }
    let body = match body.collect(BODY_SHOWN).await {
        Ok(body) => String::from_utf8_lossy(&body).into_owned(),
        Err(error) => format!("({error})"),
    };
    let seen = json!({
        "origin": name,
        "method": head.method.as_str(),
        "path": head.path,
        "query": head.query,
        "headers": headers,
        "body": body,
    });
    let mut reply = Reply::new(StatusCode::OK, "application/json", format!("{seen:#}\n").into());
    reply.set(header::CACHE_CONTROL, "no-store");
    reply
}

fn status(name: &str, rest: &str) -> Reply {
    let code = rest.split('/').next().and_then(|code| code.parse().ok()).filter(|code| (200..600).contains(code));
    let status = code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::NOT_FOUND);
    let empty = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let html = if empty { String::new() } else { format!("<h1>{status}</h1>\n<p>Origin: {}</p>\n", escape(name)) };
    let mut reply = Reply::new(status, "text/html; charset=utf-8", html.into());
    if status.is_redirection() && !empty {
        reply.set(header::LOCATION, "/");
    }
    reply.set(header::CACHE_CONTROL, "no-store");
    reply
}

async fn slow(name: &str, head: &RequestHead) -> Reply {
    let parameters = head.query.as_deref().unwrap_or_default().split('&');
    let ms = parameters.filter_map(|p| p.strip_prefix("ms=")).find_map(|ms| ms.parse::<u64>().ok()).unwrap_or(1000);
    let ms = ms.min(SLOWEST);
    tokio::time::sleep(Duration::from_millis(ms)).await;
    page(name, head, &format!("Made in {ms} ms."), "max-age=10")
}

fn size(head: &RequestHead, rest: &str) -> Reply {
    const LINE: &[u8] = b"The quick brown fox jumps over the lazy dog, and the dog does not mind.\n";
    let size = rest.parse::<usize>().unwrap_or(1024).min(LARGEST);
    let mut text = LINE.repeat(size.div_ceil(LINE.len()));
    text.truncate(size);
    let mut reply = Reply::new(StatusCode::OK, "text/plain", text.into());
    reply.cacheable(head, "max-age=3600");
    reply
}

/// `max-age/60` as `max-age=60`, `no-store` as it is.
fn directive(rest: &str) -> Option<String> {
    let (name, number) = rest.split_once('/').map_or((rest, None), |(name, number)| (name, Some(number)));
    let name_good = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    match number {
        None => name_good.then(|| name.to_owned()),
        Some(number) => {
            let good =
                name_good && !number.is_empty() && number.len() < 12 && number.bytes().all(|b| b.is_ascii_digit());
            good.then(|| format!("{name}={number}"))
        }
    }
}

impl Reply {
    fn new(status: StatusCode, content_type: &'static str, body: Bytes) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers, body }
    }

    fn set(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }

    /// Adds validators, and becomes a 304 if the request has the same (RFC 9110 section 13).
    fn cacheable(&mut self, head: &RequestHead, cache_control: &str) {
        let etag = format!("\"{:016x}\"", fnv(&self.body));
        self.set(header::CACHE_CONTROL, cache_control);
        self.set(header::ETAG, &etag);
        self.set(header::LAST_MODIFIED, LAST_MODIFIED);
        let same = match head.headers.get(header::IF_NONE_MATCH) {
            Some(_) => {
                head.headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok()).any(|value| {
                    value.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
                })
            }
            None => head
                .header("if-modified-since")
                .and_then(|date| httpdate::parse_http_date(date).ok())
                .and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok())
                .is_some_and(|since| since.as_secs() >= LAST_MODIFIED_SECS),
        };
        if same {
            self.status = StatusCode::NOT_MODIFIED;
            self.body = Bytes::new();
            self.headers.remove(header::CONTENT_TYPE);
        }
    }
}

fn date(now: Timestamp) -> HeaderValue {
    let now = httpdate::fmt_http_date(now.as_system_time());
    HeaderValue::from_str(&now).unwrap_or_else(|_| HeaderValue::from_static(LAST_MODIFIED))
}

/// FNV-1a, over eight bytes at a time: an entity tag need not stand up to an enemy.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(0xcbf2_9ce4_8422_2325, |hash, chunk| {
        let mut word = [0u8; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
    })
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
