//! Against a model, with restarts in between.

use crate::{at, open};
use proptest::prelude::*;
use rimward_kv::{Batch, IfMatch, Pairs};
use rimward_types::ByteSize;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Step {
    Update(BTreeMap<String, Option<String>>),
    Replace(BTreeMap<String, String>),
    Stale,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let key = "[a-c]{1,2}";
    let changes = proptest::collection::btree_map(key, proptest::option::of("[x-z]{0,3}"), 1..6);
    prop_oneof![
        6 => changes.prop_map(Step::Update),
        1 => proptest::collection::btree_map(key, "[x-z]{0,3}", 0..6).prop_map(Step::Replace),
        1 => Just(Step::Stale),
        2 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_store_is_a_map_that_survives(steps in proptest::collection::vec(step(), 1..24)) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        let mut model: BTreeMap<String, String> = BTreeMap::new();
        for (n, step) in steps.into_iter().enumerate() {
            let now = at(n as u64 + 2);
            let etag = store.snapshot().etag().to_string();
            match step {
                Step::Update(changes) => {
                    let puts = changes.iter().filter_map(|(k, v)| Some((k.clone(), v.clone()?)));
                    let deletes = changes.iter().filter(|(_, v)| v.is_none()).map(|(k, _)| k.clone());
                    let batch = Batch::try_new(puts, deletes).unwrap();
                    store.update(&batch, &IfMatch::Exactly(etag), now).unwrap();
                    for (key, value) in changes {
                        match value {
                            Some(value) => model.insert(key, value),
                            None => model.remove(&key),
                        };
                    }
                }
                Step::Replace(pairs) => {
                    let taken = Pairs::try_from_iter(ByteSize::mb(5), &pairs).unwrap();
                    store.replace(taken, &IfMatch::Exactly(etag), now).unwrap();
                    model = pairs;
                }
                Step::Stale => {
                    let stale = IfMatch::Exactly("0".to_owned());
                    prop_assert!(store.update(&Batch::put("a", "stale"), &stale, now).is_err());
                }
                Step::Restart => {
                    drop(store);
                    store = open(folder.path());
                    prop_assert_eq!(store.snapshot().etag().to_string(), etag);
                }
            }
            let seen = store.snapshot();
            let pairs: BTreeMap<String, String> =
                seen.pairs().iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
            let size: usize = model.iter().map(|(k, v)| k.len() + v.len()).sum();
            prop_assert_eq!(&pairs, &model);
            prop_assert_eq!(seen.pairs().size().as_u64(), size as u64);
        }
    }
}
