#![allow(clippy::unwrap_used)]
use super::*;
use crate::fill::Times;
use crate::memory::block;
use crate::object::{Content, Face, face_weight};
use crate::policy::admit::{Admission, admit};
use crate::purge::{Purge, Purged};
use crate::rules::{KeyRules, NameSet, Rules};
use crate::tag::{self, Tag};
use bytes::Bytes;
use extent::Extent;
use held::Fate;
use http::{HeaderValue, StatusCode};
use purging::Strikes;
use rimward_types::{ByteSize, RequestHead, ResponseHead, TestClock};
use shard::Found;

mod model;
mod purged_on_disk;

fn store(memory: ByteSize, variants: usize) -> Arc<Store> {
    let options = Options { memory, max_object: memory, variants, ..Options::default() };
    Arc::new(Store::new(options, Arc::new(TestClock::at(Timestamp::from_secs(1_750_000_000)))))
}

fn request(url: &str, language: &str) -> RequestHead {
    let mut request = RequestHead::get(url);
    request.headers.insert("accept-language", HeaderValue::from_str(language).unwrap());
    request
}

fn key(request: &RequestHead) -> Arc<Key> {
    Arc::new(Key::new("E1", request, &KeyRules { query: NameSet::All, ..KeyRules::default() }))
}

fn begin(store: &Store, request: &RequestHead) -> Arc<Fill> {
    let fill = Fill::new(Arc::new(request.clone()), true, 0);
    store.shard(&key(request)).register(&key(request), &fill);
    fill
}

/// Ends a fetch with a body of `size` bytes, each of which is `mark`. False when there is no room.
fn end(store: &Store, request: &RequestHead, fill: &Arc<Fill>, size: usize, mark: u8) -> bool {
    end_tagged(store, request, fill, size, mark, "")
}

fn face(store: &Store, request: &RequestHead, key: &Key, tags: &str) -> Option<Arc<Face>> {
    let mut head = ResponseHead::new(StatusCode::OK);
    head.headers.insert("cache-control", HeaderValue::from_static("max-age=60"));
    head.headers.insert("vary", HeaderValue::from_static("accept-language"));
    head.headers.insert("cache-tag", HeaderValue::from_str(tags).unwrap());
    let times = Times { requested: store.now(), received: store.now() };
    let rules = Rules::default();
    let Admission::Store(terms) = admit(request, &head, &rules, times) else { panic!("it is stored") };
    let tags: Box<[Tag]> = tag::of_response(&head.headers, &rules.tag_headers).into();
    let room = store.reserve(face_weight(&head, &request.headers, key, &tags))?;
    Face::try_new(head, &request.headers, terms, tags, &rules, store, room).map(Arc::new)
}

fn end_tagged(store: &Store, request: &RequestHead, fill: &Arc<Fill>, size: usize, mark: u8, tags: &str) -> bool {
    let key = key(request);
    let Some((face, room)) = face(store, request, &key, tags).zip(store.reserve(size)) else {
        store.release(&key, fill);
        return false;
    };
    let content = Content::Whole(block(&[vec![mark; size].into()], room));
    store.complete(&key, fill, Stored { face, content });
    true
}

fn find(store: &Store, request: &RequestHead) -> Option<Bytes> {
    match store.shard(&key(request)).find(&key(request), &request.headers) {
        Found::Stored(Stored { content: Content::Whole(bytes), .. }) => Some(bytes),
        _ => None,
    }
}

/// Whether what is stored is stale by a purge.
fn is_stale(store: &Store, request: &RequestHead) -> Option<bool> {
    match store.shard(&key(request)).find(&key(request), &request.headers) {
        Found::Stored(stored) => Some(stored.face.is_expired()),
        _ => None,
    }
}

/// Keys that wait for the sweeper.
fn condemned(store: &Store) -> usize {
    store.shards.iter().map(|shard| shard.lock().condemned()).sum()
}

#[test]
fn what_was_not_asked_for_again_goes_first() {
    let store = store(ByteSize::kb(64), 4);
    let requests: Vec<_> = (0..5).map(|i| request(&format!("/{i}"), "en")).collect();
    for request in &requests[..3] {
        assert!(end(&store, request, &begin(&store, request), 15_000, 1));
    }
    assert!(find(&store, &requests[0]).is_some());
    assert!(end(&store, &requests[3], &begin(&store, &requests[3]), 15_000, 1));
    assert!(end(&store, &requests[4], &begin(&store, &requests[4]), 15_000, 1));
    let kept: Vec<bool> = requests.iter().map(|request| find(&store, request).is_some()).collect();
    assert_eq!(kept, [true, false, false, true, true]);
    assert_eq!(store.usage().evicted, 2);
}

