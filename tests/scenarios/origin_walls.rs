//! Components that are none, want too much, hang or crash. Each meets its wall: the viewer gets the documented answer
//! (`lambda-at-edge.md` section 9), the operator the reason, and other requests are served.

use rimward_tests::TestNode;

/// A component of the JSON flavour whose `invoke` is `body`; the result goes through `cabi_realloc`'s memory.
fn component(body: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
  (core module $m
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 1024))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $free))
      (global.set $free (i32.add (global.get $free) (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -8))))
      (block $fits
        (br_if $fits (i32.le_u (global.get $free) (i32.mul (memory.size) (i32.const 65536))))
        (drop (memory.grow (i32.const 4))))
      (local.get $at))
    (func (export "invoke") (param i32 i32 i32 i32) (result i32) {body})
  )
  (core instance $i (instantiate $m))
  (func $invoke (param "event" string) (param "context" string) (result (result string (error string)))
    (canon lift (core func $i "invoke") (memory (core memory $i "memory"))
      (realloc (core func $i "cabi_realloc"))))
  (instance $lambda (export "invoke" (func $invoke)))
  (export "rimward:edge/lambda@1.0.0" (instance $lambda))
)"#
    );
    wat::parse_str(text).unwrap()
}

fn config(function: &str) -> String {
    format!(
        "[origins.app]\nurl = \"builtin:demo\"\n[functions.f]\ncomponent = \"f.wasm\"\n{function}\n\
         [[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\npath = \"/f/*\"\norigin = \"app\"\norigin-request = \"f\"\n\
         [[distributions.behaviors]]\npath = \"*\"\norigin = \"app\"\n"
    )
}

async fn meets_its_wall(bytes: &[u8], function: &str, status: u16, x_cache: &str, reason: &str) {
    let node = TestNode::start(&config(function), &[("f.wasm", bytes)]).await;
    for _ in 0..2 {
        let refused = node.get("/f/page").await;
        let told = node.record()["hooks"][0]["reason"].as_str().unwrap_or_default().to_owned();
        assert_eq!((refused.status(), refused.header("x-cache")), (status, x_cache), "{told}");
        assert!(told.contains(reason), "the operator reads `{told}`, not `{reason}`");
        assert_eq!(node.get("/hello").await.status(), 200);
        node.record();
    }
}

const EXECUTION: &str = "LambdaExecutionError from cloudfront";

/// lambda-at-edge.md 9.
#[tokio::test]
async fn what_is_no_component_is_not_published_and_answers_503() {
    meets_its_wall(b"#!/bin/sh\n", "", 503, EXECUTION, "no WebAssembly component").await;
    let module = wat::parse_str("(module)").unwrap();
    meets_its_wall(&module, "", 503, EXECUTION, "module").await;
}

#[tokio::test]
async fn an_import_that_is_not_granted_is_named() {
    let bytes = wat::parse_str("(component (import \"evil:host/shell\" (instance (export \"run\" (func)))))").unwrap();
    meets_its_wall(&bytes, "", 503, EXECUTION, "evil:host/shell").await;
}

#[tokio::test]
async fn a_component_without_a_handler_is_not_published() {
    let bytes = wat::parse_str("(component)").unwrap();
    meets_its_wall(&bytes, "", 503, EXECUTION, "no handler").await;
}

/// lambda-at-edge.md 8 and 9.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_never_returns_ends_at_its_timeout() {
    let bytes = component("(loop $l (br $l)) (unreachable)");
    meets_its_wall(&bytes, "timeout = \"1 s\"", 503, "LambdaLimitExceeded from cloudfront", "timed out").await;
}

/// lambda-at-edge.md 9.
#[tokio::test]
async fn a_trap_is_an_execution_error() {
    meets_its_wall(&component("(unreachable)"), "", 503, EXECUTION, "crashed").await;
}

/// lambda-at-edge.md 8 and 9.
#[tokio::test]
async fn memory_past_its_limit_is_an_execution_error() {
    let bytes = component("(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)");
    meets_its_wall(&bytes, "memory = \"4 MB\"", 503, EXECUTION, "memory").await;
}

/// lambda-at-edge.md 9.
#[tokio::test]
async fn a_result_that_is_no_json_is_a_validation_error() {
    // At 512: the case 0 (ok), a pointer and a length into memory that is all zeros.
    let bytes = component(
        "(i32.store (i32.const 516) (i32.const 600)) (i32.store (i32.const 520) (i32.const 3)) (i32.const 512)",
    );
    meets_its_wall(&bytes, "", 502, "LambdaValidationError from cloudfront", "").await;
}
