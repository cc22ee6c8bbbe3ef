//! The guest of the viewer tier: a JavaScript engine with the surface of CloudFront Functions (`cloudfront-functions.md` sections 3, 4, 10 to 12).
//!
//! Built for wasm32 it is the image that every function's snapshot starts from; built natively its logic is tested without a wasm engine.
//! It trusts nobody's JavaScript with time, memory or stack: the host's walls are around it, not in it.
//!
//! # Layout
//! - [`engine`][]: boots, loads, handles; the order of things.
//! - [`program`][]: source text to handler: scripts, modules, imports.
//! - [`wire_event`], [`event`], [`fields`], [`shapes`], [`names`]: wire to objects.
//! - [`reply`], [`text`]: objects to wire.
//! - [`connection`][]: events of connections, from the wire and back.
//! - [`failure`][]: errors in words, with line and column.
//! - [`jobs`][]: promises.
//! - [`globals`], [`errors`], [`byte_strings`], [`console`], [`inspect`], [`json`], [`repeat`], [`text_codec`], [`bytes`]: what functions find in the global scope.
//! - [`modules`][]: `crypto`, `buffer`, `querystring`, `cloudfront`, `rimward`.
//! - [`host`][]: what the guest asks of the host.
//! - `exports`, `alloc`, `mem` (wasm32 alone): the calls named in `rimward_wire::abi`, the memory, and copying in it.

#[cfg(target_family = "wasm")]
mod alloc;
mod byte_strings;
mod bytes;
mod connection;
mod console;
pub mod engine;
mod errors;
mod event;
#[cfg(target_family = "wasm")]
mod exports;
mod failure;
mod fields;
mod globals;
pub mod host;
mod inspect;
mod jobs;
mod json;
#[cfg(any(target_family = "wasm", test))]
mod mem;
mod modules;
mod names;
mod program;
mod repeat;
mod reply;
mod shapes;
mod text;
mod text_codec;
mod wire_event;
