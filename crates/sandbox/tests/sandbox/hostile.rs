//! Components that try to hold a thread, a byte or the host's own memory. Each meets its wall, and the next call is
//! served.

use std::time::{Duration, Instant};

use rimward_event::FailureCategory;
use rimward_sandbox::{Failure, Options, PublishError, Sandbox, Spec};
use rimward_types::{ByteSize, Hook};

use crate::support::{call, event, failure, head, options, publish, sandbox};

/// A component in the JSON flavour, in parts of text. By default it returns a response.
pub(crate) struct Guest {
    pub(crate) memory: &'static str,
    pub(crate) start: &'static str,
    pub(crate) realloc: &'static str,
    pub(crate) invoke: &'static str,
    pub(crate) post: &'static str,
}

const LOOP: &str = "(loop $l (br $l)) unreachable";

impl Default for Guest {
    fn default() -> Self {
        Self {
            memory: "2",
            start: "",
            // Everything is put where nobody looks at it.
            realloc: "i32.const 65536",
            // Result area at 0: tag ok, address 16, length 16.
            invoke: "(i32.store8 (i32.const 0) (i32.const 0))
                (i32.store (i32.const 4) (i32.const 16)) (i32.store (i32.const 8) (i32.const 16)) i32.const 0",
            post: "",
        }
    }
}

pub(crate) fn component(guest: &Guest) -> Vec<u8> {
    let Guest { memory, start, realloc, invoke, post } = guest;
    let text = format!(
        r#"(component
            (core module $m
                (memory (export "memory") {memory})
                (table $t (export "table") 1 funcref)
                (data (i32.const 16) "{{\"status\":\"204\"}}")
                (func $start {start})
                (start $start)
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
                (func (export "invoke") (param i32 i32 i32 i32) (result i32) {invoke})
                (func (export "post") (param i32) {post}))
            (core instance $i (instantiate $m))
            (type $f (func (param "event" string) (param "context" string) (result (result string (error string)))))
            (func $invoke (type $f) (canon lift (core func $i "invoke") (memory (core memory $i "memory"))
                (realloc (core func $i "cabi_realloc")) (post-return (core func $i "post"))))
            (instance $lambda (export "invoke" (func $invoke)))
            (export "rimward:edge/lambda@1.0.0" (instance $lambda)))"#
    );
    wat::parse_str(text).unwrap()
}

fn spec(guest: &Guest) -> Spec {
    let mut spec = Spec::new("hostile", component(guest));
    spec.timeout = Some(Duration::from_millis(50));
    spec.memory = ByteSize::mb(16);
    spec
}

#[tokio::test]
async fn the_guest_of_these_tests_is_fine_when_it_behaves() {
    let function = publish(&sandbox(), spec(&Guest::default())).await;
    for _ in 0..3 {
        assert!(call(&function, "/").await.result.is_ok());
    }
    assert_eq!(function.idle(), 1);
}

#[tokio::test]
async fn a_loop_ends_wherever_it_is() {
    let sandbox = sandbox();
    for (place, guest) in [
        ("handler", Guest { invoke: LOOP, ..Guest::default() }),
        ("allocator", Guest { realloc: LOOP, ..Guest::default() }),
        ("after the return", Guest { post: LOOP, ..Guest::default() }),
    ] {
        let function = publish(&sandbox, spec(&guest)).await;
        for _ in 0..2 {
            let start = Instant::now();
            let failed = failure(&function, "/").await;
            assert_eq!(failed, Failure::Timeout(Duration::from_millis(50)), "{place}");
            assert_eq!(failed.category(), FailureCategory::LambdaLimitExceeded);
            assert!(start.elapsed() < Duration::from_secs(1), "{place}: {:?}", start.elapsed());
        }
    }
    let function = publish(&sandbox, spec(&Guest::default())).await;
    assert!(call(&function, "/").await.result.is_ok());
}

#[tokio::test]
async fn a_loop_in_the_start_section_ends_the_publishing() {
    let options = Options { init_timeout: Duration::from_millis(50), ..options() };
    let sandbox = Sandbox::start(options).unwrap();
    let error = sandbox.publish(spec(&Guest { start: LOOP, ..Guest::default() })).await.unwrap_err();
    assert!(matches!(error, PublishError::Start(Failure::Timeout(_))), "{error}");
    assert_eq!(sandbox.usage().instances, 0);
}

#[tokio::test]
async fn memory_that_is_wanted_from_the_start_is_counted() {
    let sandbox = sandbox();
    let error = sandbox.publish(spec(&Guest { memory: "300", ..Guest::default() })).await.unwrap_err();
    assert!(matches!(error, PublishError::Start(Failure::Memory(_))), "{error}");
}

