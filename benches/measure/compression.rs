//! What compression costs: each coding by level, for texts of 1 KB to 1 MB. As an answer is coded when it is stored, in one
//! go, and as one is coded whose origin is slow, so that what has come is sent on again and again.

use rimward_benches::{Report, allocations};
use rimward_proxy::compress::encoder::{Coding, Encoder, Then};
use std::process::ExitCode;

#[global_allocator]
static COUNTED: allocations::Counted = allocations::Counted;

const SIZES: [(&str, usize); 4] = [("1-kb", 1_000), ("10-kb", 10_000), ("100-kb", 100_000), ("1-mb", 1_000_000)];
const LEVELS: [(Coding, &[i32]); 3] =
    [(Coding::Gzip, &[1, 4, 6, 9]), (Coding::Brotli, &[1, 3, 4, 5, 6, 9]), (Coding::Zstd, &[1, 3, 6, 9])];
/// Bytes that the node codes at a time.
const BLOCK: usize = 64 << 10;
/// Bytes between two pauses of a slow origin.
const DRIP: usize = 8 << 10;
/// Bytes that are coded for one measurement, so that the clock's grain does not count.
const ENOUGH: usize = 4_000_000;

/// A page of a shop, the same in every run: markup that repeats, words of which few are common, names and numbers.
fn page(size: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut below = move |most: u64| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    };
    let syllables =
        ["an", "ber", "co", "den", "el", "fi", "gra", "hol", "in", "ka", "lo", "mer", "no", "or", "pa", "re"];
    let words: Vec<String> =
        (0..3000).map(|_| (0..1 + below(4)).map(|_| syllables[below(16) as usize]).collect()).collect();
    let mut page =
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Shop</title></head>\n<body>\n"
            .to_owned();
    while page.len() < size {
        // The square of an even choice: the first words are the common ones.
        let mut word = || words[(below(3000) * below(3000) / 3000) as usize].as_str();
        let text: Vec<&str> = (0..24).map(|_| word()).collect();
        let name = [word(), word()].join(" ");
        page.push_str(&format!(
            "<article class=\"product-card\" data-id=\"{:06}\">\n  <h2><a href=\"/products/{}\">{name}</a></h2>\n  <p>{}.</p>\n  \
             <span class=\"price\">{}.{:02} EUR</span>\n</article>\n",
            below(1_000_000),
            name.replace(' ', "-"),
            text.join(" "),
            below(500),
            below(100),
        ));
    }
    page.truncate(size);
    page.into_bytes()
}

/// Codes `text`, `block` bytes at a time, with `then` after each. Gives the coded bytes.
fn code(coding: Coding, level: i32, text: &[u8], block: usize, then: Then) -> usize {
    let mut encoder = Encoder::with_level(coding, level).expect("an encoder");
    let mut coded = 0;
    let mut blocks = text.chunks(block).peekable();
    while let Some(part) = blocks.next() {
        let then = if blocks.peek().is_some() { then } else { Then::End };
        let (next, ready) = encoder.code(part, then).expect("it is coded");
        coded += ready.len();
        match next {
            Some(next) => encoder = next,
            None => break,
        }
    }
    coded
}

/// Processor time of this thread in nanoseconds: what others do on the machine does not count.
fn thread_ns() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

fn us_of(runs: usize, mut f: impl FnMut()) -> f64 {
    f();
    let start = thread_ns();
    (0..runs).for_each(|_| f());
    (thread_ns() - start) as f64 / 1000.0 / runs as f64
}

fn main() -> ExitCode {
    let mut report = Report::new("compression");
    for (size, bytes) in SIZES {
        let text = page(bytes);
        let runs = (ENOUGH / bytes).max(4);
        for (coding, levels) in LEVELS {
            for level in levels {
                let name = format!("{size}/{}-{level}", coding.as_str());
                let stored = code(coding, *level, &text, BLOCK, Then::More);
                report.number(&format!("{name}/percent"), stored as f64 / bytes as f64 * 100.0);
                let us = us_of(runs, || {
                    std::hint::black_box(code(coding, *level, &text, BLOCK, Then::More));
                });
                report.number(&format!("{name}/us"), us);
                if *level != coding.level() {
                    continue;
                }
                let before = allocations::held();
                allocations::peak();
                code(coding, *level, &text, BLOCK, Then::More);
                // What the reference encoder of Zstandard takes is not seen: it is C, and asks the system itself.
                report.number(&format!("{name}/kb-of-memory"), (allocations::peak() - before) as f64 / 1000.0);
                if bytes > DRIP {
                    let dripped = code(coding, *level, &text, DRIP, Then::Pause);
                    report.number(&format!("{name}/slow-origin/percent"), dripped as f64 / bytes as f64 * 100.0);
                    let us = us_of(runs, || {
                        std::hint::black_box(code(coding, *level, &text, DRIP, Then::Pause));
                    });
                    report.number(&format!("{name}/slow-origin/us"), us);
                }
            }
        }
    }
    report.finish()
}
