//! Ranges of large objects, answered from slices of 64 KB (`docs/design/why-slices.md`).

use http_body_util::BodyExt;
use rimward_testkit::{Answer as Given, Origin, Received};
use rimward_tests::{Answer, TestNode, request};
use rimward_types::{Body, Interim};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const SLICE: usize = 65_536;
const LENGTH: usize = 300_000;

/// A film, of which every version has other bytes. The last slice has 37,856.
fn film(version: u32) -> Vec<u8> {
    (0..LENGTH).map(|at| (at / 7 + at / 256 + version as usize * 31) as u8).collect()
}

/// `bytes=a-b` of a request, as places in the film.
fn range(received: &Received) -> Option<(usize, usize)> {
    let (first, last) = received.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse().map_or(LENGTH, |last: usize| last + 1).min(LENGTH)))
}

/// An origin that knows ranges and conditions; `fields` are added to what it sends.
fn serves(version: u32, received: &Received, fields: &[(&str, &str)]) -> Given {
    let film = film(version);
    let etag = format!("\"v{version}\"");
    let fields = |given: Given| fields.iter().fold(given, |given, (name, value)| given.header(name, value));
    let is_weak = received.target.contains("weak") || (received.target.contains("later") && version > 1);
    let tagged = |given: Given| match fields(given) {
        given if is_weak => given.header("etag", &format!("W/{etag}")),
        given => given.header("etag", &etag),
    };
    if received.target.contains("none") {
        return Given::new(404, "no such film").header("cache-control", "max-age=60");
    }
    if received.header("if-none-match") == Some(&etag) {
        return tagged(Given::new(304, ""));
    }
    match range(received) {
        Some((first, _)) if received.target.contains("gap") && first == 2 * SLICE => {
            Given::new(404, "no such part").header("cache-control", "max-age=60")
        }
        Some((first, _)) if first >= LENGTH => {
            tagged(Given::new(416, "")).header("content-range", &format!("bytes */{LENGTH}"))
        }
        Some((first, end)) if !received.target.contains("whole") => tagged(Given::new(206, film[first..end].to_vec()))
            .header("content-range", &format!("bytes {first}-{}/{LENGTH}", end - 1)),
        _ => tagged(Given::ok(film)),
    }
}

struct Stage {
    origin: Origin,
    node: TestNode,
    version: Arc<AtomicU32>,
}

const FRESH: &[(&str, &str)] = &[("cache-control", "max-age=60")];

async fn stage(fields: &'static [(&'static str, &'static str)]) -> Stage {
    let version = Arc::new(AtomicU32::new(1));
    let current = version.clone();
    let origin = Origin::new(move |received| serves(current.load(Ordering::SeqCst), received, fields)).await;
    Stage { node: TestNode::start(&config(&origin), &[]).await, origin, version }
}

fn config(origin: &Origin) -> String {
    format!(
        "[origins.app]\nurl = \"{}\"\n[[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"app\"\n\
         cache-policy = \"films\"\n[cache-policies.films]\nslice = \"64 KB\"\n[node.acl]\npurge = [\"203.0.113.0/24\"]\n",
        origin.url()
    )
}

impl Stage {
    async fn range(&self, range: &str) -> Answer {
        self.node.get_with("/film", &[("range", range)]).await
    }

    /// The ranges that the origin was asked for; `-` where it was asked for the whole.
    fn asked(&self) -> Vec<String> {
        let received = self.origin.received();
        received.iter().map(|received| received.header("range").unwrap_or("-").to_owned()).collect()
    }
}

/// In one order: two slices may be on their way at a time.
fn sorted(mut ranges: Vec<String>) -> Vec<String> {
    ranges.sort();
    ranges
}

fn slice(index: usize) -> String {
    format!("bytes={}-{}", index * SLICE, (index + 1) * SLICE - 1)
}

