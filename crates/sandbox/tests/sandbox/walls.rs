//! Time and memory (`lambda-at-edge.md` section 8), met by an ordinary guest that goes too far.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rimward_event::FailureCategory;
use rimward_sandbox::{Failure, Throttle};
use rimward_types::{ByteSize, Hook};

use crate::support::{body, call, failure, probe, probe_with, publish, sandbox};

const LIMIT: Duration = Duration::from_millis(100);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(900);

/// lambda-at-edge.md 8 and 9.
#[tokio::test]
async fn an_endless_loop_ends_at_its_limit_and_the_next_call_is_served() {
    let function = probe_with(|spec| spec.timeout = Some(LIMIT)).await;
    let start = Instant::now();
    assert_eq!(failure(&function, "/spin").await, Failure::Timeout(LIMIT));
    assert!(start.elapsed() >= LIMIT && start.elapsed() < LIMIT + SLACK, "{:?}", start.elapsed());
    assert_eq!(body(&function, "/calls").await, "1");
}

#[tokio::test]
async fn a_wait_ends_at_the_limit_too() {
    let function = probe_with(|spec| spec.timeout = Some(LIMIT)).await;
    let start = Instant::now();
    assert_eq!(failure(&function, "/sleep~60000").await, Failure::Timeout(LIMIT));
    assert!(start.elapsed() >= LIMIT && start.elapsed() < LIMIT + SLACK, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "current_thread")]
async fn other_tasks_of_the_thread_run_while_a_function_loops() {
    let function = probe_with(|spec| spec.timeout = Some(Duration::from_millis(300))).await;
    let turns = Arc::new(AtomicUsize::new(0));
    let counter = turns.clone();
    let task = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    failure(&function, "/spin").await;
    task.abort();
    // 300 in theory; a machine that does other things as well gives fewer.
    assert!(turns.load(Ordering::Relaxed) >= 10, "{turns:?}");
}

/// lambda-at-edge.md 8.
#[tokio::test]
async fn limits_default_to_the_hooks_own() {
    let function = probe_with(|_| {}).await;
    assert_eq!(function.timeout(Hook::ViewerRequest), Duration::from_secs(5));
    assert_eq!(function.timeout(Hook::OriginResponse), Duration::from_secs(30));
}

/// lambda-at-edge.md 8 and 9.
#[tokio::test]
async fn more_memory_than_granted_is_refused_and_said() {
    let function = probe_with(|spec| spec.memory = ByteSize::mb(16)).await;
    assert_eq!(body(&function, "/hold~8000000").await, "held");
    let failed = failure(&function, "/hold~12000000").await;
    assert_eq!(failed, Failure::Memory(ByteSize::mb(16)));
    assert_eq!(failed.category(), FailureCategory::LambdaExecution);
    // A new instance has all of it again.
    assert_eq!(body(&function, "/hold~8000000").await, "held");
}

#[tokio::test]
async fn a_guest_that_bears_a_refusal_goes_on() {
    let function = probe_with(|spec| spec.memory = ByteSize::mb(16)).await;
    assert_eq!(body(&function, "/try-hold~100000000").await, "does not fit");
    assert_eq!(body(&function, "/calls").await, "2");
}

/// lambda-at-edge.md 9 and 11.1.
#[tokio::test]
async fn a_trap_is_an_execution_error_and_ends_the_instance() {
    let function = probe_with(|_| {}).await;
    for path in ["/trap", "/recurse", "/exit"] {
        let failed = failure(&function, path).await;
        assert!(matches!(failed, Failure::Trap(_)), "{path}: {failed}");
        assert_eq!(failed.category(), FailureCategory::LambdaExecution);
        assert_eq!(function.idle(), 0, "{path}");
        assert_eq!(body(&function, "/calls").await, "1", "{path}");
    }
}

/// lambda-at-edge.md 9 and 11.1.
#[tokio::test]
async fn an_error_of_the_handler_is_reported_and_the_instance_stays() {
    let function = probe_with(|_| {}).await;
    let invocation = call(&function, "/error").await;
    let expected = "TypeError: x is not a function\n    at handler".to_owned();
    assert_eq!(invocation.result.as_ref().unwrap_err(), &Failure::Error(expected));
    assert!(invocation.log_lines().iter().any(|line| line.contains("\"errorType\":\"TypeError\"")));
    assert_eq!(body(&function, "/calls").await, "2");
}

/// lambda-at-edge.md 8 and 9.
#[tokio::test]
async fn nonsense_and_too_large_results_are_validation_errors() {
    let function = probe_with(|spec| spec.memory = ByteSize::mb(256)).await;
    for path in ["/nonsense", "/large~1100000"] {
        let failed = failure(&function, path).await;
        assert!(matches!(failed, Failure::Invalid(_)), "{path}: {failed}");
        assert_eq!(failed.category(), FailureCategory::LambdaValidation);
    }
    assert_eq!(body(&function, "/large~1000000").await.len(), 1_000_000);
    // Past what the host takes in one transfer it does not even read the result.
    assert!(matches!(failure(&function, "/large~20000000").await, Failure::Trap(_)));
    assert!(matches!(failure(&function, "/random~2000000").await, Failure::Trap(_)));
}

#[tokio::test]
async fn headers_without_end_are_a_validation_error() {
    let function = probe_with(|_| {}).await;
    assert!(call(&function, "/headers~100").await.result.is_ok());
    for count in [2_000, 50_000] {
        let failed = failure(&function, &format!("/headers~{count}")).await;
        assert!(matches!(failed, Failure::Invalid(_)), "{count}: {failed}");
    }
}

/// lambda-at-edge.md 8, 9 and 11.1.
#[tokio::test]
async fn a_call_past_the_concurrency_is_throttled() {
    let function = probe_with(|spec| spec.concurrency = 1).await;
    let (busy, other) = (function.clone(), function.clone());
    let first = tokio::spawn(async move { call(&busy, "/sleep~60000").await });
    while other.running() == 0 {
        tokio::task::yield_now().await;
    }
    let failed = failure(&other, "/calls").await;
    assert_eq!(failed, Failure::Throttled(Throttle::Concurrency(1)));
    assert_eq!(failed.category(), FailureCategory::LambdaLimitExceeded);
    // A viewer that goes away ends its call, and there is room again.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(body(&other, "/calls").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_share_nothing() {
    let sandbox = sandbox();
    let function = publish(&sandbox, probe()).await;
    let calls = (0..64).map(|_| {
        let function = function.clone();
        tokio::spawn(async move { call(&function, "/sleep~5").await.result.map_err(|failure| failure.kind()) })
    });
    let calls: Vec<_> = calls.collect();
    let mut throttled = 0;
    for result in calls {
        match result.await.unwrap() {
            Ok(_) => {}
            Err(kind) => {
                // The sandbox of the tests has 16 instances.
                assert!(matches!(kind, "init" | "throttled"), "{kind}");
                throttled += 1;
            }
        }
    }
    assert!(throttled <= 48, "{throttled}");
    assert!(sandbox.usage().instances <= 16);
    assert_eq!(function.running(), 0);
}
