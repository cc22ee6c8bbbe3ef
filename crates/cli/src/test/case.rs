//! One event and what it should give.

use crate::run::Failed;
use rimward_event::expect::{Expectation, ExpectedError};
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An event's file, and the file beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// `NAME` of `events/NAME.json`.
    pub name: String,
    /// The event.
    pub event: PathBuf,
    /// `NAME.expect.json`, if it is there.
    pub expectation: Option<PathBuf>,
}

/// What came of an event.
#[derive(Debug)]
pub struct Case {
    /// The event's name.
    pub name: String,
    /// Whether it is as it should be.
    pub verdict: Verdict,
    /// What the function wrote.
    pub logs: Vec<String>,
    /// What it cost; `None` when it did not run.
    pub cost: Option<Cost>,
}

/// Whether a case is as it should be.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It gave what was expected.
    Passed,
    /// It ran without an error, and nothing was expected.
    Ran,
    /// It did not; one line for each difference.
    Failed(Vec<String>),
}

/// What a case cost, in either tier.
#[derive(Debug, Clone, Copy)]
pub enum Cost {
    /// A viewer function's.
    Viewer {
        /// Time of the quickest run.
        time: Duration,
        /// Share of the time limit, 0 to 100.
        utilization: u8,
        /// Instructions, the same on every machine.
        fuel: Option<u64>,
        /// Pages of 4 KB that the run wrote.
        pages: u32,
    },
    /// An origin function's.
    Origin {
        /// Time of the handler.
        time: Duration,
        /// Memory of the instance in bytes.
        memory: usize,
    },
}

impl Case {
    /// A case that did not run.
    pub fn broken(name: &str, why: String) -> Self {
        Self { name: name.to_owned(), verdict: Verdict::Failed(vec![why]), logs: Vec::new(), cost: None }
    }
}

/// The events of a function's folder, sorted by name.
///
/// # Errors
/// When the folder `events` cannot be read. That there is none is no error.
pub fn find(folder: &Path) -> io::Result<Vec<Files>> {
    let folder = folder.join("events");
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let file = entry?.file_name().to_string_lossy().into_owned();
        if let Some(name) = file.strip_suffix(".json").filter(|name| !name.ends_with(".expect")) {
            let expectation = folder.join(format!("{name}.expect.json"));
            found.push(Files {
                name: name.to_owned(),
                event: folder.join(&file),
                expectation: expectation.is_file().then_some(expectation),
            });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

impl Files {
    /// Reads the expectation.
    ///
    /// # Errors
    /// A text that says what is wrong.
    pub fn read_expectation(&self) -> Result<Option<Expectation>, String> {
        let Some(file) = &self.expectation else { return Ok(None) };
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = fs::read_to_string(file).map_err(|error| wrong(&error))?;
        Expectation::from_json(&text).map(Some).map_err(|error| wrong(&error))
    }
}

/// Holds what came against what was expected. Without an expectation only an error is wrong.
pub fn judge(expectation: Option<&Expectation>, output: &Result<Value, Failed>) -> Verdict {
    match (expectation, output) {
        (None, Ok(_)) => Verdict::Ran,
        (None, Err(failed)) => Verdict::Failed(vec![format!("{}: {}", failed.category.result_type(), failed.reason)]),
        (Some(expectation), output) => {
            let came = output.as_ref().map_err(|f| (ExpectedError::of(f.category), f.reason.as_str()));
            let differences = expectation.check(came);
            match differences.is_empty() {
                true => Verdict::Passed,
                false => Verdict::Failed(differences.iter().map(ToString::to_string).collect()),
            }
        }
    }
}

/// The line for an event that cost more fuel than the budget has.
pub fn over_budget(fuel: Option<u64>, budget: Option<u64>) -> Option<String> {
    let (fuel, budget) = (fuel?, budget?);
    let group = crate::print::grouped;
    (fuel > budget).then(|| format!("over budget: {} fuel of {}", group(fuel), group(budget)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rimward_event::FailureCategory;
    use serde_json::json;

    fn failed() -> Result<Value, Failed> {
        let category = FailureCategory::FunctionExecution;
        Err(Failed { category, reason: "no".to_owned(), sentence: String::new(), place: None })
    }

    #[test]
    fn without_an_expectation_only_an_error_fails() {
        assert_eq!(judge(None, &Ok(json!({ "request": {} }))), Verdict::Ran);
        assert_eq!(judge(None, &failed()), Verdict::Failed(vec!["FunctionExecutionError: no".to_owned()]));
    }

    #[test]
    fn an_expected_error_passes_and_another_kind_fails() {
        let expect = |kind: &str| Expectation::from_json(&json!({ "error": kind }).to_string()).unwrap();
        assert_eq!(judge(Some(&expect("execution")), &failed()), Verdict::Passed);
        assert!(matches!(judge(Some(&expect("validation")), &failed()), Verdict::Failed(_)));
    }

    #[test]
    fn more_fuel_than_the_budget_is_over_it() {
        assert_eq!(over_budget(Some(1000), Some(1000)), None);
        assert_eq!(over_budget(Some(1001), None), None);
        assert_eq!(over_budget(Some(1001), Some(1000)).unwrap(), "over budget: 1,001 fuel of 1,000");
    }
}
