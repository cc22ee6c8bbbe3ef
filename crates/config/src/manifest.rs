//! `function.toml`: what a folder's function is (`docs/reference/function-toml.md`).

use crate::{Function, FunctionKind};
use rimward_types::Hook;
use std::path::PathBuf;
use std::sync::Arc;

/// A function of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Name and settings; paths begin at the folder. The component may not be built yet. Of a viewer function the name of
    /// the key value store is left out.
    pub function: Function,
    /// `description`: one sentence. Default: empty.
    pub description: String,
    /// `hooks`: where it may be attached, at least one.
    pub hooks: Vec<Hook>,
    /// `key-value-store`: a file of pairs. Default: none.
    pub store: Option<PathBuf>,
    /// `budget.fuel`: the most fuel that one of its events may cost. Default: no budget.
    pub fuel: Option<u64>,
}

impl Manifest {
    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.function.name
    }

    /// Its settings.
    pub fn kind(&self) -> &FunctionKind {
        &self.function.kind
    }
}
