//! What the node says of itself.
//!
//! - [`record`]: the one record that each request leaves; every other view is made of it.
//! - [`connection`]: the record of a connection to a distribution with mutual TLS.
//! - [`grpc`]: gRPC calls, for their records.
//! - [`slices`]: what an answer took from slices, for its record.
//! - [`metrics`]: counters and histograms, as Prometheus text.
//! - [`access_log`]: records as JSON lines, written off the request path.
//! - [`one_line`]: what others wrote, in a line of the node's log.

pub mod access_log;
pub mod connection;
pub mod grpc;
pub mod metrics;
pub mod one_line;
pub mod record;
pub mod slices;

pub use access_log::{AccessLog, ConnectionLog, Line, Log};
pub use connection::{ConnectionFunctionRecord, ConnectionRecord};
pub use grpc::{GrpcCall, GrpcRecord, GrpcTally};
pub use metrics::Metrics;
pub use one_line::OneLine;
pub use record::{CacheRecord, CallRecord, HookRecord, OriginRecord, Record, ResultType, WebSocketRecord};
pub use slices::{SliceNote, SliceSums, SliceTally};
