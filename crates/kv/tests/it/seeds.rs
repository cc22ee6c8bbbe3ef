//! The file of a store.

use crate::{at, open};
use rimward_kv::{Batch, Followed, IfMatch, Seed};
use rimward_types::ByteSize;
use std::path::Path;

fn seed(folder: &Path, text: &str) -> Seed {
    let file = folder.join("pairs.json");
    std::fs::write(&file, text).unwrap();
    Seed::read(&file, ByteSize::mb(5)).unwrap()
}

const ONE: &str = r#"{"data":[{"key":"a","value":"1"}]}"#;
const TWO: &str = r#"{"data":[{"key":"b","value":"2"}]}"#;

#[test]
fn a_store_follows_its_file_until_somebody_writes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    assert_eq!(store.follow(&seed(folder.path(), ONE), at(2)).unwrap(), Followed::Replaced);
    assert_eq!(store.get("a").as_deref(), Some("1"));
    assert_eq!(store.follow(&seed(folder.path(), ONE), at(3)).unwrap(), Followed::Unchanged);
    assert_eq!(store.meta().updated, at(2));
    drop(store);

    let store = open(folder.path());
    assert_eq!(store.follow(&seed(folder.path(), ONE), at(4)).unwrap(), Followed::Unchanged, "also after a restart");
    assert_eq!(store.follow(&seed(folder.path(), TWO), at(5)).unwrap(), Followed::Replaced);
    assert_eq!((store.get("a"), store.get("b").as_deref()), (None, Some("2")));

    store.update(&Batch::put("own", "3"), &IfMatch::Any, at(6)).unwrap();
    assert_eq!(store.follow(&seed(folder.path(), TWO), at(7)).unwrap(), Followed::Unchanged);
    assert_eq!(store.follow(&seed(folder.path(), ONE), at(8)).unwrap(), Followed::Kept);
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.follow(&seed(folder.path(), ONE), at(9)).unwrap(), Followed::Kept);
    assert_eq!(store.get("own").as_deref(), Some("3"), "what was written by hand is not lost");
}
