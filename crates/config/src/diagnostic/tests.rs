#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn at(text: &str, span: Range<usize>, hint: Option<&str>) -> Diagnostic {
    Diagnostic::at(&"rimward.toml".into(), text, span, "it is wrong".to_owned(), hint.map(str::to_owned))
}

#[test]
fn a_problem_shows_its_line_with_a_caret_and_a_hint() {
    let text = "[node]\nlisten = [\"x\"]\n";
    let shown = at(text, 17..20, Some("write an address")).to_string();
    assert_eq!(
        shown,
        "error: it is wrong\n --> rimward.toml:2:11\n  |\n2 | listen = [\"x\"]\n  |           ^^^\nhint: write an address"
    );
}

#[test]
fn columns_count_characters_and_tabs_stay_tabs() {
    let text = "\té = \"ü\"";
    let problem = at(text, 6..10, None);
    assert_eq!((problem.line, problem.column, problem.length), (1, 6, 3));
    assert!(problem.to_string().ends_with("\n  | \t    ^^^"), "{problem}");
}

#[test]
fn a_place_over_several_lines_is_marked_to_the_end_of_the_first() {
    let problem = at("a = [\r\n1,\r\n2]", 4..13, None);
    assert_eq!((problem.excerpt.as_str(), problem.column), ("a = [", 5));
    assert_eq!(problem.length, 2);
}

#[test]
fn the_end_of_the_file_is_a_place() {
    let problem = at("a =", 3..3, None);
    assert_eq!((problem.line, problem.column, problem.length), (1, 4, 1));
    assert_eq!(at("", 0..0, None).line, 1);
}

#[test]
fn a_file_that_cannot_be_read_has_no_line() {
    let problem = Diagnostic::of_file("rimward.toml", "cannot read the file");
    assert_eq!(problem.to_string(), "error: cannot read the file\n --> rimward.toml");
}

proptest! {
    #[test]
    fn every_place_can_be_shown(text in "[a\u{e9}\r\n\t]{0,20}", start in 0usize..60, length in 0usize..60) {
        at(&text, start..start + length, None).to_string();
    }
}
