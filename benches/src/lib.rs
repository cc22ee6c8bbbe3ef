//! What the benches share: budgets, percentiles, the report.
//!
//! A bench measures, adds rows to a [`Report`], and ends with [`Report::finish`], which prints a table, keeps the raw
//! numbers under `benches/results/`, and fails the run when a budget of `benches/budgets.toml` is broken.

pub mod allocations;
pub mod budget;
pub mod machine;
pub mod report;
pub mod sample;

pub use report::Report;
pub use sample::{Samples, alternate, time_each};
