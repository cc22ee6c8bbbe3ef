//! A function in the JSON flavour that does to its sandbox what the path of the request says, and tells how it went in
//! the body of a response. The sandbox's tests call it.

wit_bindgen::generate!({
    path: "../../../wit",
    world: "lambda-function",
});

mod files;
mod network;

use std::sync::atomic::{AtomicU32, Ordering};

use exports::rimward::edge::lambda::Guest;
use wasip2::cli::{environment, exit, stderr, stdout};
use rimward::edge::secrets;
use wasip2::clocks::monotonic_clock;
use wasip2::http::types::Scheme;

static CALLS: AtomicU32 = AtomicU32::new(0);

struct Probe;

impl Guest for Probe {
    fn invoke(event: String, context: String) -> Result<String, String> {
        let calls = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
        let uri = field(&event, "uri").unwrap_or_default();
        let (path, argument) = uri.split_once('~').unwrap_or((uri, ""));
        let number = || argument.parse::<u64>().map_err(|error| format!("{argument}: {error}"));
        let body = match path {
            "/calls" => calls.to_string(),
            "/context" => context,
            "/environment" => environment::get_environment().iter().map(|(n, v)| format!("{n}={v}\n")).collect(),
            "/echo" => return Ok(message(&event).to_owned()),
            // The event: in the body where a body may be given, else in a header.
            "/event" if event.contains(r#""eventType":"viewer-response""#) => {
                return Ok(with_header(&event, "x-event", &event));
            }
            "/event" => event.clone(),
            "/body" => {
                let data = field(&event, "data").unwrap_or_default();
                format!("{} {}", event.contains(r#""inputTruncated":true"#), data.len())
            }
            // `NAME=VALUE`: one header more.
            "/put" => {
                let (name, value) = argument.split_once('=').ok_or("no =")?;
                return Ok(with_header(&event, name, value));
            }
            // The request goes to another origin, with one custom header.
            "/origin" => {
                let own = field(&event, "domainName").ok_or("no origin")?;
                let from = format!(r#""domainName":"{own}""#);
                let header = format!(r#""customHeaders":{{"x-from":[{{"value":"{own}"}}]}}"#);
                let request = message(&event).replacen(&from, &format!(r#""domainName":"{argument}""#), 1);
                return Ok(request.replacen(r#""customHeaders":{}"#, &header, 1));
            }
            // The request goes on under another path.
            "/go" => return Ok(message(&event).replacen(uri, argument, 1)),
            "/print" => {
                print(number()? as usize);
                "printed".to_owned()
            }
            "/spin" => loop {
                std::hint::spin_loop();
            },
            "/sleep" => {
                monotonic_clock::subscribe_duration(number()? * 1_000_000).block();
                "slept".to_owned()
            }
            "/hold" => {
                let bytes = vec![1_u8; number()? as usize];
                std::mem::forget(std::hint::black_box(bytes));
                "held".to_owned()
            }
            "/try-hold" => match Vec::<u8>::new().try_reserve_exact(number()? as usize) {
                Ok(()) => "fits".to_owned(),
                Err(_) => "does not fit".to_owned(),
            },
            "/trap" => std::arch::wasm32::unreachable(),
            "/recurse" => recurse(1).to_string(),
            "/exit" => {
                exit::exit(Err(()));
                String::new()
            }
            "/error" => return Err("TypeError: x is not a function\n    at handler".to_owned()),
            "/nonsense" => return Ok("not JSON".to_owned()),
            "/large" => "x".repeat(number()? as usize),
            "/random" => wasip2::random::random::get_random_bytes(number()?).len().to_string(),
            "/write" => files::write(number()?),
            "/rewrite" => files::rewrite(number()?),
            "/hidden" => files::hidden(number()?),
            "/stream" => files::stream(number()?),
            "/entries" => files::entries(number()?),
            "/read" => files::read(),
            "/outside" => files::outside(),
            "/handles" => files::handles(number()?),
            "/links" => files::links(),
            "/fetch" => network::fetch(argument, Scheme::Http),
            "/fetch-tls" => network::fetch(argument, Scheme::Https),
            "/flood" => network::flood(argument),
            "/burst" => network::burst(argument),
            "/upload" => network::upload(argument),
            "/secret" => secrets::get(argument).unwrap_or_else(|| "no secret".to_owned()),
            "/leak" => leak(argument)?,
            "/headers" => return Ok(headers(number()? as usize)),
            "/socket" => network::socket(),
            "/resolve" => network::resolve(argument),
            _ => return Err(format!("no probe {path}")),
        };
        Ok(format!(r#"{{"status":"200","body":{}}}"#, quoted(&body)))
    }
}

export!(Probe);

/// A string field, wherever it stands. Events of the tests have no escapes in it.
fn field<'a>(event: &'a str, name: &str) -> Option<&'a str> {
    let start = event.find(&format!(r#""{name}":""#))? + name.len() + 4;
    event[start..].split('"').next()
}

/// What the handler may give back: the response where there is one, else the request.
fn message(event: &str) -> &str {
    let response = object(event, "response");
    if response.is_empty() { object(event, "request") } else { response }
}

/// The message with one header more.
fn with_header(event: &str, name: &str, value: &str) -> String {
    let entry = format!(r#""headers":{{{}:[{{"value":{}}}],"#, quoted(name), quoted(value));
    message(event).replacen(r#""headers":{"#, &entry, 1).replacen(",}", "}", 1)
}

/// An object member: the text up to the brace that closes it.
fn object<'a>(event: &'a str, name: &str) -> &'a str {
    let Some(start) = event.find(&format!(r#""{name}":{{"#)) else { return "" };
    let text = &event[start + name.len() + 3..];
    let mut depth = 0;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => return &text[..=at],
            '}' => depth -= 1,
            _ => {}
        }
    }
    ""
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn print(bytes: usize) {
    let (out, error) = (stdout::get_stdout(), stderr::get_stderr());
    let _ = out.blocking_write_and_flush(b"to stdout\n");
    let _ = error.blocking_write_and_flush(b"to stderr\n");
    let line = [b'x'; 4096];
    for _ in 0..bytes / line.len() {
        let _ = out.blocking_write_and_flush(&line);
    }
}

/// Tells a secret to everybody who listens.
fn leak(name: &str) -> Result<String, String> {
    let value = secrets::get(name).unwrap_or_default();
    let _ = stdout::get_stdout().blocking_write_and_flush(format!("the secret is {value}\n").as_bytes());
    Err(format!("Error: {value} was refused"))
}

/// A response with many headers.
fn headers(count: usize) -> String {
    let headers: Vec<String> = (0..count).map(|n| format!(r#""x-{n}":[{{"value":"v"}}]"#)).collect();
    format!(r#"{{"status":"200","headers":{{{}}}}}"#, headers.join(","))
}

#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    frame[0] + recurse(depth + 1) + frame[63]
}
