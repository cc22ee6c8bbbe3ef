//! The way of one request, top to bottom, and the record that it leaves.
//!
//! Read [`pipeline`] first: it lists the phases in order. Each phase is a file.
//!
//! - [`connect`]: a connection to a distribution with mutual TLS, before its first request.
//! - [`route`]: distribution by host, behavior by path.
//! - [`purge`]: the method PURGE.
//! - [`guard`]: viewer protocol, method.
//! - [`hop_by_hop`]: fields that end here.
//! - [`geo`]: where a viewer is.
//! - [`viewer_headers`]: `CloudFront-*` headers.
//! - [`viewer`]: the two viewer hooks; [`origin_choice`]: the origin that a viewer function chose.
//! - [`compress`]: which coding a viewer takes, and the coding of bodies.
//! - [`lookup`]: cache key, lookup, collapse.
//! - [`slices`]: ranges of large objects, answered from slices.
//! - [`fill`]: origin-request hook, origins, origin-response hook, store; [`lambda_origin`]: origins as its hooks see them.
//! - [`grpc`]: gRPC calls.
//! - [`led`]: fetches go on when their viewers leave; [`outliving`]: how.
//! - [`forward`]: the request that goes to an origin.
//! - [`refused`]: requests that never came so far.
//! - [`error_page`]: pages of the site in place of errors.
//! - [`response_headers`]: response headers policies.
//! - [`respond`]: what the node adds to every answer.
//! - [`page`]: pages that the node itself writes.
//! - [`finish`]: the record, when the last byte is gone.
//! - [`explain`]: why a request would be answered as it would.
//! - [`live`]: what a configuration amounts to, swapped as a whole.

pub mod compress;
pub mod connect;
pub mod error_page;
pub mod exchange;
pub mod explain;
pub mod fill;
pub mod finish;
pub mod forward;
pub mod geo;
pub mod grpc;
pub mod guard;
pub mod hop_by_hop;
pub mod lambda_origin;
pub mod led;
pub mod live;
pub mod lookup;
pub mod origin_choice;
pub mod outliving;
pub mod page;
pub mod pipeline;
pub mod purge;
pub mod refused;
pub mod respond;
pub mod response_headers;
pub mod route;
pub mod slices;
pub mod viewer;
pub mod viewer_headers;

pub use connect::Arrived;
pub use explain::Explained;
pub use finish::{RecordedBody, Records};
pub use geo::Geo;
pub use live::{Live, Plan};
pub use pipeline::{Parts, Proxy};
pub use refused::RefusedRequest;
