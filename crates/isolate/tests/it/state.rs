//! No state survives a request (`cloudfront-functions.md` section 10.4).

use crate::support::{WAYS, answer, ours, publish, request};
use rimward_isolate::{Failure, Function, Invocation, Restore};
use rimward_types::Timestamp;
use rimward_wire::reply::Reply;

fn say(function: &Function, now: u64, seed: u64) -> Result<String, Failure> {
    let invocation = Invocation { now: Timestamp::from_millis(now), seed, server: None, count_fuel: false };
    let run = function.run(&request("/"), invocation, |reply| match Reply::read(reply).unwrap() {
        Reply::Response { description, .. } => description.unwrap_or_default().to_owned(),
        other => panic!("{other:?}"),
    });
    run.result
}

fn saying(expression: &str) -> String {
    format!("function handler(event) {{ return {{ statusCode: 200, statusDescription: String({expression}) }}; }}")
}

#[test]
fn globals_and_prototypes_are_fresh_in_every_run() {
    let code = r#"
        var counter = 0;
        var list = [];
        function handler(event) {
          counter++;
          list.push(counter);
          globalThis.leak = (globalThis.leak || 0) + 1;
          Array.prototype.leaked = (Array.prototype.leaked || 0) + 1;
          Object.prototype.polluted = ({}).polluted ? 2 : 1;
          String.prototype.trim = function () { return 'stolen'; };
          JSON.parse = null;
          Math.max.mark = (Math.max.mark || 0) + 1;
          handler.mark = (handler.mark || 0) + 1;
          var text = [counter, list.length, globalThis.leak, [].leaked, ({}).polluted, Math.max.mark, handler.mark].join();
          return { statusCode: 200, statusDescription: text };
        }"#;
    for way in WAYS {
        let function = publish(ours(way), code);
        for _ in 0..20 {
            assert_eq!(answer(&function, "/").unwrap(), "status 200 1,1,1,1,1,1,1");
        }
    }
}

#[test]
fn one_function_does_not_see_another() {
    let isolates = ours(Restore::Auto);
    let functions: Vec<_> = (0..20)
        .map(|n| {
            let code = format!(
                "globalThis.own{n} = 1; var n = {n}; {}",
                saying("n + ':' + Object.keys(globalThis).filter(function (k) { return k.indexOf('own') === 0; })")
            );
            publish(isolates, &code)
        })
        .collect();
    for round in 0..5 {
        for n in 0..20 {
            let n = (n * 7 + round) % 20;
            assert_eq!(answer(&functions[n], "/").unwrap(), format!("status 200 {n}:own{n}"));
        }
    }
}

#[test]
fn the_clock_stands_still_at_the_start_of_the_invocation() {
    let function = publish(
        ours(Restore::Auto),
        &saying(
            "(function () { var a = Date.now(); for (var i = 0; i < 1000; i++) {} return a + ',' + Date.now(); })()",
        ),
    );
    assert_eq!(say(&function, 1_700_000_000_123, 1).unwrap(), "1700000000123,1700000000123");
    assert_eq!(say(&function, 5, 1).unwrap(), "5,5");
}

#[test]
fn randomness_is_the_invocations() {
    let function = publish(ours(Restore::Auto), &saying("Math.random()"));
    let first = say(&function, 0, 1).unwrap();
    assert_eq!(say(&function, 0, 1).unwrap(), first);
    assert_ne!(say(&function, 0, 2).unwrap(), first);
}

#[test]
fn a_top_level_that_asks_for_the_time_is_not_frozen() {
    let function = publish(ours(Restore::Auto), &format!("var started = Date.now(); {}", saying("started")));
    assert!(function.footprint().top_level_per_run);
    assert_eq!(say(&function, 7, 1).unwrap(), "7");
    assert_eq!(say(&function, 8, 1).unwrap(), "8");
}

#[test]
fn two_threads_run_one_function() {
    let function = publish(
        ours(Restore::Auto),
        "var n = 0; function handler(event) { n++; event.request.uri += n; return event.request; }",
    );
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let function = &function;
            scope.spawn(move || {
                for n in 0..100 {
                    let uri = format!("/{thread}/{n}/");
                    assert_eq!(answer(function, &uri).unwrap(), format!("uri {uri}1"));
                }
            });
        }
    });
}

#[test]
fn log_lines_belong_to_their_run() {
    let function = publish(
        ours(Restore::Auto),
        "function handler(event) { console.log('hello ' + event.request.uri); return event.request; }",
    );
    let invocation = Invocation { now: Timestamp::default(), seed: 0, server: None, count_fuel: false };
    for uri in ["/a", "/b"] {
        let run = function.run(&request(uri), invocation, |_| ());
        assert_eq!(run.logs, [format!("hello {uri}")]);
    }
}

/// cloudfront-functions.md section 8: the top level runs in each invocation there, and so do its lines. Here it ran once.
#[test]
fn what_the_top_level_logged_is_in_the_log_of_each_run() {
    let handler = "console.log('mine'); return event.request; }";
    for top in ["console.log('top');", "console.log('top'); var now = Date.now();"] {
        let function = publish(ours(Restore::Auto), &format!("{top} function handler(event) {{ {handler}"));
        let invocation = Invocation { now: Timestamp::default(), seed: 0, server: None, count_fuel: false };
        for _ in 0..2 {
            assert_eq!(function.run(&request("/"), invocation, |_| ()).logs, ["top", "mine"], "{top}");
        }
    }
}

#[test]
fn fuel_is_the_same_in_every_run() {
    let function =
        publish(ours(Restore::Auto), "function handler(event) { event.request.uri += 'x'; return event.request; }");
    let invocation = Invocation { now: Timestamp::default(), seed: 1, server: None, count_fuel: true };
    let costs: Vec<_> = (0..3).map(|_| function.run(&request("/"), invocation, |_| ()).cost).collect();
    assert!(costs[0].fuel.is_some_and(|fuel| fuel > 1000), "{costs:?}");
    assert!(
        costs.iter().all(|cost| (cost.fuel, cost.dirty_pages) == (costs[0].fuel, costs[0].dirty_pages)),
        "{costs:?}"
    );
}
