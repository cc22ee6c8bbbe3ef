//! What is measured, a file for each subject.

pub mod burst;
pub mod damage;
pub mod full;
pub mod index;
pub mod kill;
pub mod large;
pub mod reads;

use crate::objects::{body, mixed_size, url};
use crate::tier::Tier;

/// Objects that are stored before the disk is waited for.
const AT_ONCE: usize = 32;

/// Stores objects `from..to`, of mixed sizes, and waits until they are on the disk.
async fn fill(tier: &Tier, from: usize, to: usize) {
    for n in from..to {
        tier.put(&url(n), None, body(n, 1, mixed_size(n))).await;
        if n % AT_ONCE == 0 {
            tier.settle().await;
        }
    }
    tier.settle().await;
}
