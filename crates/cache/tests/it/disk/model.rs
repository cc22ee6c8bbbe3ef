//! A model of what the cache may answer: what was stored last under a name, unless it was purged. It may forget; it never
//! answers with anything else, before or after a restart, and never has more bytes than it may.

use super::stage::{DiskPlay, FRESH};
use crate::play::{Origin, get};
use bytes::Bytes;
use http::StatusCode;
use proptest::prelude::*;
use rimward_cache::{Purge, Tag};
use rimward_types::{Body, ByteSize};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Step {
    Put(u8, usize, u8),
    Get(u8),
    Purge(u8),
    PurgeTag(bool),
    PurgeAll,
    Settle,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u8..8, 0usize..200_000, any::<u8>()).prop_map(|(name, size, mark)| Step::Put(name, size, mark)),
        6 => (0u8..8).prop_map(Step::Get),
        1 => (0u8..8).prop_map(Step::Purge),
        1 => any::<bool>().prop_map(Step::PurgeTag),
        1 => Just(Step::PurgeAll),
        2 => Just(Step::Settle),
        2 => Just(Step::Reopen),
    ]
}

fn body(size: usize, mark: u8) -> Bytes {
    (0..size).map(|n| (n as u8).wrapping_mul(3) ^ mark).collect::<Vec<u8>>().into()
}

fn is_odd(name: u8) -> bool {
    name % 2 == 1
}

async fn found(stage: &DiskPlay, name: u8) -> Option<Bytes> {
    let seen = stage.play.ask(get(&format!("/{name}"), &[]), Origin::IsAway).await;
    (seen.head.status == StatusCode::OK).then_some(seen.body)
}

async fn run(steps: Vec<Step>) {
    let mut stage = DiskPlay::with(ByteSize::mb(1), ByteSize::mb(1));
    let mut model: BTreeMap<u8, Bytes> = BTreeMap::new();
    for step in steps {
        match step {
            Step::Put(name, size, mark) => {
                let purge = Purge::Url { distribution: "E1".into(), url: format!("/{name}") };
                stage.play.cache.purge(&purge);
                let tag = if is_odd(name) { "odd" } else { "even" };
                let head = crate::play::head(200, &[FRESH, &[("cache-tag", tag)]].concat());
                let body = body(size, mark);
                stage.play.get(&format!("/{name}"), Origin::Answers(head, Body::from(body.clone()))).await;
                model.insert(name, body);
            }
            Step::Get(name) => {
                if let Some(body) = found(&stage, name).await {
                    assert_eq!(Some(&body), model.get(&name), "/{name}");
                }
            }
            Step::Purge(name) => {
                stage.play.cache.purge(&Purge::Url { distribution: "E1".into(), url: format!("/{name}") });
                model.remove(&name);
            }
            Step::PurgeTag(odd) => {
                let tag = Tag::try_new(if odd { "odd" } else { "even" }).unwrap();
                stage.play.cache.purge(&Purge::Tag { distribution: "E1".into(), tag });
                model.retain(|name, _| is_odd(*name) != odd);
            }
            Step::PurgeAll => {
                stage.play.cache.purge(&Purge::All);
                model.clear();
            }
            Step::Settle => stage.settle().await,
            Step::Reopen => {
                // What is on the disk when it has settled is promised: none of it is lost.
                stage.settle().await;
                let promised = stage.disk().objects;
                stage = stage.reopen().await;
                assert_eq!(stage.disk().objects, promised);
            }
        }
        let (usage, disk) = (stage.play.cache.usage(), stage.disk());
        assert!(usage.bytes <= 1 << 20 && disk.bytes <= 1 << 20);
        assert!(disk.objects <= model.len() as u64 && disk.damaged == 0 && disk.failures == 0, "{disk:?}");
    }
    for name in 0..8 {
        if let Some(body) = found(&stage, name).await {
            assert_eq!(Some(&body), model.get(&name));
        }
    }
    stage.play.cache.purge(&Purge::All);
    stage.settle().await;
    assert_eq!((stage.disk().bytes, stage.disk().index, stage.files().len()), (0, 0, 0));
}

proptest! {
    #![proptest_config(crate::play::cases(16))]

    #[test]
    fn the_cache_agrees_with_its_model_across_restarts(steps in proptest::collection::vec(step(), 1..40)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(steps));
    }
}