#[tokio::test]
async fn a_range_is_answered_from_the_slices_that_it_touches() {
    // RFC 9110 section 14.2; cdn-behaviour.md section 12
    let stage = stage(FRESH).await;
    for (x_cache, status) in [("Miss from cloudfront", "fwd=uri-miss"), ("Hit from cloudfront", "hit")] {
        let answer = stage.range("bytes=70000-140000").await;
        assert_eq!((answer.status(), answer.header("content-range")), (206, "bytes 70000-140000/300000"));
        assert_eq!((answer.header("content-length"), answer.header("etag")), ("70001", "\"v1\""));
        assert!(answer.bytes == film(1)[70_000..=140_000]);
        assert_eq!(answer.header("x-cache"), x_cache);
        assert!(answer.header("cache-status").contains(status), "{}", answer.header("cache-status"));
        assert_eq!(stage.asked(), [slice(1), slice(2)]);
    }
}

#[tokio::test]
async fn any_slice_tells_how_long_the_whole_is() {
    let stage = stage(FRESH).await;
    let answer = stage.range("bytes=-1000").await;
    assert_eq!(answer.header("content-range"), "bytes 299000-299999/300000");
    assert!(answer.bytes == film(1)[299_000..]);
    assert_eq!(stage.asked(), [slice(0), slice(4)]);
    let answer = stage.range("bytes=290000-").await;
    assert!(answer.bytes == film(1)[290_000..]);
    assert_eq!(stage.asked().len(), 2, "both are stored");
}

#[tokio::test]
async fn several_ranges_are_read_from_slices() {
    let stage = stage(FRESH).await;
    let answer = stage.range("bytes=0-9,100-109,200000-200009").await;
    assert!(answer.header("content-type").starts_with("multipart/byteranges"));
    assert_eq!(answer.bytes.len().to_string(), answer.header("content-length"));
    for part in [0..10, 100..110, 200_000..200_010] {
        let head = format!("Content-Range: bytes {}-{}/300000\r\n\r\n", part.start, part.end - 1);
        let at = answer.bytes.windows(head.len()).position(|window| window == head.as_bytes()).unwrap();
        assert!(answer.bytes[at + head.len()..].starts_with(&film(1)[part]));
    }
    assert_eq!(stage.asked(), [slice(0), slice(3)]);
}

#[tokio::test]
async fn all_of_it_comes_slice_after_slice() {
    let stage = stage(FRESH).await;
    let answer = stage.range("bytes=0-").await;
    assert_eq!((answer.status(), answer.header("content-range")), (206, "bytes 0-299999/300000"));
    assert!(answer.bytes == film(1));
    assert_eq!(sorted(stage.asked()), sorted((0..5).map(slice).collect()));
}

#[tokio::test]
async fn the_record_tells_of_all_slices() {
    let stage = stage(FRESH).await;
    stage.range("bytes=0-").await;
    let told = stage.node.record();
    let slices = &told["slices"];
    assert_eq!((&slices["count"], &slices["misses"], &slices["failed"]), (&5.into(), &5.into(), &0.into()));
    assert_eq!(slices["bytes"], LENGTH);
    assert!(slices["us"].as_u64() >= slices["slowest_us"].as_u64() && slices["slowest_us"].as_u64() > Some(0));
    let origins = told["origins"].as_array().unwrap();
    assert!(origins.len() == 5 && origins.iter().all(|origin| origin["status"] == 206), "{origins:?}");
    stage.range("bytes=70000-140000").await;
    let told = stage.node.record();
    assert_eq!(
        (&told["slices"]["count"], &told["slices"]["misses"], &told["slices"]["bytes"]),
        (&2.into(), &0.into(), &0.into())
    );
    assert!(told["origins"].is_null());
}

#[tokio::test]
async fn a_slice_takes_as_long_as_it_takes_and_not_as_long_as_its_viewer() {
    let stage = stage(FRESH).await;
    let (_, body) = stage.node.open(request("GET", "/film", &[("range", "bytes=0-")]), Body::Empty).await;
    let mut body = body.into_body();
    body.frame().await.unwrap().unwrap();
    // The viewer reads no more, and slice 1 is had and noted all the same.
    assert!(stage.range("bytes=65536-65545").await.bytes == film(1)[65_536..65_546]);
    drop(body);
    let other = stage.node.record();
    let told = stage.node.record();
    assert_eq!(
        (&told["complete"], &told["slices"]["count"], &told["slices"]["misses"]),
        (&false.into(), &2.into(), &2.into())
    );
    assert_eq!(other["slices"]["misses"], 0, "it was on its way");
}

