//! Headers that a function may not write, and other writes that end in 502 (sections 3, 4 and 5), as far as they can be
//! seen: names written out, or constants; maps that are `headers` of a message, or variables for such a map.

use crate::finding::{Findings, Rule};
use crate::program::Program;
use oxc_ast::AstKind;
use oxc_ast::ast::{AssignmentTarget, Expression, ObjectExpression, ObjectPropertyKind, UnaryOperator};
use oxc_semantic::AstNode;
use oxc_span::{GetSpan, Span};
use rimward_event::headers::{Tier, is_disallowed, is_read_only};
use rimward_types::Hook;

/// What a header map belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    /// The request of a viewer-request function; a viewer-response function's changes to it have no effect.
    Request,
    /// A response, made by a viewer-request function or handed to a viewer-response function.
    Response,
    /// A variable whose origin is not seen.
    Unknown,
}

/// What is done to a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Write {
    Set,
    Delete,
}

pub(crate) fn look_at<'a>(program: &Program<'a>, node: &AstNode<'a>, findings: &mut Findings<'_>) {
    match node.kind() {
        AstKind::AssignmentExpression(assignment) => {
            assigned(program, &assignment.left, &assignment.right, findings);
        }
        AstKind::UnaryExpression(unary) if unary.operator == UnaryOperator::Delete => {
            if let Some((map, name, at)) = program.member(&unary.argument)
                && let Some(message) = header_map(program, map)
            {
                header(message, name, Write::Delete, at.span(), findings);
            }
        }
        AstKind::ObjectExpression(object) => response_literal(program, object, findings),
        _ => {}
    }
}

fn assigned<'a>(
    program: &Program<'a>,
    target: &AssignmentTarget<'a>,
    value: &Expression<'a>,
    findings: &mut Findings<'_>,
) {
    let (object, name) = match target {
        AssignmentTarget::StaticMemberExpression(member) => (&member.object, member.property.name.as_str()),
        AssignmentTarget::ComputedMemberExpression(member) => match program.text(&member.expression) {
            Some(name) => (&member.object, name),
            None => return,
        },
        _ => return,
    };
    if let Some(message) = header_map(program, object) {
        header(message, name, Write::Set, target.span(), findings);
        shape(program, name, value, findings);
        return;
    }
    match (message_of(program, object), name) {
        (Some(message), "headers") => {
            if let Expression::ObjectExpression(map) = program.follow(value) {
                header_literal(program, message, map, findings);
            }
        }
        (Some(Message::Request), "method") => {
            let hint = "a function cannot change the method; an origin function can";
            let text = "The CloudFront function returned an invalid value: request.method is read-only";
            findings.at(Rule::Event, target, text, hint);
        }
        (Some(Message::Request), "origin") => {
            let hint = "use `cf.updateRequestOrigin({...})` of the module `cloudfront` (section 11.3)";
            let text = "The CloudFront function returned an invalid value: request.origin is not a member of a request";
            findings.at(Rule::Event, target, text, hint);
        }
        _ => {}
    }
}

/// `{ statusCode: 302, headers: { ... } }`.
fn response_literal<'a>(program: &Program<'a>, object: &ObjectExpression<'a>, findings: &mut Findings<'_>) {
    if property(program, object, "statusCode").is_none() {
        return;
    }
    let headers = property(program, object, "headers").map(|value| program.follow(value));
    if let Some(Expression::ObjectExpression(map)) = headers {
        header_literal(program, Message::Response, map, findings);
    }
}

fn property<'e, 'a>(
    program: &Program<'a>,
    object: &'e ObjectExpression<'a>,
    wanted: &str,
) -> Option<&'e Expression<'a>> {
    object.properties.iter().find_map(|property| match property {
        ObjectPropertyKind::ObjectProperty(property) => {
            (program.key(&property.key)? == wanted).then_some(&property.value)
        }
        ObjectPropertyKind::SpreadProperty(_) => None,
    })
}

