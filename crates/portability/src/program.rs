//! The parsed source, with what names stand for.

use crate::surface::Module;
use oxc_ast::AstKind;
use oxc_ast::ast::{BindingPattern, Expression, IdentifierReference, ImportDeclarationSpecifier, PropertyKey};
use oxc_semantic::{AstNode, NodeId, Semantic, SymbolId};
use oxc_span::GetSpan;
use rimward_config::Runtime;
use std::borrow::Cow;
use std::collections::HashSet;

/// How far names are followed: `const a = b; const b = c; ...`.
const DEPTH: usize = 8;

pub(crate) struct Program<'a> {
    semantic: Semantic<'a>,
    pub(crate) runtime: Runtime,
    /// Names of properties that the program itself makes; a method with such a name may be its own.
    own: HashSet<Cow<'a, str>>,
}

impl<'a> Program<'a> {
    pub(crate) fn new(semantic: Semantic<'a>, runtime: Runtime) -> Self {
        let mut program = Self { semantic, runtime, own: HashSet::new() };
        program.own = program.nodes().filter_map(|node| program.property_made_by(node)).collect();
        program
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = &AstNode<'a>> {
        self.semantic.nodes().iter()
    }

    /// The node around a node.
    pub(crate) fn parent(&self, id: NodeId) -> AstKind<'a> {
        self.semantic.nodes().parent_kind(id)
    }

    /// The nodes around a node, from the inside.
    pub(crate) fn around(&self, id: NodeId) -> impl Iterator<Item = AstKind<'a>> {
        self.semantic.nodes().ancestor_kinds(id)
    }

    /// Whether the program makes a property of this name.
    pub(crate) fn makes(&self, property: &str) -> bool {
        self.own.contains(property)
    }

    fn property_made_by(&self, node: &AstNode<'a>) -> Option<Cow<'a, str>> {
        match node.kind() {
            AstKind::ObjectProperty(property) => property.key.static_name(),
            AstKind::MethodDefinition(method) => method.key.static_name(),
            AstKind::PropertyDefinition(property) => property.key.static_name(),
            AstKind::StaticMemberExpression(member) => {
                let assigned = matches!(
                    self.parent(node.id()),
                    AstKind::AssignmentExpression(assignment) if assignment.left.span() == member.span
                );
                assigned.then(|| Cow::Borrowed(member.property.name.as_str()))
            }
            _ => None,
        }
    }

    /// The variable that a name stands for; `None` for a global.
    pub(crate) fn symbol(&self, name: &IdentifierReference<'_>) -> Option<SymbolId> {
        let reference = name.reference_id.get()?;
        self.semantic.scoping().get_reference(reference).symbol_id()
    }

    /// The name of the global that an expression stands for.
    pub(crate) fn global<'e>(&self, expression: &'e Expression<'a>) -> Option<&'e str> {
        match expression.without_parentheses() {
            Expression::Identifier(name) if self.symbol(name).is_none() => Some(name.name.as_str()),
            _ => None,
        }
    }

    /// What a variable was made with, when it is never given anything else.
    pub(crate) fn value(&self, name: &IdentifierReference<'_>) -> Option<&'a Expression<'a>> {
        let symbol = self.symbol(name)?;
        if self.semantic.scoping().symbol_is_mutated(symbol) {
            return None;
        }
        match self.semantic.symbol_declaration(symbol).kind() {
            AstKind::VariableDeclarator(made) if matches!(made.id, BindingPattern::BindingIdentifier(_)) => {
                made.init.as_ref()
            }
            _ => None,
        }
    }

    /// What an expression stands for: variables that never change are followed to what they were made with.
    pub(crate) fn follow<'e>(&'e self, expression: &'e Expression<'a>) -> &'e Expression<'a> {
        let mut at = expression.without_parentheses();
        for _ in 0..DEPTH {
            let Expression::Identifier(name) = at else { break };
            let Some(value) = self.value(name) else { break };
            at = value.without_parentheses();
        }
        at
    }

    /// The text that an expression is known to be.
    pub(crate) fn text<'e>(&'e self, expression: &'e Expression<'a>) -> Option<&'e str> {
        match self.follow(expression) {
            Expression::StringLiteral(text) => Some(text.value.as_str()),
            Expression::TemplateLiteral(text) => text.single_quasi().map(|text| text.as_str()),
            _ => None,
        }
    }

    /// The object and the name of a member, with names in brackets as far as they are known.
    pub(crate) fn member<'e>(
        &'e self,
        expression: &'e Expression<'a>,
    ) -> Option<(&'e Expression<'a>, &'e str, &'e Expression<'a>)> {
        match expression.without_parentheses() {
            whole @ Expression::StaticMemberExpression(member) => {
                Some((&member.object, member.property.name.as_str(), whole))
            }
            whole @ Expression::ComputedMemberExpression(member) => {
                Some((&member.object, self.text(&member.expression)?, whole))
            }
            _ => None,
        }
    }

    /// The name of a property in an object literal.
    pub(crate) fn key<'e>(&'e self, key: &'e PropertyKey<'a>) -> Option<Cow<'e, str>> {
        match key {
            PropertyKey::StaticIdentifier(_) => key.static_name(),
            key => self.text(key.as_expression()?).map(Cow::Borrowed),
        }
    }

    /// The module that an expression stands for: `import x from 'm'`, `var x = require('m')`, `require('m')`.
    pub(crate) fn module(&self, expression: &Expression<'a>) -> Option<Module> {
        match self.follow(expression) {
            Expression::CallExpression(call) if self.global(&call.callee) == Some("require") => {
                Module::named(self.text(call.arguments.first()?.as_expression()?)?)
            }
            Expression::Identifier(name) => {
                let Some(symbol) = self.symbol(name) else {
                    return (name.name == "Buffer").then_some(Module::Buffer);
                };
                let AstKind::ImportDefaultSpecifier(_) = self.semantic.symbol_declaration(symbol).kind() else {
                    return None;
                };
                let id = self.semantic.symbol_declaration(symbol).id();
                match self.parent(id) {
                    AstKind::ImportDeclaration(import) => Module::named(import.source.value.as_str()),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether a function is the program's own top level, not inside of another one.
    pub(crate) fn is_default_import(specifier: &ImportDeclarationSpecifier<'_>) -> bool {
        matches!(specifier, ImportDeclarationSpecifier::ImportDefaultSpecifier(_))
    }
}
