//! `rimward:edge/init`: what an instance does before its first event (`lambda-at-edge.md` section 11.1).

use std::time::Duration;

use rimward_sandbox::{Failure, Options, PublishError, Sandbox, Spec};

use crate::support::{call, options, publish, sandbox};

/// Leaves a mark that the handler traps without. Result area at 0: no error.
const RUNS: &str = "(i32.store8 (i32.const 40) (i32.const 1)) (i32.store8 (i32.const 0) (i32.const 0)) i32.const 0";
/// Gives the error at 64.
const FAILS: &str = "(i32.store8 (i32.const 0) (i32.const 1)) (i32.store (i32.const 4) (i32.const 64))
    (i32.store (i32.const 8) (i32.const 13)) i32.const 0";

fn component(init: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $m
                (memory (export "memory") 2)
                (data (i32.const 16) "{{\"status\":\"204\"}}")
                (data (i32.const 64) "KeyError: 'x'")
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 65536)
                (func (export "init") (result i32) {init})
                (func (export "invoke") (param i32 i32 i32 i32) (result i32)
                    (if (i32.eqz (i32.load8_u (i32.const 40))) (then unreachable))
                    (i32.store8 (i32.const 0) (i32.const 0))
                    (i32.store (i32.const 4) (i32.const 16)) (i32.store (i32.const 8) (i32.const 16)) i32.const 0))
            (core instance $i (instantiate $m))
            (type $start (func (result (result (error string)))))
            (func $init (type $start) (canon lift (core func $i "init") (memory (core memory $i "memory"))))
            (type $f (func (param "event" string) (param "context" string) (result (result string (error string)))))
            (func $invoke (type $f) (canon lift (core func $i "invoke") (memory (core memory $i "memory"))
                (realloc (core func $i "cabi_realloc"))))
            (instance $first (export "init" (func $init)))
            (instance $lambda (export "invoke" (func $invoke)))
            (export "rimward:edge/init@1.0.0" (instance $first))
            (export "rimward:edge/lambda@1.0.0" (instance $lambda)))"#
    );
    wat::parse_str(text).unwrap()
}

#[tokio::test]
async fn section_11_1_init_has_run_when_the_first_event_comes_and_runs_once_in_each_instance() {
    let sandbox = sandbox();
    let function = publish(&sandbox, Spec::new("starts", component(RUNS))).await;
    assert_eq!(function.idle(), 1, "a release is warm");
    for _ in 0..2 {
        let invocation = call(&function, "/").await;
        assert!(invocation.result.is_ok() && invocation.cost.init.is_none(), "{invocation:?}");
    }
    let fresh = publish(&sandbox, Spec { fresh: true, ..Spec::new("starts", component(RUNS)) }).await;
    let invocation = call(&fresh, "/").await;
    assert!(invocation.result.is_ok() && invocation.cost.init.is_some(), "{invocation:?}");
}

#[tokio::test]
async fn section_11_1_a_function_whose_init_fails_is_not_published() {
    let options = Options { init_timeout: Duration::from_millis(50), ..options() };
    let sandbox = Sandbox::start(options).unwrap();
    let error = async |init| sandbox.publish(Spec::new("starts", component(init))).await.unwrap_err();
    let failed = error(FAILS).await;
    assert_eq!(failed.to_string(), "the function does not start: KeyError: 'x'");
    let trapped = error("unreachable").await;
    assert!(matches!(trapped, PublishError::Start(Failure::Trap(_))), "{trapped}");
    let endless = error("(loop $l (br $l)) unreachable").await;
    assert!(matches!(endless, PublishError::Start(Failure::Timeout(_))), "{endless}");
    assert_eq!(sandbox.usage().instances, 0);
}
