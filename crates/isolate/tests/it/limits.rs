//! Functions that try to take more than they may (`cloudfront-functions.md` sections 6 and 7). After each one, the same thread and the same
//! slot serve the next request right.

use crate::support::{WAYS, answer, ours, publish_with};
use rimward_isolate::{Failure, Function, Limits, Restore};
use std::sync::Arc;
use std::time::Duration;

/// One function that does whatever the path says.
const CODE: &str = r#"
function deep(n) { return n + deep(n + 1); }
function say(text) { return { statusCode: 200, statusDescription: String(text) }; }
function handler(event) {
  switch (event.request.uri) {
    case '/loop': for (;;) {}
    case '/regex': return say(/^(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'));
    case '/repeat': return say('ab'.repeat(Math.pow(2, 28)).length);
    case '/split': return say('x'.repeat(1000000).split('').length);
    case '/array': var all = []; for (;;) { all.push({ n: all.length }); }
    case '/fill': return say(new Array(1e9).fill(1).length);
    case '/sort': var s = []; for (var i = 0; i < 1e4; i++) { s.push(i); } for (;;) { s.sort(function (x, y) { return y - x; }); }
    case '/join': return say(new Array(1e8).join('x').length);
    case '/deep': return say(deep(0));
    case '/deep-json': return say(JSON.parse('['.repeat(20000) + ']'.repeat(20000)).length);
    case '/deep-regex': return say(new RegExp('('.repeat(9000) + ')'.repeat(9000)).test('x'));
    case '/strings': var t = 'x'; for (;;) { t += t; }
    case '/log': for (;;) { console.log('x'); }
    case '/throw': throw new TypeError('on purpose');
    case '/nothing': return undefined;
    case '/number': return 42;
    case '/nonsense': return { statusCode: 'abc', headers: [] };
  }
  return event.request;
}
"#;

const TIME: Duration = Duration::from_millis(2);

fn function(way: Restore) -> Arc<Function> {
    publish_with(ours(way), CODE, Limits { time: TIME, ..Limits::default() }).unwrap()
}

/// The next request, on a busy machine that may have stolen the first ones' time.
fn assert_right(function: &Function, after: &str) {
    let right = (0..5).any(|_| match answer(function, "/right") {
        Ok(words) => {
            assert_eq!(words, "uri /right", "after {after}");
            true
        }
        Err(Failure::Time { .. }) => false,
        Err(failure) => panic!("after {after}: {failure}"),
    });
    assert!(right, "after {after}");
}

#[test]
fn whatever_takes_forever_ends_at_the_time_limit() {
    let function = function(Restore::Auto);
    for uri in ["/loop", "/regex", "/sort", "/log"] {
        assert_eq!(answer(&function, uri), Err(Failure::Time { limit: TIME }), "{uri}");
        assert_right(&function, uri);
    }
}

#[test]
fn whatever_takes_too_much_ends_at_a_limit() {
    let function = function(Restore::Auto);
    for uri in ["/repeat", "/split", "/array", "/fill", "/join", "/strings"] {
        match answer(&function, uri) {
            Err(Failure::Memory { limit }) => assert_eq!(limit, 2 << 20),
            // It depends on the machine which limit comes first.
            Err(Failure::Time { .. }) => {}
            // The engine may refuse the length with an exception of its own.
            Ok(words) if words.starts_with("Execution RangeError") => {}
            other => panic!("{uri}: {other:?}"),
        }
        assert_right(&function, uri);
    }
}

#[test]
fn an_array_without_end_is_out_of_memory_when_time_allows() {
    let limits = Limits { time: Duration::from_secs(5), ..Limits::default() };
    let function = publish_with(ours(Restore::Auto), CODE, limits).unwrap();
    for uri in ["/array", "/strings", "/repeat"] {
        assert_eq!(answer(&function, uri), Err(Failure::Memory { limit: 2 << 20 }), "{uri}");
        assert_eq!(answer(&function, "/right").unwrap(), "uri /right");
    }
}

#[test]
fn recursion_without_end_is_an_exception_or_a_stack_failure() {
    let limits = Limits { time: Duration::from_secs(1), ..Limits::default() };
    let function = publish_with(ours(Restore::Auto), CODE, limits).unwrap();
    for uri in ["/deep", "/deep-json", "/deep-regex"] {
        match answer(&function, uri) {
            Err(Failure::Stack | Failure::Memory { .. }) => {}
            Ok(words) if words.starts_with("Execution ") || words.starts_with("status 200") => {}
            other => panic!("{uri}: {other:?}"),
        }
        assert_eq!(answer(&function, "/right").unwrap(), "uri /right");
    }
}

#[test]
fn what_a_handler_throws_or_returns_is_a_reply() {
    let function = function(Restore::Auto);
    assert_eq!(answer(&function, "/throw").unwrap(), "Execution TypeError: on purpose");
    for uri in ["/nothing", "/number", "/nonsense"] {
        let words = answer(&function, uri).unwrap();
        assert!(words.starts_with("Validation "), "{uri}: {words}");
        assert_right(&function, uri);
    }
}

#[test]
fn promises_that_fail_or_never_settle_are_execution_errors() {
    let code = r#"
        async function handler(event) {
          if (event.request.uri === '/rejected') { await null; throw new Error('rejected'); }
          if (event.request.uri === '/pending') { await new Promise(function () {}); }
          if (event.request.uri === '/jobs') { var again = function () { return Promise.resolve().then(again); }; await again(); }
          await null;
          return event.request;
        }"#;
    let function = publish_with(ours(Restore::Auto), code, Limits { time: TIME, ..Limits::default() }).unwrap();
    assert_eq!(answer(&function, "/rejected").unwrap(), "Execution Error: rejected");
    assert_right(&function, "/rejected");
    let pending = answer(&function, "/pending").unwrap();
    assert!(pending.starts_with("Execution "), "{pending}");
    assert_right(&function, "/pending");
    assert!(matches!(answer(&function, "/jobs"), Err(Failure::Time { .. } | Failure::Memory { .. })));
    assert_right(&function, "/jobs");
}

#[test]
fn the_walls_stand_however_memory_is_restored() {
    for way in WAYS {
        let function = function(way);
        for uri in ["/loop", "/array", "/deep", "/throw", "/regex", "/split"] {
            // Each failure has its own test; here the state afterwards counts.
            let _ = answer(&function, uri);
            assert_right(&function, uri);
        }
    }
}

#[test]
fn abuse_on_one_thread_does_not_disturb_another() {
    let function = function(Restore::Auto);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for uri in ["/loop", "/regex", "/array", "/loop"].iter().cycle().take(20) {
                assert!(answer(&function, uri).is_err());
            }
        });
        scope.spawn(|| {
            for _ in 0..100 {
                assert_right(&function, "the other thread's abuse");
            }
        });
    });
}

