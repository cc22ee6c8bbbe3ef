//! A guest that breaks the contract on demand (`lying_guest.wat`): the engine is not trusted either.

use crate::support::{WAYS, failure, lying, options, publish, publish_with, run};
use rimward_isolate::{Entry, Failure, Function, Isolates, Limits, PublishError, Restore, Runtime, Source, StartError};
use rimward_kv::pairs::MAX_STORE;
use rimward_kv::{Pairs, Store};
use rimward_types::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// What `s` replies in fresh state: one run counted in memory, one in a global, the stack pointer 16 below its top.
const FRESH: [u8; 12] = [1, 0, 0, 0, 1, 0, 0, 0, 0xf0, 0x7f, 0, 0];

fn assert_fresh(function: &Function) {
    assert_eq!(run(function, b"s").result.unwrap(), FRESH);
}

fn trap(function: &Function, event: &[u8]) -> String {
    match failure(function, event) {
        Failure::Trap { message } => message,
        other => panic!("{other:?}"),
    }
}

fn start_failure(wat: &str) -> StartError {
    Isolates::start_with(&options(Restore::Auto), wat::parse_str(wat).unwrap()).unwrap_err()
}

#[test]
fn every_run_begins_with_fresh_state_however_memory_is_restored() {
    for way in WAYS {
        let function = publish(lying(way), "r");
        for _ in 0..5 {
            assert_fresh(&function);
        }
        for _ in 0..5 {
            // Every page, the snapshot's and those that were never touched.
            assert_eq!(run(&function, b"d").result.unwrap(), [0xaa; 4]);
            assert_fresh(&function);
        }
    }
}

#[test]
fn after_each_kind_of_failure_the_next_run_on_the_thread_is_right() {
    for way in WAYS {
        let function = publish(lying(way), "r");
        let events: [&[u8]; 24] = [
            b"l", b"u", b"o", b"O", b"r", b"k", b"P", b"Q", b"L", b"M", b"p", b"q", b"h", b"H", b"i", b"z", b"y", b"V",
            b"u", b"l", b"r", b"r", b"M", b"M",
        ];
        for event in events {
            let failure = failure(&function, event);
            assert_fresh(&function);
            assert_eq!(run(&function, b"echo").result.unwrap(), b"echo", "after {failure}");
        }
    }
}

#[test]
fn failures_have_their_category() {
    let function = publish(lying(Restore::Auto), "r");
    let limits = function.limits();
    assert_eq!(failure(&function, b"l"), Failure::Time { limit: limits.time });
    assert_eq!(failure(&function, b"z"), Failure::Time { limit: limits.time });
    assert_eq!(failure(&function, b"M"), Failure::Memory { limit: limits.memory });
    assert_eq!(failure(&function, b"panicked at raw_vec: capacity overflow"), Failure::Memory { limit: limits.memory });
    assert_eq!(failure(&function, b"r"), Failure::Stack);
    assert_eq!(failure(&function, b"k"), Failure::Stack);
    assert_eq!(failure(&function, b"L"), Failure::Reply { size: 1 << 20, limit: 256 << 10 });
    assert_eq!(trap(&function, b"p at the disco"), "panic: p at the disco");
    assert!(trap(&function, b"u").contains("unreachable"));
    assert!(trap(&function, b"o").contains("out of bounds"));
}

#[test]
fn places_that_the_guest_names_are_checked() {
    let function = publish(lying(Restore::Auto), "r");
    for event in [b"P", b"Q"] {
        assert_eq!(trap(&function, event), "`handle` gave a place outside of its memory");
    }
    for (event, call) in
        [(b"q", "panic"), (b"h", "hash"), (b"H", "hash"), (b"i", "hash"), (b"y", "log"), (b"V", "kv_read")]
    {
        assert_eq!(trap(&function, event), format!("wrong arguments for {call}"));
    }
}

#[test]
fn a_memory_cannot_grow() {
    let function = publish(lying(Restore::Auto), "r");
    assert_eq!(run(&function, b"g").result.unwrap(), (-1i32).to_le_bytes());
}

#[test]
fn an_event_larger_than_the_buffer_goes_where_the_guest_makes_room() {
    let function = publish(lying(Restore::Auto), "r");
    let event = |len: usize| vec![b'e'; len];
    for len in [1, 0x10000, 0x10001, 200_000] {
        assert_eq!(run(&function, &event(len)).result.unwrap(), event(len));
    }
    assert_eq!(failure(&function, &event(0x100001)), Failure::Memory { limit: function.limits().memory });
    assert_eq!(trap(&function, &event(0x180001)), "`reserve` gave a place outside of its memory");
    assert_fresh(&function);
}

#[test]
fn an_empty_event_is_an_event() {
    let function = publish(lying(Restore::Auto), "r");
    assert_eq!(run(&function, b"").result.unwrap(), b"");
}

