//! Plays of origin, node and viewers.
#![allow(clippy::unwrap_used)]

mod attacks;
mod attacks_wire;
mod buckets;
mod caching;
mod chains;
mod cloudfront_functions;
mod compression;
mod conditions;
mod connection_functions;
mod demo;
mod error_pages;
mod explain;
mod failover;
mod function_bindings;
mod geo;
mod grpc;
mod key_value_stores;
mod lambda;
mod lambda_rules;
mod mutual_tls;
mod origin_helpers;
mod origin_walls;
mod pipeline;
mod publish;
mod purge;
mod releases;
mod reload;
mod response_headers;
mod slices;
mod unkeyed;
mod viewer_headers;
mod viewer_state;
mod viewer_walls;
mod websocket;
mod when_functions_run;
