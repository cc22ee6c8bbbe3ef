//! What CloudFront Functions would refuse in a function's source, found without running it.
//!
//! The node itself takes modern JavaScript; the vendor's engine does not. Every rule here is one that a function meets
//! there and not here, or that both refuse only once a request runs into it. Places are exact, texts are the vendor's
//! where `cloudfront-functions.md` has them.
//!
//! - [`finding`]: one thing that would be refused, and the section that says so.
//! - `syntax`: constructs that the engine does not parse (section 10.2), rules of `async` among them.
//! - `builtins`: globals, and methods that its built-ins do not have (10.3, 10.4).
//! - `modules`: what may be imported, and what the modules have (10.4, 10.5, 11).
//! - `headers`: names that a function may not write, and other writes that end in 502 (3, 4, 5).
//! - `surface`: the tables of names behind these.
//! - `program`: the parsed source, with what names stand for.

mod builtins;
pub mod finding;
mod headers;
mod modules;
mod program;
mod surface;
mod syntax;

pub use finding::{Finding, Rule};

use finding::Findings;
use oxc_allocator::Allocator;
use oxc_diagnostics::OxcDiagnostic;
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;
use program::Program;
use rimward_config::Runtime;

/// What CloudFront would refuse of `code` in `runtime`, in the order of the source. Empty for a function that is
/// portable as far as can be seen without running it.
pub fn check(code: &str, runtime: Runtime) -> Vec<Finding> {
    let allocator = Allocator::default();
    // A module: always strict, and `import` is a statement of it.
    let parsed = Parser::new(&allocator, code, SourceType::mjs()).parse();
    let mut findings = Findings::new(code);
    if let Some(wrong) = parsed.diagnostics.first() {
        malformed(wrong, &mut findings);
        return findings.sorted();
    }
    let built = SemanticBuilder::new().with_build_nodes(true).with_check_syntax_error(true).build(&parsed.program);
    if let Some(wrong) = built.diagnostics.first() {
        malformed(wrong, &mut findings);
        return findings.sorted();
    }
    let program = Program::new(built.semantic, runtime);
    for node in program.nodes() {
        syntax::look_at(&program, node, &mut findings);
        builtins::look_at(&program, node, &mut findings);
        modules::look_at(&program, node, &mut findings);
        headers::look_at(&program, node, &mut findings);
    }
    findings.sorted()
}

fn malformed(wrong: &OxcDiagnostic, findings: &mut Findings<'_>) {
    let at = wrong.labels.first().map_or(0, oxc_span::LabeledSpan::offset);
    let text = format!("SyntaxError: {}", wrong.message.trim_end_matches('.'));
    findings.add(Rule::Malformed, at, text, None);
}

#[cfg(test)]
mod tests;
