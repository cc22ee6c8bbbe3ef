//! What is changed in the released crates: file, text, what stands there instead.

mod depth;
mod doors;
mod first_pass;
mod memory;
mod short_ways;

use super::{Change, Changed};

pub(super) const ALL: [Changed; 3] = [
    Changed { name: "boa_engine", version: "0.22.0", changes: ENGINE, files: ENGINE_FILES },
    Changed { name: "boa_gc", version: "0.22.0", changes: &[memory::COLLECTOR], files: &[] },
    Changed { name: "boa_string", version: "0.22.0", changes: &[memory::STRINGS], files: &[] },
];

/// In this order: what comes later finds what came before.
const ENGINE: &[&[Change]] = &[doors::DOORS, first_pass::FIRST_PASS, short_ways::SHORT_WAYS, depth::DEPTH];

const ENGINE_FILES: &[(&str, &str)] = &[("src/vm/short.rs", include_str!("files/short.rs"))];
