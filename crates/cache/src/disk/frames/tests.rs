#![allow(clippy::unwrap_used)]
use super::*;
use crate::disk::files::SystemFiles;
use proptest::prelude::*;
use std::os::unix::fs::FileExt;

const ID: u64 = 7;

fn write(body: &[u8], heads: &[&[u8]]) -> File {
    let file = tempfile::tempfile().unwrap();
    let mut bytes = Vec::new();
    for (index, data) in body.chunks(FRAME as usize).enumerate() {
        push_frame(&mut bytes, ID, index as u64, data);
    }
    for head in heads {
        let at = bytes.len() as u64;
        push_head(&mut bytes, ID, body.len() as u64, head, at);
    }
    file.write_all_at(&bytes, 0).unwrap();
    file
}

fn body(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 31 % 251) as u8).collect()
}

#[test]
fn the_last_head_counts() {
    let large = vec![7; 100_000];
    for heads in [&[&b"one"[..]][..], &[b"one", b"two"], &[b"one", &large]] {
        let file = write(&body(100), heads);
        let tail = read_tail(&SystemFiles, &file, ID).unwrap();
        assert_eq!((tail.length, &tail.head[..]), (100, *heads.last().unwrap()));
        assert_eq!(tail.size, file.metadata().unwrap().len());
    }
}

#[test]
fn an_unfinished_file_has_no_end() {
    let whole = write(&body(70_000), &[b"head"]);
    let size = whole.metadata().unwrap().len();
    for cut in [0, 10, 70_000, size - 1] {
        whole.set_len(cut).unwrap();
        assert!(matches!(read_tail(&SystemFiles, &whole, ID), Err(Unreadable::Damaged(_))), "{cut}");
    }
}

#[test]
fn a_file_of_another_id_is_not_it() {
    let file = write(&body(10), &[b"head"]);
    assert!(matches!(read_tail(&SystemFiles, &file, ID + 1), Err(Unreadable::Damaged(_))));
    assert!(matches!(read_body(&SystemFiles, &file, ID + 1, 10, 0, 10), Err(Unreadable::Damaged(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_part_of_a_body_reads_as_written(length in 1usize..300_000, at in any::<prop::sample::Index>(), most in 1u64..200_000) {
        let body = body(length);
        let file = write(&body, &[b"head"]);
        let at = at.index(length);
        let part = read_body(&SystemFiles, &file, ID, length as u64, at as u64, most).unwrap();
        prop_assert_eq!(&part[..], &body[at..(at + most as usize).min(length)]);
    }

    /// One flipped bit anywhere is found by whoever reads that part.
    #[test]
    fn a_flipped_bit_is_found(length in 1usize..140_000, at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let file = write(&body(length), &[b"a head of some length"]);
        let at = at.index(file.metadata().unwrap().len() as usize) as u64;
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 1 << bit], at).unwrap();
        let read = read_tail(&SystemFiles, &file, ID)
            .and_then(|tail| read_body(&SystemFiles, &file, ID, tail.length, 0, u64::MAX));
        prop_assert!(matches!(read, Err(Unreadable::Damaged(_))));
    }
}
