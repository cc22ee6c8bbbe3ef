//! `budgets.toml`: the most that each measured thing may cost, and why.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The most that one row may measure.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Upper bound, in the unit of the row's name.
    pub most: f64,
    /// Where the number comes from.
    pub why: String,
    /// Whether it may go unmeasured: what it guards is built only where its tools are.
    #[serde(default)]
    pub optional: bool,
}

/// Budgets by row name, such as `hook/header-and-rewrite/p50-us`.
pub type Budgets = BTreeMap<String, Budget>;

/// Reads the budgets beside this package.
///
/// # Panics
/// When the file is missing or wrong: a bench without budgets proves nothing.
pub fn load() -> Budgets {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("budgets.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
