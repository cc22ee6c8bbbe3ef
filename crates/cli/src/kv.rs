//! `rimward kv`: key value stores of a running node (`cloudfront-functions.md` section 12).

use crate::asking::{Asking, How, show};
use crate::client::Question;
use crate::exit::{Exit, Stop};
use crate::print;
use clap::Subcommand;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const AFTER: &str = "\
Examples:
  rimward kv list                                   the stores of the node
  rimward kv list redirects                         all pairs of one
  rimward kv put redirects /old /new
  rimward kv export redirects > redirects.json
  rimward kv import redirects redirects.json

Every store has an ETag that changes with each write. Writes take --if-match ETAG and are refused when somebody wrote in
between; without it they write over whatever is there. The next request sees what was written.

Exit codes:
  0  done
  1  the node cannot be reached, there is no such store or key, or the ETag is another one
  2  wrong usage, or an input that cannot be used";

/// What a segment of a path has as it is (RFC 3986 section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `rimward kv`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Kv {
    /// What to do
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The stores, or the pairs of one
    List {
        /// The store
        store: Option<String>,
    },
    /// Number of pairs, size, times and ETag
    Describe {
        /// The store
        store: String,
    },
    /// The value of a key
    Get {
        /// The store
        store: String,
        /// The key
        key: String,
    },
    /// Sets the value of a key
    Put {
        /// The store
        store: String,
        /// The key
        key: String,
        /// The value; `-` reads standard input
        value: String,
        /// Only if the store's ETag is this one
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
    /// Removes keys, all or none; one that is not there does no harm
    Delete {
        /// The store
        store: String,
        /// The keys, 50 at most
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
        /// Only if the store's ETag is this one
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
    /// Several changes, all or nothing: {"Puts": [{"Key", "Value"}], "Deletes": [{"Key"}]}
    Update {
        /// The store
        store: String,
        /// The changes, a JSON file; `-` reads standard input
        file: PathBuf,
        /// Only if the store's ETag is this one
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
    /// Puts a file in the place of everything: {"data": [{"key", "value"}]}
    Import {
        /// The store
        store: String,
        /// The pairs, a JSON file; `-` reads standard input
        file: PathBuf,
        /// Only if the store's ETag is this one
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
    /// Everything, in the format that `import` takes
    Export {
        /// The store
        store: String,
    },
}

/// Runs the command.
///
/// # Errors
/// When the node cannot be reached or refuses, or an input cannot be read.
pub fn kv(args: &Kv) -> Result<Exit, Stop> {
    let asking = args.how.asking()?;
    let write = |method, path: &str, if_match: &Option<String>, body: String| {
        write(&asking, method, path, if_match.as_deref(), body)
    };
    match &args.command {
        Command::List { store: None } => stores(&asking),
        Command::List { store: Some(store) } => pairs(&asking, store),
        Command::Describe { store } => describe(&asking, store),
        Command::Get { store, key } => get(&asking, store, key),
        Command::Put { store, key, value, if_match } => {
            let value = if value == "-" { text(Path::new("-"))? } else { value.clone() };
            let body = json!({ "Value": value }).to_string();
            write(Method::PUT, &format!("{}/keys/{}", path(store), encoded(key)), if_match, body)
        }
        Command::Delete { store, keys, if_match } => {
            let deletes: Vec<Value> = keys.iter().map(|key| json!({ "Key": key })).collect();
            let body = json!({ "Deletes": deletes }).to_string();
            write(Method::POST, &format!("{}/keys", path(store)), if_match, body)
        }
        Command::Update { store, file, if_match } => {
            write(Method::POST, &format!("{}/keys", path(store)), if_match, text(file)?)
        }
        Command::Import { store, file, if_match } => {
            write(Method::PUT, &format!("{}/data", path(store)), if_match, text(file)?)
        }
        Command::Export { store } => {
            Ok(show(&asking.client.ask(Method::GET, &format!("{}/data", path(store)), None)?))
        }
    }
}

fn stores(asking: &Asking) -> Result<Exit, Stop> {
    let answer = asking.client.ask(Method::GET, "/key-value-stores", None)?;
    Ok(asking.answered(&answer, || items(&answer).for_each(|store| print::data(&line(store)))))
}

fn describe(asking: &Asking, store: &str) -> Result<Exit, Stop> {
    let answer = asking.client.ask(Method::GET, &path(store), None)?;
    Ok(asking.answered(&answer, || print::data(&line(&answer))))
}

/// All pages. What somebody writes in between may be seen in one and not in another.
fn pairs(asking: &Asking, store: &str) -> Result<Exit, Stop> {
    let mut pairs = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let query = token.map(|token| format!("?NextToken={token}")).unwrap_or_default();
        let page = asking.client.ask(Method::GET, &format!("{}/keys{query}", path(store)), None)?;
        pairs.extend(items(&page).cloned());
        token = page["NextToken"].as_str().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    let all = json!({ "Items": pairs });
    Ok(asking.answered(&all, || {
        for pair in items(&all) {
            print::data(&format!("{}\t{}", field(pair, "Key"), field(pair, "Value")));
        }
    }))
}

fn get(asking: &Asking, store: &str, key: &str) -> Result<Exit, Stop> {
    let answer = asking.client.ask(Method::GET, &format!("{}/keys/{}", path(store), encoded(key)), None)?;
    Ok(asking.answered(&answer, || print::data(&field(&answer, "Value"))))
}

fn write(asking: &Asking, method: Method, path: &str, if_match: Option<&str>, body: String) -> Result<Exit, Stop> {
    let question =
        Question { method, path, if_match: Some(if_match.unwrap_or("*")), json: true, body: body.into_bytes() };
    let answer = asking.client.tell_json(question)?;
    Ok(asking.answered(&answer, || {
        let pairs = answer["ItemCount"].as_u64().unwrap_or_default();
        let size = print::bytes(answer["TotalSizeInBytes"].as_u64().unwrap_or_default());
        let pairs = print::counted(pairs as usize, "pair");
        print::say(&format!("written: {pairs}, {size}, ETag {}", field(&answer, "ETag")));
    }))
}

fn path(store: &str) -> String {
    format!("/key-value-stores/{}", encoded(store))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A file's text, or standard input's for `-`.
fn text(file: &Path) -> Result<String, Stop> {
    let read = match file.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(file),
    };
    read.map_err(|error| Stop::unusable(format!("{}: cannot be read: {error}", file.display())))
}

fn items(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["Items"].as_array().into_iter().flatten()
}

fn field(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// A store for people.
fn line(store: &Value) -> String {
    let number = |name: &str| store[name].as_u64().unwrap_or_default();
    format!(
        "{}  {}, {} of {}, ETag {}",
        print::stdout().bold(&field(store, "Name")),
        print::counted(number("ItemCount") as usize, "pair"),
        print::bytes(number("TotalSizeInBytes")),
        print::bytes(number("SizeLimitInBytes")),
        field(store, "ETag"),
    )
}
