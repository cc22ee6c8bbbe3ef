//! From source text to handler.
//!
//! A function is a script; with `import` it is a module. Both are strict. In both the handler is whatever `handler`
//! (`connectionHandler`) means at the end of the top level: a function declaration, a `const`, an arrow function.

use boa_engine::{
    Context, JsError, JsNativeError, JsResult, JsValue, Module, Script, Source,
    ast::{ModuleItem, declaration::ImportKind, scope::Scope},
    builtins::promise::PromiseState,
    interner::Interner,
    js_string,
    object::builtins::{JsFunction, JsPromise},
    parser::Parser,
};
use rimward_wire::abi::Loaded;

use crate::{engine::Entry, failure::FILE};

/// A compiled function.
pub(crate) enum Program {
    Script(Script),
    Module(Module),
}

/// Why a function could not be loaded.
#[derive(Debug)]
pub(crate) struct NotLoaded {
    pub(crate) status: Loaded,
    pub(crate) error: JsError,
}

impl NotLoaded {
    pub(crate) fn threw(error: JsError) -> Self {
        Self { status: Loaded::Threw, error }
    }

    fn syntax(error: JsError) -> Self {
        Self { status: Loaded::Syntax, error }
    }
}

impl Program {
    /// Parses and compiles; runs nothing of the function.
    pub(crate) fn compile(source: &[u8], entry: Entry, context: &mut Context) -> Result<Self, NotLoaded> {
        let Ok(text) = std::str::from_utf8(source) else {
            let error = JsNativeError::syntax().with_message("the source is not UTF-8 text");
            return Err(NotLoaded::syntax(error.into()));
        };
        if has_module_syntax(text) {
            return Self::module(text, entry, context);
        }
        let extended = format!("{text}\n;{};", find(entry));
        let script = Script::parse(named(&extended), None, context)
            // The position must be in the text that the author knows.
            .map_err(|error| Script::parse(named(text), None, context).err().unwrap_or(error))
            .map_err(NotLoaded::syntax)?;
        script.codeblock(context).map_err(NotLoaded::syntax)?;
        Ok(Self::Script(script))
    }

    fn module(text: &str, entry: Entry, context: &mut Context) -> Result<Self, NotLoaded> {
        check_module_items(text).map_err(NotLoaded::syntax)?;
        let extended = format!("{text}\n;export default {};", find(entry));
        let module = Module::parse(named(&extended), None, context).map_err(NotLoaded::syntax)?;
        let loaded = module.load(context);
        finish(&loaded, context).map_err(NotLoaded::threw)?;
        module.link(context).map_err(NotLoaded::syntax)?;
        Ok(Self::Module(module))
    }

    /// Runs the top level and finds the handler.
    pub(crate) fn run(&self, entry: Entry, context: &mut Context) -> Result<JsFunction, NotLoaded> {
        let handler = match self {
            Self::Script(script) => {
                let value = script.evaluate(context).map_err(NotLoaded::threw)?;
                context.run_jobs().map_err(NotLoaded::threw)?;
                value
            }
            Self::Module(module) => {
                let evaluated = module.evaluate(context).map_err(NotLoaded::threw)?;
                finish(&evaluated, context).map_err(NotLoaded::threw)?;
                module.get_value(js_string!("default"), context).map_err(NotLoaded::threw)?
            }
        };
        handler.as_function().ok_or_else(|| NotLoaded {
            status: Loaded::NoHandler,
            error: JsNativeError::reference()
                .with_message(format!("the source has no function named {}", entry.name()))
                .into(),
        })
    }
}

/// What a name means at the end of the top level.
fn find(entry: Entry) -> String {
    let name = entry.name();
    format!("typeof {name} === 'undefined' ? undefined : {name}")
}

fn named(text: &str) -> Source<'_, boa_engine::parser::source::UTF8Input<&[u8]>> {
    Source::from_bytes(text).with_path(std::path::Path::new(FILE))
}

fn finish(promise: &JsPromise, context: &mut Context) -> JsResult<JsValue> {
    context.run_jobs()?;
    match promise.state() {
        PromiseState::Fulfilled(value) => Ok(value),
        PromiseState::Rejected(reason) => Err(JsError::from_opaque(reason)),
        PromiseState::Pending => Err(JsNativeError::error().with_message("the top level never finishes").into()),
    }
}

/// Whether a statement starts with `import` or `export`; looks at the beginnings of lines and statements only,
/// since a wrong yes costs no more than a little strictness.
fn has_module_syntax(text: &str) -> bool {
    ["import", "export"].iter().any(|word| {
        text.match_indices(word).any(|(at, _)| {
            let before = text[..at].trim_end_matches([' ', '\t']);
            let starts = before.is_empty() || before.ends_with(['\n', '\r', ';', '}', '/', '\u{feff}']);
            let after = text[at + word.len()..].chars().next();
            starts && after.is_some_and(|c| c.is_whitespace() || "{*'\"".contains(c))
        })
    })
}

/// Section 10.4: default imports only, no exports.
fn check_module_items(text: &str) -> JsResult<()> {
    let syntax = |message: &'static str| Err(JsNativeError::syntax().with_message(message).into());
    let mut interner = Interner::default();
    let module = Parser::new(Source::from_bytes(text)).parse_module(&Scope::new_global(), &mut interner)?;
    for item in module.items().items() {
        match item {
            ModuleItem::ImportDeclaration(import) => {
                let default_only = import.default().is_some() && matches!(import.kind(), ImportKind::DefaultOrUnnamed);
                if !default_only {
                    return syntax("Non-default import is not supported");
                }
            }
            ModuleItem::ExportDeclaration(_) => return syntax("Illegal export statement"),
            ModuleItem::StatementListItem(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::has_module_syntax;

    #[test]
    fn only_statements_make_a_module() {
        for yes in
            ["import cf from 'cloudfront';", "'use strict'\n  import a from \"crypto\"", "var a;import b from 'b'"]
        {
            assert!(has_module_syntax(yes), "{yes}");
        }
        for no in ["var important = 1", "// see import x", "x.import = 1", "var s = 'import x'"] {
            assert!(!has_module_syntax(no), "{no}");
        }
    }
}
