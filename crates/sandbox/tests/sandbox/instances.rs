//! Reuse of instances (`lambda-at-edge.md` section 11.1) and the logs of their calls (section 11.3).

use rimward_sandbox::{Failure, Options, Sandbox, Throttle};
use rimward_types::ByteSize;

use crate::support::{body, call, failure, options, probe, probe_with, publish, sandbox};

/// lambda-at-edge.md 11.1: one event at a time, used again.
#[tokio::test]
async fn an_instance_is_warm_and_serves_one_event_after_the_other() {
    let function = probe_with(|_| {}).await;
    assert_eq!(function.idle(), 1);
    let first = call(&function, "/calls").await;
    assert_eq!(first.cost.init, None);
    assert!(first.cost.memory > 0 && first.cost.duration.as_nanos() > 0);
    assert_eq!(body(&function, "/calls").await, "2");
    assert_eq!(function.idle(), 1);
}

/// lambda-at-edge.md 11.1.
#[tokio::test]
async fn a_fresh_function_gets_a_new_instance_for_every_event() {
    let sandbox = sandbox();
    let mut spec = probe();
    spec.fresh = true;
    let function = publish(&sandbox, spec).await;
    for _ in 0..3 {
        let invocation = call(&function, "/calls").await;
        assert!(invocation.cost.init.is_some());
        assert_eq!(crate::support::body_of(&invocation), "1");
        assert_eq!(sandbox.usage().instances, 0);
    }
}

#[tokio::test]
async fn an_instance_that_holds_most_of_its_memory_is_replaced() {
    let function = probe_with(|spec| spec.memory = ByteSize::mb(16)).await;
    assert_eq!(body(&function, "/hold~15000000").await, "held");
    assert_eq!(function.idle(), 0);
    assert_eq!(body(&function, "/calls").await, "1");
}

#[tokio::test]
async fn an_idle_instance_makes_room_for_another_function() {
    let sandbox = Sandbox::start(Options { instances: 1, ..options() }).unwrap();
    let one = publish(&sandbox, probe()).await;
    assert_eq!(one.idle(), 1);
    let two = publish(&sandbox, probe()).await;
    assert_eq!((one.idle(), two.idle()), (0, 1));
    // A busy one does not.
    let busy = two.clone();
    let call = tokio::spawn(async move { call(&busy, "/sleep~60000").await });
    while two.running() == 0 {
        tokio::task::yield_now().await;
    }
    let expected = Failure::Init(Box::new(Failure::Throttled(Throttle::Instances(1))));
    assert_eq!(failure(&one, "/calls").await, expected);
    call.abort();
    let _ = call.await;
    assert_eq!(body(&one, "/calls").await, "1");
}

#[tokio::test]
async fn an_instance_that_nobody_needs_ends_without_another_call() {
    let idle = std::time::Duration::from_millis(20);
    let sandbox = Sandbox::start(Options { idle, ..options() }).unwrap();
    let function = publish(&sandbox, probe()).await;
    while sandbox.usage().instances > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(function.idle(), 0);
    assert!(call(&function, "/calls").await.cost.init.is_some());
}

/// lambda-at-edge.md 11.1.
#[tokio::test]
async fn an_instance_that_is_old_is_replaced_after_its_call() {
    let sandbox = Sandbox::start(Options { age: std::time::Duration::ZERO, ..options() }).unwrap();
    let function = publish(&sandbox, probe()).await;
    for _ in 0..2 {
        assert_eq!(body(&function, "/calls").await, "1");
        assert_eq!(function.idle(), 0);
    }
}

/// lambda-at-edge.md 13.
#[tokio::test]
async fn a_release_is_warm_before_it_serves_and_the_one_before_finishes_its_calls() {
    let sandbox = sandbox();
    let old = publish(&sandbox, probe()).await;
    let busy = old.clone();
    let draining = tokio::spawn(async move { call(&busy, "/sleep~100").await });
    while old.running() == 0 {
        tokio::task::yield_now().await;
    }
    let mut spec = probe();
    spec.version = "2".into();
    let new = publish(&sandbox, spec).await;
    // The node swaps one handle for the other here; the call in flight holds the old one.
    drop(old);
    let first = call(&new, "/calls").await;
    assert_eq!((first.cost.init, crate::support::body_of(&first)), (None, "1".to_owned()));
    assert_eq!(&**first.version(), "2");
    let last = draining.await.unwrap();
    assert_eq!((&**last.version(), crate::support::body_of(&last)), ("$LATEST", "slept".to_owned()));
    assert_eq!(sandbox.usage().instances, 1);
}

#[tokio::test]
async fn instances_go_with_their_function() {
    let sandbox = sandbox();
    let function = publish(&sandbox, probe()).await;
    assert_eq!(sandbox.usage().instances, 1);
    drop(function);
    assert_eq!(sandbox.usage().instances, 0);
}

/// lambda-at-edge.md 11.3.
#[tokio::test]
async fn output_is_in_the_log_of_its_call_alone() {
    let function = probe_with(|_| {}).await;
    assert_eq!(call(&function, "/print~0").await.logs, ["to stdout", "to stderr"]);
    let invocation = call(&function, "/calls").await;
    assert!(invocation.logs.is_empty());
    let lines = invocation.log_lines();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0], format!("START RequestId: {} Version: $LATEST", invocation.id));
    assert_eq!(lines[1], format!("END RequestId: {}", invocation.id));
    assert!(lines[2].starts_with(&format!("REPORT RequestId: {}\tDuration: ", invocation.id)));
}

/// lambda-at-edge.md 11.3: bounded by volume.
#[tokio::test]
async fn output_without_end_is_cut() {
    let function = probe_with(|_| {}).await;
    let logs = call(&function, "/print~1000000").await.logs;
    assert!(logs.iter().map(String::len).sum::<usize>() < 70_000);
    assert!(logs.last().unwrap().ends_with("bytes of output dropped"), "{:?}", logs.last());
}