fn header_literal<'a>(
    program: &Program<'a>,
    message: Message,
    map: &ObjectExpression<'a>,
    findings: &mut Findings<'_>,
) {
    for property in &map.properties {
        let ObjectPropertyKind::ObjectProperty(property) = property else { continue };
        let Some(name) = program.key(&property.key) else { continue };
        header(message, &name, Write::Set, property.key.span(), findings);
        shape(program, &name, &property.value, findings);
    }
}

fn header(message: Message, name: &str, write: Write, at: Span, findings: &mut Findings<'_>) {
    let sentence = "The CloudFront function returned an invalid value";
    let map = match message {
        Message::Request => "request.headers",
        Message::Response => "response.headers",
        Message::Unknown => "headers",
    };
    if write == Write::Set && name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let text = format!("{sentence}: {map} must have header names in lower case.");
        return findings.at(Rule::Header, &at, text, &format!("write `{}`", name.to_ascii_lowercase()));
    }
    let cookies = match (message, name) {
        (Message::Request | Message::Unknown, "cookie") => Some("request.cookies"),
        (Message::Response | Message::Unknown, "set-cookie") => Some("response.cookies"),
        _ => None,
    };
    if let Some(cookies) = cookies
        && write == Write::Set
    {
        let text = format!("{sentence}: {map} must not have `{name}`");
        return findings.at(Rule::Event, &at, text, &format!("write to `{cookies}` (section 4.2)"));
    }
    if is_disallowed(name) {
        let text = format!("{sentence}: {map} must not have the disallowed header `{name}`");
        if write == Write::Set {
            findings.at(Rule::Header, &at, text, "functions neither see nor set it");
        }
        return;
    }
    let read_only = |hook| is_read_only(Tier::Viewer, hook, name);
    let refused = match message {
        Message::Request => read_only(Hook::ViewerRequest),
        Message::Response => read_only(Hook::ViewerResponse),
        Message::Unknown => read_only(Hook::ViewerRequest) && read_only(Hook::ViewerResponse),
    };
    if refused {
        let text = format!("{sentence}: {map} has a change of the read-only header `{name}`");
        let hint = match (message, name) {
            (Message::Request, "host") => "the origin's Host is set with `cf.updateRequestOrigin({ hostHeader })`",
            _ => "functions see it and cannot change it",
        };
        findings.at(Rule::Header, &at, text, hint);
    }
}

/// A header is an object (section 3.1).
fn shape<'a>(program: &Program<'a>, name: &str, value: &Expression<'a>, findings: &mut Findings<'_>) {
    let plain = matches!(
        program.follow(value),
        Expression::StringLiteral(_)
            | Expression::TemplateLiteral(_)
            | Expression::NumericLiteral(_)
            | Expression::BooleanLiteral(_)
            | Expression::ArrayExpression(_)
    );
    if plain {
        let text = format!("The CloudFront function returned an invalid value: the header `{name}` is not an object");
        findings.at(Rule::Event, value, text, "write `{ value: '...' }` (section 3.1)");
    }
}

/// Whether an expression is a message's header map.
fn header_map<'a>(program: &Program<'a>, expression: &Expression<'a>) -> Option<Message> {
    match program.follow(expression) {
        // A parameter or a variable that changes: the name is all there is.
        Expression::Identifier(name) if name.name == "headers" => Some(Message::Unknown),
        value => {
            let (object, name, _) = program.member(value)?;
            (name == "headers").then(|| message_of(program, object).unwrap_or(Message::Unknown))
        }
    }
}

/// Whether an expression is a message: `event.request`, a variable made with it, or one of that name.
fn message_of<'a>(program: &Program<'a>, expression: &Expression<'a>) -> Option<Message> {
    let name = match program.follow(expression) {
        Expression::Identifier(name) => name.name.as_str(),
        // `var response = { statusCode: 302 }; response.headers = ...`
        Expression::ObjectExpression(object) => {
            return property(program, object, "statusCode").map(|_| Message::Response);
        }
        value => program.member(value)?.1,
    };
    match name {
        "request" => Some(Message::Request),
        "response" => Some(Message::Response),
        _ => None,
    }
}
