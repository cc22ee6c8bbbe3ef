//! `rimward functions`: functions of a running node: stages, versions, publish and rollback (`cloudfront-functions.md`
//! sections 15 and 16, `lambda-at-edge.md` section 13).

use crate::asking::{Asking, How, show};
use crate::client::Question;
use crate::exit::{Exit, Stop};
use crate::print;
use clap::{Subcommand, ValueEnum};
use http::Method;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

const AFTER: &str = "\
Examples:
  rimward functions list
  rimward functions publish ab-test index.js        this file is what requests run from now on
  rimward functions rollback ab-test                and this takes it back
  rimward functions update ab-test index.js         into DEVELOPMENT alone
  rimward functions test ab-test --event event.json
  rimward functions publish ab-test                 LIVE becomes what DEVELOPMENT is
  rimward functions publish resize function.wasm    an origin function's component, as the next numbered version
  rimward functions rollback resize --to 3

A function is named by the configuration, which has its settings too. Its file is the first version, of both stages.
What is published goes before the file, also after a restart or a reload, until it is rolled back. A component is
compiled, and its first instance started, before it takes requests; those in flight end on the version they began with.

Exit codes:
  0  done
  1  the node cannot be reached, there is no such function or version, the ETag is another one, or the test failed
  2  wrong usage, code that does not compile, or an input that cannot be read";

