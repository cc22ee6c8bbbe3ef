//! Viewer functions.

use super::{Failed, Ran};
use rimward_config::{CodeKind, HeaderRules, ViewerFunction};
use rimward_event::connection::{self, OwnedConnection};
use rimward_event::headers::Tier;
use rimward_event::viewer::json::{self, OwnedEvent};
use rimward_event::{FailureCategory, Invalid, Strictness};
use rimward_isolate::{Cost, Function, Invocation, Run};
use rimward_types::{Clock, Hook, SystemClock};
use rimward_wire::reply::Reply;
use serde_json::Value;

/// Runs of one event; the quickest counts. The first one finds cold caches, and fresh state makes them all alike.
const RUNS: usize = 3;

/// An event for a function with `code`.
#[derive(Debug, Clone)]
pub enum Event {
    /// A viewer's request or response.
    Viewer(Box<OwnedEvent>),
    /// A new connection.
    Connection(OwnedConnection),
}

impl Event {
    /// The hook that it is for; `None`: it is for functions of connections.
    pub fn hook(&self) -> Option<Hook> {
        match self {
            Self::Viewer(event) => Some(event.hook),
            Self::Connection(_) => None,
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Viewer(event) => event.encode(out),
            Self::Connection(event) => event.encode(out),
        }
    }
}

/// Reads an event for a function of `kind`.
///
/// # Errors
/// A text that says what is wrong.
pub fn event(text: &str, kind: CodeKind) -> Result<Event, String> {
    let root = serde_json::from_str::<Value>(text).unwrap_or_default();
    let of_connection = OwnedConnection::is_one(&root);
    match kind {
        CodeKind::Connection if root.get("request").is_some() => {
            Err("this is an event of a viewer, and the function is one of connections".to_owned())
        }
        CodeKind::Connection => {
            OwnedConnection::from_json(text).map(Event::Connection).map_err(|error| error.to_string())
        }
        CodeKind::Viewer => json::event_from_json(text).map(|event| Event::Viewer(Box::new(event))).map_err(|error| {
            let note = if root.get("Records").is_some() {
                "; this is a Lambda@Edge event, and the function is a viewer function"
            } else if of_connection {
                "; this is an event of a connection, and the function is a viewer function"
            } else {
                ""
            };
            format!("{error}{note}")
        }),
    }
}

/// What code is for that comes without settings: it is for connections when it has that handler alone.
pub fn kind_of(code: &str) -> CodeKind {
    let has = |words: [&str; 2]| words.iter().any(|word| code.contains(word));
    let viewer = has(["function handler", "handler ="]) && !code.contains("connectionHandler =");
    match code.contains("connectionHandler") && !viewer {
        true => CodeKind::Connection,
        false => CodeKind::Viewer,
    }
}

/// Which rules a result has to keep: all that the node keeps, or with `as_vendor` those that the vendor's test operation
/// looks at, which are not the header restrictions (`cloudfront-functions.md` section 16).
pub fn strictness(settings: &ViewerFunction, as_vendor: bool) -> Strictness {
    match settings.header_rules {
        HeaderRules::Strict if !as_vendor => Strictness::Strict,
        _ => Strictness::Test,
    }
}

/// The vendor's sentence for code that does not compile (`cloudfront-functions.md` section 16).
pub fn uncompiled(message: &str) -> String {
    format!("{} {message}", FailureCategory::FunctionExecution.sentence())
}

/// Runs an event. `seed` is what the function's randomness starts from.
pub fn run(function: &Function, event: &Event, seed: u64, strictness: Strictness) -> Ran<Cost> {
    let invocation = Invocation { now: SystemClock.now(), seed, server: None, count_fuel: false };
    let mut best = run_once(function, event, invocation, strictness);
    for _ in 1..RUNS {
        let next = run_once(function, event, invocation, strictness);
        if next.cost.time < best.cost.time {
            best = next;
        }
    }
    best
}

/// Runs an event and counts its work: fuel, and the pages that it writes.
pub fn measure(function: &Function, event: &Event, seed: u64) -> Cost {
    let invocation = Invocation { now: SystemClock.now(), seed, server: None, count_fuel: true };
    run_once(function, event, invocation, Strictness::Strict).cost
}

fn run_once(function: &Function, event: &Event, invocation: Invocation, strictness: Strictness) -> Ran<Cost> {
    let mut bytes = Vec::new();
    event.encode(&mut bytes);
    let Run { result, logs, cost } = function.run(&bytes, invocation, |reply| decode(event, reply, strictness));
    let output = result.unwrap_or_else(|wall| {
        let category = FailureCategory::FunctionExecution;
        let sentence = format!("{} {wall}", category.sentence());
        Err(Failed { category, reason: wall.to_string(), sentence, place: None })
    });
    Ran { output, logs, cost }
}

fn decode(event: &Event, reply: &[u8], strictness: Strictness) -> Result<Value, Failed> {
    let reply = Reply::read(reply).map_err(|malformed| {
        let category = FailureCategory::FunctionExecution;
        Failed { category, reason: malformed.to_string(), sentence: category.sentence().to_owned(), place: None }
    })?;
    let decoded = match event {
        Event::Viewer(event) => event.decode(&reply, strictness).map(|outcome| json::outcome_to_json(&outcome)),
        Event::Connection(_) => connection::decode(&reply).map(|decided| connection::decided_to_json(&decided)),
    };
    decoded.map_err(|invalid| Failed {
        category: invalid.category(Tier::Viewer),
        reason: invalid.to_string(),
        sentence: invalid.test_message(),
        place: place(&invalid),
    })
}

fn place(invalid: &Invalid) -> Option<(u32, u32)> {
    match invalid {
        Invalid::Threw { line, column, .. } if *line > 0 => Some((*line, *column)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_alone_tells_what_it_is_for() {
        for (code, kind) in [
            ("function handler(event) { return event.request }", CodeKind::Viewer),
            ("async function connectionHandler(connection) { connection.allow() }", CodeKind::Connection),
            ("const connectionHandler = (c) => c.deny();", CodeKind::Connection),
            ("function handler(event) { /* not a connectionHandler */ }", CodeKind::Viewer),
            ("", CodeKind::Viewer),
        ] {
            assert_eq!(kind_of(code), kind, "{code}");
        }
    }

    #[test]
    fn an_event_of_the_other_kind_is_named() {
        let connection = r#"{"clientIp":"203.0.113.7"}"#;
        assert!(event(connection, CodeKind::Viewer).unwrap_err().ends_with("the function is a viewer function"));
        let viewer = r#"{"request":{"method":"GET","uri":"/"}}"#;
        assert!(event(viewer, CodeKind::Connection).unwrap_err().ends_with("the function is one of connections"));
        assert_eq!(event(connection, CodeKind::Connection).unwrap().hook(), None);
    }
}
