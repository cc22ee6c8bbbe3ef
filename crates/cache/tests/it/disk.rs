//! The disk tier: what survives, what does not, and what happens while the disk fails.

mod broken;
mod kill;
mod large;
mod model;
mod restart;
pub(crate) mod stage;
