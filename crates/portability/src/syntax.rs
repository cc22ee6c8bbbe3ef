//! Constructs that the engine does not parse (section 10.2). It is a descendant of njs: ES5.1 and parts of what came later.

use crate::finding::Findings;
use crate::program::Program;
use oxc_ast::AstKind;
use oxc_ast::ast::{
    AssignmentOperator, BindingPattern, FormalParameter, FormalParameterKind, Function, RegExpFlags,
    VariableDeclarationKind,
};
use oxc_semantic::{AstNode, NodeId};
use oxc_span::{GetSpan, Span};
use rimward_config::Runtime;

const NEWER: &str = "use runtime cloudfront-js-2.0";
const ONE_BY_ONE: &str = "read the members one by one: `var a = list[0];`";

pub(crate) fn look_at<'a>(program: &Program<'a>, node: &AstNode<'a>, findings: &mut Findings<'_>) {
    in_both(program, node, findings);
    if program.runtime == Runtime::V1 {
        in_first(node, findings);
    }
}

/// What neither runtime takes.
fn in_both<'a>(program: &Program<'a>, node: &AstNode<'a>, findings: &mut Findings<'_>) {
    let span = node.kind().span();
    match node.kind() {
        AstKind::ObjectPattern(_) => destructuring(program, node.id(), span, "{", findings),
        AstKind::ArrayPattern(_) => destructuring(program, node.id(), span, "[", findings),
        AstKind::ObjectAssignmentTarget(_) => not_supported(findings, span, "{", ONE_BY_ONE),
        AstKind::ArrayAssignmentTarget(_) => not_supported(findings, span, "[", ONE_BY_ONE),
        AstKind::FormalParameter(parameter) => default_parameter(parameter, findings),
        AstKind::SpreadElement(_) => {
            let hint = "use `concat` for arrays, `apply` for arguments, `Object.assign` for objects";
            not_supported(findings, span, "...", hint);
        }
        AstKind::ForOfStatement(_) => {
            not_supported(findings, span, "of", "use `forEach`, or a loop over the index");
        }
        AstKind::Class(_) => not_supported(findings, span, "class", "use functions and plain objects"),
        AstKind::Function(function) if function.generator => {
            not_supported(findings, span, "*", "collect the values in an array");
        }
        AstKind::TaggedTemplateExpression(_) => {
            not_supported(findings, span, "`", "call the function with plain arguments");
        }
        AstKind::NewTarget(_) => not_supported(findings, span, "new.target", "use a parameter"),
        AstKind::ChainExpression(_) => {
            findings.syntax(span, "Unexpected token \".\"", "ask first: `a && a.b`");
        }
        AstKind::AssignmentExpression(assignment) if is_logical(assignment.operator) => {
            let hint = "write the assignment out: `if (!a) { a = b; }`";
            findings.syntax(span, "Unexpected token \"=\"", hint);
        }
        AstKind::CatchClause(clause) if clause.param.is_none() => {
            findings.syntax(span, "Unexpected token \"{\"", "name the error: `catch (error) {`");
        }
        AstKind::BigIntLiteral(_) => {
            findings.syntax(span, "Unexpected token \"n\"", "use a number; whole numbers are exact up to 2^53");
        }
        AstKind::RegExpLiteral(literal) => {
            regular_expression(program.runtime, literal.regex.flags, span, findings);
        }
        AstKind::ImportMeta(_) | AstKind::ImportExpression(_) => {
            not_supported(findings, span, "import", "import modules at the top: `import cf from 'cloudfront';`");
        }
        AstKind::AwaitExpression(_) => awaited(program, node.id(), span, findings),
        AstKind::WithStatement(_) => not_supported(findings, span, "with", "name the object each time"),
        _ => {}
    }
}

