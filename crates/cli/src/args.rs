//! What may be written on the command line.

use crate::client::Running;
use crate::functions::Functions;
use crate::kv::Kv;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgGroup, Parser, Subcommand, ValueEnum};
use rimward_build::{Handler, Language};
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes:
  0  all is well
  1  a check, a test or a function failed, or the node could not start, be reached or do it
  2  wrong usage, or an input that cannot be read";

const AFTER: &str = "\
A first round, in the folder edge-functions:
  rimward test                                      run every function's events
  rimward serve                                     serve rimward.toml, http://127.0.0.1:8080
  rimward invoke --code viewer/ab-test/index.js --event viewer/ab-test/events/returning-visitor.json

Exit codes:
  0  all is well
  1  a check, a test or a function failed, or the node could not start, be reached or do it
  2  wrong usage, or an input that cannot be read

Data goes to standard output, everything else to standard error. Colours are for terminals alone; NO_COLOR turns them off.";

/// A content delivery node that runs your code on every request.
#[derive(Debug, Parser)]
#[command(name = "rimward", version, styles = STYLES, after_help = AFTER)]
#[command(arg_required_else_help = true, disable_help_subcommand = true, infer_subcommands = false)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a node: a caching reverse proxy with functions at its four hooks
    Serve(Serve),
    /// Run one event through one function
    Invoke(Invoke),
    /// Run the events of functions and compare with what they expect
    Test(Test),
    /// Check a configuration and its functions without running them
    Check(Check),
    /// Read and write key value stores of a running node
    Kv(Kv),
    /// Publish, roll back and test viewer functions of a running node
    Functions(Functions),
    /// Compile the component on standard input to machine code on standard output; the node calls itself with it
    #[command(name = crate::engines::COMPILE, hide = true)]
    CompileComponent(CompileComponent),
    /// Build a function in JavaScript, Python, Rust or C into a component
    Build(Build),
    /// Remove stored answers of a running node, or make them stale
    Purge(Purge),
    /// Tell why a running node would answer a request as it would
    Explain(Explain),
}

const SERVE: &str = "\
Examples:
  rimward serve
  rimward serve --config site/rimward.toml --listen 0.0.0.0:8080 --admin 127.0.0.1:8081
  kill -HUP <pid>                                   read the configuration again

Signals:
  SIGHUP            reads the configuration, functions, stores and certificates again and swaps them at once; a bad
                    file, or a function that worked before and does not now, changes nothing. POST /reload of the
                    admin API does the same. Listeners, workers and the cache's size need a restart.
  SIGTERM, SIGINT   stops accepting, finishes requests in flight (up to node.limits.drain); a second one cuts them.

Environment:
  RIMWARD_LOG       what is logged on standard error, such as info (default), debug, warn,rimward_proxy=debug

A function that does not compile does not stop the node: its requests get 503 until it is mended.";

/// `rimward serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{SERVE}\n\n{EXIT_CODES}"))]
pub struct Serve {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "rimward.toml")]
    pub config: PathBuf,
    /// Listen here for HTTP instead of at `node.listen`; ADDRESS:PORT, or a port of 127.0.0.1
    #[arg(long, value_name = "ADDR", num_args = 1.., value_parser = address)]
    pub listen: Vec<SocketAddr>,
    /// Offer the admin API here instead of at `node.admin`
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub admin: Option<SocketAddr>,
}

const INVOKE: &str = "\
Examples:
  rimward invoke --code index.js --event event.json
  rimward invoke --code index.js --kvs keys.json --event - < event.json
  rimward invoke --function ab-test --config rimward.toml --event event.json --json
  rimward invoke --component function.wasm --event origin-request.json

