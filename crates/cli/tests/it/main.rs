//! The binary, as people and scripts use it: what it prints where, and how it ends.

#![allow(clippy::unwrap_used, unreachable_pub)]

mod build;
mod check;
mod compile;
mod explain;
mod functions;
mod help;
mod invoke;
mod invoke_api;
mod kv;
mod node;
mod purge;
mod serve;
mod support;
mod test;