#[tokio::test]
async fn several_memories_share_one_budget() {
    // Three modules of 6 MB each where 16 MB are allowed.
    let module = |n| format!("(core module $m{n} (memory 96)) (core instance $i{n} (instantiate $m{n}))");
    let text = LAMBDA_WITH_MODULES.replace("MODULES", &(module(0) + &module(1) + &module(2)));
    let mut spec = Spec::new("hostile", wat::parse_str(text).unwrap());
    spec.memory = ByteSize::mb(16);
    let error = sandbox().publish(spec.clone()).await.unwrap_err();
    assert!(matches!(error, PublishError::Start(Failure::Memory(_))), "{error}");
    spec.memory = ByteSize::mb(20);
    assert!(sandbox().publish(spec).await.is_ok());
}

const LAMBDA_WITH_MODULES: &str = r#"(component
    MODULES
    (core module $m
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
        (func (export "invoke") (param i32 i32 i32 i32) (result i32) unreachable))
    (core instance $i (instantiate $m))
    (type $f (func (param "event" string) (param "context" string) (result (result string (error string)))))
    (func $invoke (type $f) (canon lift (core func $i "invoke") (memory (core memory $i "memory"))
        (realloc (core func $i "cabi_realloc"))))
    (instance $lambda (export "invoke" (func $invoke)))
    (export "rimward:edge/lambda@1.0.0" (instance $lambda)))"#;

#[tokio::test]
async fn growth_of_memory_and_tables_is_bounded() {
    let sandbox = sandbox();
    for invoke in [
        "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable",
        "(loop $l (br_if $l (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable",
    ] {
        let function = publish(&sandbox, spec(&Guest { invoke, ..Guest::default() })).await;
        assert_eq!(failure(&function, "/").await, Failure::Memory(ByteSize::mb(16)), "{invoke}");
    }
}

#[tokio::test]
async fn results_that_point_anywhere_are_refused() {
    let sandbox = sandbox();
    for (what, invoke) in [
        ("result area past the end", "i32.const -4"),
        ("unaligned result area", "i32.const 1"),
        ("unknown tag", "(i32.store8 (i32.const 0) (i32.const 7)) i32.const 0"),
        (
            "string past the end",
            "(i32.store8 (i32.const 0) (i32.const 0)) (i32.store (i32.const 4) (i32.const 65536))
             (i32.store (i32.const 8) (i32.const 0x7fffffff)) i32.const 0",
        ),
        (
            "string that is no UTF-8",
            "(i32.store8 (i32.const 0) (i32.const 0)) (i32.store (i32.const 16) (i32.const -1))
             (i32.store (i32.const 4) (i32.const 16)) (i32.store (i32.const 8) (i32.const 4)) i32.const 0",
        ),
    ] {
        let function = publish(&sandbox, spec(&Guest { invoke, ..Guest::default() })).await;
        let failed = failure(&function, "/").await;
        assert!(matches!(failed, Failure::Trap(_)), "{what}: {failed}");
    }
    for realloc in ["i32.const -1", "unreachable"] {
        let function = publish(&sandbox, spec(&Guest { realloc, ..Guest::default() })).await;
        let failed = failure(&function, "/").await;
        assert!(matches!(failed, Failure::Trap(_)), "{realloc}: {failed}");
    }
}

