//! From a component's bytes to compiled code that may be called: checks, compilation, the cache on disk.

mod cache;
mod compiler;

pub(crate) use cache::CodeCache;
pub use compiler::{CompileFailure, CompileLimits, Compiler, compile_component};

use compiler::Refused;
use rimward_types::ByteSize;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::publish::PublishError;

/// Size of a component; the vendor's limit of a package (`lambda-at-edge.md` section 8).
pub const COMPONENT_LIMIT: ByteSize = ByteSize::mb(50);

/// What bytes that are no component are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistaken {
    /// Nothing.
    Empty,
    /// A WebAssembly module that is not wrapped as a component.
    CoreModule,
    /// WebAssembly's text form.
    Text,
    /// JavaScript or other source text.
    Source,
    /// None of these.
    Unknown,
}

impl Mistaken {
    /// What the bytes look like, as part of a sentence.
    pub fn what(self) -> &'static str {
        match self {
            Mistaken::Empty => "it is empty",
            Mistaken::CoreModule => "it is a core WebAssembly module",
            Mistaken::Text => "it is WebAssembly text",
            Mistaken::Source => "it is text",
            Mistaken::Unknown => "it does not start with `\\0asm`",
        }
    }

    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Mistaken::CoreModule => {
                "wrap it with `wasm-tools component new`, or build it with `cargo xtask component DIR`"
            }
            Mistaken::Text => "convert it with `wasm-tools parse`",
            Mistaken::Source => "a handler in JavaScript or Python is built into a component first, by `rimward build`",
            Mistaken::Empty | Mistaken::Unknown => "an origin function is a WebAssembly component (`function.wasm`)",
        }
    }
}

/// Tells a component from what people hand over by mistake.
pub(crate) fn identify(bytes: &[u8]) -> Result<(), Mistaken> {
    match bytes {
        [] => Err(Mistaken::Empty),
        // Preamble: magic, version, layer; layer 1 is a component (component model, Binary.md).
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(Mistaken::CoreModule),
        [0, b'a', b's', b'm', ..] => Err(Mistaken::Unknown),
        _ => {
            let start = bytes.trim_ascii_start();
            if start.starts_with(b"(component") || start.starts_with(b"(module") || start.starts_with(b";;") {
                Err(Mistaken::Text)
            } else if std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')) {
                Err(Mistaken::Source)
            } else {
                Err(Mistaken::Unknown)
            }
        }
    }
}

/// Where compiled code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compiled {
    /// Compiled now.
    Fresh,
    /// Read from the cache on disk.
    Cached,
}

/// Compiles a component, or takes it from the cache. Takes up to seconds: never on a thread that serves requests.
pub(crate) fn compile(
    engine: &Engine,
    compiler: Option<&Compiler>,
    cache: Option<&CodeCache>,
    bytes: &[u8],
) -> Result<(Component, Compiled), PublishError> {
    identify(bytes).map_err(PublishError::NotAComponent)?;
    if bytes.len() as u64 > COMPONENT_LIMIT.as_u64() {
        return Err(PublishError::TooLarge { size: bytes.len() as u64, limit: COMPONENT_LIMIT });
    }
    let key = cache.map(|cache| cache.key(bytes));
    if let (Some(cache), Some(key)) = (cache, &key)
        && let Some(code) = cache.load(key)
    {
        match load(engine, &code) {
            Ok(component) => return Ok((component, Compiled::Cached)),
            Err(error) => {
                tracing::warn!(%error, "compiled code is of no use and is made again");
                cache.remove(key);
            }
        }
    }
    let invalid = |error: wasmtime::Error| PublishError::Invalid(format!("{error:#}"));
    let code = match compiler {
        Some(compiler) => compiler.compile(bytes).map_err(|refused| match refused {
            Refused::Invalid(reason) => PublishError::Invalid(reason),
            Refused::Failed(failure) => PublishError::Compile(failure),
        })?,
        None => engine.precompile_component(bytes).map_err(invalid)?,
    };
    if let (Some(cache), Some(key)) = (cache, &key)
        && let Err(error) = cache.store(key, &code)
    {
        // The function runs all the same; only the next start compiles again.
        tracing::warn!(%error, "compiled code could not be kept");
    }
    let component = load(engine, &code).map_err(invalid)?;
    Ok((component, Compiled::Fresh))
}

fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` is what `precompile_component` of an engine with this configuration returned: either just now,
    // here or in the node's own compiler, or read from a file that carries a digest of its contents, is named by this
    // engine's compatibility digest, and lies in a folder that only this user may write to. wasmtime checks its own
    // header once more, so that a compiler of another version or configuration is found out.
    unsafe { Component::deserialize(engine, code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_named_for_what_it_is() {
        for (bytes, what) in [
            (&b""[..], Mistaken::Empty),
            (b"\0asm\x01\0\0\0", Mistaken::CoreModule),
            (b"\0asm\x02\0\0\0", Mistaken::Unknown),
            (b"\0as", Mistaken::Unknown),
            (b"  (component)", Mistaken::Text),
            (b"(module)", Mistaken::Text),
            (b"exports.handler = async (event) => event;", Mistaken::Source),
            (b"\x7fELF\x02\x01\0", Mistaken::Unknown),
        ] {
            assert_eq!(identify(bytes), Err(what), "{}", what.what());
        }
        assert_eq!(identify(b"\0asm\x0d\0\x01\0"), Ok(()));
    }
}
