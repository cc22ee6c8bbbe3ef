//! Whatever origins answer and viewers ask, some things hold: each play is random, each promise is checked by plain rules
//! that share no code with the policy.

use crate::play::*;
use proptest::prelude::*;
use rimward_cache::{Options, Rules};
use rimward_types::{ByteSize, Clock, Timestamp};

/// What an origin answers. Each answer is right for its request alone, but for what it says.
#[derive(Debug, Clone)]
struct Told {
    max_age: u64,
    age: u64,
    while_revalidate: Option<u64>,
    forbids: Option<&'static str>,
    must_revalidate: bool,
    varies: bool,
    tagged: bool,
}

#[derive(Debug, Clone)]
enum Act {
    Wait(u64),
    /// A viewer asks, told apart by `foo`, perhaps with a directive; the origin would answer so, or is away.
    Ask {
        viewer: u8,
        url: u8,
        wish: Option<&'static str>,
        method: &'static str,
        told: Option<Told>,
    },
}

/// An answer that the origin gave, by its number.
struct Given {
    url: u8,
    viewer: u8,
    at: Timestamp,
    told: Told,
}

fn told() -> impl Strategy<Value = Told> {
    (
        0u64..30,
        0u64..10,
        proptest::option::weighted(0.3, 1u64..20),
        proptest::option::weighted(0.3, prop::sample::select(vec!["no-store", "private", "no-cache"])),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(max_age, age, while_revalidate, forbids, must_revalidate, varies, tagged)| Told {
            max_age,
            age,
            while_revalidate,
            forbids,
            must_revalidate,
            varies,
            tagged,
        })
}

fn act() -> impl Strategy<Value = Act> {
    let wish = prop::sample::select(vec!["no-cache", "max-age=3", "min-fresh=3", "max-stale=5", "no-store"]);
    prop_oneof![
        1 => (1u64..15).prop_map(Act::Wait),
        3 => (
            0u8..2, 0u8..2, proptest::option::weighted(0.3, wish), prop::sample::select(vec!["GET", "GET", "GET", "PUT"]),
            proptest::option::weighted(0.85, told()),
        ).prop_map(|(viewer, url, wish, method, told)| Act::Ask { viewer, url, wish, method, told }),
    ]
}

fn fields(told: &Told, number: usize) -> Vec<(&'static str, String)> {
    let mut control = format!("max-age={}", told.max_age);
    if let Some(window) = told.while_revalidate {
        control.push_str(&format!(", stale-while-revalidate={window}"));
    }
    if let Some(word) = told.forbids {
        control.push_str(&format!(", {word}"));
    }
    if told.must_revalidate {
        control.push_str(", must-revalidate");
    }
    let mut fields = vec![("cache-control", control), ("age", told.age.to_string())];
    if told.varies {
        fields.push(("vary", "foo".to_owned()));
    }
    if told.tagged {
        fields.push(("etag", format!("\"{number}\"")));
    }
    fields
}

/// Plays `acts`, and checks every answer that the origin was not asked for.
async fn run(acts: Vec<Act>) -> Result<(), TestCaseError> {
    let play = Play::with(Rules::default(), Options { memory: ByteSize::mb(4), ..Options::default() });
    let mut given: Vec<Given> = Vec::new();
    for act in acts {
        let (viewer, url, wish, method_name, told) = match act {
            Act::Wait(seconds) => {
                play.after(seconds);
                continue;
            }
            Act::Ask { viewer, url, wish, method, told } => (viewer, url, wish, method, told),
        };
        let viewer_text = viewer.to_string();
        let mut asked = vec![("foo", viewer_text.as_str()), ("host", "h")];
        asked.extend(wish.map(|wish| ("cache-control", wish)));
        let request = method(method_name, &format!("/{url}"), &asked);
        let number = given.len();
        let now = play.clock.now();
        let origin = match &told {
            None => Origin::IsAway,
            Some(told) => {
                let fields = fields(told, number);
                let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                Origin::Answers(head(200, &fields), number.to_string().into())
            }
        };
        if method_name == "PUT" {
            let Some(_) = told else { continue };
            play.cache.invalidate("E1", &request, &head(200, &[]), &play.rules);
            // Nothing of this URL may be served as it was before.
            given.iter_mut().filter(|given| given.url == url).for_each(|given| given.told.forbids = Some("gone"));
            continue;
        }
        let seen = play.ask(request, origin).await;
        if let (Some(told), Some(_)) = (told, &seen.asked) {
            given.push(Given { url, viewer, at: now, told });
        }
        // What has no number is the node's own answer; the newest number came from the origin just now.
        let Ok(served) = String::from_utf8(seen.body.to_vec()).unwrap().parse::<usize>() else { continue };
        if served == number {
            continue;
        }
        let source = &given[served];
        prop_assert_eq!(source.url, url, "another URL's answer");
        prop_assert!(!source.told.varies || source.viewer == viewer, "another variant");
        let forbidden = matches!(source.told.forbids, Some("no-store" | "private" | "gone"));
        prop_assert!(!forbidden, "{} was served from the cache", source.told.forbids.unwrap_or_default());
        let age = source.told.age + now.since(source.at).as_secs();
        let told_age: u64 = seen.head.header("age").unwrap().parse().unwrap();
        prop_assert_eq!(told_age, age, "Age");
        let is_fresh = age < source.told.max_age && source.told.forbids != Some("no-cache");
        if is_fresh {
            continue;
        }
        prop_assert!(!source.told.must_revalidate, "must-revalidate was served stale");
        prop_assert!(source.told.forbids != Some("no-cache"), "no-cache was served without validation");
        let staleness = age - source.told.max_age;
        let window = source.told.while_revalidate.is_some_and(|window| staleness <= window);
        let accepted = wish == Some("max-stale=5") && staleness <= 5;
        let stood_in = seen.status.contains("stale-if-error") && staleness <= 86_400;
        prop_assert!(window || accepted || stood_in, "stale for {staleness} s: {}", seen.status);
    }
    prop_assert_eq!(play.cache.usage().fills, 0, "every fetch has ended");
    Ok(())
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn nothing_is_served_that_may_not_be(acts in proptest::collection::vec(act(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(acts))?;
    }
}
