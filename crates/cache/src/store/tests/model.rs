//! The store beside a model of what it may serve.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Step {
    Begin(u8, bool),
    End(prop::sample::Index, usize, u8),
    Leave(prop::sample::Index),
    Find(u8, bool),
    Purge(u8, bool),
    PurgeAll(bool),
    PurgeTag(bool, bool),
    Soften(bool, usize),
    Sweep,
    Hold(u8, bool),
    LetGo,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..6, any::<bool>()).prop_map(|(url, german)| Step::Begin(url, german)),
        4 => (any::<prop::sample::Index>(), 0usize..30_000, any::<u8>()).prop_map(|(at, size, mark)| Step::End(at, size, mark)),
        1 => any::<prop::sample::Index>().prop_map(Step::Leave),
        3 => (0u8..6, any::<bool>()).prop_map(|(url, german)| Step::Find(url, german)),
        1 => (0u8..6, any::<bool>()).prop_map(|(url, lazy)| Step::Purge(url, lazy)),
        1 => any::<bool>().prop_map(Step::PurgeAll),
        1 => any::<(bool, bool)>().prop_map(|(even, lazy)| Step::PurgeTag(even, lazy)),
        2 => (any::<bool>(), 0usize..120_000).prop_map(|(even, room)| Step::Soften(even, room)),
        1 => Just(Step::Sweep),
        1 => (0u8..6, any::<bool>()).prop_map(|(url, german)| Step::Hold(url, german)),
        1 => Just(Step::LetGo),
    ]
}

/// Times `RIMWARD_TEST_TIMES` where that is set: for a night.
fn cases() -> ProptestConfig {
    let times = std::env::var("RIMWARD_TEST_TIMES").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    ProptestConfig::with_cases(200 * times)
}