/// Section 7: 2 MB. What is beside the result while a text is made counts too.
#[test]
fn texts_of_100_kb_fit_into_the_memory_however_they_are_made() {
    let limits = Limits { time: Duration::from_secs(5), ..Limits::default() };
    for made in [
        "'x'.repeat(100000)",
        "'x'.padStart(100000)",
        "'€'.padEnd(100000, 'ab')",
        "(function () { var t = 'x'; while (t.length < 100000) { t += t; } return t.substring(0, 100000); })()",
        "'ab'.repeat(50000).replace(/b/, 'b')",
        "'ab'.repeat(50000).replaceAll('b', 'c')",
        "JSON.parse(JSON.stringify('x'.repeat(100000)))",
        "Buffer.alloc(100000, 'x').toString()",
        "decodeURIComponent(encodeURIComponent('x'.repeat(100000)))",
        "atob(btoa('x'.repeat(100000)))",
        "'x'.repeat(100000).toUpperCase()",
    ] {
        let code = format!(
            "function handler(event) {{ return {{ statusCode: 200, statusDescription: String(({made}).length) }}; }}"
        );
        let function = publish_with(ours(Restore::Auto), &code, limits).unwrap();
        assert_eq!(answer(&function, "/"), Ok("status 200 100000".to_owned()), "{made}");
    }
}

/// What the top level took and gave back is part of the published function: no request has it on top of its limit.
#[test]
fn a_request_has_the_same_memory_whatever_the_top_level_gave_back() {
    let limits = Limits { time: Duration::from_secs(5), ..Limits::default() };
    let most = |top_level: &str| {
        let code = format!(
            "{top_level} function handler(event) {{
                for (var kept = [], n = Number(event.request.uri.substring(1)); n > 0; n--) {{ kept.push(new Uint8Array(200000)); }}
                return event.request;
            }}"
        );
        let function = publish_with(ours(Restore::Auto), &code, limits).unwrap();
        (1..).take_while(|n| answer(&function, &format!("/{n}")).is_ok()).count()
    };
    let usual = most("");
    assert!((4..10).contains(&usual), "{usual} buffers of 200,000 bytes in 2 MB");
    assert_eq!(most("var given = new Uint8Array(700000); given = null;"), usual);
}