#[tokio::test]
async fn what_is_stored_as_a_whole_is_not_cut() {
    let stage = stage(FRESH).await;
    stage.node.get("/film").await;
    assert!(stage.range("bytes=10-19").await.bytes == film(1)[10..20]);
    assert_eq!(stage.asked(), ["-"]);
}

#[tokio::test]
async fn an_object_that_changes_meanwhile_ends_the_answer_and_is_begun_anew() {
    // RFC 9110 section 15.3.7.3: parts of two versions are never put together.
    let stage = stage(FRESH).await;
    stage.range("bytes=0-9").await;
    stage.range("bytes=200000-200009").await;
    stage.version.store(2, Ordering::SeqCst);
    let asked = request("GET", "/film", &[("range", "bytes=0-100000")]);
    let broken = stage.node.try_send(asked, Body::Empty, Interim::default()).await;
    assert!(broken.is_err(), "what has been sent cannot be taken back");
    let answer = stage.range("bytes=0-100000").await;
    assert_eq!(answer.header("etag"), "\"v2\"");
    assert!(answer.bytes == film(2)[..=100_000]);
    assert!(stage.range("bytes=200000-200009").await.bytes == film(2)[200_000..200_010], "no old slice is left");
}

#[tokio::test]
async fn a_purge_of_the_url_removes_all_slices() {
    // cdn-behaviour.md section 17
    let stage = stage(FRESH).await;
    stage.range("bytes=0-100000").await;
    let receipt = stage.node.send(request("PURGE", "/film", &[]), Body::Empty).await;
    assert!(receipt.body.contains("\"removed\":2"), "{}", receipt.body);
    stage.version.store(2, Ordering::SeqCst);
    assert!(stage.range("bytes=0-100000").await.bytes == film(2)[..=100_000]);
    assert_eq!(stage.asked().len(), 4);
}

#[tokio::test]
async fn viewers_wait_for_one_fetch_of_a_slice() {
    let stage = stage(FRESH).await;
    let ranges: Vec<String> = (0..20).map(|viewer| format!("bytes={}-{}", viewer * 3, viewer * 3 + 9)).collect();
    let mut viewers = tokio::task::JoinSet::new();
    let stage = Arc::new(stage);
    for range in ranges {
        let stage = stage.clone();
        viewers.spawn(async move { stage.range(&range).await });
    }
    for answer in viewers.join_all().await {
        assert_eq!((answer.status(), answer.bytes.len()), (206, 10));
    }
    assert_eq!(stage.asked(), [slice(0)]);
}

#[tokio::test]
async fn a_stale_slice_is_validated() {
    // RFC 9111 section 4.3.1
    let stage = stage(FRESH).await;
    stage.range("bytes=0-9").await;
    stage.node.advance(61);
    let answer = stage.range("bytes=0-9").await;
    assert_eq!((answer.status(), answer.header("x-cache")), (206, "RefreshHit from cloudfront"));
    let received = stage.origin.received();
    assert_eq!((received[1].header("range"), received[1].header("if-none-match")), (Some(&*slice(0)), Some("\"v1\"")));
    assert_eq!(stage.range("bytes=0-9").await.header("x-cache"), "Hit from cloudfront");
}

#[tokio::test]
async fn conditions_are_judged_by_what_the_first_slice_tells() {
    // RFC 9110 sections 13.1 and 14.2
    let stage = stage(FRESH).await;
    let with = |name, value| [("range", "bytes=0-9"), (name, value)];
    assert_eq!(stage.node.get_with("/film", &with("if-none-match", "\"v1\"")).await.status(), 304);
    assert_eq!(stage.node.get_with("/film", &with("if-match", "\"v0\"")).await.status(), 412);
    assert_eq!(stage.node.get_with("/film", &with("if-range", "\"v1\"")).await.status(), 206);
    let other = stage.node.get_with("/film", &with("if-range", "\"v0\"")).await;
    assert_eq!((other.status(), other.header("content-length")), (200, "300000"));
    assert!(other.bytes == film(1), "the whole, from slices");
}

#[tokio::test]
async fn a_range_beyond_the_end_is_refused() {
    // RFC 9110 section 15.5.17
    let stage = stage(FRESH).await;
    for _ in 0..2 {
        let answer = stage.range("bytes=300000-").await;
        assert_eq!((answer.status(), answer.header("content-range")), (416, "bytes */300000"));
    }
    assert_eq!(stage.range("bytes=900000-").await.status(), 416);
}

