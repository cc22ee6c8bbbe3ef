//! `cloudfront-functions.md` section 12: writes, ETags, batches.

use crate::{at, open};
use rimward_kv::write::InvalidBatch;
use rimward_kv::{Batch, IfMatch, NotWritten, Pairs, Stores};
use rimward_types::ByteSize;

#[test]
fn what_was_written_is_there_after_a_restart_with_its_etag_and_times() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let written = store.update(&Batch::put("a", "1"), &IfMatch::Any, at(7)).unwrap();
    assert_eq!((written.keys, written.size), (1, ByteSize::bytes(2)));
    assert_eq!(store.get("a").as_deref(), Some("1"), "the next read sees it");
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.get("a").as_deref(), Some("1"));
    assert_eq!(store.snapshot().etag(), written.etag);
    assert_eq!((store.meta().created, store.meta().updated), (at(1), at(7)));
}

#[test]
fn a_stale_etag_writes_nothing_and_is_told_the_one_that_holds() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let first = store.snapshot().etag();
    let second = store.update(&Batch::put("a", "1"), &IfMatch::read(&first.to_string()), at(2)).unwrap().etag;
    assert_ne!(first, second, "each change has a new one");
    let stale = IfMatch::read(&format!("\"{first}\""));
    let error = store.update(&Batch::delete("a"), &stale, at(3)).unwrap_err();
    assert!(matches!(error, NotWritten::Stale(now) if now == second), "{error}");
    let error = store.replace(Pairs::default(), &stale, at(3)).unwrap_err();
    assert!(error.to_string().contains(&second.to_string()), "{error}");
    assert_eq!(store.get("a").as_deref(), Some("1"));
}

#[test]
fn deleting_a_key_that_is_not_there_succeeds_and_keeps_the_etag() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let before = store.snapshot().etag();
    assert_eq!(store.update(&Batch::delete("a"), &IfMatch::Any, at(2)).unwrap().etag, before);
}

#[test]
fn a_batch_with_one_wrong_pair_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.update(&Batch::put("old", "1"), &IfMatch::Any, at(2)).unwrap();
    let long = "v".repeat(1025);
    let batch = Batch::try_new([("a", "1"), ("b", &long)], ["old"]).unwrap();
    let error = store.update(&batch, &IfMatch::Any, at(3)).unwrap_err();
    assert!(error.to_string().contains("1025 bytes"), "{error}");
    assert_eq!((store.get("a"), store.get("old").as_deref()), (None, Some("1")));
    assert_eq!(open_pairs(&store), 1);
}

fn open_pairs(store: &rimward_kv::Store) -> usize {
    store.snapshot().pairs().len()
}

#[test]
fn a_batch_has_50_keys_at_most_and_none_twice() {
    let keys = |n: usize| (0..n).map(|i| (i.to_string(), String::new())).collect::<Vec<_>>();
    assert!(Batch::try_new(keys(50), []).is_ok());
    assert_eq!(Batch::try_new(keys(51), []), Err(InvalidBatch::TooManyKeys(51)));
    assert_eq!(Batch::try_new([("a", "1")], ["a"]), Err(InvalidBatch::DuplicateKey("a".to_owned())));
    assert_eq!(Batch::try_new::<&str, &str>([], []), Err(InvalidBatch::Empty));
    let large = "v".repeat(3 << 20);
    assert!(matches!(Batch::try_new([("a", large.as_str())], []), Err(InvalidBatch::TooLarge(_))));
}

#[test]
fn the_size_is_configurable_and_a_lowered_one_lets_a_store_shrink() {
    let folder = tempfile::tempdir().unwrap();
    let stores = Stores::new(folder.path());
    let store = stores.open("s", ByteSize::bytes(8), at(1)).unwrap();
    store.update(&Batch::put("abc", "12345"), &IfMatch::Any, at(2)).unwrap();
    let error = store.update(&Batch::put("d", ""), &IfMatch::Any, at(3)).unwrap_err();
    assert!(error.to_string().contains("would have 9 bytes; it has at most 8"), "{error}");
    let same = stores.open("s", ByteSize::bytes(4), at(4)).unwrap();
    assert_eq!(same.get("abc").as_deref(), Some("12345"), "what is there stays");
    store.update(&Batch::put("abc", "12"), &IfMatch::Any, at(5)).unwrap();
    assert!(store.update(&Batch::put("abc", "123"), &IfMatch::Any, at(6)).is_err());
}

#[test]
fn a_snapshot_stays_as_it_is_while_the_store_is_written() {
    // Section 11.1: the content does not change during an invocation.
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let seen = store.snapshot();
    store.update(&Batch::put("a", "1"), &IfMatch::Any, at(2)).unwrap();
    assert_eq!((seen.get("a"), store.snapshot().get("a").as_deref()), (None, Some("1")));
}

#[test]
fn two_processes_cannot_have_the_same_store() {
    let folder = tempfile::tempdir().unwrap();
    let _held = open(folder.path());
    let error = Stores::new(folder.path()).open("s", ByteSize::mb(5), at(1)).unwrap_err();
    assert!(error.to_string().contains("s.redb: another process has it open"), "{error}");
    assert!(error.hint.is_some());
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s.redb"), "precious text that is no database".repeat(100)).unwrap();
    let error = Stores::new(folder.path()).open("s", ByteSize::mb(5), at(1)).unwrap_err();
    assert!(error.to_string().contains("s.redb: "), "{error}");
    assert!(std::fs::read_to_string(folder.path().join("s.redb")).unwrap().starts_with("precious"));
}

#[test]
fn an_export_can_be_imported_and_is_sorted() {
    let text = r#"{"data":[{"key":"b","value":"2"},{"key":"a","value":"\"\n1"}]}"#;
    let pairs = Pairs::from_json(ByteSize::mb(5), text.as_bytes()).unwrap();
    let exported = pairs.to_json();
    assert!(exported.find("\"a\"") < exported.find("\"b\""), "{exported}");
    let again = Pairs::from_json(ByteSize::mb(5), exported.as_bytes()).unwrap();
    assert_eq!(again.sorted(), pairs.sorted());
}
