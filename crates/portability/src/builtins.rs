//! Globals and methods that the engine does not have, and those that it has switched off (sections 10.3, 10.4).

use crate::finding::{Findings, Rule};
use crate::program::Program;
use crate::surface;
use oxc_ast::AstKind;
use oxc_ast::ast::{CallExpression, Expression, IdentifierReference, UnaryOperator};
use oxc_semantic::{AstNode, NodeId};
use oxc_span::{GetSpan, Span};
use rimward_config::Runtime;

const TIMERS: [&str; 7] =
    ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate", "queueMicrotask"];

pub(crate) fn look_at<'a>(program: &Program<'a>, node: &AstNode<'a>, findings: &mut Findings<'_>) {
    match node.kind() {
        AstKind::IdentifierReference(name) if program.symbol(name).is_none() => {
            global(program, name, node.id(), findings);
        }
        AstKind::CallExpression(call) => method(program, call, findings),
        AstKind::NewExpression(new) if program.global(&new.callee) == Some("Function") => {
            function_constructor(new.span.start, findings);
        }
        _ => {}
    }
}

fn global<'a>(program: &Program<'a>, name: &IdentifierReference<'a>, id: NodeId, findings: &mut Findings<'_>) {
    let called = name.name.as_str();
    if called == "eval" {
        let hint = "write the code out; text is never run";
        return findings.at(Rule::Restricted, name, "InternalError: Not implemented", hint);
    }
    if TIMERS.contains(&called) {
        let hint = "a function cannot wait: it runs to its end, and time stands still in it";
        return findings.at(Rule::Restricted, name, format!("ReferenceError: \"{called}\" is not defined"), hint);
    }
    // `typeof Map` is how one asks.
    let asked = matches!(program.parent(id), AstKind::UnaryExpression(of) if of.operator == UnaryOperator::Typeof);
    if asked || surface::has_global(called, program.runtime) {
        return;
    }
    let hint = match (called, program.runtime) {
        ("Map" | "WeakMap", _) => "use an object: `Object.create(null)`, with text as keys",
        ("Set" | "WeakSet", _) => "use an object with `true` as values",
        ("URL" | "URLSearchParams", _) => "use `request.uri`, `request.querystring` and the module `querystring`",
        ("fetch" | "XMLHttpRequest", _) => "there is no network; keep data in a key value store",
        ("process", _) => "there is no environment; keep settings in the code or in a key value store",
        ("structuredClone", _) => "use `JSON.parse(JSON.stringify(value))`",
        ("module" | "exports", _) => "nothing is exported: a function named `handler` is the contract",
        ("Buffer", Runtime::V1) => "use runtime cloudfront-js-2.0, or `String.bytesFrom`",
        ("atob" | "btoa" | "DataView" | "Symbol" | "AggregateError", Runtime::V1) => "use runtime cloudfront-js-2.0",
        _ => "declare it; undeclared names are errors, and a function in a block is not seen outside of it",
    };
    findings.at(Rule::BuiltIn, name, format!("ReferenceError: \"{called}\" is not defined"), hint);
}

/// Methods that are called: a member that is only read gives `undefined` and may be a test for it.
fn method<'a>(program: &Program<'a>, call: &CallExpression<'a>, findings: &mut Findings<'_>) {
    if program.global(&call.callee) == Some("Function") {
        return function_constructor(call.span.start, findings);
    }
    let Some((object, name, member)) = program.member(&call.callee) else { return };
    if let Some(object) = program.global(object)
        && let Some(there) = surface::has_static(object, name, program.runtime)
    {
        if !there && !program.makes(name) {
            let hint = match object {
                "console" => "`console.log` is the only method".to_owned(),
                "Object" if name == "fromEntries" => "build the object in a loop".to_owned(),
                "String" if name == "bytesFrom" => "byte strings are for runtime 1.0; use `Buffer.from`".to_owned(),
                _ => format!("`{object}` has no such method in {}", program.runtime.as_str()),
            };
            findings.at(Rule::BuiltIn, member, not_a_function(name), &hint);
        }
        return;
    }
    if program.module(object).is_some() || program.makes(name) {
        return;
    }
    if let Some(instead) = surface::absent_method(name, program.runtime) {
        findings.at(Rule::BuiltIn, &property(member), not_a_function(name), instead);
    }
}

/// The text of section 18.
pub(crate) fn not_a_function(name: &str) -> String {
    format!("TypeError: (intermediate value)[\"{name}\"] is not a function")
}

/// Where the name of a member stands: `.at` of a long chain is easier to find than the chain.
fn property(member: &Expression<'_>) -> Span {
    match member {
        Expression::StaticMemberExpression(member) => member.property.span,
        Expression::ComputedMemberExpression(member) => member.expression.span(),
        other => other.span(),
    }
}

fn function_constructor(at: u32, findings: &mut Findings<'_>) {
    let text = "TypeError: function constructor is disabled in \"safe\" mode".to_owned();
    findings.add(Rule::Restricted, at, text, Some("write the function out; text is never run"));
}