#[test]
fn what_a_reader_holds_is_counted_after_its_eviction() {
    let store = store(ByteSize::kb(64), 4);
    let first = request("/first", "en");
    assert!(end(&store, &first, &begin(&store, &first), 40_000, 7));
    let held = find(&store, &first).unwrap();
    let second = request("/second", "en");
    let fill = begin(&store, &second);
    assert!(!end(&store, &second, &fill, 40_000, 8), "the reader's bytes leave no room");
    drop(held);
    assert!(end(&store, &second, &begin(&store, &second), 40_000, 8));
    assert_eq!(store.usage().fills, 0);
}

#[test]
fn variants_of_a_key_are_bounded() {
    let store = store(ByteSize::mb(1), 2);
    for language in ["en", "de", "fr"] {
        let request = request("/", language);
        assert!(end(&store, &request, &begin(&store, &request), 10, 1));
    }
    assert!(find(&store, &request("/", "en")).is_none());
    assert!(find(&store, &request("/", "de")).is_some());
    assert!(find(&store, &request("/", "fr")).is_some());
    assert_eq!(store.usage().objects, 2);
}

#[test]
fn a_purge_takes_all_variants_and_counts_them() {
    // cdn-behaviour.md section 17
    let store = store(ByteSize::mb(1), 4);
    for (url, language) in [("/x", "en"), ("/x", "de"), ("/x?a=1", "en"), ("/xy", "en"), ("/y", "en")] {
        let request = request(url, language);
        assert!(end(&store, &request, &begin(&store, &request), 10, 1));
    }
    let url = Purge::Url { distribution: "E1".into(), url: "/x".into() };
    let (counted, examples) = store.count(&url, 10);
    let purged = store.purge(&url);
    assert_eq!(purged.objects, 2);
    assert_eq!((counted, examples), (purged, vec!["/x".to_owned()]));
    let purged = store.purge(&Purge::Prefix { distribution: "E1".into(), prefix: "/x".into() });
    assert_eq!(purged.objects, 2);
    assert_eq!(store.purge(&Purge::Distribution("E".into())).objects, 0);
    assert_eq!(store.purge(&Purge::Distribution("E1".into())).objects, 1);
    assert_eq!(store.usage(), Usage::default());
}

#[test]
fn a_fetch_that_began_before_a_purge_is_not_stored() {
    // cdn-behaviour.md section 17
    let store = store(ByteSize::mb(1), 4);
    let asked = request("/x", "en");
    let before = begin(&store, &asked);
    let other = request("/y", "en");
    let elsewhere = begin(&store, &other);
    let purged = store.purge(&Purge::Url { distribution: "E1".into(), url: "/x".into() });
    assert_eq!(purged, Purged { fills: 1, ..Purged::default() });
    let after = begin(&store, &asked);
    assert!(end(&store, &asked, &after, 10, 2));
    assert!(end(&store, &asked, &before, 10, 1));
    assert!(end(&store, &other, &elsewhere, 10, 3));
    assert_eq!(find(&store, &asked).unwrap()[0], 2);
    assert_eq!(find(&store, &other).unwrap()[0], 3);
    assert_eq!(store.usage().objects, 2);
}

fn tag(tag: &str) -> Purge {
    Purge::Tag { distribution: "E1".into(), tag: Tag::try_new(tag).unwrap() }
}

fn put_tagged(store: &Store, url: &str, language: &str, tags: &str) {
    let request = request(url, language);
    assert!(end_tagged(store, &request, &begin(store, &request), 10, 1, tags));
}

#[test]
fn a_purge_by_tag_takes_every_variant_of_what_carries_it() {
    // cdn-behaviour.md section 17
    let store = store(ByteSize::mb(1), 4);
    put_tagged(&store, "/a", "en", "Brand:ACME, news");
    put_tagged(&store, "/a", "de", "news");
    put_tagged(&store, "/b", "en", "brand:acme");
    put_tagged(&store, "/c", "en", "brand:other");
    let (counted, examples) = store.count(&tag("BRAND:acme"), 1);
    assert_eq!((counted.objects, examples.len()), (3, 1));
    let elsewhere = Purge::Tag { distribution: "E2".into(), tag: Tag::try_new("brand:acme").unwrap() };
    assert_eq!(store.purge(&elsewhere), Purged::default());
    assert_eq!(store.purge(&tag("BRAND:acme")), counted);
    assert_eq!(store.purge(&tag("news")), Purged::default());
    assert!(find(&store, &request("/c", "en")).is_some());
}

