//! The report of one bench.

use crate::budget::{self, Budgets};
use crate::machine::{self, Machine};
use crate::sample::Samples;
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

/// Rows of one bench.
#[derive(Debug)]
pub struct Report {
    bench: &'static str,
    budgets: Budgets,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<f64>,
}

#[derive(Serialize)]
struct Raw<'a> {
    bench: &'a str,
    version: &'a str,
    machine: Machine,
    rows: &'a [Row],
}

impl Report {
    /// A report of `bench`, which is the first part of all its row names.
    pub fn new(bench: &'static str) -> Self {
        Self { bench, budgets: budget::load(), rows: Vec::new() }
    }

    /// Adds one number. `name` ends with its unit, as in `header-and-rewrite/fuel`.
    pub fn number(&mut self, name: &str, value: f64) {
        self.push(name, value, None);
    }

    /// Adds p50 and p99 of times in microseconds.
    pub fn times(&mut self, name: &str, samples: &Samples) {
        for (share, label) in [(0.5, "p50-us"), (0.99, "p99-us")] {
            self.push(&format!("{name}/{label}"), samples.percentile(share), Some(samples.len()));
        }
    }

    fn push(&mut self, name: &str, value: f64, samples: Option<usize>) {
        let name = format!("{}/{name}", self.bench);
        let budget = self.budgets.get(&name).map(|b| b.most);
        self.rows.push(Row { name, value, samples, budget });
    }

    /// Prints the table, keeps the raw numbers, and says whether every budget was held. A budget that nothing
    /// measured is broken too: it guards something that is gone.
    pub fn finish(self) -> ExitCode {
        println!("\n{:<52} {:>12} {:>12}", self.bench, "measured", "budget");
        for row in &self.rows {
            let budget = row.budget.map_or_else(|| "-".to_owned(), |b| format!("{b}"));
            println!("{:<52} {:>12.1} {budget:>12}", row.name, row.value);
        }
        self.keep();
        let own = format!("{}/", self.bench);
        let broken: Vec<String> = self
            .budgets
            .iter()
            .filter(|(name, _)| name.starts_with(&own))
            .filter_map(|(name, budget)| match self.rows.iter().find(|row| row.name == *name) {
                None if budget.optional => None,
                None => Some(format!("{name}: not measured")),
                Some(row) if row.value.is_nan() || row.value > budget.most => {
                    Some(format!("{name}: {:.1} is over {} ({})", row.value, budget.most, budget.why))
                }
                Some(_) => None,
            })
            .collect();
        if broken.is_empty() {
            return ExitCode::SUCCESS;
        }
        eprintln!("budgets broken:\n  {}", broken.join("\n  "));
        ExitCode::FAILURE
    }

    fn keep(&self) {
        let raw =
            Raw { bench: self.bench, version: env!("CARGO_PKG_VERSION"), machine: machine::look(), rows: &self.rows };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("results").join(format!("{}.json", self.bench));
        let written = serde_json::to_string_pretty(&raw).map_err(std::io::Error::other);
        if let Err(error) = written.and_then(|text| std::fs::write(&path, text + "\n")) {
            eprintln!("{}: {error}", path.display());
        }
    }
}
