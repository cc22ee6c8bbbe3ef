//! One component for each way to do harm, all held to the same: it is refused or fails in its category, its instances
//! are gone, the next call of another function is right, and while it is at it others are served.

use std::sync::Arc;
use std::time::Duration;

use rimward_event::FailureCategory;
use rimward_sandbox::{Function, Options, Sandbox, Spec};
use rimward_types::ByteSize;

use crate::hostile::{Guest, component};
use crate::support::{call, options, publish};

const LOOP: &str = "(loop $l (br $l)) unreachable";
const EXECUTION: FailureCategory = FailureCategory::LambdaExecution;
const LIMIT: FailureCategory = FailureCategory::LambdaLimitExceeded;

/// How an adversary ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// It is not published; what is said has this text in it.
    Refused(&'static str),
    /// Its calls fail: the kind and what the viewer gets.
    Fails(&'static str, FailureCategory),
}

struct Adversary {
    name: &'static str,
    component: Vec<u8>,
    end: End,
}

fn guest(name: &'static str, guest: Guest, end: End) -> Adversary {
    Adversary { name, component: component(&guest), end }
}

fn text(name: &'static str, text: &str, end: End) -> Adversary {
    Adversary { name, component: wat::parse_str(text).unwrap(), end }
}

fn adversaries() -> Vec<Adversary> {
    let start = |start| Guest { start, ..Guest::default() };
    let invoke = |invoke| Guest { invoke, ..Guest::default() };
    let realloc = |realloc| Guest { realloc, ..Guest::default() };
    let post = |post| Guest { post, ..Guest::default() };
    vec![
        guest("a loop in the start section", start(LOOP), End::Refused("timed out")),
        guest("a trap in the start section", start("unreachable"), End::Refused("crashed")),
        guest(
            "a memory that is too large from the start",
            Guest { memory: "300", ..Guest::default() },
            End::Refused("memory"),
        ),
        guest("a memory past 4 GB", Guest { memory: "2 65536", ..invoke(GROW) }, End::Fails("memory", EXECUTION)),
        guest("a loop in the handler", invoke(LOOP), End::Fails("timeout", LIMIT)),
        guest("a loop in the allocator", realloc(LOOP), End::Fails("timeout", LIMIT)),
        guest("a loop after the return", post(LOOP), End::Fails("timeout", LIMIT)),
        guest("a trap in the handler", invoke("unreachable"), End::Fails("trap", EXECUTION)),
        guest("a trap in the allocator", realloc("unreachable"), End::Fails("trap", EXECUTION)),
        guest("a trap after the return", post("unreachable"), End::Fails("trap", EXECUTION)),
        guest("a division by zero", invoke("(i32.div_u (i32.const 1) (i32.const 0))"), End::Fails("trap", EXECUTION)),
        guest("an access past the end", invoke("(i32.load (i32.const -4))"), End::Fails("trap", EXECUTION)),
        guest(
            "a call of nothing",
            invoke("(call_indirect $t (result i32) (i32.const 0))"),
            End::Fails("trap", EXECUTION),
        ),
        guest("memory without end", invoke(GROW), End::Fails("memory", EXECUTION)),
        guest("tables without end", invoke(GROW_TABLE), End::Fails("memory", EXECUTION)),
        guest(
            "memory and time",
            invoke("(loop $l (drop (memory.grow (i32.const 1))) (br $l)) unreachable"),
            End::Fails("timeout", LIMIT),
        ),
        guest("a fill of all memory over and over", invoke(FILL), End::Fails("timeout", LIMIT)),
        guest("a string past the end", invoke(LONG_STRING), End::Fails("trap", EXECUTION)),
        text(
            "calls without end",
            &lambda_with(
                "(func $r (param i32 i32 i32 i32) (result i32) (call $r (local.get 0) (local.get 1) (local.get 2) (local.get 3)))",
            ),
            End::Fails("trap", EXECUTION),
        ),
        text(
            "two that call each other",
            &lambda_with(
                "(func $r (param i32 i32 i32 i32) (result i32) (call $s (local.get 0)))
             (func $s (param i32) (result i32) (call $r (local.get 0) (local.get 0) (local.get 0) (local.get 0)))",
            ),
            End::Fails("trap", EXECUTION),
        ),
        text("10,000 imports", &imports(10_000), End::Refused("exceeds limit")),
        text("900 imports that nobody grants", &imports(900), End::Refused("imports `evil:n0/x`")),
        text("more core instances than there may be", &modules(300, "(func)"), End::Refused("")),
        text("more memories than there may be", &modules(30, "(memory 1)"), End::Refused("")),
        text("more tables than there may be", &modules(150, "(table 1 funcref)"), End::Refused("")),
        text("a table that is too large from the start", &modules(1, "(table 1000000 funcref)"), End::Refused("")),
        text(
            "a handler that takes a number",
            &typed_as("(param \"event\" u32)", "(param i32)", ""),
            End::Refused("wrong type"),
        ),
        text(
            "a handler that gives nothing",
            &typed_as("(param \"event\" string) (param \"context\" string)", "(param i32 i32 i32 i32)", ""),
            End::Refused("wrong type"),
        ),
        text(
            "a handler that gives a number",
            &typed_as(
                "(param \"event\" string) (param \"context\" string) (result u32)",
                "(param i32 i32 i32 i32) (result i32)",
                "i32.const 0",
            ),
            End::Refused("wrong type"),
        ),
        text(
            "an instance without a handler",
            "(component (instance $i) (export \"rimward:edge/lambda@1.0.0\" (instance $i)))",
            End::Refused(""),
        ),
        text(
            "a component in the place of the handler",
            "(component (component $c) (export \"rimward:edge/lambda@1.0.0\" (component $c)))",
            End::Refused(""),
        ),
        text("another version of the contract", &lambda_named("rimward:edge/lambda@2.0.0"), End::Refused("no handler")),
    ]
}

const GROW: &str = "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
const GROW_TABLE: &str =
    "(loop $l (br_if $l (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable";
const FILL: &str = "(drop (memory.grow (i32.const 200)))
    (loop $l (memory.fill (i32.const 0) (i32.const 7) (i32.const 13000000)) (br $l)) unreachable";
const LONG_STRING: &str = "(i32.store8 (i32.const 0) (i32.const 0)) (i32.store (i32.const 4) (i32.const 65536))
    (i32.store (i32.const 8) (i32.const 0x7fffffff)) i32.const 0";

/// A JSON function whose handler is `$r`.
fn lambda_with(functions: &str) -> String {
    lambda(functions, "rimward:edge/lambda@1.0.0", TYPE)
}

fn lambda_named(export: &str) -> String {
    lambda("(func $r (param i32 i32 i32 i32) (result i32) unreachable)", export, TYPE)
}

const TYPE: &str = "(param \"event\" string) (param \"context\" string) (result (result string (error string)))";

fn typed_as(component_type: &str, core_type: &str, body: &str) -> String {
    lambda(&format!("(func $r {core_type} {body})"), "rimward:edge/lambda@1.0.0", component_type)
}

fn lambda(functions: &str, export: &str, component_type: &str) -> String {
    format!(
        r#"(component
            (core module $m
                (memory (export "memory") 2)
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
                {functions}
                (export "invoke" (func $r)))
            (core instance $i (instantiate $m))
            (type $f (func {component_type}))
            (func $invoke (type $f) (canon lift (core func $i "invoke") (memory (core memory $i "memory"))
                (realloc (core func $i "cabi_realloc"))))
            (instance $lambda (export "invoke" (func $invoke)))
            (export "{export}" (instance $lambda)))"#
    )
}