#[test]
fn hashes_are_those_of_the_standards() {
    let function = publish(lying(Restore::Auto), "r");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    // From Python's hashlib and hmac.
    let plain = hex(&run(&function, b"j").result.unwrap());
    assert_eq!(&plain[..32], "363b122c528f54df4a0446b6bab05515");
    assert_eq!(&plain[32..72], "5c2dd944dde9e08881bef0894fe7b22a5c9c4b06");
    assert_eq!(&plain[72..], "189f40034be7a199f1fa9891668ee3ab6049f82d38c68be70f596eab2e1857b7");
    let keyed = hex(&run(&function, b"J").result.unwrap());
    assert_eq!(&keyed[..32], "dcd45c2ba98afa4839130e27d0727262");
    assert_eq!(&keyed[32..72], "892f1ef2e9aa48f159dd356d05200951a3a6d52d");
    assert_eq!(&keyed[72..], "7c09a684fe41b98f79b5612aa47ee44ba4914428709a93f587d0ebcf41529d32");
}

#[test]
fn the_clock_and_the_seed_are_those_of_the_invocation() {
    let function = publish(lying(Restore::Auto), "r");
    let reply = run(&function, b"c").result.unwrap();
    assert_eq!(reply[..8], 1_700_000_000_123f64.to_le_bytes());
    assert_eq!(reply[8..], 42u64.to_le_bytes());
}

#[test]
fn logs_end_at_10_kb() {
    let function = publish(lying(Restore::Auto), "r");
    let line = format!("Y{}", "x".repeat(98));
    let run = run(&function, line.as_bytes());
    assert!(run.result.is_ok());
    assert_eq!(run.logs.len(), 103);
    assert!(run.logs.iter().map(String::len).sum::<usize>() <= 10 << 10);
    assert_eq!(run.logs[0], line);
    assert!(crate::support::run(&function, b"s").logs.is_empty());
}

#[test]
fn a_store_is_read() {
    let isolates = lying(Restore::Auto);
    let now = Timestamp::from_millis(5);
    let store = Arc::new(Store::of(Pairs::try_from_iter(MAX_STORE, [("key", "value"), ("empty", "")]).unwrap(), now));
    let limits = Limits { time: Duration::from_millis(20), ..Limits::default() };
    let source = Source {
        name: "kv".into(),
        code: b"r",
        runtime: Runtime::V2,
        entry: Default::default(),
        limits,
        kv: Some(store),
        bindings: Arc::default(),
    };
    let function = isolates.publish(&source).unwrap();
    assert_eq!(run(&function, b"vkey").result.unwrap(), b"value");
    assert_eq!(run(&function, b"vempty").result.unwrap(), b"");
    assert_eq!(run(&function, b"vother").result.unwrap(), (-1i32).to_le_bytes());
    assert_eq!(run(&function, b"v\xff").result.unwrap(), (-1i32).to_le_bytes());
    assert_eq!(trap(&function, b"Wkey"), "wrong arguments for kv_read");
    let meta = run(&function, b"n").result.unwrap();
    assert_eq!(meta[..8], 5f64.to_le_bytes());
    assert_eq!(meta[16..24], 2u64.to_le_bytes());
    let without = publish(isolates, "r");
    assert_eq!(run(&without, b"vkey").result.unwrap(), (-2i32).to_le_bytes());
}

#[test]
fn sources_that_cannot_be_published_say_why() {
    let isolates = lying(Restore::Auto);
    let error = |code: &str| publish_with(isolates, code, Limits::default()).unwrap_err();
    let PublishError::Syntax { message, position } = error("s\nab(c") else { panic!() };
    assert_eq!(message, "E: no");
    let position = position.unwrap();
    assert_eq!((position.line, position.column, &*position.excerpt), (2, 3, "ab(c"));
    assert!(matches!(error("t"), PublishError::Threw { position: None, .. }));
    assert_eq!(error("n"), PublishError::NoHandler(Entry::Handler));
    assert_eq!(error("l"), PublishError::TooSlow { limit: Duration::from_millis(100) });
    assert_eq!(error("m"), PublishError::OutOfMemory { limit: 2 << 20 });
    assert_eq!(error("b"), PublishError::OutOfMemory { limit: 2 << 20 });
    for code in ["x", "u", "w", "I"] {
        assert!(matches!(error(code), PublishError::Stopped(Failure::Trap { .. })), "{code}");
    }
    assert_eq!(error(&"r".repeat(10_241)), PublishError::TooLarge { size: 10_241, limit: 10_240 });
    publish(isolates, &"r".repeat(10_240));
}

#[test]
fn a_top_level_that_looks_outside_runs_in_each_invocation() {
    let isolates = lying(Restore::Auto);
    assert!(publish(isolates, "i").footprint().top_level_per_run);
    assert!(!publish(isolates, "r").footprint().top_level_per_run);
}

