//! Functions run natively against a host of the test's making.
#![allow(clippy::unwrap_used)]

mod buffer;
mod cloudfront;
mod connection;
mod crypto;
mod depth;
mod errors;
mod events;
mod globals;
mod harness;
mod json;
mod loading;
mod maps;
mod querystring;
mod results;
mod rimward;
mod runtime_1;
mod short_ways;