/// A JSON function with so many core instances beside it, each with `content`.
fn modules(count: usize, content: &str) -> String {
    let mut more = format!("(core module $x {content})");
    for _ in 0..count {
        more.push_str("(core instance (instantiate $x))");
    }
    lambda_named("rimward:edge/lambda@1.0.0").replacen("(component", &format!("(component {more}"), 1)
}

fn imports(count: usize) -> String {
    let imports: String =
        (0..count).map(|n| format!("(import \"evil:n{n}/x\" (instance (export \"f\" (func)))) ")).collect();
    lambda_named("rimward:edge/lambda@1.0.0").replacen("(component", &format!("(component {imports}"), 1)
}

fn spec(component: Vec<u8>) -> Spec {
    let mut spec = Spec::new("adversary", component);
    spec.timeout = Some(Duration::from_millis(250));
    spec.memory = ByteSize::mb(16);
    spec
}

fn start() -> Sandbox {
    Sandbox::start(Options { init_timeout: Duration::from_secs(1), ..options() }).unwrap()
}

async fn good(sandbox: &Sandbox) -> Arc<Function> {
    publish(sandbox, Spec::new("good", component(&Guest::default()))).await
}

#[tokio::test]
async fn each_meets_its_wall_and_the_next_call_is_right() {
    let sandbox = start();
    let good = good(&sandbox).await;
    for Adversary { name, component, end } in adversaries() {
        match (end, sandbox.publish(spec(component)).await) {
            (End::Refused(text), Err(refused)) => assert!(refused.to_string().contains(text), "{name}: {refused}"),
            (End::Fails(kind, category), Ok(function)) => {
                for _ in 0..2 {
                    let failed = call(&function, "/").await.result.unwrap_err();
                    assert_eq!((failed.kind(), failed.category()), (kind, category), "{name}: {failed}");
                    assert_eq!(function.idle(), 0, "{name}");
                }
            }
            (_, Ok(_)) => panic!("{name} is published"),
            (_, Err(refused)) => panic!("{name}: {refused}"),
        }
        // One instance is left in the whole sandbox: that of the good function, which is used again.
        assert_eq!(sandbox.usage().instances, 1, "{name}");
        let next = call(&good, "/").await;
        assert!(next.result.is_ok() && next.cost.init.is_none(), "{name}: {:?}", next.result);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn while_one_is_at_it_others_on_the_same_thread_are_served() {
    let sandbox = start();
    let good = good(&sandbox).await;
    for Adversary { name, component, end } in adversaries() {
        // Those that would go on for ever, with far more time than the test takes.
        if !matches!(end, End::Fails("timeout", _)) {
            continue;
        }
        let mut spec = spec(component);
        spec.timeout = Some(Duration::from_secs(600));
        let adversary = publish(&sandbox, spec).await;
        let held = adversary.clone();
        let held = tokio::spawn(async move { call(&held, "/").await });
        while adversary.running() == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            assert!(call(&good, "/").await.result.is_ok());
        }
        assert_eq!(adversary.running(), 1, "{name} ended on its own");
        // Nobody waits for it any more: it ends, and gives back what it had.
        held.abort();
        assert!(held.await.unwrap_err().is_cancelled());
        assert_eq!((adversary.running(), sandbox.usage().instances), (0, 1), "{name}");
    }
}
