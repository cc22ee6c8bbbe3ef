//! The `rimward` binary.
//!
//! - [`args`]: what may be written on the command line.
//! - [`serve`]: runs a node.
//! - [`invoke`]: runs one event through one function. [`test`]: all events of many functions.
//! - [`check`]: configuration and functions, without running them.
//! - [`build`]: a component from a function's sources.
//! - [`purge`]: removes stored answers of a running node. [`explain`]: why it would answer as it would.
//! - [`kv`], [`functions`]: key value stores and viewer functions of a running node, with [`asking`]: what they share.
//! - [`client`]: the admin API, as commands ask it.
//! - [`run`]: one event through a function of either tier; what `invoke` and `test` share.
//! - [`engines`], [`configuration`]: what runs functions; the configuration with its problems printed.
//! - [`print`]: colours, numbers, code excerpts. [`exit`]: exit codes.

// A binary exports nothing: `pub` says what the other modules use.
#![allow(unreachable_pub)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod args;
mod asking;
mod build;
mod check;
mod client;
mod configuration;
mod engines;
mod exit;
mod explain;
mod functions;
mod invoke;
mod kv;
mod manifest;
mod print;
mod purge;
mod run;
mod serve;
mod source;
mod test;

use args::{Args, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    let ended = match &args.command {
        Command::Serve(args) => serve::serve(args),
        Command::Invoke(args) => invoke::invoke(args),
        Command::Test(args) => test::test(args),
        Command::Check(args) => check::check(args),
        Command::Kv(args) => kv::kv(args),
        Command::Functions(args) => functions::functions(args),
        Command::CompileComponent(args) => return rimward_sandbox::compile_component(&args.limits),
        Command::Build(args) => build::build(args),
        Command::Purge(args) => purge::purge(args),
        Command::Explain(args) => explain::explain(args),
    };
    ended.unwrap_or_else(exit::Stop::say).into()
}