/// `rimward functions`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Functions {
    /// What to do
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// All functions, where they run, whether they work
    List,
    /// What a stage is: version, ETag, since when, what was before
    Describe {
        /// The function
        name: String,
        /// The stage
        #[arg(long, value_enum, ignore_case = true, default_value_t = Stage::Live)]
        stage: Stage,
    },
    /// The code of a stage
    Get {
        /// The function
        name: String,
        /// The stage
        #[arg(long, value_enum, ignore_case = true, default_value_t = Stage::Live)]
        stage: Stage,
    },
    /// Puts code into DEVELOPMENT, if it compiles
    Update {
        /// The function
        name: String,
        /// The code: a JavaScript file, or the component of an origin function
        file: PathBuf,
        /// Only if the ETag of DEVELOPMENT is this one
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
    /// Makes LIVE what DEVELOPMENT is, or a file
    Publish {
        /// The function
        name: String,
        /// The code: a JavaScript file or a component; it becomes DEVELOPMENT first
        file: Option<PathBuf>,
        /// Only if the ETag of DEVELOPMENT is this one
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
    /// Makes LIVE what it was before the last publish
    Rollback {
        /// The function
        name: String,
        /// `file` for the configuration's, or the number or the beginning of a version that `describe` lists
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
    },
    /// Runs an event through a stage of a viewer function on the node; nothing is served
    Test {
        /// The function
        name: String,
        /// The event, a JSON file; `-` reads standard input
        #[arg(long, value_name = "FILE")]
        event: PathBuf,
        /// The stage
        #[arg(long, value_enum, ignore_case = true, default_value_t = Stage::Development)]
        stage: Stage,
        /// Check the result no more than CloudFront's test operation does
        #[arg(long)]
        as_vendor: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// What was written last
    #[value(name = "DEVELOPMENT")]
    Development,
    /// What requests run
    #[value(name = "LIVE")]
    Live,
}

/// Runs the command.
///
/// # Errors
/// When the node cannot be reached or refuses, or a file cannot be read.
pub fn functions(args: &Functions) -> Result<Exit, Stop> {
    let asking = args.how.asking()?;
    match &args.command {
        Command::List => list(&asking),
        Command::Describe { name, stage } => describe(&asking, name, *stage),
        Command::Get { name, stage } => get(&asking, name, *stage),
        Command::Update { name, file, if_match } => {
            let staged = update(&asking, name, file, if_match.as_deref())?;
            Ok(done(&asking, "updated", &staged))
        }
        Command::Publish { name, file, if_match } => {
            let tag = match file {
                Some(file) => etag(&update(&asking, name, file, if_match.as_deref())?),
                None => if_match.clone().unwrap_or_else(|| "*".to_owned()),
            };
            let staged = post(&asking, &format!("/functions/{name}/publish"), Some(&tag), None)?;
            Ok(done(&asking, "published", &staged))
        }
        Command::Rollback { name, to } => {
            let staged = post(&asking, &format!("/functions/{name}/rollback"), None, Some(json!({ "To": to })))?;
            Ok(done(&asking, "rolled back", &staged))
        }
        Command::Test { name, event, stage, as_vendor } => test(&asking, name, event, *stage, *as_vendor),
    }
}

fn list(asking: &Asking) -> Result<Exit, Stop> {
    let answer = asking.client.ask(Method::GET, "/functions", None)?;
    Ok(asking.answered(&answer, || {
        for function in answer["functions"].as_array().into_iter().flatten() {
            let field = |name: &str| function[name].as_str().unwrap_or_default();
            let places = function["places"].as_array().map_or(0, Vec::len);
            let state = match (function["problem"].as_str(), function["throttled-until"].as_str()) {
                (Some(problem), _) => format!("broken: {}", problem.lines().next().unwrap_or_default()),
                (None, Some(until)) => format!("throttled until {until}"),
                (None, None) => format!("{} {}", field("source"), field("version")),
            };
            let name = print::stdout().bold(field("name"));
            print::data(&format!("{name}  {}, {}, {state}", field("tier"), print::counted(places, "place")));
        }
    }))
}

fn describe(asking: &Asking, name: &str, stage: Stage) -> Result<Exit, Stop> {
    let path = format!("/functions/{name}/describe?Stage={}", word(stage));
    let staged = asking.client.ask(Method::GET, &path, None)?;
    Ok(asking.answered(&staged, || {
        print::data(&line(&staged));
        for version in staged["Versions"].as_array().into_iter().flatten() {
            let field = |name: &str| version[name].as_str().unwrap_or_default();
            let (number, digest) = (&version["Number"], short(field("Version")));
            print::data(&format!("  version {number}: {digest}, published {}", field("Since")));
        }
        for version in staged["Earlier"].as_array().into_iter().flatten() {
            print::data(&format!("  before: {}", version.as_str().map_or("file", short)));
        }
    }))
}

fn get(asking: &Asking, name: &str, stage: Stage) -> Result<Exit, Stop> {
    let path = format!("/functions/{name}?Stage={}", word(stage));
    let question = Question { method: Method::GET, path: &path, if_match: None, json: false, body: Vec::new() };
    let told = asking.client.tell(question)?;
    let text = std::str::from_utf8(&told.bytes);
    if asking.json && text.is_err() {
        let why = format!("function `{name}` is a component, which JSON cannot hold as text");
        return Err(Stop::unusable(why).hint("leave out --json"));
    }
    let answer = json!({ "FunctionCode": text.unwrap_or_default(), "ETag": told.etag });
    Ok(asking.answered(&answer, || {
        // A reader that has left (`| head`) stops nobody.
        let _nobody_reads = std::io::stdout().lock().write_all(&told.bytes);
    }))
}

fn update(asking: &Asking, name: &str, file: &Path, if_match: Option<&str>) -> Result<Value, Stop> {
    let unreadable = |error| Stop::unusable(format!("{}: cannot be read: {error}", file.display()));
    let body = std::fs::read(file).map_err(unreadable)?;
    let path = format!("/functions/{name}");
    let if_match = Some(if_match.unwrap_or("*"));
    asking.client.tell_json(Question { method: Method::PUT, path: &path, if_match, json: false, body })
}

fn post(asking: &Asking, path: &str, if_match: Option<&str>, body: Option<Value>) -> Result<Value, Stop> {
    let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    asking.client.tell_json(Question { method: Method::POST, path, if_match, json: true, body })
}

fn test(asking: &Asking, name: &str, event: &Path, stage: Stage, as_vendor: bool) -> Result<Exit, Stop> {
    let text = crate::run::read_event(event).map_err(Stop::unusable)?;
    let object: Value = serde_json::from_str(&text)
        .map_err(|error| Stop::unusable(format!("event {}: not JSON: {error}", event.display())))?;
    let request = json!({ "Stage": word(stage), "EventObject": object, "AsVendor": as_vendor });
    let result = post(asking, &format!("/functions/{name}/test"), None, Some(request))?;
    let error = result["FunctionErrorMessage"].as_str().unwrap_or_default();
    asking.answered(&result, || {
        for line in result["FunctionExecutionLogs"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            print::say(line);
        }
        if error.is_empty() {
            let output: Value =
                result["FunctionOutput"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
            show(&output);
        } else {
            print::problem(error, None);
        }
        let utilization = result["ComputeUtilization"].as_str().unwrap_or_default();
        print::say(&print::stderr().dim(&format!("cost: {utilization} % of the time limit")));
    });
    Ok(if error.is_empty() { Exit::Done } else { Exit::Failed })
}

fn done(asking: &Asking, what: &str, staged: &Value) -> Exit {
    asking.answered(staged, || print::say(&format!("{what}: {}", line(staged))))
}

fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Development => "DEVELOPMENT",
        Stage::Live => "LIVE",
    }
}

/// A stage for people.
fn line(staged: &Value) -> String {
    let field = |name: &str| staged[name].as_str().unwrap_or_default();
    let metadata = &staged["FunctionMetadata"];
    let source = match (metadata["LastModifiedTime"].as_str(), staged["Number"].as_u64()) {
        (Some(since), Some(number)) => format!("published {since} as {number}"),
        (Some(since), None) => format!("written {since}"),
        (None, _) => format!("file {}", field("File")),
    };
    let throttled = staged["ThrottledUntil"].as_str().map(|until| format!(", throttled until {until}"));
    format!(
        "{} {}  {}, version {}, {source}, ETag {}{}",
        field("Name"),
        metadata["Stage"].as_str().unwrap_or_default(),
        field("Status"),
        short(field("Version")),
        field("ETag"),
        throttled.unwrap_or_default(),
    )
}

fn short(version: &str) -> &str {
    version.get(..12).unwrap_or(version)
}

fn etag(staged: &Value) -> String {
    staged["ETag"].as_str().unwrap_or("*").to_owned()
}
