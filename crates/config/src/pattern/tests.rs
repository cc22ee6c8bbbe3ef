#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn matches(pattern: &str, path: &str) -> bool {
    pattern.parse::<PathPattern>().unwrap().matches(path)
}

/// The definition, as slow as it is plain.
fn naive(pattern: &[u8], path: &[u8]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((b'*', rest)) => (0..=path.len()).any(|skip| naive(rest, &path[skip..])),
        Some((b'?', rest)) => !path.is_empty() && naive(rest, &path[1..]),
        Some((byte, rest)) => path.first() == Some(byte) && naive(rest, &path[1..]),
    }
}

// `cdn-behaviour.md` section 3.

#[test]
fn a_star_is_any_characters_and_slashes_among_them() {
    assert!(matches("images/*.jpg", "/images/a.jpg"));
    assert!(matches("images/*.jpg", "/images/a/b/c.jpg"));
    assert!(matches("images/*.jpg", "/images/.jpg"));
    assert!(matches("a*.jpg", "/apple.jpg") && matches("a*.jpg", "/abra/cadabra.jpg"));
    assert!(!matches("images/*.jpg", "/images/a.jpeg"));
}

#[test]
fn a_question_mark_is_exactly_one_character() {
    assert!(matches("*.doc?", "/a.docx"));
    assert!(!matches("*.doc?", "/a.doc"));
    assert!(!matches("*.doc?", "/a.docxx"));
    assert!(matches("/a?c", "/a/c"));
}

#[test]
fn the_leading_slash_is_implied() {
    for pattern in ["images/*", "/images/*"] {
        assert!(matches(pattern, "/images/a"));
        assert!(!matches(pattern, "/x/images/a"));
    }
    assert!(matches("*", "/") && matches("*images*", "/x/images/a"));
}

#[test]
fn the_whole_path_is_matched_and_case_counts() {
    assert!(matches("/a", "/a"));
    for path in ["/", "/ab", "/b/a", "/A", ""] {
        assert!(!matches("/a", path), "{path}");
    }
}

#[test]
fn pieces_between_stars_keep_their_order_and_do_not_overlap() {
    assert!(matches("/*ab*bc*", "/xabxbcx"));
    assert!(!matches("/*ab*bc*", "/abc"));
    assert!(!matches("/*bc*ab*", "/abxbc"));
    assert!(!matches("/ab*ba", "/aba"));
    assert!(matches("/*a?c*?e/*", "/xabc-de/"));
    assert!(!matches("/*a?c*?e/*", "/xab-de/"));
}

#[test]
fn longer_characters_in_a_path_do_not_disturb() {
    assert!(matches("/*a*", "/éa"));
    assert!(matches("/??*é*".replace('é', "b").as_str(), "/éb"));
    assert!(matches("/?*b*", "/éb"));
}

#[test]
fn what_is_no_pattern_is_refused() {
    let wrong = |text: &str| text.parse::<PathPattern>().unwrap_err();
    assert_eq!(wrong(""), InvalidPattern::Empty);
    assert_eq!(wrong("/a b"), InvalidPattern::Character(' '));
    assert_eq!(wrong("/é"), InvalidPattern::Character('é'));
    assert_eq!(wrong("/a%20"), InvalidPattern::Character('%'));
    assert_eq!(wrong(&"a".repeat(256)), InvalidPattern::TooLong(256));
    assert!("a".repeat(255).parse::<PathPattern>().is_ok());
    assert!("AZaz09_-.*$/~\"'@:+&?".parse::<PathPattern>().is_ok());
}

#[test]
fn patterns_that_take_every_path_are_known() {
    for (pattern, any) in [("*", true), ("/*", true), ("**", true), ("/a*", false), ("*a", false), ("*/*", false)] {
        assert_eq!(pattern.parse::<PathPattern>().unwrap().is_any(), any, "{pattern}");
    }
    assert!(PathPattern::any().is_any() && PathPattern::any().matches("/x"));
}

#[test]
fn the_worst_pattern_takes_time_linear_in_the_path() {
    let path = format!("/{}", "a".repeat(8191));
    for pattern in [format!("/{}b", "a*".repeat(126)), format!("*{}b*", "a?".repeat(126)), "*a*b".repeat(63)] {
        let pattern: PathPattern = pattern.parse().unwrap();
        let start = Instant::now();
        assert!(!pattern.matches(&path));
        // A matcher that goes back takes years.
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}

proptest! {
    #[test]
    fn it_matches_what_the_definition_matches(pattern in "[ab/*?]{1,10}", path in "/[ab/é]{0,10}") {
        let full = if pattern.starts_with(['/', '*']) { pattern.clone() } else { format!("/{pattern}") };
        prop_assert_eq!(matches(&pattern, &path), naive(full.as_bytes(), path.as_bytes()));
    }

    #[test]
    fn long_pieces_with_question_marks_match_too(piece in "[ab?]{60,130}", before in "[ab]{0,9}", after in "[ab]{0,9}") {
        let text = piece.replace('?', "b");
        let pattern = format!("*{piece}*");
        let path = format!("/{before}{text}{after}");
        prop_assert!(matches(&pattern, &path));
        prop_assert_eq!(matches(&pattern, &text[1..]), false);
    }

    #[test]
    fn any_text_is_a_pattern_or_refused(text in "\\PC{0,40}", path in "\\PC{0,40}") {
        if let Ok(pattern) = text.parse::<PathPattern>() {
            pattern.matches(&path);
        }
    }
}
