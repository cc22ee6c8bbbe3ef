//! What people and programs read of a test.

use super::case::{Case, Cost, Verdict};
use super::suite::{State, Suite};
use crate::exit::Exit;
use crate::print;
use serde_json::{Value, json};

/// Results as they come; people see each at once, programs all at the end.
pub struct Report {
    json: bool,
    suites: Vec<Value>,
    tally: Tally,
}

/// What is counted.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    ran: usize,
    failed: usize,
    refused: usize,
    not_built: usize,
}

impl Report {
    /// Nothing yet.
    pub fn new(json: bool) -> Self {
        Self { json, suites: Vec::new(), tally: Tally::default() }
    }

    /// Takes a function's results.
    pub fn add(&mut self, suite: Suite) {
        match &suite.state {
            State::Refused(_) => self.tally.refused += 1,
            State::NotBuilt(_) => self.tally.not_built += 1,
            State::Ran(cases) => {
                for case in cases {
                    match case.verdict {
                        Verdict::Passed => self.tally.passed += 1,
                        Verdict::Ran => self.tally.ran += 1,
                        Verdict::Failed(_) => self.tally.failed += 1,
                    }
                }
            }
        }
        if self.json {
            self.suites.push(to_json(&suite));
        } else {
            show(&suite);
        }
    }

    /// Prints the end.
    pub fn finish(self) -> Exit {
        let Tally { passed, ran, failed, refused, not_built } = self.tally;
        let bad = failed + refused > 0;
        if self.json {
            let all = json!({
                "passed": passed, "ran": ran, "failed": failed, "refused": refused, "skipped": not_built,
                "functions": self.suites,
            });
            print::data(&serde_json::to_string_pretty(&all).unwrap_or_default());
        } else {
            let mut parts = vec![format!("{passed} passed")];
            if failed > 0 {
                parts.push(format!("{failed} failed"));
            }
            if ran > 0 {
                parts.push(format!("{ran} ran without expectation"));
            }
            if refused > 0 {
                parts.push(format!("{} refused", print::counted(refused, "function")));
            }
            if not_built > 0 {
                parts.push(format!("{} skipped (not built)", print::counted(not_built, "function")));
            }
            let line = parts.join(", ");
            let paint = print::stdout();
            print::data(&if bad { paint.red(&format!("FAILED: {line}")) } else { paint.green(&format!("ok: {line}")) });
        }
        if bad { Exit::Failed } else { Exit::Done }
    }
}

fn show(suite: &Suite) {
    let paint = print::stdout();
    let about = if suite.about.is_empty() { String::new() } else { format!("  ({})", suite.about) };
    print::data(&format!("{}{}", paint.bold(&suite.name), paint.dim(&about)));
    match &suite.state {
        State::Refused(report) => indented(report, "  "),
        State::NotBuilt(how) => print::data(&format!("  {}  not built; to build it: {how}", paint.yellow("skip"))),
        State::Ran(cases) => {
            let width = cases.iter().map(|case| case.name.chars().count()).max().unwrap_or_default();
            for case in cases {
                show_case(case, width, suite.budget);
            }
        }
    }
    for note in &suite.notes {
        print::data(&format!("  {}  {note}", paint.yellow("note")));
    }
    print::data("");
}

fn show_case(case: &Case, width: usize, budget: Option<u64>) {
    let paint = print::stdout();
    let (mark, lines): (_, &[String]) = match &case.verdict {
        Verdict::Passed => (paint.green("ok  "), &[]),
        Verdict::Ran => (paint.green("ran "), &[]),
        Verdict::Failed(lines) => (paint.red("FAIL"), lines),
    };
    let cost = case.cost.map(|cost| describe(&cost, budget)).unwrap_or_default();
    print::data(format!("  {mark}  {:width$}  {}", case.name, paint.dim(&cost)).trim_end());
    for line in lines {
        indented(line, "          ");
    }
    if !lines.is_empty() {
        for line in &case.logs {
            indented(&format!("log: {line}"), "          ");
        }
    }
}

fn indented(text: &str, margin: &str) {
    for line in print::stdout().report(text).lines() {
        print::data(&format!("{margin}{line}"));
    }
}

fn describe(cost: &Cost, budget: Option<u64>) -> String {
    match *cost {
        Cost::Viewer { time, utilization, fuel, pages } => {
            let of = budget.map(|budget| format!(" of {}", print::grouped(budget))).unwrap_or_default();
            let fuel = fuel.map(|fuel| format!("{:>9} fuel{of}", print::grouped(fuel))).unwrap_or_default();
            format!("{utilization:>3} %  {:>9}  {fuel}  {:>3} pages", print::time(time), pages)
        }
        Cost::Origin { time, memory } => format!("{:>9}  {:>8}", print::time(time), print::bytes(memory as u64)),
    }
}

fn to_json(suite: &Suite) -> Value {
    let (state, report, cases) = match &suite.state {
        State::Ran(cases) => ("ran", None, cases.as_slice()),
        State::Refused(report) => ("refused", Some(report), Default::default()),
        State::NotBuilt(how) => ("skipped", Some(how), Default::default()),
    };
    json!({
        "name": suite.name,
        "file": suite.file,
        "state": state,
        "report": report,
        "budget": suite.budget.map(|fuel| json!({ "fuel": fuel })),
        "events": cases.iter().map(case_to_json).collect::<Vec<_>>(),
    })
}

fn case_to_json(case: &Case) -> Value {
    let (verdict, differences) = match &case.verdict {
        Verdict::Passed => ("passed", None),
        Verdict::Ran => ("ran", None),
        Verdict::Failed(lines) => ("failed", Some(lines)),
    };
    let cost = case.cost.map(|cost| match cost {
        Cost::Viewer { time, utilization, fuel, pages } => json!({
            "us": time.as_secs_f64() * 1e6, "utilization": utilization, "fuel": fuel, "pages": pages,
        }),
        Cost::Origin { time, memory } => json!({ "us": time.as_secs_f64() * 1e6, "memory_bytes": memory }),
    });
    json!({ "name": case.name, "verdict": verdict, "differences": differences, "logs": case.logs, "cost": cost })
}
