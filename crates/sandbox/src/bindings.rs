//! The contract of `wit/edge.wit` as Rust types.
#![allow(missing_docs)]

wasmtime::component::bindgen!({
    path: "wit",
    world: "function",
    exports: { default: async },
});

pub(crate) use self::exports::rimward::edge::{init, lambda, request_hook, response_hook};
pub(crate) use self::rimward::edge::{secrets, types};

pub(crate) const INIT: &str = "rimward:edge/init@1.0.0";
pub(crate) const LAMBDA: &str = "rimward:edge/lambda@1.0.0";
pub(crate) const REQUEST_HOOK: &str = "rimward:edge/request-hook@1.0.0";
pub(crate) const RESPONSE_HOOK: &str = "rimward:edge/response-hook@1.0.0";
