//! The viewer tier: JavaScript in WebAssembly, with fresh state for every request and walls that hold.
//!
//! The engine is one wasm module, compiled to machine code once. A function is the set of memory pages in which the booted engine
//! differs after it has loaded the function's source. Each thread keeps a few *slots*, instances whose memory holds such a snapshot;
//! after a request the pages that were written are copied back.
//!
//! # Layout
//! - [`Isolates`] (`isolates.rs`) starts the tier and publishes; [`Function`] (`function.rs`) runs events.
//! - `guest_image.rs` takes the module apart, `engine.rs` configures wasmtime, `code_cache.rs` keeps machine code on disk,
//!   `machine.rs` puts the three together.
//! - `publish.rs` makes a snapshot from a source; `snapshot.rs` and `page_store.rs` hold it.
//! - `guest.rs` is one instance and its exports, `host.rs` what it may call, `bindings.rs` what it may read, `budget.rs` and `ticker.rs` its time limit.
//! - `slots.rs` are a thread's slots, `slot.rs` one of them, `residence.rs` what its memory holds and how that comes back.
//! - `mapping.rs`, `written_pages.rs`, `thread_clock.rs` speak to the kernel and, with one call in `code_cache.rs`, hold all `unsafe` code.
//!
//! The calls between host and guest are described in [`rimward_wire::abi`].

mod bindings;
mod budget;
mod code_cache;
mod cost;
mod engine;
mod failure;
mod function;
mod guest;
mod guest_image;
mod host;
mod isolates;
mod log;
mod machine;
mod mapping;
mod page_set;
mod page_store;
mod publish;
mod residence;
mod slot;
mod slots;
mod snapshot;
mod source;
mod start;
mod thread_clock;
mod ticker;
mod written_pages;

pub use bindings::{Bindings, Location};
pub use code_cache::CodeOrigin;
pub use cost::{Cost, KvReads};
pub use failure::Failure;
pub use function::{Footprint, Function, Invocation, Run};
pub use isolates::Isolates;
pub use page_store::PageUse;
pub use publish::PublishError;
pub use source::{Entry, Limits, Position, Runtime, Source};
pub use start::{Options, Restore, StartError};
