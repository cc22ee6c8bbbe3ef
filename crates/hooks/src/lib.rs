//! The four hook points: which function runs, on which engine, and what its result means for the request.
//!
//! - [`functions`]: the functions of a configuration, published; unchanged ones are taken over from the one before.
//! - [`function`]: one published function, whichever tier it belongs to.
//! - `given`: what the configuration points at for origin functions: secrets, certificates.
//! - `isolate`, `sandbox`: the two tiers behind it.
//! - [`bindings`], `key_source`: what viewer functions may read beside their event.
//! - `peek`: the beginning of a body, for functions that ask for it.
//! - [`stages`], [`versions`]: DEVELOPMENT and LIVE of a function, and the versions that the node keeps.
//! - [`releases`]: versions of origin functions by qualifier.
//! - [`throttle`]: versions that keep running past their limit.
//! - [`verdict`]: what a function decided, and what it cost.

pub mod bindings;
pub mod function;
pub mod functions;
mod given;
mod isolate;
mod key_source;
mod peek;
pub mod releases;
mod sandbox;
pub mod stages;
pub mod throttle;
pub mod verdict;
pub mod versions;

pub use function::{Call, ConnectionCall, Function};
pub use functions::{Engines, Functions, NotReleased, Problem, entry};
pub use given::origin_spec;
pub use stages::{Back, Stages, Version};
pub use verdict::{ConnectionRan, Failure, Ran, Report, RequestVerdict, ResponseVerdict};
pub use versions::Versions;

pub use rimward_event::connection::{Connected, Decided};
pub use rimward_event::lambda::{CustomOrigin, LambdaOrigin, Protocol, S3Auth, S3Origin, SslProtocol};
pub use rimward_event::viewer::{AccessControl, OriginChoice, OriginOverrides, OriginRewrite, OriginUpdate};
pub use rimward_event::{FailureCategory, Invalid};
pub use rimward_sandbox::OutgoingCall;
