//! Plays of origin, node and viewers.
#![allow(clippy::unwrap_used)]

mod caching;
mod demo;
mod key_value_stores;
mod lambda;
mod origin_walls;
mod pipeline;
mod publish;
mod reload;
mod viewer_state;
mod viewer_walls;
mod when_functions_run;
