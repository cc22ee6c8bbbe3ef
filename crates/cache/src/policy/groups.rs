//! Cache groups (RFC 9875): an origin names groups that an answer belongs to, and an answer to an unsafe method names those
//! that have changed with it.

use crate::rules::Rules;
use http::{HeaderMap, HeaderName, HeaderValue};
use rimward_types::{RequestHead, ResponseHead};
use sfv::{List, ListEntry, Parser};

/// `Cache-Groups` (RFC 9875 section 2).
const CACHE_GROUPS: HeaderName = HeaderName::from_static("cache-groups");
/// `Cache-Group-Invalidation` (RFC 9875 section 3).
const CACHE_GROUP_INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");

/// Groups of one field; the first are kept. No fewer may be supported (RFC 9875 section 2).
pub const MOST_GROUPS: usize = 32;
/// Characters of a group; a longer one is left out. No fewer than 32 may be supported (RFC 9875 section 2).
pub const MAX_GROUP: usize = 128;

/// The groups that an answer belongs to (RFC 9875 section 2).
pub fn of_response(headers: &HeaderMap, rules: &Rules) -> Vec<String> {
    if rules.profile.table().groups { read(headers, &CACHE_GROUPS) } else { Vec::new() }
}

/// The groups that an answer says have changed. Answers to safe methods have no say (RFC 9875 section 3).
pub fn invalidated(request: &RequestHead, response: &ResponseHead, rules: &Rules) -> Vec<String> {
    if rules.profile.table().groups && !request.method.is_safe() {
        read(&response.headers, &CACHE_GROUP_INVALIDATION)
    } else {
        Vec::new()
    }
}

/// Reads a list of strings, whose parameters say nothing. A field that is none is as if it were not there (RFC 9651
/// section 4.2).
fn read(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let Ok(members) = Parser::new(&lines.join(&b", "[..])).parse::<List>() else { return Vec::new() };
    let mut groups: Vec<String> = Vec::new();
    for member in &members {
        let ListEntry::Item(item) = member else { return Vec::new() };
        let Some(group) = item.bare_item.as_string() else { return Vec::new() };
        let group = group.as_str();
        if group.len() <= MAX_GROUP && groups.len() < MOST_GROUPS && !groups.iter().any(|known| known == group) {
            groups.push(group.to_owned());
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Profile;
    use http::{Method, StatusCode};
    use proptest::prelude::*;

    fn groups(lines: &[&str]) -> Vec<String> {
        let value = |line: &&str| (CACHE_GROUPS, HeaderValue::from_bytes(line.as_bytes()).expect("a header value"));
        of_response(&lines.iter().map(value).collect(), &Rules::default())
    }

    #[test]
    fn groups_are_a_list_of_strings() {
        // RFC 9875 section 2; RFC 9651 sections 3.1 and 4.2
        assert_eq!(groups(&["\"scripts\", \"a b\";x=1"]), ["scripts", "a b"]);
        assert_eq!(groups(&["\"a\", \"b\"", "\"b\", \"A\""]), ["a", "b", "A"], "lines combine, and case counts");
        for none in ["", "scripts", "(\"a\")", "\"a\", 1", "\"a", "\"a\" \"b\"", "\"ä\""] {
            assert!(groups(&[none]).is_empty(), "{none}");
        }
        assert!(groups(&[]).is_empty());
    }

    #[test]
    fn there_are_as_many_and_as_long_ones_as_there_must_be() {
        // RFC 9875 section 2: 32 groups of 32 characters at least.
        let all: Vec<String> = (0..40).map(|n| format!("\"{n:032}\"")).collect();
        let read = groups(&[&all.join(",")]);
        assert_eq!((read.len(), &*read[31]), (32, &*format!("{:032}", 31)));
        let (longest, longer) = ("x".repeat(MAX_GROUP), "y".repeat(MAX_GROUP + 1));
        assert_eq!(groups(&[&format!("\"{longer}\", \"{longest}\"")]), [longest]);
    }

    #[test]
    fn only_answers_to_unsafe_methods_say_what_has_changed() {
        // RFC 9875 section 3
        let mut response = ResponseHead::new(StatusCode::NO_CONTENT);
        response.headers.insert(CACHE_GROUP_INVALIDATION, HeaderValue::from_static("\"a\""));
        let of = |method: Method, profile| {
            let request = RequestHead { method, ..RequestHead::get("/") };
            invalidated(&request, &response, &Rules { profile, ..Rules::default() })
        };
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            assert_eq!(of(method.clone(), Profile::Rfc), ["a"]);
            assert!(of(method, Profile::CloudFront).is_empty());
        }
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
            assert!(of(method, Profile::Rfc).is_empty());
        }
    }

    proptest! {
        #[test]
        fn any_value_is_read_without_panic(line in proptest::collection::vec(32u8..=255, 0..80)) {
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                let read = of_response(&HeaderMap::from_iter([(CACHE_GROUPS, value)]), &Rules::default());
                prop_assert!(read.len() <= MOST_GROUPS);
            }
        }
    }
}