The event is what the function gets: for viewer functions as in CloudFront Functions ({\"version\", \"context\",
\"viewer\", \"request\", \"response\"}), for components as in Lambda@Edge ({\"Records\": [{\"cf\": ...}]}). What the function
returned goes to standard output, its log and its cost to standard error.

With --json a viewer function's result has the shape of CloudFront's TestFunction: FunctionOutput (JSON text),
ComputeUtilization, FunctionExecutionLogs, FunctionErrorMessage. Header rules and origin rewrites are checked as in
production, which the vendor's operation does not do; --as-vendor leaves that out.";

/// `rimward invoke`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{INVOKE}\n\n{EXIT_CODES}"))]
#[command(group = ArgGroup::new("what").required(true).args(["code", "component", "function"]))]
pub struct Invoke {
    /// A viewer function: a JavaScript file
    #[arg(long, value_name = "FILE")]
    pub code: Option<PathBuf>,
    /// An origin function: a WebAssembly component
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,
    /// A function of the configuration, with its limits, store and grants
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
    /// The configuration that has the function
    #[arg(long, value_name = "FILE", default_value = "rimward.toml")]
    pub config: PathBuf,
    /// The event, a JSON file; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub event: PathBuf,
    /// Key value store of a viewer function, {"data": [{"key": "k", "value": "v"}]}
    #[arg(long, value_name = "FILE", conflicts_with = "component")]
    pub kvs: Option<PathBuf>,
    /// Runtime of a viewer function
    #[arg(long, value_name = "RUNTIME", conflicts_with_all = ["component", "function"])]
    pub runtime: Option<Runtime>,
    /// Check a viewer function's result no more than CloudFront's test operation does
    #[arg(long, conflicts_with = "component")]
    pub as_vendor: bool,
    /// Print everything as one JSON object
    #[arg(long)]
    pub json: bool,
}

const TEST: &str = "\
Examples:
  rimward test                                      everything below edge-functions, or below this folder
  rimward test viewer/ab-test
  rimward test --json | jq .passed

A function is a folder with a function.toml. Each events/NAME.json is run; NAME.expect.json beside it says what must come:
  {\"request\": {...}} or {\"response\": {...}}   members that are named must be equal, null must be absent
  {\"error\": \"execution\"} or {\"error\": \"validation\"}
Without it the event has to run without an error. A component that is not built is skipped, not failed.";

/// `rimward test`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{TEST}\n\n{EXIT_CODES}"))]
pub struct Test {
    /// Folders to look for function.toml in, or such files
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Print the results as one JSON object
    #[arg(long)]
    pub json: bool,
}

const CHECK: &str = "\
Examples:
  rimward check                                     rimward.toml and all its functions
  rimward check --config site/rimward.toml
  rimward check viewer/ab-test/index.js             one function
  rimward check edge-functions --target cloudfront  every function below a folder

Functions are published as a node would do it, so that syntax errors, missing handlers and sizes are found; they do
not get an event. With --target cloudfront code is also held against what the service allows: syntax, built-ins,
modules, headers that are written, sizes.";

/// `rimward check`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{CHECK}\n\n{EXIT_CODES}"))]
pub struct Check {
    /// A configuration, a JavaScript file, a component, or a folder with function.toml files
    #[arg(value_name = "PATH", conflicts_with = "config")]
    pub path: Option<PathBuf>,
    /// The configuration; without PATH and --config, rimward.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Whose rules count besides this node's
    #[arg(long, value_name = "TARGET")]
    pub target: Option<Target>,
    /// Print the results as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `rimward compile-component`.
#[derive(Debug, clap::Args)]
pub struct CompileComponent {
    /// Bytes of memory, seconds of processor time
    #[arg(value_name = "LIMIT", num_args = 2, required = true)]
    pub limits: Vec<OsString>,
}

const BUILD: &str = "\
Examples:
  rimward build edge/                                edge/function.wasm, of index.js, lambda_function.py, Cargo.toml ...
  rimward build edge/ -o out.wasm --handler src/app.main
  rimward build rewrite.ts --install                 one file; tools that are missing are installed first

JavaScript and TypeScript need Node.js, Python needs Python 3; `--install` brings componentize-js and esbuild (npm) or
componentize-py (PyPI) at the versions of this release into the folder .rimward beside the nearest rimward.toml, else in
the function's folder. Nothing is ever installed elsewhere, and nothing without `--install`. Rust needs cargo with a target
for WebAssembly, C needs clang with wasi-libc. A component of the same files and tools is taken from .rimward.";

/// `rimward build`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{BUILD}\n\n{EXIT_CODES}"))]
pub struct Build {
    /// A function's folder, or its one file
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// The component [default: function.wasm in the function's folder]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The language, where the files do not tell: javascript, python, rust or c
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<Language>,
    /// The handler of JavaScript or Python, such as index.handler or lambda_function.lambda_handler
    #[arg(long, value_name = "FILE.EXPORT")]
    pub handler: Option<Handler>,
    /// Install tools and packages that are missing, in the project's own folder
    #[arg(long)]
    pub install: bool,
    /// Keep tools and built components in this folder instead of .rimward
    #[arg(long, value_name = "FOLDER", env = "RIMWARD_TOOLS")]
    pub tools: Option<PathBuf>,
    /// Build anew what was built before
    #[arg(long)]
    pub no_cache: bool,
    /// Print the result as one JSON object
    #[arg(long)]
    pub json: bool,
}

const PURGE: &str = "\
Examples:
  rimward purge https://www.example.com/index.html
  rimward purge --prefix https://www.example.com/images/ --dry-run
  rimward purge --tag post-7 --host www.example.com
  rimward purge --everything --soft

A URL is named as it is stored: after viewer-request, with the part of the query that is in the cache key. All its
variants go together. With --soft, answers become stale instead of being removed: each is validated with the origin
before its next use, or stands in when the origin is away. A fetch that began before the purge is not stored.

Some of the URLs go to standard output, the receipt to standard error; with --json the receipt is the output.";

/// `rimward purge`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{PURGE}\n\n{EXIT_CODES}"))]
#[command(group = ArgGroup::new("target").required(true).args(["url", "prefix", "tag", "host", "everything"]).multiple(true))]
pub struct Purge {
    /// Every variant of this URL
    #[arg(value_name = "URL", conflicts_with_all = ["prefix", "tag", "host", "everything"])]
    pub url: Option<String>,
    /// Every URL that begins with this; a `*` at the end may be left out
    #[arg(long, value_name = "URL", conflicts_with_all = ["tag", "host", "everything"])]
    pub prefix: Option<String>,
    /// Every answer that carries this tag, in every distribution, or in that of --host
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// Everything that may be served at this host
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Everything, of every distribution
    #[arg(long, conflicts_with_all = ["tag", "host"])]
    pub everything: bool,
    /// Make stale instead of removing
    #[arg(long)]
    pub soft: bool,
    /// Count, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the receipt as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node
    #[command(flatten)]
    pub node: Running,
}

const EXPLAIN: &str = "\
Examples:
  rimward explain https://www.example.com/index.html
  rimward explain https://www.example.com/a?b=1 -H 'accept-encoding: br' -H 'cookie: session=1'
  rimward explain https://www.example.com/ --json | jq .cache.decision

Nothing is fetched, stored or logged as a request. A JavaScript function at viewer-request runs, since the cache key is
made of what it returns; a component does not, as it may act outside, and the explanation says so.";

/// `rimward explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXPLAIN}\n\n{EXIT_CODES}"))]
pub struct Explain {
    /// What is asked for
    #[arg(value_name = "URL")]
    pub url: String,
    /// A header of the request, `name: value`
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub headers: Vec<String>,
    /// Its method
    #[arg(short = 'X', long, value_name = "METHOD", default_value = "GET")]
    pub method: String,
    /// Print the explanation as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node
    #[command(flatten)]
    pub node: Running,
}

/// `--runtime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Runtime {
    /// The older one: no async, no modules but crypto and querystring
    #[value(name = "cloudfront-js-1.0", alias = "1.0")]
    V1,
    /// The newer one, and the default
    #[value(name = "cloudfront-js-2.0", alias = "2.0")]
    V2,
}

/// `--target`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// What CloudFront Functions would refuse
    Cloudfront,
}

/// An address, or a port of the loopback interface.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.trim_start_matches(':').parse() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.parse().map_err(|_| "expected ADDRESS:PORT, such as 127.0.0.1:8080, [::]:8080, or a port".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }

    #[test]
    fn an_address_may_be_a_port_of_loopback() {
        let at = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        assert_eq!(address("8080"), Ok(at(8080)));
        assert_eq!(address(":0"), Ok(at(0)));
        assert_eq!(address("[::1]:80").unwrap().port(), 80);
        assert!(address("localhost:http").is_err());
        assert!(address("70000").is_err());
    }
}
