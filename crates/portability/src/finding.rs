//! One thing that would be refused.

use oxc_span::{GetSpan, Span};
use std::fmt;

/// Something that CloudFront would refuse, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule it breaks.
    pub rule: Rule,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What the vendor's engine says, or would say.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

/// The rules, by what they guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// No engine parses it: neither the vendor's nor this node's.
    Malformed,
    /// The vendor's engine does not parse it.
    Syntax,
    /// A global, or a method of a built-in, that is not there.
    BuiltIn,
    /// Something that is switched off: `eval`, timers, other modules.
    Restricted,
    /// A member of `crypto`, `querystring` or `Buffer` that is not there, or an argument that it does not take.
    Module,
    /// A member of the module `cloudfront` that is not there.
    CloudFront,
    /// Something of the event that may not be written so.
    Event,
    /// A header that may not be written.
    Header,
}

impl Rule {
    /// The section of `cloudfront-functions.md` that has it.
    pub fn section(self) -> &'static str {
        match self {
            Rule::Malformed | Rule::Syntax => "10.2",
            Rule::BuiltIn => "10.3",
            Rule::Restricted => "10.4",
            Rule::Module => "10.5",
            Rule::CloudFront => "11",
            Rule::Event => "4",
            Rule::Header => "5",
        }
    }

    /// A short name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::Malformed => "malformed",
            Rule::Syntax => "syntax",
            Rule::BuiltIn => "built-in",
            Rule::Restricted => "restricted",
            Rule::Module => "module",
            Rule::CloudFront => "cloudfront",
            Rule::Event => "event",
            Rule::Header => "header",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// Findings as they come.
pub(crate) struct Findings<'a> {
    code: &'a str,
    found: Vec<(u32, Finding)>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(code: &'a str) -> Self {
        Self { code, found: Vec::new() }
    }

    /// Something at a byte of the source.
    pub(crate) fn add(&mut self, rule: Rule, at: u32, message: String, hint: Option<&str>) {
        let (line, column) = self.place(at);
        self.found.push((at, Finding { rule, line, column, message, hint: hint.map(str::to_owned) }));
    }

    /// Something at a node.
    pub(crate) fn at(&mut self, rule: Rule, node: &impl GetSpan, message: impl Into<String>, hint: &str) {
        self.add(rule, node.span().start, message.into(), Some(hint));
    }

    /// A syntax error; the engine adds the line to its text.
    pub(crate) fn syntax(&mut self, span: Span, text: &str, hint: &str) {
        let (line, _) = self.place(span.start);
        self.add(Rule::Syntax, span.start, format!("SyntaxError: {text} in {line}"), Some(hint));
    }

    /// In the order of the source, each once.
    pub(crate) fn sorted(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|(at, finding)| (*at, finding.rule));
        let mut found: Vec<Finding> = self.found.into_iter().map(|(_, finding)| finding).collect();
        found.dedup();
        found
    }

    fn place(&self, at: u32) -> (u32, u32) {
        let before = &self.code[..self.code.floor_char_boundary(at as usize)];
        let line = before.matches('\n').count();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before[start..].chars().count();
        (count(line), count(column))
    }
}

fn count(before: usize) -> u32 {
    u32::try_from(before + 1).unwrap_or(u32::MAX)
}
