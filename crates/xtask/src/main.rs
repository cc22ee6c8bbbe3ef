//! Tasks of this repository, as `cargo xtask TASK`.
//!
//! - `component DIR...`: builds Rust functions into components.
//! - `guest`: builds the viewer tier's guest; with `--check` it only says whether the artefact is older than its sources,
//!   with `--test` it runs the guest's tests.

mod component;
mod guest;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask component [--check] DIR...\n       cargo xtask guest [--check | --test]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((task, rest)) if task == "component" => component::run(rest),
        Some((task, [])) if task == "guest" => guest::build(guest::root()),
        Some((task, [option])) if task == "guest" && option == "--check" => guest::check(guest::root()),
        Some((task, [option])) if task == "guest" && option == "--test" => guest::test(guest::root()),
        _ => Err(anyhow::anyhow!(USAGE)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
