//! `rimward purge`: removes stored answers of a running node, or makes them stale.

use crate::args::Purge;
use crate::client::Client;
use crate::exit::{Exit, Stop};
use crate::print;
use http::Method;
use rimward_admin::InvalidPurge;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// What the node gives as a receipt.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Receipt {
    removed: u64,
    bytes: u64,
    fetches: u64,
    examples: Vec<String>,
    soft: bool,
    dry_run: bool,
    at: String,
    microseconds: u64,
}

/// Runs the command.
///
/// # Errors
/// When the target cannot be used, or the node cannot be reached or refuses.
pub fn purge(args: &Purge) -> Result<Exit, Stop> {
    let request = request(args);
    // In the words of the node, without one.
    rimward_admin::Purge::from_json(request.to_string().as_bytes()).map_err(|invalid| unusable(&invalid))?;
    let answer = Client::new(&args.node)?.ask(Method::POST, "/purge", Some(&request))?;
    if args.json {
        print::data(&format!("{answer:#}"));
        return Ok(Exit::Done);
    }
    let receipt = Receipt::deserialize(&answer)
        .map_err(|error| Stop::failed(format!("the node's receipt cannot be read: {error}")))?;
    for url in &receipt.examples {
        print::data(url);
    }
    print::say(&receipt.sentence());
    Ok(Exit::Done)
}

/// The body of `POST /purge`.
fn request(args: &Purge) -> Value {
    // A shell needs quotes for the star, and nobody types a prefix and means less.
    let prefix = args.prefix.as_deref().map(|prefix| format!("{}*", prefix.strip_suffix('*').unwrap_or(prefix)));
    let mut request = json!({});
    for (key, value) in [("url", &args.url), ("prefix", &prefix), ("tag", &args.tag), ("host", &args.host)] {
        if let Some(value) = value {
            request[key] = value.as_str().into();
        }
    }
    if args.everything {
        request["everything"] = true.into();
    }
    request["soft"] = args.soft.into();
    request["dry-run"] = args.dry_run.into();
    request
}

fn unusable(invalid: &InvalidPurge) -> Stop {
    let hint = match invalid {
        InvalidPurge::Star => "to purge all that begins with it, put --prefix before it",
        InvalidPurge::Url(_) => "write scheme, host and path, such as https://www.example.com/images/logo.png",
        other => other.hint(),
    };
    Stop::unusable(invalid).hint(hint)
}

impl Receipt {
    fn sentence(&self) -> String {
        let what = match (self.dry_run, self.soft) {
            (false, false) => "removed",
            (false, true) => "made stale",
            (true, false) => "would be removed",
            (true, true) => "would be made stale",
        };
        let answers = match self.removed {
            1 => "1 stored answer".to_owned(),
            n => format!("{} stored answers", print::grouped(n)),
        };
        let named = self.examples.len() as u64;
        let more = if self.removed > named && named > 0 { ", some of them above" } else { "" };
        let fetches = match self.fetches {
            0 => String::new(),
            1 => ", and 1 fetch in flight".to_owned(),
            n => format!(", and {} fetches in flight", print::grouped(n)),
        };
        let took = print::time(Duration::from_micros(self.microseconds));
        format!("{answers} {what} ({}{more}){fetches}; {}, {took}", print::bytes(self.bytes), self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            removed: 1,
            bytes: 2048,
            fetches: 0,
            examples: vec!["/a".to_owned()],
            soft: false,
            dry_run: false,
            at: "2026-01-31T12:00:00Z".to_owned(),
            microseconds: 120,
        }
    }

    #[test]
    fn a_receipt_is_a_sentence() {
        assert_eq!(receipt().sentence(), "1 stored answer removed (2.0 KB); 2026-01-31T12:00:00Z, 120.0 µs");
        let many = Receipt { removed: 1200, fetches: 2, soft: true, dry_run: true, ..receipt() };
        let text = "1,200 stored answers would be made stale (2.0 KB, some of them above), and 2 fetches in flight; \
                    2026-01-31T12:00:00Z, 120.0 µs";
        assert_eq!(many.sentence(), text);
    }
}
