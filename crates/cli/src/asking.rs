//! Commands with subcommands that ask a running node: which one, and how its answers are printed.

use crate::client::{Client, Running};
use crate::exit::{Exit, Stop};
use crate::print;
use serde_json::Value;

/// What all of their subcommands take.
#[derive(Debug, clap::Args)]
pub struct How {
    /// Which node
    #[command(flatten)]
    node: Running,
    /// Print the result as one JSON object
    #[arg(long, global = true)]
    json: bool,
}

/// A node that is asked.
pub struct Asking {
    /// The node.
    pub client: Client,
    /// Whether answers are printed as JSON.
    pub json: bool,
}

impl How {
    /// The node that is meant. Nothing is sent yet.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn asking(&self) -> Result<Asking, Stop> {
        Ok(Asking { client: Client::new(&self.node)?, json: self.json })
    }
}

impl Asking {
    /// Prints an answer: as JSON where that is wanted, else as `people` do it.
    pub fn answered(&self, answer: &Value, people: impl FnOnce()) -> Exit {
        if self.json {
            return show(answer);
        }
        people();
        Exit::Done
    }
}

/// Prints JSON.
pub fn show(answer: &Value) -> Exit {
    print::data(&serde_json::to_string_pretty(answer).unwrap_or_default());
    Exit::Done
}