#[tokio::test]
async fn conditions_and_other_ranges_count_where_the_first_range_is_beyond_the_end() {
    // RFC 9110 sections 13.1.5, 13.2.2 and 14.2
    let stage = stage(FRESH).await;
    let with = |name, value| [("range", "bytes=5000000-"), (name, value)];
    let other = stage.node.get_with("/film", &with("if-range", "\"v0\"")).await;
    assert_eq!((other.status(), other.header("content-length")), (200, "300000"));
    assert!(other.bytes == film(1));
    let all = sorted([76, 0, 1, 2, 3, 4].map(slice).into());
    assert_eq!(sorted(stage.asked()), all, "no more than the end must be found out");
    assert_eq!(stage.node.get_with("/film", &with("if-none-match", "\"v1\"")).await.status(), 304);
    assert_eq!(stage.node.get_with("/film", &with("if-match", "\"v0\"")).await.status(), 412);
    let same = stage.node.get_with("/film", &with("if-range", "\"v1\"")).await;
    assert_eq!((same.status(), same.header("content-range")), (416, "bytes */300000"));
    let last = stage.range("bytes=99999999-,-5").await;
    assert_eq!((last.status(), last.header("content-range")), (206, "bytes 299995-299999/300000"));
    assert!(last.bytes == film(1)[299_995..]);
    let long = stage.range("bytes=-9223372036854775808").await;
    assert_eq!((long.status(), long.header("content-range")), (206, "bytes 0-299999/300000"));
}

#[tokio::test]
async fn an_empty_object_is_fetched_as_a_whole() {
    // RFC 9110 section 13.1.5: a range of what has no bytes does not hide that it is another.
    let origin = Origin::new(|received| match received.header("range") {
        Some(_) => Given::new(416, "").header("content-range", "bytes */0"),
        None => Given::cached(60, "").header("etag", "\"v1\""),
    })
    .await;
    for range in ["bytes=0-9", "bytes=900000-"] {
        let node = TestNode::start(&config(&origin), &[]).await;
        let other = node.get_with("/film", &[("range", range), ("if-range", "\"v0\"")]).await;
        assert_eq!((other.status(), other.body.as_str()), (200, ""));
        assert_eq!(node.get_with("/film", &[("range", range)]).await.status(), 416);
    }
}

#[tokio::test]
async fn viewers_who_wait_for_a_slice_that_cannot_be_had_share_the_whole() {
    for (path, asked) in [("/whole", vec![slice(0)]), ("/weak", vec![slice(0), "-".to_owned()])] {
        let stage = Arc::new(stage(FRESH).await);
        let mut viewers = tokio::task::JoinSet::new();
        for viewer in 0..20 {
            let stage = stage.clone();
            let range = format!("bytes={}-{}", viewer * 3, viewer * 3 + 9);
            viewers.spawn(async move { stage.node.get_with(path, &[("range", &range)]).await });
        }
        for answer in viewers.join_all().await {
            assert_eq!(answer.bytes.len(), if answer.status() == 206 { 10 } else { LENGTH });
        }
        assert_eq!(stage.asked(), asked, "{path}");
    }
}

#[tokio::test]
async fn a_function_that_fails_for_many_viewers_does_not_end_slicing() {
    let origin = Origin::new(|received| serves(1, received, FRESH)).await;
    let sound = config(&origin);
    let hooked = sound.replace("cache-policy = \"films\"\n", "cache-policy = \"films\"\norigin-request = \"f\"\n");
    let failing = format!("{hooked}[functions.f]\ncomponent = \"f.wasm\"\n");
    let node = Arc::new(TestNode::start(&failing, &[("f.wasm", b"no component")]).await);
    let mut viewers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let node = node.clone();
        viewers.spawn(async move { node.get_with("/film", &[("range", "bytes=0-9")]).await });
    }
    for answer in viewers.join_all().await {
        assert_eq!(answer.status(), 503, "each has met it itself");
    }
    node.reload(&sound, &[]).await;
    assert!(node.get_with("/film", &[("range", "bytes=0-9")]).await.bytes == film(1)[..10]);
    assert_eq!(origin.only_request().header("range"), Some(&*slice(0)));
}

