//! Plays of origin, cache and viewers, with a clock that the test owns.

#![allow(clippy::unwrap_used)]

mod clocks;
mod cloudfront;
mod collapse;
mod conditions;
mod conformance;
mod differential;
mod disk;
mod explain;
mod groups;
mod invariants;
mod log;
mod play;
mod slices;
mod stale;
mod storing;
mod uncovered;
