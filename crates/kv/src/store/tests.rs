#![allow(clippy::unwrap_used)]

use super::*;
use crate::pairs::MAX_STORE;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::thread;

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.json");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    Pairs::try_from_iter(MAX_STORE, pairs.iter().copied()).unwrap()
}

/// What is wrong with `text`.
fn problem(text: &str) -> InvalidStore {
    Pairs::from_json(MAX_STORE, text.as_bytes()).unwrap_err()
}

#[test]
fn values_are_read_from_the_vendors_import_file() {
    let (_folder, path) = file(r#"{"data":[{"key":"a","value":"1"},{"key":"ключ","value":"зна\u0447ение"}]}"#);
    let store = Store::load(&path, MAX_STORE).unwrap();
    assert_eq!(store.get("a").as_deref(), Some("1"));
    assert_eq!(store.get("ключ").as_deref(), Some("значение"));
    assert_eq!(store.get("b"), None);
    assert!(store.snapshot().pairs().contains("a") && !store.snapshot().pairs().contains("A"));
    assert_eq!(store.meta().keys, 2);
}

#[test]
fn an_empty_store_is_a_store() {
    assert!(Pairs::from_json(MAX_STORE, br#"{"data":[]}"#).unwrap().is_empty());
}

#[test]
fn meta_tells_the_files_times() {
    let (_folder, path) = file(r#"{"data":[]}"#);
    let earlier = Timestamp::from_secs(1_700_000_000);
    File::options().write(true).open(&path).unwrap().set_modified(earlier.as_system_time()).unwrap();
    let meta = Store::load(&path, MAX_STORE).unwrap().meta();
    assert_eq!(meta, Meta { created: earlier, updated: earlier, keys: 0 });
}

#[test]
fn a_store_of_pairs_has_the_given_times() {
    let store = Store::of(pairs(&[("a", "1")]), Timestamp::from_secs(5));
    let at = |s| Timestamp::from_secs(s);
    assert_eq!(store.meta(), Meta { created: at(5), updated: at(5), keys: 1 });
    store.replace(pairs(&[("a", "2"), ("b", "3")]), &IfMatch::Any, at(9)).unwrap();
    assert_eq!(store.meta(), Meta { created: at(5), updated: at(9), keys: 2 });
}

#[test]
fn a_reader_sees_all_of_the_old_or_all_of_the_new() {
    let pairs = |value: &str| Pairs::try_from_iter(MAX_STORE, [("a", value), ("b", value)]).unwrap();
    let store = Arc::new(Store::of(pairs("0"), Timestamp::default()));
    let writer = Arc::clone(&store);
    let writing = thread::spawn(move || {
        for n in 1..200u64 {
            writer.replace(pairs(&n.to_string()), &IfMatch::Any, Timestamp::from_secs(n)).unwrap();
        }
    });
    for _ in 0..200 {
        let seen = store.snapshot();
        assert_eq!(seen.get("a"), seen.get("b"));
    }
    writing.join().unwrap();
}

// `cloudfront-functions.md` section 12: key 512 bytes, value 1 KB, store 5 MB, no duplicate keys.

#[test]
fn limits_count_bytes_and_are_inclusive() {
    let key = "é".repeat(256);
    let value = "v".repeat(1024);
    assert!(Pairs::try_from_iter(MAX_STORE, [(&key, &value)]).is_ok());
    let message = Pairs::try_from_iter(MAX_STORE, [("ok", "ok"), (&format!("{key}k"), "")]).unwrap_err().to_string();
    assert_eq!(message, format!("key `{}…` of pair 2 has 513 bytes; a key has at most 512", "é".repeat(16)));
    let message = Pairs::try_from_iter(MAX_STORE, [("k", format!("{value}v"))]).unwrap_err().to_string();
    assert_eq!(message, "the value of key `k` (pair 1) has 1025 bytes; a value has at most 1024");
    assert_eq!(Pairs::try_from_iter(MAX_STORE, [("", "v")]).unwrap_err().to_string(), "pair 1 has an empty key");
}

#[test]
fn a_store_over_5_mb_is_refused() {
    let value = "v".repeat(1024);
    let fits = 5 * 1024 * 1024 / (1024 + 4);
    let pairs = |n| (0..n).map(|i| (format!("{i:04}"), &value));
    let full = Pairs::try_from_iter(MAX_STORE, pairs(fits)).unwrap();
    assert_eq!(full.size().as_u64(), fits as u64 * 1028);
    let error = Pairs::try_from_iter(MAX_STORE, pairs(fits + 1)).unwrap_err();
    assert_eq!(error.to_string(), "the store would have 5243828 bytes; it has at most 5 MB (5242880 bytes)");
    let (_folder, path) = file(&" ".repeat(5 * 1024 * 1024 + 10));
    assert!(matches!(Store::load(&path, MAX_STORE), Err(InvalidStore::StoreTooLarge { size: 5_242_890, .. })));
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let text = r#"{"data":[{"key":"a","value":"1"},{"key":"b","value":""},{"key":"a","value":"1"}]}"#;
    assert_eq!(problem(text).to_string(), "key `a` is there twice: pairs 1 and 3");
}

#[test]
fn wrong_json_is_refused_with_its_place() {
    for (text, message) in [
        ("", "line 1, column 0: EOF while parsing a value"),
        ("{}", "line 1, column 2: missing field `data`"),
        ("{\"data\":[\n{\"key\":\"a\"}]}", "line 2, column 11: missing field `value`"),
        ("{\"data\":[{\"key\":\"a\",\"value\":5}]}", "line 1, column 29: invalid type: integer `5`, expected a string"),
        (
            "{\"data\":[{\"key\":\"a\",\"val\":\"\"}]}",
            "line 1, column 25: unknown field `val`, expected `key` or `value`",
        ),
    ] {
        let error = problem(text);
        assert_eq!(error.to_string(), message, "{text}");
        assert!(error.hint().unwrap().contains(r#"{"data":[{"key":"a","value":"b"}]}"#));
    }
    assert!(matches!(
        Pairs::from_json(MAX_STORE, b"{\"data\":[{\"key\":\"\xff\",\"value\":\"\"}]}"),
        Err(InvalidStore::Json { .. })
    ));
}

#[test]
fn a_missing_file_is_named() {
    let message = Store::load(Path::new("nowhere/store.json"), MAX_STORE).unwrap_err().to_string();
    assert!(message.starts_with("cannot read nowhere/store.json: "), "{message}");
}

proptest! {
    #[test]
    fn a_store_reads_like_a_map(model in proptest::collection::btree_map("\\PC{1,8}", "\\PC{0,12}", 0..20), other in "\\PC{0,8}") {
        let data: Vec<_> = model.iter().map(|(k, v)| serde_json::json!({"key": k, "value": v})).collect();
        let pairs = Pairs::from_json(MAX_STORE, serde_json::json!({ "data": data }).to_string().as_bytes()).unwrap();
        prop_assert_eq!(pairs.len(), model.len());
        let model: BTreeMap<String, String> = model;
        for key in model.keys().chain([&other]) {
            let value = pairs.get(key);
            prop_assert_eq!(value.as_deref(), model.get(key).map(String::as_str));
            prop_assert_eq!(pairs.contains(key), model.contains_key(key));
        }
    }

    #[test]
    fn reading_never_panics(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Pairs::from_json(MAX_STORE, &text);
    }

    #[test]
    fn reading_something_like_a_store_never_panics(text in r#"\{"data":\[(\{"key":"[^"]{0,4}","value":"?[^"]{0,4}"?\},?){0,4}\]?\}?"#) {
        let _ = Pairs::from_json(MAX_STORE, text.as_bytes());
    }
}
