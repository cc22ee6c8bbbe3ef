//! Values that every part of the node speaks in. No I/O, no engine.
//!
//! - [`head`]: request and response heads.
//! - [`body`]: bodies, in memory or streamed.
//! - [`hook`]: the four hook points.
//! - [`name_set`]: sets of names.
//! - [`size`]: byte sizes with units.
//! - [`stage`]: the stages of a function.
//! - [`clock`], [`entropy`]: the seams through which time and randomness come.
//! - [`connection`]: what is known of the viewer.
//! - [`custom_header`]: what no origin is sent in anybody's name.
//! - [`interim`]: interim answers on their way to the viewer.
//! - [`tunnel`]: connections that have changed their protocol.
//! - [`id`]: request ids and names.

pub mod body;
pub mod clock;
pub mod connection;
pub mod custom_header;
pub mod entropy;
pub mod head;
pub mod hook;
pub mod id;
pub mod interim;
pub mod name_set;
pub mod size;
pub mod stage;
pub mod tunnel;

pub use body::{Body, BodyError};
pub use clock::{Clock, SystemClock, TestClock, Timestamp};
pub use connection::Connection;
pub use custom_header::is_denied_at_origin;
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use head::{RequestHead, ResponseHead};
pub use hook::Hook;
pub use id::RequestId;
pub use interim::{Interim, InterimSink};
pub use name_set::NameSet;
pub use size::ByteSize;
pub use stage::Stage;
pub use tunnel::{Duplex, Ended, Passage, Tunnel};
