//! What may be imported, and what the modules have (sections 10.4, 10.5, 11).

use crate::builtins::not_a_function;
use crate::finding::{Findings, Rule};
use crate::program::Program;
use crate::surface::{self, Module};
use oxc_ast::AstKind;
use oxc_ast::ast::{Argument, CallExpression, Expression, ImportDeclaration};
use oxc_semantic::AstNode;
use oxc_span::GetSpan;
use rimward_config::Runtime;

/// What `createHash` and `createHmac` take.
const ALGORITHMS: [&str; 3] = ["md5", "sha1", "sha256"];
/// What `digest` takes.
const DIGESTS: [&str; 3] = ["hex", "base64", "base64url"];
/// What `Buffer` takes.
const ENCODINGS: [&str; 5] = ["utf8", "utf-8", "hex", "base64", "base64url"];

pub(crate) fn look_at<'a>(program: &Program<'a>, node: &AstNode<'a>, findings: &mut Findings<'_>) {
    match node.kind() {
        AstKind::ImportDeclaration(import) => imported(program, import, findings),
        AstKind::ExportNamedDeclaration(_)
        | AstKind::ExportFromDeclaration(_)
        | AstKind::ExportDeclaration(_)
        | AstKind::ExportDefaultDeclaration(_)
        | AstKind::ExportAllDeclaration(_) => {
            let hint = "leave `export` out: a function named `handler` at the top level is the contract";
            findings.syntax(node.kind().span(), "Illegal export statement", hint);
        }
        AstKind::CallExpression(call) => called(program, call, findings),
        AstKind::StaticMemberExpression(member) => {
            if let Some(module) = program.module(&member.object) {
                member_of(module, member.property.name.as_str(), &member.property, findings);
            }
        }
        _ => {}
    }
}

fn imported(program: &Program<'_>, import: &ImportDeclaration<'_>, findings: &mut Findings<'_>) {
    let name = import.source.value.as_str();
    let known = Module::named(name).is_some_and(|module| module.is_in(program.runtime));
    if !known {
        return absent(program.runtime, name, &import.source, findings);
    }
    if program.runtime == Runtime::V1 {
        let hint = format!("use `var {name} = require('{name}');`, or runtime cloudfront-js-2.0");
        findings.syntax(import.span, "Token \"import\" not supported in this version", &hint);
    }
    let specifiers = import.specifiers.iter().flatten();
    for specifier in specifiers.filter(|specifier| !Program::is_default_import(specifier)) {
        let hint = format!("import the whole module: `import {name} from '{name}';`");
        findings.syntax(specifier.span(), "Non-default import is not supported", &hint);
    }
}

fn absent(runtime: Runtime, name: &str, at: &impl GetSpan, findings: &mut Findings<'_>) {
    let hint = match (Module::named(name), runtime) {
        _ if name == "rimward" => {
            "the module is this node's own: write values into the code, or into a key value store"
        }
        (Some(_), Runtime::V1) => "it is there in runtime cloudfront-js-2.0",
        (_, Runtime::V1) => "there are `crypto` and `querystring`",
        (_, Runtime::V2) => "there are `cloudfront`, `crypto`, `querystring` and `buffer`",
    };
    findings.at(Rule::Restricted, at, format!("Error: Cannot find module \"{name}\""), hint);
}

fn member_of(module: Module, name: &str, at: &impl GetSpan, findings: &mut Findings<'_>) {
    if module.members().contains(&name) {
        return;
    }
    let rule = if module == Module::CloudFront { Rule::CloudFront } else { Rule::Module };
    let hint = format!("`{}` has {}", module.as_str(), listed(module.members()));
    findings.at(rule, at, not_a_function(name), &hint);
}

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .filter(|name| !matches!(**name, "prototype" | "name" | "length"))
        .map(|n| format!("`{n}`"))
        .collect();
    shown.join(", ")
}

fn called<'a>(program: &Program<'a>, call: &CallExpression<'a>, findings: &mut Findings<'_>) {
    let first = call.arguments.first();
    if program.global(&call.callee) == Some("require") {
        required(program, first, findings);
        return;
    }
    let Some((object, name, _)) = program.member(&call.callee) else { return };
    if is_store(program, object) && !surface::STORE.contains(&name) {
        let hint = match name {
            "count" => "the number of keys is `(await kvs.meta()).keyCount`".to_owned(),
            _ => format!("a store has {}; it is written from outside", listed(&surface::STORE)),
        };
        return findings.at(Rule::CloudFront, call, not_a_function(name), &hint);
    }
    match (program.module(object), name) {
        (Some(Module::Crypto), "createHash" | "createHmac") => {
            argument(
                program,
                first,
                &ALGORITHMS,
                |text| format!("TypeError: not supported algorithm: \"{text}\""),
                findings,
            );
        }
        (Some(Module::Buffer), "from" | "byteLength") if !program.makes(name) => {
            argument(program, call.arguments.get(1), &ENCODINGS, no_encoding, findings);
        }
        (None, "digest") => {
            argument(
                program,
                first,
                &DIGESTS,
                |text| format!("TypeError: Unknown digest encoding: \"{text}\""),
                findings,
            );
        }
        // Only a buffer's `toString` takes a text.
        (None, "toString") if !program.makes(name) => argument(program, first, &ENCODINGS, no_encoding, findings),
        _ => {}
    }
}

fn required<'a>(program: &Program<'a>, first: Option<&Argument<'a>>, findings: &mut Findings<'_>) {
    let Some(argument) = first.and_then(Argument::as_expression) else { return };
    let Some(name) = program.text(argument) else { return };
    match Module::named(name) {
        Some(Module::CloudFront) if program.runtime == Runtime::V2 => {
            let hint = "it can be imported only: `import cf from 'cloudfront';`";
            findings.at(Rule::Restricted, argument, format!("Error: Cannot find module \"{name}\""), hint);
        }
        Some(module) if module.is_in(program.runtime) => {}
        _ => absent(program.runtime, name, argument, findings),
    }
}

/// Whether an expression is `cf.kvs()`, or a variable made with it.
fn is_store<'a>(program: &Program<'a>, expression: &Expression<'a>) -> bool {
    let Expression::CallExpression(call) = program.follow(expression) else { return false };
    program
        .member(&call.callee)
        .is_some_and(|(object, name, _)| name == "kvs" && program.module(object) == Some(Module::CloudFront))
}

fn no_encoding(text: &str) -> String {
    format!("TypeError: \"{text}\" encoding is not supported")
}

/// An argument that must be one of a few texts, where it is known.
fn argument<'a>(
    program: &Program<'a>,
    argument: Option<&Argument<'a>>,
    taken: &[&str],
    text: impl Fn(&str) -> String,
    findings: &mut Findings<'_>,
) {
    let Some(expression) = argument.and_then(Argument::as_expression) else { return };
    let Some(given) = program.text(expression) else { return };
    if !taken.contains(&given) {
        findings.at(Rule::Module, expression, text(given), &format!("it takes {}", listed(taken)));
    }
}
