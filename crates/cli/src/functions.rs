//! `rimward functions`: viewer functions of a running node: stages, versions, publish and rollback
//! (`cloudfront-functions.md` sections 15 and 16).

use crate::client::{Client, Question, Running};
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

A function is named by the configuration, which has its settings too. Its file is the first version, of both stages.
What is published goes before the file, also after a restart or a reload, until it is rolled back.

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
    /// Which node
    #[command(flatten)]
    node: Running,
    /// Print the result as one JSON object
    #[arg(long, global = true)]
    json: bool,
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
        /// The code, a JavaScript file
        file: PathBuf,
        /// Only if the ETag of DEVELOPMENT is this one
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
    /// Makes LIVE what DEVELOPMENT is, or a file
    Publish {
        /// The function
        name: String,
        /// The code, a JavaScript file; it becomes DEVELOPMENT first
        file: Option<PathBuf>,
        /// Only if the ETag of DEVELOPMENT is this one
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
    /// Makes LIVE what it was before the last publish
    Rollback {
        /// The function
        name: String,
        /// `file` for the configuration's, or the beginning of a version that `describe` lists
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
    },
    /// Runs an event through a stage on the node; nothing is served
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
    let client = Client::new(&args.node)?;
    let asking = Asking { client, json: args.json };
    match &args.command {
        Command::List => asking.list(),
        Command::Describe { name, stage } => asking.describe(name, *stage),
        Command::Get { name, stage } => asking.get(name, *stage),
        Command::Update { name, file, if_match } => {
            let staged = asking.update(name, file, if_match.as_deref())?;
            Ok(asking.done("updated", &staged))
        }
        Command::Publish { name, file, if_match } => {
            let tag = match file {
                Some(file) => etag(&asking.update(name, file, if_match.as_deref())?),
                None => if_match.clone().unwrap_or_else(|| "*".to_owned()),
            };
            let staged = asking.post(&format!("/functions/{name}/publish"), Some(&tag), None)?;
            Ok(asking.done("published", &staged))
        }
        Command::Rollback { name, to } => {
            let staged = asking.post(&format!("/functions/{name}/rollback"), None, Some(json!({ "To": to })))?;
            Ok(asking.done("rolled back", &staged))
        }
        Command::Test { name, event, stage, as_vendor } => asking.test(name, event, *stage, *as_vendor),
    }
}

struct Asking {
    client: Client,
    json: bool,
}

impl Asking {
    fn list(&self) -> Result<Exit, Stop> {
        let answer = self.client.ask(Method::GET, "/functions", None)?;
        if self.json {
            return Ok(show(&answer));
        }
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
        Ok(Exit::Done)
    }

    fn describe(&self, name: &str, stage: Stage) -> Result<Exit, Stop> {
        let staged =
            self.client.ask(Method::GET, &format!("/functions/{name}/describe?Stage={}", word(stage)), None)?;
        if self.json {
            return Ok(show(&staged));
        }
        print::data(&line(&staged));
        let earlier = staged["Earlier"].as_array().into_iter().flatten();
        for version in earlier {
            print::data(&format!("  before: {}", version.as_str().map_or("file", short)));
        }
        Ok(Exit::Done)
    }

    fn get(&self, name: &str, stage: Stage) -> Result<Exit, Stop> {
        let path = format!("/functions/{name}?Stage={}", word(stage));
        let question = Question { method: Method::GET, path: &path, if_match: None, json: false, body: Vec::new() };
        let told = self.client.tell(question)?;
        if self.json {
            let code = String::from_utf8_lossy(&told.bytes);
            return Ok(show(&json!({ "FunctionCode": code, "ETag": told.etag })));
        }
        // A reader that has left (`| head`) stops nobody.
        let _nobody_reads = std::io::stdout().lock().write_all(&told.bytes);
        Ok(Exit::Done)
    }

    fn update(&self, name: &str, file: &Path, if_match: Option<&str>) -> Result<Value, Stop> {
        let unreadable = |error| Stop::unusable(format!("{}: cannot be read: {error}", file.display()));
        let body = std::fs::read(file).map_err(unreadable)?;
        let path = format!("/functions/{name}");
        let if_match = Some(if_match.unwrap_or("*"));
        let question = Question { method: Method::PUT, path: &path, if_match, json: false, body };
        self.client.tell_json(question)
    }

    fn post(&self, path: &str, if_match: Option<&str>, body: Option<Value>) -> Result<Value, Stop> {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.client.tell_json(Question { method: Method::POST, path, if_match, json: true, body })
    }

    fn test(&self, name: &str, event: &Path, stage: Stage, as_vendor: bool) -> Result<Exit, Stop> {
        let text = crate::run::read_event(event).map_err(Stop::unusable)?;
        let object: Value = serde_json::from_str(&text)
            .map_err(|error| Stop::unusable(format!("event {}: not JSON: {error}", event.display())))?;
        let request = json!({ "Stage": word(stage), "EventObject": object, "AsVendor": as_vendor });
        let result = self.post(&format!("/functions/{name}/test"), None, Some(request))?;
        let error = result["FunctionErrorMessage"].as_str().unwrap_or_default();
        let exit = if error.is_empty() { Exit::Done } else { Exit::Failed };
        if self.json {
            show(&result);
            return Ok(exit);
        }
        for line in result["FunctionExecutionLogs"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            print::say(line);
        }
        if error.is_empty() {
            let output: Value =
                result["FunctionOutput"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
            print::data(&serde_json::to_string_pretty(&output).unwrap_or_default());
        } else {
            print::problem(error, None);
        }
        let utilization = result["ComputeUtilization"].as_str().unwrap_or_default();
        print::say(&print::stderr().dim(&format!("cost: {utilization} % of the time limit")));
        Ok(exit)
    }

    fn done(&self, what: &str, staged: &Value) -> Exit {
        if self.json {
            return show(staged);
        }
        print::say(&format!("{what}: {}", line(staged)));
        Exit::Done
    }
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
    let source = match metadata["LastModifiedTime"].as_str() {
        Some(since) => format!("published {since}"),
        None => format!("file {}", field("File")),
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

fn show(answer: &Value) -> Exit {
    print::data(&serde_json::to_string_pretty(answer).unwrap_or_default());
    Exit::Done
}
