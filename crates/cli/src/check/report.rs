//! What people and programs read of a check.

use super::item::{Item, State};
use super::target::Finding;
use crate::exit::Exit;
use crate::print;
use rimward_config::{Config, Diagnostic};
use serde_json::{Value, json};
use std::path::Path;

/// Results as they come.
pub struct Report {
    json: bool,
    items: Vec<Value>,
    warnings: Vec<Value>,
    checked: usize,
    bad: usize,
    not_built: usize,
}

impl Report {
    /// Nothing yet.
    pub fn new(json: bool) -> Self {
        Self { json, items: Vec::new(), warnings: Vec::new(), checked: 0, bad: 0, not_built: 0 }
    }

    /// Tells what a sound configuration has.
    pub fn config(&mut self, file: &Path, config: &Config) {
        if self.json {
            self.warnings = config.warnings.iter().map(diagnostic).collect();
            return;
        }
        let behaviors = config.distributions.iter().map(|distribution| distribution.behaviors.len()).sum();
        let parts = [
            print::counted(config.distributions.len(), "distribution"),
            print::counted(behaviors, "behavior"),
            print::counted(config.origins.len(), "origin"),
            print::counted(config.functions.len(), "function"),
            print::counted(config.key_value_stores.len(), "key value store"),
        ];
        print::data(&format!("{}: {}", file.display(), parts.join(", ")));
    }

    /// Takes what was found of one thing.
    pub fn add(&mut self, item: Item) {
        self.checked += 1;
        match &item.state {
            State::Sound if item.findings.is_empty() => {}
            State::NotBuilt(_) => self.not_built += 1,
            _ => self.bad += 1,
        }
        if self.json {
            self.items.push(to_json(&item));
        } else {
            show(&item);
        }
    }

    /// Takes what the target would refuse of a thing, if it is anything.
    pub fn add_found(&mut self, mut item: Item, findings: Vec<Finding>) {
        if !findings.is_empty() {
            item.findings = findings;
            self.add(item);
        }
    }

    /// Prints the end.
    pub fn finish(self) -> Exit {
        let exit = if self.bad > 0 { Exit::Failed } else { Exit::Done };
        if self.json {
            let all = json!({
                "ok": self.bad == 0, "problems": [], "warnings": self.warnings, "functions": self.items, "skipped": self.not_built,
            });
            print::data(&serde_json::to_string_pretty(&all).unwrap_or_default());
            return exit;
        }
        let paint = print::stdout();
        let skipped = match self.not_built {
            0 => String::new(),
            n => format!(", {n} not built"),
        };
        print::data(&match self.bad {
            0 => paint.green(&format!("ok: {} checked{skipped}", self.checked)),
            bad => paint.red(&format!("FAILED: {bad} of {} checked{skipped}", self.checked)),
        });
        exit
    }
}

/// Prints the problems of a configuration as JSON.
pub fn config_problems(problems: &[Diagnostic]) {
    let problems: Vec<Value> = problems.iter().map(diagnostic).collect();
    let all = json!({ "ok": false, "problems": problems, "warnings": [], "functions": [], "skipped": 0 });
    print::data(&serde_json::to_string_pretty(&all).unwrap_or_default());
}

fn diagnostic(told: &Diagnostic) -> Value {
    json!({
        "file": &*told.file, "line": told.line, "column": told.column, "message": told.message, "hint": told.hint,
    })
}

fn show(item: &Item) {
    let paint = print::stdout();
    let about = paint.dim(&item.about.join(", "));
    let line =
        |mark: &str| print::data(format!("{mark}  {} {}  {about}", item.kind, paint.bold(&item.name)).trim_end());
    match &item.state {
        State::Sound if item.findings.is_empty() => line(&paint.green("ok   ")),
        State::Sound => line(&paint.red("ERROR")),
        State::NotBuilt(how) => {
            line(&paint.yellow("skip "));
            print::data(&format!("       not built; to build it: {how}"));
        }
        State::Refused(report) => {
            line(&paint.red("ERROR"));
            print::report(report);
        }
    }
    for finding in &item.findings {
        print::report(&finding.refused.to_string());
    }
}

fn to_json(item: &Item) -> Value {
    let (state, report) = match &item.state {
        State::Sound => ("ok", None),
        State::Refused(report) => ("refused", Some(report)),
        State::NotBuilt(how) => ("skipped", Some(how)),
    };
    let findings: Vec<Value> = item.findings.iter().map(Finding::to_json).collect();
    json!({
        "kind": item.kind, "name": item.name, "state": state, "report": report,
        "bytes": item.size, "findings": findings,
    })
}
