#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

#[test]
fn a_plain_path_is_left_alone() {
    for path in ["/", "/a", "/a/b.jpg", "/a/b/", "/a~b/c;d=e", ""] {
        assert!(matches!(normalize(path), Cow::Borrowed(same) if same == path));
    }
}

#[test]
fn dot_segments_go_as_in_rfc_3986_section_5_2_4() {
    for (path, normal) in [
        ("/a/b/c/./../../g", "/a/g"),
        ("/a/b/..", "/a/"),
        ("/a/b/.", "/a/b/"),
        ("/./a", "/a"),
        ("/../../a", "/a"),
        ("/..", "/"),
        ("/a/..", "/"),
        ("/a/.b/..c", "/a/.b/..c"),
        ("/a/...", "/a/..."),
    ] {
        assert_eq!(normalize(path), normal, "{path}");
    }
}

#[test]
fn double_slashes_collapse_after_dot_segments_went() {
    for (path, normal) in [("//a", "/a"), ("/a//b///", "/a/b/"), ("/a//../b", "/a/b"), ("//", "/"), ("/a/.//b", "/a/b")]
    {
        assert_eq!(normalize(path), normal, "{path}");
    }
}

#[test]
fn encoded_unreserved_characters_are_decoded() {
    for (path, normal) in [
        ("/%61dmin", "/admin"),
        ("/a/%2e%2E/b", "/b"),
        ("/%7euser", "/~user"),
        // What is reserved means something else when it is encoded (section 2.2).
        ("/a%2Fb", "/a%2Fb"),
        ("/a%20b", "/a%20b"),
        // One round of decoding.
        ("/%2561", "/%2561"),
        // Not an escape.
        ("/%", "/%"),
        ("/%4", "/%4"),
        ("/%zz%+1", "/%zz%+1"),
        ("/%é1", "/%é1"),
    ] {
        assert_eq!(normalize(path), normal, "{path}");
    }
}

proptest! {
    #[test]
    fn a_normal_path_stays_as_it_is(path in "/[a/.%2e é]{0,20}") {
        let normal = normalize(&path).into_owned();
        prop_assert!(normal.starts_with('/'));
        prop_assert!(!normal.contains("//"));
        prop_assert!(!normal.split('/').any(|segment| segment == "." || segment == ".."));
        // Decoding once can uncover an escape; what has none left is final.
        if !normal.contains('%') {
            prop_assert_eq!(&normalize(&normal), &normal);
        }
    }

    #[test]
    fn no_path_makes_it_panic(path in "\\PC{0,30}") {
        normalize(&path);
    }
}

#[test]
fn a_dot_segment_that_origins_may_see_otherwise_is_hidden() {
    for hidden in [
        "/static/..%2faccount",
        "/a/%2e%2e%2Fb",
        "/a%2f..%2fb",
        "/a/..%5cb",
        "/a/b%2f.",
        "/a/.%2fb",
        "/a/..\\b",
        "/static/..;/account",
        "/static/%2e.%3Bx/account",
        "/static/..;a=%2f/account",
        // Which segment goes depends on whether the empty one counts, or the parts of another do.
        "/a//../b",
        "/a/%2f/../b",
        "/a%5cb/../c",
        "/a;b%2fc/../d",
    ] {
        assert!(hides_dot_segment(hidden), "{hidden}");
    }
    for open in [
        "/a%2fb",
        "/a/../b",
        "/a/%2e%2e/b",
        "/a%20b/../c",
        "/a..%2fb",
        "/a%2f..b",
        "/a;..",
        "/a//b",
        "/%",
        "/a%2",
        "/.well-known%2fx",
    ] {
        assert!(!hides_dot_segment(open), "{open}");
    }
}

#[test]
fn origins_may_read_a_path_in_other_ways() {
    for (path, readings) in [
        ("/a/../b//c", &[][..]),
        ("/a%2f%2Fb%20c", &["/a/b c"]),
        ("/caf%C3%A9", &["/caf%C3%A9"]),
        ("/a%5cb", &["/a\\b", "/a/b"]),
        ("/a;x/b", &["/a/b", "/a/b", "/a;x/b"]),
        ("/a;x%2fy/b", &["/a/y/b", "/a/b", "/a;x/y/b"]),
        ("/a%3bx/b", &["/a/b", "/a;x/b", "/a;x/b"]),
    ] {
        assert_eq!(other_readings(path), readings, "{path}");
    }
}

proptest! {
    /// An origin that decodes once, in one of the orders that are known, finds no path that the readings do not have.
    #[test]
    fn every_server_reads_one_of_the_readings(path in "/([a/.;\\\\]|%2f|%5c|%2e|%3b|%61){0,12}") {
        if hides_dot_segment(&path) {
            return Ok(());
        }
        let readings = other_readings(&path);
        for backslashes in [false, true] {
            for parameters in [false, true] {
                let mut read = decode(&path, |byte| byte.is_ascii());
                if parameters {
                    read = without_parameters(&read);
                }
                if backslashes {
                    read = read.replace('\\', "/");
                }
                // nginx merges slashes first, the RFC removes dot segments first.
                let mut merged = read.clone();
                while merged.contains("//") {
                    merged = merged.replace("//", "/");
                }
                for order in [normalize(&read), normalize(&merged)] {
                    let known = readings.iter().any(|reading| *reading == order) || normalize(&path) == order;
                    prop_assert!(known, "{} is read as {}", path, order);
                }
            }
        }
    }
}
