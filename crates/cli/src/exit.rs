//! Exit codes, and errors that end a command.

use crate::print;
use std::fmt;
use std::process::ExitCode;

/// How the process ends. The numbers are in every command's help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: all is well.
    Done,
    /// 1: a check or a test failed, a function failed, or the node could not start.
    Failed,
    /// 2: wrong usage, or an input that cannot be read.
    Unusable,
}

/// Why a command ended early.
#[derive(Debug)]
pub struct Stop {
    exit: Exit,
    /// `None`: it has been said already.
    message: Option<String>,
    hint: Option<String>,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Unusable => 2,
        })
    }
}

impl Stop {
    /// The command did not succeed (1).
    pub fn failed(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Failed, message: Some(message.to_string()), hint: None }
    }

    /// The input cannot be used (2).
    pub fn unusable(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Unusable, message: Some(message.to_string()), hint: None }
    }

    /// The reasons have been printed already.
    pub fn said(exit: Exit) -> Self {
        Self { exit, message: None, hint: None }
    }

    /// Adds how to mend it.
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Prints the reason on standard error.
    pub fn say(self) -> Exit {
        if let Some(message) = &self.message {
            print::problem(message, self.hint.as_deref());
        }
        self.exit
    }
}
