//! A function's source of either tier: read, published, with what is wrong shown in its place.

use crate::engines::Engines;
use crate::exit::Stop;
use crate::print;
use rimward_config::{KeyValueStore, OriginFunction, Runtime, ViewerFunction};
use rimward_isolate::{Entry, Limits, PublishError, Source};
use rimward_kv::{Pairs, Store};
use rimward_types::{ByteSize, Clock, SystemClock};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a function is refused. `Display` is a report: message, place, the line with a caret, hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong.
    pub message: String,
    /// Its file.
    pub file: PathBuf,
    /// Line and column, from 1.
    pub place: Option<(u32, u32)>,
    /// The line with a caret.
    pub excerpt: Option<String>,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Refused {
    /// Something is wrong with the file as a whole.
    pub fn of_file(file: &Path, message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), file: file.to_owned(), place: None, excerpt: None, hint: None }
    }

    /// Something is wrong at a place of the code. A line of 0 is no place.
    pub fn at(file: &Path, code: &str, line: u32, column: u32, message: impl fmt::Display) -> Self {
        let place = Some((line, column)).filter(|(line, _)| *line > 0);
        Self { place, excerpt: print::excerpt(code, line, column), ..Self::of_file(file, message) }
    }

    /// With how to mend it.
    pub fn hint(mut self, hint: Option<impl fmt::Display>) -> Self {
        self.hint = hint.map(|hint| hint.to_string());
        self
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}\n --> {}", self.message, self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        if let Some(excerpt) = &self.excerpt {
            write!(f, "\n{excerpt}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// A viewer function with its code read.
pub struct Viewer {
    /// Its name.
    pub name: Arc<str>,
    /// Its settings.
    pub settings: ViewerFunction,
    /// Its code.
    pub code: Vec<u8>,
    /// The store that it may read.
    pub store: Option<Arc<Store>>,
}

impl Viewer {
    /// Reads the code.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(name: &str, settings: ViewerFunction, store: Option<Arc<Store>>) -> Result<Self, Refused> {
        let code = read(&settings.code)?;
        Ok(Self { name: name.into(), settings, code, store })
    }

    /// The code as text, for excerpts.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.code)
    }

    /// Publishes it as a node would.
    ///
    /// # Errors
    /// The outer one when the tier does not start, the inner one when the function is refused.
    pub fn publish(&self, engines: &Engines) -> Result<Result<Arc<rimward_isolate::Function>, Refused>, Stop> {
        let bindings = match rimward_hooks::bindings::outside(&self.settings) {
            Ok(bindings) => bindings,
            Err(why) => return Ok(Err(Refused::of_file(&self.settings.code, why))),
        };
        let source = Source {
            name: self.name.clone(),
            code: &self.code,
            runtime: match self.settings.runtime {
                Runtime::V1 => rimward_isolate::Runtime::V1,
                Runtime::V2 => rimward_isolate::Runtime::V2,
            },
            entry: rimward_hooks::entry(self.settings.kind),
            limits: Limits {
                time: self.settings.timeout,
                memory: self.settings.memory.as_usize(),
                code: self.settings.code_limit.as_usize(),
            },
            kv: self.store.clone(),
            bindings: Arc::new(bindings),
        };
        Ok(engines.isolates()?.publish(&source).map_err(|error| self.refused(&error)))
    }

    fn refused(&self, error: &PublishError) -> Refused {
        let (line, column) = error.position().map_or((0, 0), |position| (position.line, position.column));
        Refused::at(&self.settings.code, &self.text(), line, column, error).hint(hint(error))
    }
}

/// How to mend a viewer function.
fn hint(error: &PublishError) -> Option<&'static str> {
    match error {
        PublishError::TooLarge { .. } => {
            Some("comments count: minify the code, or move data to a key value store; here `code-limit` may be raised")
        }
        PublishError::NoHandler(Entry::Handler) => {
            Some("every function needs `function handler(event) { return event.request; }`")
        }
        PublishError::NoHandler(Entry::ConnectionHandler) => {
            Some("a function of connections needs `function connectionHandler(connection) { connection.allow(); }`")
        }
        PublishError::TooSlow { .. } => Some("what stands outside of `handler` runs when the function is published"),
        PublishError::OutOfMemory { .. } => Some("keep large tables in a key value store"),
        _ => None,
    }
}

/// An origin function with its component read.
pub struct Origin {
    /// Its name.
    pub name: Arc<str>,
    /// Its settings.
    pub settings: OriginFunction,
    /// Its component.
    pub component: Vec<u8>,
}

impl Origin {
    /// Reads the component.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(name: &str, settings: OriginFunction) -> Result<Self, Refused> {
        let component = read(&settings.component)?;
        Ok(Self { name: name.into(), settings, component })
    }

    /// Publishes it as a node would, which compiles it and starts an instance.
    ///
    /// # Errors
    /// The outer one when the tier does not start, the inner one when the function is refused.
    pub fn publish(&self, engines: &Engines) -> Result<Result<Arc<rimward_sandbox::Function>, Refused>, Stop> {
        let settings = &self.settings;
        let spec = match rimward_hooks::origin_spec(&self.name, settings, self.component.clone()) {
            Ok(spec) => spec,
            Err(why) => return Ok(Err(Refused::of_file(&settings.component, why))),
        };
        let sandbox = engines.sandbox()?;
        let waiting = format!("compiling {} ...", settings.component.display());
        let published = print::patiently(&waiting, || engines.block_on(sandbox.publish(spec)))?;
        Ok(published.map_err(|error| Refused::of_file(&settings.component, &error).hint(error.hint())))
    }
}

/// A key value store of the configuration, as its file makes it; without a file it is empty.
///
/// # Errors
/// When the file cannot be read or is no store.
pub fn configured(store: &KeyValueStore) -> Result<Arc<Store>, Refused> {
    match &store.file {
        Some(file) => self::store(file, store.size),
        None => Ok(Arc::new(Store::of(Pairs::default(), SystemClock.now()))),
    }
}

/// Reads a key value store.
///
/// # Errors
/// When the file cannot be read or is no store.
pub fn store(file: &Path, size: ByteSize) -> Result<Arc<Store>, Refused> {
    let refused = |error: rimward_kv::InvalidStore| {
        Refused::of_file(file, format!("key value store: {error}")).hint(error.hint())
    };
    Store::load(file, size).map(Arc::new).map_err(refused)
}

fn read(file: &Path) -> Result<Vec<u8>, Refused> {
    std::fs::read(file).map_err(|error| Refused::of_file(file, format!("cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::Refused;
    use std::path::Path;

    #[test]
    fn a_refusal_shows_file_line_and_column_with_a_caret() {
        let refused = Refused::at(Path::new("f.js"), "a;\nb c;\n", 2, 3, "SyntaxError: no").hint(Some("write `;`"));
        let text = "error: SyntaxError: no\n --> f.js:2:3\n  |\n2 | b c;\n  |   ^\nhint: write `;`";
        assert_eq!(refused.to_string(), text);
    }
}