proptest! {
    #![proptest_config(cases())]

    /// The model: what was stored last under a name, unless purged since the fetch began. The store may forget, but it
    /// never serves anything else, never exceeds its bound, and counts what it has.
    #[test]
    fn the_store_agrees_with_its_model(steps in proptest::collection::vec(step(), 1..60)) {
        let memory = ByteSize::kb(128);
        let store = store(memory, 4);
        let ask = |url: u8, german: bool| request(&format!("/{url}"), if german { "de" } else { "en" });
        let mut model: BTreeMap<(u8, bool), Bytes> = BTreeMap::new();
        let mut fills: Vec<(u8, bool, Arc<Fill>)> = Vec::new();
        let mut struck: BTreeSet<usize> = BTreeSet::new();
        let mut doubted: BTreeSet<(usize, bool)> = BTreeSet::new();
        let mut held = Vec::new();
        for step in steps {
            match step {
                Step::Begin(url, german) => fills.push((url, german, begin(&store, &ask(url, german)))),
                Step::End(at, size, mark) if !fills.is_empty() => {
                    let (url, german, fill) = fills.swap_remove(at.index(fills.len()));
                    let tags = if mark % 2 == 0 { "even" } else { "odd" };
                    let stored = end_tagged(&store, &ask(url, german), &fill, size, mark, tags);
                    let is_doubted = doubted.remove(&(Arc::as_ptr(&fill) as usize, mark % 2 == 0));
                    doubted.remove(&(Arc::as_ptr(&fill) as usize, mark % 2 != 0));
                    if stored && !struck.remove(&(Arc::as_ptr(&fill) as usize)) && !is_doubted {
                        model.insert((url, german), vec![mark; size].into());
                    }
                }
                Step::Leave(at) if !fills.is_empty() => {
                    let (url, german, fill) = fills.swap_remove(at.index(fills.len()));
                    store.release(&key(&ask(url, german)), &fill);
                    struck.remove(&(Arc::as_ptr(&fill) as usize));
                    doubted.retain(|(other, _)| *other != Arc::as_ptr(&fill) as usize);
                }
                Step::PurgeTag(even, lazy) => {
                    purge(&store, &tag(if even { "even" } else { "odd" }), lazy);
                    let urls: BTreeSet<u8> = model.iter().filter(|(name, body)| {
                        find(&store, &ask(name.0, name.1)).is_none() && body.first().is_none_or(|mark| (mark % 2 == 0) == even)
                    }).map(|((url, _), _)| *url).collect();
                    model.retain(|(url, german), _| !urls.contains(url) || find(&store, &ask(*url, *german)).is_some());
                    doubted.extend(fills.iter().map(|(_, _, fill)| (Arc::as_ptr(fill) as usize, even)));
                    for (name, body) in &model {
                        prop_assert!(body.first().is_none_or(|mark| (mark % 2 == 0) != even), "{name:?} is tagged");
                    }
                }
                Step::Find(url, german) => {
                    if let Some(found) = find(&store, &ask(url, german)) {
                        prop_assert_eq!(Some(&found), model.get(&(url, german)));
                    }
                }
                Step::Purge(url, lazy) => {
                    let what = Purge::Url { distribution: "E1".into(), url: format!("/{url}") };
                    let counted = store.count(&what, 0).0;
                    let purged = purge(&store, &what, lazy);
                    prop_assert_eq!((counted.objects, counted.bytes), (purged.objects, purged.bytes));
                    model.retain(|(other, _), _| *other != url);
                    let fresh = fills.iter().filter(|(other, ..)| *other == url)
                        .filter(|(_, _, fill)| struck.insert(Arc::as_ptr(fill) as usize)).count();
                    prop_assert_eq!(purged.fills, fresh as u64);
                    prop_assert!(find(&store, &ask(url, true)).is_none() && find(&store, &ask(url, false)).is_none());
                }
                Step::Soften(even, room) => {
                    // Fetches are struck as by a hard purge; what is stored stays, until somebody needs its room.
                    let tagged: BTreeSet<u8> = model.iter().filter(|(name, body)| {
                        find(&store, &ask(name.0, name.1)).is_some() && body.first().is_some_and(|mark| (mark % 2 == 0) == even)
                    }).map(|((url, _), _)| *url).collect();
                    let before = store.usage();
                    store.condemn(Extent::of(&tag(if even { "even" } else { "odd" })), Strikes::All, Fate::Expired);
                    prop_assert_eq!(store.usage().objects, before.objects);
                    drop(store.reserve(room));
                    let after = store.usage();
                    prop_assert_eq!(before.objects - after.objects, after.evicted - before.evicted);
                    for (url, german) in model.keys().filter(|(url, _)| tagged.contains(url)) {
                        prop_assert!(is_stale(&store, &ask(*url, *german)) != Some(false), "/{url} is stale");
                    }
                    doubted.extend(fills.iter().map(|(_, _, fill)| (Arc::as_ptr(fill) as usize, even)));
                }
                Step::Sweep => store.sweep(),
                Step::PurgeAll(lazy) => {
                    let before = store.usage().objects;
                    prop_assert_eq!(purge(&store, &Purge::All, lazy).objects, before);
                    model.clear();
                    struck = fills.iter().map(|(_, _, fill)| Arc::as_ptr(fill) as usize).collect();
                    prop_assert_eq!(store.usage().objects, 0);
                }
                Step::Hold(url, german) => held.extend(find(&store, &ask(url, german))),
                Step::LetGo => held.clear(),
                Step::End(..) | Step::Leave(_) => {}
            }
            let usage = store.usage();
            prop_assert!(usage.bytes <= memory.as_u64());
            prop_assert!(usage.objects <= model.len() as u64);
            let found = model.keys().filter(|(url, german)| find(&store, &ask(*url, *german)).is_some()).count();
            prop_assert_eq!(usage.objects, found as u64);
        }
        drop((held, fills));
        store.purge(&Purge::All);
        store.sweep();
        prop_assert_eq!(store.usage().bytes, 0);
        prop_assert!(store.shards.iter().all(|shard| shard.lock().has_no_tags()));
    }
}
