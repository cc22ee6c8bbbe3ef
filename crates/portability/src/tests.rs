#![allow(clippy::unwrap_used)]

mod event;
mod language;
mod surface;

use super::*;
use std::fs;
use std::path::Path;

const V1: Runtime = Runtime::V1;
const V2: Runtime = Runtime::V2;

/// What is found, as `line:column: message`.
fn found(code: &str, runtime: Runtime) -> Vec<String> {
    check(code, runtime).iter().map(ToString::to_string).collect()
}

/// Each code has exactly one finding, of `rule`.
#[track_caller]
fn refused(rule: Rule, runtime: Runtime, cases: &[(&str, &str)]) {
    for (code, expected) in cases {
        let findings = check(code, runtime);
        let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(texts, [*expected], "{code}");
        assert_eq!(findings[0].rule, rule, "{code}");
        assert!(findings[0].hint.as_ref().is_none_or(|hint| !hint.is_empty()), "{code}");
    }
}

/// None of the codes has a finding.
#[track_caller]
fn accepted(runtime: Runtime, cases: &[&str]) {
    for code in cases {
        assert_eq!(found(code, runtime), [""; 0], "{code}");
    }
}

#[test]
fn the_functions_of_this_source_tree_are_portable() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../edge-functions/viewer");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let Ok(code) = fs::read_to_string(entry.unwrap().path().join("index.js")) else { continue };
        accepted(V2, &[&code]);
        seen += 1;
    }
    assert!(seen >= 5, "{seen}");
}

#[test]
fn findings_come_in_the_order_of_the_source_with_exact_places() {
    let code = "var é = new Map();\nfunction handler(event) {\n\tlet s = 'é', m = new Set(); return m?.a;\n}\n";
    let expected = [
        "1:13: ReferenceError: \"Map\" is not defined",
        "3:23: ReferenceError: \"Set\" is not defined",
        "3:37: SyntaxError: Unexpected token \".\" in 3",
    ];
    assert_eq!(found(code, V2), expected);
}

#[test]
fn code_that_nobody_parses_has_one_finding() {
    assert_eq!(found("function handler(event) {\n  return event..a;\n}", V2).len(), 1);
    assert!(found("function (", V2)[0].contains("SyntaxError: "));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(code in "[a-z(){}\\[\\].,;:=?'\"`$ \n\té*+/<>!&|0-9]{0,80}") {
        check(&code, V1);
        check(&code, V2);
    }

    #[test]
    fn no_cut_of_a_function_makes_it_panic(cut in 0usize..2000) {
        let code = include_str!("../../../edge-functions/viewer/jwt-auth/index.js");
        check(&code[..code.floor_char_boundary(cut)], V2);
    }
}