/// What runtime 1.0 does not take and 2.0 does.
fn in_first(node: &AstNode<'_>, findings: &mut Findings<'_>) {
    let span = node.kind().span();
    match node.kind() {
        AstKind::VariableDeclaration(declaration) => {
            let keyword = match declaration.kind {
                VariableDeclarationKind::Let => "let",
                VariableDeclarationKind::Const => "const",
                _ => return,
            };
            not_supported(findings, span, keyword, "use `var`, or runtime cloudfront-js-2.0");
        }
        AstKind::Function(Function { r#async: true, .. }) => not_supported(findings, span, "async", NEWER),
        AstKind::ArrowFunctionExpression(arrow) if arrow.r#async => not_supported(findings, span, "async", NEWER),
        AstKind::NumericLiteral(number) if number.raw.is_some_and(|raw| raw.contains('_')) => {
            findings.syntax(span, "Unexpected token \"_\"", "write the number without `_`");
        }
        _ => {}
    }
}

fn not_supported(findings: &mut Findings<'_>, span: Span, token: &str, hint: &str) {
    findings.syntax(span, &format!("Token \"{token}\" not supported in this version"), hint);
}

fn destructuring(program: &Program<'_>, id: NodeId, span: Span, token: &str, findings: &mut Findings<'_>) {
    // The outermost pattern is where the engine stops.
    let inner = |kind: &AstKind<'_>| matches!(kind, AstKind::ObjectPattern(_) | AstKind::ArrayPattern(_));
    let around = || program.around(id).take_while(|kind| !kind.is_statement() && !kind.is_function_like());
    if around().any(|kind| inner(&kind)) {
        return;
    }
    let of_arrow = around().any(
        |kind| matches!(kind, AstKind::FormalParameters(of) if of.kind == FormalParameterKind::ArrowFormalParameters),
    );
    match of_arrow {
        true => findings.syntax(span, "Unexpected token \"=>\"", ONE_BY_ONE),
        false => not_supported(findings, span, token, ONE_BY_ONE),
    }
}

fn default_parameter(parameter: &FormalParameter<'_>, findings: &mut Findings<'_>) {
    let default = match &parameter.pattern {
        BindingPattern::AssignmentPattern(pattern) => Some(pattern.span),
        _ => parameter.initializer.as_ref().map(|_| parameter.span),
    };
    if let Some(span) = default {
        let hint = "set it in the body: `if (a === undefined) { a = 1; }`";
        findings.syntax(span, "Unexpected token \"=\"", hint);
    }
}

fn is_logical(operator: AssignmentOperator) -> bool {
    matches!(
        operator,
        AssignmentOperator::LogicalAnd | AssignmentOperator::LogicalOr | AssignmentOperator::LogicalNullish
    )
}

/// Section 10.1: PCRE, with few flags.
fn regular_expression(runtime: Runtime, flags: RegExpFlags, span: Span, findings: &mut Findings<'_>) {
    let refused = [
        (RegExpFlags::U, 'u', true),
        (RegExpFlags::V, 'v', true),
        (RegExpFlags::S, 's', true),
        (RegExpFlags::D, 'd', true),
        (RegExpFlags::Y, 'y', runtime == Runtime::V1),
    ];
    for (_, letter, _) in refused.iter().filter(|(flag, _, refused)| *refused && flags.contains(*flag)) {
        let hint = match letter {
            's' => "write `[\\s\\S]` for any character",
            'y' => NEWER,
            _ => "leave the flag out",
        };
        findings.syntax(span, &format!("Invalid RegExp flags \"{letter}\""), hint);
    }
}

/// `await`: not in arguments of a call, not outside of functions.
fn awaited(program: &Program<'_>, id: NodeId, span: Span, findings: &mut Findings<'_>) {
    let mut inner = span;
    for kind in program.around(id) {
        match kind {
            AstKind::CallExpression(call) if call.arguments.iter().any(|argument| argument.span() == inner) => {
                let hint = "await it before the call: `var value = await g(); f(value);`";
                return findings.syntax(span, "await in arguments not supported", hint);
            }
            AstKind::NewExpression(new) if new.arguments.iter().any(|argument| argument.span() == inner) => {
                let hint = "await it before: `var value = await g(); new F(value);`";
                return findings.syntax(span, "await in arguments not supported", hint);
            }
            AstKind::Program(_) => {
                let text = "await is only valid in async functions";
                return findings.syntax(span, text, "await inside of `async function handler(event)`");
            }
            // Code of another function: its own arguments are looked at from there.
            kind if kind.is_function_like() => return,
            _ => inner = kind.span(),
        }
    }
}