#[test]
fn a_thread_switches_between_more_functions_than_it_has_slots() {
    for way in WAYS {
        let isolates = lying(way);
        // Different numbers of pages, so that each switch adds some and takes some away.
        let functions: Vec<_> = (0..20u8)
            .map(|n| publish(isolates, &format!("r{}{}", (n * 7 % 40 + 1) as char, (n + 1) as char)))
            .collect();
        for round in 0..6usize {
            for n in 0..20 {
                let n = n * (2 * round + 1) % 20;
                assert_eq!(run(&functions[n], b"f").result.unwrap(), [n as u8 + 1; 4]);
                assert_fresh(&functions[n]);
                if round % 2 == 0 {
                    failure(&functions[n], b"u");
                }
            }
        }
    }
}

#[test]
fn a_run_within_a_run_has_a_slot_of_its_own() {
    let function = publish(lying(Restore::Auto), "r");
    let invocation =
        rimward_isolate::Invocation { now: Timestamp::default(), seed: 0, server: None, count_fuel: false };
    let outer = function.run(b"outer: echo".as_slice().trim_ascii(), invocation, |_| {
        assert_fresh(&function);
        let inner = function.run(b"echo", invocation, <[u8]>::to_vec);
        inner.result.unwrap()
    });
    assert!(outer.result.is_err() || outer.result.unwrap() == b"echo");
    assert_fresh(&function);
}

#[test]
fn a_reader_that_panics_takes_its_slot_with_it() {
    let function = publish(lying(Restore::Auto), "r");
    let invocation =
        rimward_isolate::Invocation { now: Timestamp::default(), seed: 0, server: None, count_fuel: false };
    let read = |_: &[u8]| -> () { panic!("reader") };
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| function.run(b"d", invocation, read).result));
    assert!(caught.is_err());
    assert_fresh(&function);
}

#[test]
fn threads_do_not_see_each_other() {
    let function = publish(lying(Restore::Auto), "r");
    std::thread::scope(|scope| {
        for n in 0..4u8 {
            let function = &function;
            scope.spawn(move || {
                for round in 0..50u8 {
                    assert_fresh(function);
                    let event = [b'e', n, round];
                    assert_eq!(run(function, &event).result.unwrap(), event);
                    if round % 10 == n {
                        failure(function, b"l");
                    }
                }
            });
        }
    });
}

#[test]
fn an_endless_loop_ends_soon_after_its_limit() {
    let limits = Limits { time: Duration::from_millis(1), ..Limits::default() };
    let function = publish_with(lying(Restore::Auto), "r", limits).unwrap();
    failure(&function, b"l");
    // The best of some: other work of this machine may delay the ticker.
    let best = (0..20).map(|_| run(&function, b"l").cost).min_by_key(|cost| cost.time).unwrap();
    assert!(best.time >= limits.time && best.time < 2 * limits.time, "{best:?}");
    assert_eq!(best.utilization, 100);
}

#[test]
fn a_long_hash_ends_at_the_limit_too() {
    let limits = Limits { time: Duration::from_millis(1), ..Limits::default() };
    let function = publish_with(lying(Restore::Auto), "r", limits).unwrap();
    let best = (0..20).map(|_| run(&function, b"z").cost.time).min().unwrap();
    assert!(best < 3 * limits.time, "{best:?}");
}

#[test]
fn fuel_is_the_same_every_time_and_on_every_thread() {
    let function = publish(lying(Restore::Auto), "r");
    let invocation = rimward_isolate::Invocation { now: Timestamp::default(), seed: 0, server: None, count_fuel: true };
    let cost = |event: &[u8]| function.run(event, invocation, |_| ()).cost;
    let first = cost(b"s");
    assert!(first.fuel.unwrap() > 10);
    // State, stack frame of the reply, event buffer.
    assert_eq!(first.dirty_pages, 3);
    cost(b"d");
    let again = cost(b"s");
    let elsewhere = std::thread::scope(|scope| scope.spawn(|| cost(b"s")).join().unwrap());
    for other in [again, elsewhere] {
        assert_eq!((other.fuel, other.dirty_pages), (first.fuel, first.dirty_pages));
    }
    assert!(cost(b"e").fuel < first.fuel);
    assert_eq!(run(&function, b"s").cost.fuel, None);
}

#[test]
fn guests_that_do_not_fit_do_not_start() {
    assert!(matches!(start_failure("(module)"), StartError::Guest(_)));
    assert!(matches!(start_failure(r#"(module (memory (export "memory") 1 1))"#), StartError::Engine(_)));
    assert!(matches!(
        start_failure(r#"(module (import "env" "f" (func)) (memory (export "memory") 1 1))"#),
        StartError::Engine(_)
    ));
}
