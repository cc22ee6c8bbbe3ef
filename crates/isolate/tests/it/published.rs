//! Publishing: what is refused, with which words and place, and what a function takes.

use crate::support::{code_cache, options, ours, publish, publish_with, run};
use rimward_isolate::{CodeOrigin, Entry, Isolates, Limits, PublishError, Restore};
use std::time::Duration;

fn error(code: &str) -> PublishError {
    publish_with(ours(Restore::Auto), code, Limits::default()).unwrap_err()
}

#[test]
fn a_syntax_error_names_line_and_column() {
    let error = error("function handler(event) {\n  var a = ;\n  return event.request;\n}");
    assert!(matches!(error, PublishError::Syntax { .. }), "{error:?}");
    assert!(error.to_string().starts_with("SyntaxError"), "{error}");
    let position = error.position().unwrap();
    assert_eq!((position.line, position.excerpt.as_str()), (2, "  var a = ;"));
    assert_eq!(position.column, 11);
}

#[test]
fn a_source_without_a_handler_is_refused() {
    assert_eq!(error("function other(event) { return event.request; }"), PublishError::NoHandler(Entry::Handler));
    assert_eq!(error("var handler = 3;"), PublishError::NoHandler(Entry::Handler));
    assert_eq!(error(""), PublishError::NoHandler(Entry::Handler));
}

#[test]
fn a_top_level_that_throws_is_refused() {
    let error = error("function handler(event) { return event.request; }\nthrow new TypeError('at once');");
    let PublishError::Threw { message, .. } = &error else { panic!("{error:?}") };
    assert_eq!(message, "TypeError: at once");
}

#[test]
fn a_top_level_without_end_is_refused() {
    let limit = Duration::from_millis(100);
    assert_eq!(error("for (;;) {}"), PublishError::TooSlow { limit });
    let hungry = error("var all = []; for (;;) { all.push('x'.repeat(10000) + all.length); }");
    assert!(matches!(hungry, PublishError::OutOfMemory { .. } | PublishError::TooSlow { .. }), "{hungry:?}");
}

#[test]
fn a_source_over_10_kb_is_refused() {
    let code = |len: usize| {
        let code = "function handler(event) { return event.request; } //";
        format!("{code}{}", "x".repeat(len - code.len()))
    };
    publish(ours(Restore::Auto), &code(10_240));
    assert_eq!(error(&code(10_241)), PublishError::TooLarge { size: 10_241, limit: 10_240 });
}

#[test]
fn a_function_after_a_refused_one_is_right() {
    let isolates = ours(Restore::Auto);
    for code in ["for (;;) {}", "var a = ;", "throw 1;", "var x = 1;"] {
        error(code);
        let function = publish(isolates, "function handler(event) { return event.request; }");
        assert_eq!(crate::support::answer(&function, "/a").unwrap(), "uri /a");
    }
}

#[test]
fn a_function_takes_little_and_equal_functions_share_it() {
    let isolates = Isolates::start(&options(Restore::Auto)).unwrap();
    let code = "function handler(event) { return event.request; }";
    let before = isolates.page_use();
    let one = publish(&isolates, code);
    let after_one = isolates.page_use();
    let two = publish(&isolates, code);
    assert_eq!(isolates.page_use(), after_one);
    assert_eq!(one.footprint(), two.footprint());
    assert!(one.footprint().bytes < 1 << 20, "{:?}", one.footprint());
    drop((one, two));
    assert_eq!(isolates.page_use(), before);
}

#[test]
fn a_second_start_loads_the_code_that_the_first_one_kept() {
    ours(Restore::Auto);
    let again = Isolates::start(&options(Restore::Auto)).unwrap();
    assert_eq!(*again.code_origin(), CodeOrigin::Loaded, "{}", code_cache().display());
}

#[test]
fn a_thread_can_be_warmed() {
    let isolates = ours(Restore::Auto);
    isolates.warm_thread();
    let function = publish(isolates, "function handler(event) { return event.request; }");
    assert!(run(&function, &crate::support::request("/")).result.is_ok());
}

#[test]
fn an_event_that_is_no_event_fails_and_nothing_else() {
    let function = publish(ours(Restore::Auto), "function handler(event) { return event.request; }");
    for event in [&b""[..], b"\xff", b"\0\xff\xff\xff\xff", &crate::support::request("/")[..20]] {
        // Whether the guest says so or traps, it must not be a result.
        let run = run(&function, event);
        let reply = run.result.ok();
        let failed = reply.is_none_or(|reply| {
            matches!(rimward_wire::reply::Reply::read(&reply), Ok(rimward_wire::reply::Reply::Failed { .. }))
        });
        assert!(failed, "{event:?}");
        assert_eq!(crate::support::answer(&function, "/a").unwrap(), "uri /a");
    }
}
