//! A second opinion: the `http-cache-semantics` crate, on random exchanges where both have one.
//!
//! Where the two differ, and why this cache does as it does:
//! - `Date` older than receipt counts into the age here (RFC 9111 section 4.2.3); there only `Age` does. The plays have
//!   `Date` at receipt or none.
//! - `Set-Cookie` does not prevent reuse here (RFC 9111 section 7.3 leaves that to the origin).
//! - `proxy-revalidate` forbids stale use alone here (section 5.2.2.8); there it takes all freshness.
//! - `no-cache="field"` and `private="field"` concern the field alone here (sections 5.2.2.4 and 5.2.2.7).
//! - Any final status with explicit freshness is stored here (section 3); there those of a list.
//! - `must-understand` and `CDN-Cache-Control` are known here; `immutable`, `pre-check` and `post-check` there.
//! - `Pragma` is not heard here (section 5.4 deprecates it).
//! - Directive names compare without case here (section 5.2).
//! - Contradictory duplicates are stale here; there they must be revalidated once stale (section 4.2.1 allows both).
//! - Guessed freshness ends after a day here.
//! - `max-age=0` of a request always validates here; `max-stale` yields to `s-maxage` here (section 5.2.2.10).
//! - What could be neither served nor validated is not stored here.

use crate::play::*;
use http::{Request, Response};
use http_cache_semantics::{BeforeRequest, CacheOptions, CachePolicy};
use proptest::prelude::*;
use rimward_cache::policy::admit::{Admission, NotStored, admit};
use rimward_cache::policy::directives::RequestDirectives;
use rimward_cache::policy::profile::RFC;
use rimward_cache::policy::reuse::{Reuse, reuse};
use rimward_cache::{Rules, Times};
use rimward_types::{RequestHead, ResponseHead};
use std::time::Duration;

fn seconds() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), 1u32..10, 10u32..5000, Just(u32::MAX)]
}

fn directive() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => seconds().prop_map(|n| format!("max-age={n}")),
        2 => seconds().prop_map(|n| format!("s-maxage={n}")),
        1 => Just("no-store".to_owned()),
        1 => Just("no-cache".to_owned()),
        1 => Just("private".to_owned()),
        1 => Just("public".to_owned()),
        1 => Just("must-revalidate".to_owned()),
        1 => Just("max-age=-5".to_owned()),
        1 => Just("max-age=x".to_owned()),
        1 => Just("extension=\"y\"".to_owned()),
    ]
}

/// Directives of different names.
fn control() -> impl Strategy<Value = Option<String>> {
    proptest::collection::vec(directive(), 0..4).prop_map(|mut list| {
        let name = |text: &String| text.split('=').next().unwrap().to_owned();
        let mut known = Vec::new();
        list.retain(|text| {
            !known.contains(&name(text)) && {
                known.push(name(text));
                true
            }
        });
        (!list.is_empty()).then(|| list.join(", "))
    })
}

fn date_near() -> impl Strategy<Value = String> {
    prop_oneof![9 => (-5000i64..5000).prop_map(|n| format!("@{n}")), 1 => Just("0".to_owned())]
}

fn response() -> impl Strategy<Value = ResponseHead> {
    let status =
        prop::sample::select(vec![200u16, 200, 200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501]);
    let changed = (1i64..8_000).prop_map(|n| format!("@-{}", n * 100));
    let age = prop_oneof![(0u32..5000).prop_map(|n| n.to_string()), Just("abc".to_owned())];
    let some = |strategy: BoxedStrategy<String>| proptest::option::of(strategy);
    (
        status,
        control(),
        some(date_near().boxed()),
        any::<bool>(),
        some(age.boxed()),
        some(changed.boxed()),
        any::<bool>(),
    )
        .prop_map(|(status, control, expires, dated, age, changed, tagged)| {
            let mut fields: Vec<(&str, String)> = Vec::new();
            fields.extend(control.map(|v| ("cache-control", v)));
            fields.extend(expires.map(|v| ("expires", v)));
            fields.extend(dated.then(|| ("date", "@0".to_owned())));
            fields.extend(age.map(|v| ("age", v)));
            fields.extend(changed.map(|v| ("last-modified", v)));
            fields.extend(tagged.then(|| ("etag", "\"a\"".to_owned())));
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            head(status, &fields)
        })
}

fn wish() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(prop_oneof![
        Just("no-cache".to_owned()),
        (1u32..5000).prop_map(|n| format!("max-age={n}")),
        (0u32..5000).prop_map(|n| format!("min-fresh={n}")),
    ])
}

fn outside(request: &RequestHead) -> Request<()> {
    let mut out = Request::builder().uri("http://h/").body(()).unwrap();
    *out.headers_mut() = request.headers.clone();
    out
}

proptest! {
    #![proptest_config(cases(4000))]

    #[test]
    fn both_store_and_reuse_the_same(
        response in response(), personal in prop::bool::weighted(0.2), secret in prop::bool::weighted(0.1), wish in wish(),
        later in prop_oneof![0u64..5, 0u64..6000],
    ) {
        let mut first: Vec<(&str, &str)> = Vec::new();
        first.extend(personal.then_some(("authorization", "x")));
        first.extend(secret.then_some(("cache-control", "no-store")));
        let first = get("/", &first);
        let second: Vec<(&str, &str)> = wish.iter().map(|v| ("cache-control", v.as_str())).collect();
        let second = get("/", &second);
        let now = START.plus(Duration::from_secs(later));

        let mut told = Response::builder().status(response.status).body(()).unwrap();
        *told.headers_mut() = response.headers.clone();
        let options = CacheOptions { shared: true, ..CacheOptions::default() };
        let theirs = CachePolicy::new_options(&outside(&first), &told, START.as_system_time(), options);
        let their_hit = theirs.is_storable()
            && matches!(theirs.before_request(&outside(&second), now.as_system_time()), BeforeRequest::Fresh(_));

        let times = Times { requested: START, received: START };
        let ours = admit(&first, &response, &Rules::default(), times);
        match &ours {
            Admission::Store(_) => prop_assert!(theirs.is_storable(), "{response:?}"),
            Admission::Refuse(NotStored::NoUse) => {}
            Admission::Refuse(reason) => prop_assert!(!theirs.is_storable(), "{reason:?} {response:?}"),
        }
        let our_hit = match &ours {
            Admission::Store(terms) => {
                let wishes = RequestDirectives::of_request(&second.headers);
                reuse(terms, false, &wishes, &RFC, now) == Reuse::Fresh
            }
            Admission::Refuse(_) => false,
        };
        prop_assert_eq!(our_hit, their_hit, "{:?} {:?} after {}", response, wish, later);
    }
}
