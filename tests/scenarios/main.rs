//! Plays of origin, node and viewers.
#![allow(clippy::unwrap_used)]

mod demo;
mod origin_walls;
mod pipeline;
mod reload;
mod viewer_state;
mod viewer_walls;