#[tokio::test]
async fn an_error_in_place_of_a_later_slice_leaves_the_others() {
    let stage = stage(FRESH).await;
    for _ in 0..2 {
        let asked = request("GET", "/gap", &[("range", "bytes=0-200000")]);
        assert!(stage.node.try_send(asked, Body::Empty, Interim::default()).await.is_err());
        let before = stage.node.get_with("/gap", &[("range", "bytes=0-100000")]).await;
        assert!(before.bytes == film(1)[..=100_000]);
        // Slice 3 may be on its way when the error comes.
        let (ahead, asked): (Vec<_>, Vec<_>) = stage.asked().into_iter().partition(|asked| *asked == slice(3));
        assert_eq!(sorted(asked), sorted([0, 1, 2].map(slice).into()), "all of them are stored, the error too");
        assert!(ahead.len() <= 1);
    }
}

#[tokio::test]
async fn no_old_slice_outlives_an_answer_that_ends_slicing() {
    let stage = stage(FRESH).await;
    for range in ["bytes=0-9", "bytes=200000-200009"] {
        stage.node.get_with("/later", &[("range", range)]).await;
    }
    stage.version.store(2, Ordering::SeqCst);
    let asked = request("GET", "/later", &[("range", "bytes=0-100000")]);
    assert!(stage.node.try_send(asked, Body::Empty, Interim::default()).await.is_err());
    // By now it is tried again whether it can be had in slices.
    stage.node.advance(31);
    let answer = stage.node.get_with("/later", &[("range", "bytes=200000-200009")]).await;
    assert!(answer.bytes == film(2)[200_000..200_010]);
}

#[tokio::test]
async fn an_origin_without_ranges_is_asked_once_and_the_whole_is_stored() {
    let stage = stage(FRESH).await;
    for _ in 0..2 {
        let answer = stage.node.get_with("/whole", &[("range", "bytes=100000-100009")]).await;
        assert_eq!((answer.status(), answer.header("content-range")), (206, "bytes 100000-100009/300000"));
        assert!(answer.bytes == film(1)[100_000..100_010]);
    }
    assert_eq!(stage.asked(), [slice(1)]);
}

#[tokio::test]
async fn what_has_no_strong_entity_tag_is_fetched_as_a_whole() {
    // RFC 9110 section 15.3.7.3
    let stage = stage(FRESH).await;
    for _ in 0..2 {
        let answer = stage.node.get_with("/weak", &[("range", "bytes=10-19")]).await;
        assert_eq!(answer.status(), 206);
        assert!(answer.bytes == film(1)[10..20]);
    }
    assert_eq!(stage.asked(), [slice(0), "-".to_owned()]);
}

#[tokio::test]
async fn what_may_not_be_stored_is_asked_for_by_the_viewers_own_range() {
    let stage = stage(&[("cache-control", "no-store")]).await;
    for _ in 0..2 {
        let answer = stage.range("bytes=10-19").await;
        assert_eq!((answer.status(), answer.header("content-range")), (206, "bytes 10-19/300000"));
        assert!(answer.bytes == film(1)[10..20]);
    }
    assert_eq!(stage.asked(), [slice(0), "bytes=10-19".to_owned(), "bytes=10-19".to_owned()]);
}

#[tokio::test]
async fn an_error_in_place_of_a_slice_is_the_answer() {
    let stage = stage(FRESH).await;
    for _ in 0..2 {
        let answer = stage.node.get_with("/none", &[("range", "bytes=10-19")]).await;
        assert_eq!((answer.status(), answer.body.as_str()), (404, "no such film"));
    }
    assert_eq!(stage.asked().len(), 1, "it is stored like others");
}

#[tokio::test]
async fn without_a_size_of_slices_the_whole_is_fetched() {
    let origin = Origin::new(|received| serves(1, received, FRESH)).await;
    let config = format!(
        "[origins.app]\nurl = \"{}\"\n[[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"app\"\n",
        origin.url()
    );
    let node = TestNode::start(&config, &[]).await;
    assert!(node.get_with("/film", &[("range", "bytes=10-19")]).await.bytes == film(1)[10..20]);
    assert_eq!(origin.received()[0].header("range"), None);
}