#[test]
fn an_object_has_the_tags_of_its_latest_answer() {
    let store = store(ByteSize::mb(1), 4);
    put_tagged(&store, "/a", "en", "old both");
    put_tagged(&store, "/a", "en", "new both");
    assert_eq!(store.purge(&tag("old")).objects, 0);
    assert_eq!(store.expire(&tag("new")).objects, 1);
    assert_eq!(is_stale(&store, &request("/a", "en")), Some(true), "a soft purge leaves it");
    assert_eq!(store.purge(&tag("both")).objects, 1);
    assert!(store.shards.iter().all(|shard| shard.lock().has_no_tags()));
}

#[test]
fn a_fetch_that_began_before_a_purge_by_tag_is_stored_only_without_the_tag() {
    // cdn-behaviour.md section 17; the tags of a fetch are known when its head has come.
    let store = store(ByteSize::mb(1), 4);
    let [tagged, plain, later] = ["/tagged", "/plain", "/later"].map(|url| request(url, "en"));
    let fills = [&tagged, &plain].map(|request| begin(&store, request));
    assert_eq!(store.purge(&tag("news")).objects, 0);
    assert!(store.shard(&key(&tagged)).join(&key(&tagged), &tagged.headers).is_none(), "nobody new waits for it");
    let after = begin(&store, &later);
    assert!(end_tagged(&store, &tagged, &fills[0], 10, 1, "news"));
    assert!(end_tagged(&store, &plain, &fills[1], 10, 2, "sports"));
    assert!(end_tagged(&store, &later, &after, 10, 3, "news"));
    let kept: Vec<bool> = [&tagged, &plain, &later].map(|request| find(&store, request).is_some()).to_vec();
    assert_eq!(kept, [false, true, true]);
}

#[test]
fn a_purge_by_host_takes_what_may_be_served_there() {
    let store = store(ByteSize::mb(1), 4);
    let rules = KeyRules { headers: vec![http::header::HOST], ..KeyRules::default() };
    let put = |host: &str, rules: &KeyRules| {
        let mut asked = request("/", "en");
        asked.headers.insert("host", HeaderValue::from_str(host).unwrap());
        let key = Arc::new(Key::new("E1", &asked, rules));
        let fill = Fill::new(Arc::new(asked.clone()), true, 0);
        store.shard(&key).register(&key, &fill);
        let held = Stored { face: face(&store, &asked, &key, "").unwrap(), content: Content::Whole(Bytes::new()) };
        store.complete(&key, &fill, held);
    };
    put("A.example.com:8080", &rules);
    put("b.example.com", &rules);
    put("b.example.com", &KeyRules::default());
    let host = |host: &str| Purge::Host { distribution: "E1".into(), host: host.into() };
    assert_eq!(store.count(&host("c.example.com"), 0).0.objects, 1, "what is kept for every host");
    assert_eq!(store.purge(&host("a.example.com")).objects, 2);
    assert_eq!(store.purge(&host("b.example.com")).objects, 1);
}

/// Purges; `lazy`: what is purged is not swept yet.
fn purge(store: &Arc<Store>, what: &Purge, lazy: bool) -> Purged {
    if lazy { store.condemn(Extent::of(what), Strikes::All, Fate::Removed) } else { store.purge(what) }
}

#[test]
fn what_is_purged_is_gone_before_it_is_swept() {
    // cdn-behaviour.md section 17
    let store = store(ByteSize::mb(1), 4);
    for n in 0..10 {
        put_tagged(&store, &format!("/{n}"), "en", "news sports");
    }
    let (counted, _) = store.count(&tag("news"), 0);
    assert_eq!(purge(&store, &tag("news"), true), counted);
    assert_eq!(counted.objects, 10);
    assert!(store.usage().bytes > 0, "nothing is swept yet");
    assert_eq!(store.usage().objects, 0);
    assert_eq!(store.count(&tag("sports"), 9), (Purged::default(), vec![]), "by its other tag it is gone too");
    assert_eq!(store.purge(&tag("sports")), Purged::default());
    assert!(find(&store, &request("/1", "en")).is_none());
    put_tagged(&store, "/2", "en", "news");
    assert_eq!(store.usage().objects, 1);
    store.sweep();
    assert!(find(&store, &request("/2", "en")).is_some(), "what came after the purge stays");
    assert_eq!(store.purge(&tag("news")).objects, 1);
    assert_eq!(store.usage(), Usage::default());
}