/// A typed response hook whose header list has `count` lines that all point at the same `bytes` bytes.
fn amplifier(count: u32, bytes: u32) -> Vec<u8> {
    let text = format!(
        r#"(component
            (type $types (instance
                (type $header (record (field "name" string) (field "value" string)))
                (export "header" (type $h (eq $header)))
                (type $hook (enum "viewer-request" "origin-request" "origin-response" "viewer-response"))
                (export "hook" (type $k (eq $hook)))
                (type $context (record (field "hook" $k) (field "distribution-id" string)
                    (field "distribution-domain-name" string) (field "request-id" string)
                    (field "invocation-id" string) (field "function-name" string) (field "function-version" string)
                    (field "memory-limit-mb" u32) (field "deadline-ms" u64)))
                (export "context" (type $c (eq $context)))
                (type $protocol (enum "http" "https"))
                (export "protocol" (type $p (eq $protocol)))
                (type $strings (list string))
                (type $headers (list $h))
                (type $limit (option u32))
                (type $custom (record (field "domain-name" string) (field "port" u16) (field "protocol" $p)
                    (field "path" string) (field "custom-headers" $headers) (field "read-timeout" u32)
                    (field "keepalive-timeout" u32) (field "response-completion-timeout" $limit)
                    (field "ssl-protocols" $strings)))
                (export "custom-origin" (type $co (eq $custom)))
                (type $auth (enum "none" "origin-access-identity"))
                (export "auth-method" (type $a (eq $auth)))
                (type $s3 (record (field "domain-name" string) (field "path" string)
                    (field "custom-headers" $headers) (field "auth-method" $a) (field "region" string)
                    (field "read-timeout" $limit) (field "response-completion-timeout" $limit)))
                (export "s3-origin" (type $so (eq $s3)))
                (type $origin (variant (case "custom" $co) (case "s3" $so)))
                (export "origin" (type $o (eq $origin)))
                (type $bytes (list u8))
                (type $body (record (field "data" $bytes) (field "truncated" bool) (field "replace" bool)))
                (export "body" (type $b (eq $body)))
                (type $some-body (option $b))
                (type $some-origin (option $o))
                (type $request (record (field "client-ip" string) (field "method" string) (field "uri" string)
                    (field "querystring" string) (field "headers" $headers) (field "body" $some-body)
                    (field "origin" $some-origin)))
                (export "request" (type $req (eq $request)))
                (type $some-bytes (option $bytes))
                (type $response (record (field "status" u16) (field "status-description" string)
                    (field "headers" $headers) (field "body" $some-bytes)))
                (export "response" (type $res (eq $response)))))
            (import "rimward:edge/types@1.0.0" (instance $t (type $types)))
            (alias export $t "request" (type $request))
            (alias export $t "response" (type $response))
            (alias export $t "context" (type $context))
            (core module $m
                (memory (export "memory") 128)
                (global $next (mut i32) (i32.const 1048576))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (global.get $next)
                    (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 15))
                        (i32.const -16))))
                (func (export "handle") (param i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.const 2097152))
                    (loop $l
                        (i32.store offset=0 (local.get $at) (i32.const 0))
                        (i32.store offset=4 (local.get $at) (i32.const 1))
                        (i32.store offset=8 (local.get $at) (i32.const 0))
                        (i32.store offset=12 (local.get $at) (i32.const {bytes}))
                        (local.set $at (i32.add (local.get $at) (i32.const 16)))
                        (br_if $l (i32.lt_u (local.get $at) (i32.const {end}))))
                    ;; ok, status 200, empty description, the list, no body
                    (i32.store offset=0 (i32.const 1024) (i32.const 0))
                    (i32.store16 offset=4 (i32.const 1024) (i32.const 200))
                    (i32.store offset=8 (i32.const 1024) (i32.const 0))
                    (i32.store offset=12 (i32.const 1024) (i32.const 0))
                    (i32.store offset=16 (i32.const 1024) (i32.const 2097152))
                    (i32.store offset=20 (i32.const 1024) (i32.const {count}))
                    (i32.store offset=24 (i32.const 1024) (i32.const 0))
                    (i32.const 1024)))
            (core instance $i (instantiate $m))
            (type $f (func (param "request" $request) (param "response" $response) (param "context" $context)
                (result (result $response (error string)))))
            (func $handle (type $f) (canon lift (core func $i "handle") (memory (core memory $i "memory"))
                (realloc (core func $i "cabi_realloc"))))
            (instance $hook-instance (export "handle" (func $handle)))
            (export "rimward:edge/response-hook@1.0.0" (instance $hook-instance)))"#,
        end = 2_097_152 + count * 16,
    );
    wat::parse_str(text).unwrap()
}

#[tokio::test]
async fn a_list_that_repeats_one_string_does_not_fill_the_hosts_memory() {
    let sandbox = sandbox();
    let head = head("/");
    let origin = rimward_types::ResponseHead::new(http::StatusCode::OK);
    let mut event = event(Hook::OriginResponse, &head);
    event.response = Some(&origin);
    // 100,000 lines of 1 MB each are 100 GB; the guest has 8 MB.
    let function = publish(&sandbox, Spec::new("hostile", amplifier(100_000, 1 << 20))).await;
    let failed = function.invoke(&event).await.result.unwrap_err();
    assert!(matches!(failed, Failure::Trap(_)), "{failed}");
    // Within the transfer limit the rules of headers apply.
    let function = publish(&sandbox, Spec::new("hostile", amplifier(20_000, 1))).await;
    let failed = function.invoke(&event).await.result.unwrap_err();
    assert!(matches!(failed, Failure::Invalid(_)), "{failed}");
}
