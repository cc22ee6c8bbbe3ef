//! The origin tier: Lambda@Edge functions as WebAssembly components, in instances with walls of time, memory, network
//! and disk.
//!
//! - [`Sandbox`]: starts the engine, publishes functions.
//! - [`Function`]: a published function; [`Function::invoke`] handles one event.
//! - [`Spec`], [`PublishError`]: what a function is made of, why it may be refused.
//! - [`Invocation`], [`Failure`]: what a call gave, cost and wrote.
//! - [`network`]: which hosts a function may talk to. [`Secrets`]: what it may ask for by name.
//! - `engine`, `code`: configuration and tick of the engine; compilation, in a child process, and its cache on disk.
//!   [`compile_component`] is that child's whole work.
//! - [`Logging`]: what its log looks like.
//! - `instance`, `host`, `limits`, `scratch`, `client`, `logs`: one instance and what it holds of the host.
//! - `flavour`, `typed`, `bindings`: the two flavours of export; the contract is `wit/edge.wit`.
//! - `environment`, `node`: what functions are told; what they share.
//!
//! ```no_run
//! # async fn run(component: Vec<u8>, event: rimward_event::lambda::LambdaEvent<'_>) -> Result<(), Box<dyn std::error::Error>> {
//! use rimward_sandbox::{Options, Sandbox, Spec};
//!
//! let sandbox = Sandbox::start(Options::default())?;
//! let function = sandbox.publish(Spec::new("origin-select", component)).await?;
//! let invocation = function.invoke(&event).await;
//! println!("{:?} in {:?}", invocation.result, invocation.cost.duration);
//! # Ok(())
//! # }
//! ```

mod bindings;
mod client;
mod code;
mod engine;
mod environment;
mod failure;
mod flavour;
mod function;
mod host;
mod instance;
mod invocation;
mod limits;
mod logging;
mod logs;
pub mod network;
mod node;
mod publish;
mod sandbox;
mod scratch;
mod secrets;
mod typed;

pub use code::{COMPONENT_LIMIT, CompileFailure, CompileLimits, Compiled, Compiler, Mistaken, compile_component};
pub use failure::{Failure, Throttle};
pub use flavour::Flavour;
pub use function::Function;
pub use invocation::{Cost, Invocation};
pub use logging::{Level, Logging};
pub use network::{Grant, NetworkLimits, OutgoingCall, authorities_from_pem};
pub use publish::{PublishError, Spec, Validation};
pub use rustls_pki_types::CertificateDer;
pub use sandbox::{Options, Sandbox, StartError, Usage};
pub use secrets::Secrets;