#[test]
fn what_is_purged_softly_is_stale_before_it_is_swept() {
    // cdn-behaviour.md section 17
    let store = store(ByteSize::mb(1), 4);
    for n in 0..10 {
        put_tagged(&store, &format!("/{n}"), "en", "news");
    }
    let is_stale = |n: usize| is_stale(&store, &request(&format!("/{n}"), "en")).expect("a soft purge leaves it");
    let soft = |tag_: &str| store.condemn(Extent::of(&tag(tag_)), Strikes::All, Fate::Expired);
    assert_eq!(soft("news").objects, 10);
    assert_eq!((store.usage().objects, store.count(&tag("news"), 0).0.objects), (10, 10));
    assert!(is_stale(1));
    put_tagged(&store, "/2", "en", "news");
    assert!(!is_stale(2), "what came after the purge is fresh");
    assert_eq!(soft("news").objects, 10, "and is meant by the next one");
    assert!(is_stale(2));
    // A hard purge of what is stale already, and of what is not swept yet.
    assert_eq!(purge(&store, &tag("news"), true).objects, 10);
    assert_eq!(soft("news"), Purged::default());
    store.sweep();
    assert_eq!(store.usage(), Usage::default());
    assert!(store.shards.iter().all(|shard| shard.lock().has_no_tags()));
}

#[test]
fn what_is_purged_makes_room_first() {
    let store = store(ByteSize::kb(64), 4);
    put_tagged(&store, "/kept", "en", "kept");
    let old = request("/old", "en");
    assert!(end_tagged(&store, &old, &begin(&store, &old), 40_000, 1, "news"));
    purge(&store, &tag("news"), true);
    store.condemn(Extent::of(&tag("kept")), Strikes::All, Fate::Expired);
    let new = request("/new", "en");
    assert!(end(&store, &new, &begin(&store, &new), 40_000, 2));
    assert_eq!(condemned(&store), 1, "what is only stale waits: it gives no memory back");
    assert_eq!(is_stale(&store, &request("/kept", "en")), Some(true), "though it was used less recently");
    assert_eq!(store.usage().evicted, 0);
}

#[test]
fn a_purge_of_very_many_is_swept_by_a_thread() {
    let store = store(ByteSize::mb(8), 4);
    for n in 0..1000 {
        put_tagged(&store, &format!("/{n}"), "en", "news");
    }
    assert_eq!(store.purge(&tag("news")).objects, 1000);
    assert_eq!(store.usage().objects, 0);
    // Whoever does it: the thread, or we.
    store.settle();
    while store.usage().bytes > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn purges_that_meet_stores_and_sweepers_leave_nothing_behind_and_count_nothing_twice() {
    // cdn-behaviour.md section 17. What the threads do is the same in every run, in which order they do it is not.
    const KEYS: usize = 400;
    let store = store(ByteSize::mb(8), 4);
    let is_news = |n: usize| n.is_multiple_of(3);
    let put = |n: usize| put_tagged(&store, &format!("/{n}"), "en", if is_news(n) { "news all" } else { "all" });
    let (stored, purged) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (store, put, stored) = (&store, &put, &stored);
            scope.spawn(move || {
                for n in (0..3 * KEYS).filter(|n| n % 2 == thread) {
                    // Only where nothing is stored: what is replaced is counted by nobody.
                    if find(store, &request(&format!("/{}", n % KEYS), "en")).is_none() {
                        put(n % KEYS);
                        stored.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..20 {
                let (before, _) = store.count(&tag("news"), 0);
                let removed = store.purge(&tag("news"));
                purged.fetch_add(removed.objects, Ordering::SeqCst);
                assert!(before.objects <= KEYS as u64);
            }
        });
        scope.spawn(|| (0..200).for_each(|_| store.sweep()));
    });
    purged.fetch_add(store.purge(&tag("news")).objects, Ordering::SeqCst);
    assert!((0..KEYS).filter(|n| is_news(*n)).all(|n| find(&store, &request(&format!("/{n}"), "en")).is_none()));
    let left = (0..KEYS).filter(|n| find(&store, &request(&format!("/{n}"), "en")).is_some()).count() as u64;
    assert_eq!((store.usage().objects, store.count(&tag("all"), 0).0.objects), (left, left));
    // A purge may have met a fetch before its answer was stored: that one is neither here nor there.
    assert!(purged.into_inner() + left <= stored.into_inner(), "nothing is counted twice");
    assert_eq!(store.purge(&tag("all")).objects, left);
    store.sweep();
    assert!(store.shards.iter().all(|shard| shard.lock().has_no_tags()));
}
