//! Targeted fields (RFC 9213): structured fields that speak to caches such as this one.

use super::directives::{ControlField, Directives, MAX_SECONDS, Scope, Seconds};
use http::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, ListEntry, Parser};

/// The target list: the first of these fields that can be read counts alone (RFC 9213 section 2.2). The more a field is
/// meant for this very cache, the earlier it stands.
pub const TARGETS: [(ControlField, HeaderName); 2] = [
    (ControlField::RimwardCacheControl, HeaderName::from_static("rimward-cache-control")),
    (ControlField::CdnCacheControl, HeaderName::from_static("cdn-cache-control")),
];

/// The directives of the first targeted field that counts, and which field it is. When there is one, `Cache-Control` and
/// `Expires` have no say (RFC 9213 section 2.2).
pub fn directives(headers: &HeaderMap) -> Option<(ControlField, Directives)> {
    TARGETS.iter().find_map(|(field, name)| Some((*field, of_field(headers, name)?)))
}

/// The directives of the field `name`. `None` when it is absent, empty, no structured field, or gives a known directive
/// a value of the wrong type: then it is as if it were not there (RFC 9213 section 2.1).
fn of_field(headers: &HeaderMap, name: &HeaderName) -> Option<Directives> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next()?;
    let mut joined;
    let text = match lines.next() {
        None => first.as_bytes(),
        Some(second) => {
            joined = first.as_bytes().to_vec();
            for line in std::iter::once(second).chain(lines) {
                joined.extend_from_slice(b", ");
                joined.extend_from_slice(line.as_bytes());
            }
            &joined
        }
    };
    let members: Dictionary = Parser::new(text).parse().ok()?;
    if members.is_empty() {
        return None;
    }
    let mut directives = Directives::default();
    for (name, member) in &members {
        // Parameters say nothing in caching. An inner list is a type that no directive has.
        let value = match member {
            ListEntry::Item(item) => Some(&item.bare_item),
            ListEntry::InnerList(_) => None,
        };
        take(&mut directives, name.as_str(), value)?;
    }
    Some(directives)
}

/// Takes one member; `None` when a known directive has a value of the wrong type.
fn take(directives: &mut Directives, name: &str, value: Option<&BareItem>) -> Option<()> {
    match name {
        "max-age" => directives.max_age = seconds(value)?,
        "s-maxage" => directives.s_maxage = seconds(value)?,
        "stale-while-revalidate" => directives.stale_while_revalidate = seconds(value)?,
        "stale-if-error" => directives.stale_if_error = seconds(value)?,
        "no-store" => directives.no_store = flag(value)?,
        "no-cache" => directives.no_cache = scope(value)?,
        "private" => directives.private = scope(value)?,
        "public" => directives.public = flag(value)?,
        "must-revalidate" => directives.must_revalidate = flag(value)?,
        "proxy-revalidate" => directives.proxy_revalidate = flag(value)?,
        "must-understand" => directives.must_understand = flag(value)?,
        _ => {}
    }
    Some(())
}

fn seconds(value: Option<&BareItem>) -> Option<Seconds> {
    let number = i64::from(value?.as_integer()?);
    Some(match u64::try_from(number) {
        Ok(n) => Seconds::Given(n.min(u64::from(MAX_SECONDS)) as u32),
        Err(_) => Seconds::Invalid,
    })
}

fn flag(value: Option<&BareItem>) -> Option<bool> {
    value?.as_boolean()
}

/// `no-cache` and `private` are flags, or strings that list fields.
fn scope(value: Option<&BareItem>) -> Option<Scope> {
    let value = value?;
    if let Some(set) = value.as_boolean() {
        return Some(if set { Scope::All } else { Scope::Nothing });
    }
    let names = value.as_string()?.as_str();
    let fields: Vec<HeaderName> = names.split(',').filter_map(|name| name.trim().parse().ok()).collect();
    Some(if fields.is_empty() { Scope::All } else { Scope::Fields(fields) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");

    fn parse(lines: &[&str]) -> Option<Directives> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CDN_CACHE_CONTROL, HeaderValue::from_bytes(line.as_bytes()).expect("a header value"));
        }
        directives(&headers).map(|(_, directives)| directives)
    }

    #[test]
    fn the_first_field_of_the_target_list_that_can_be_read_counts_alone() {
        // RFC 9213 section 2.2
        let of = |own: Option<&'static str>, cdn: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            for (value, (_, name)) in [own, cdn].into_iter().zip(TARGETS) {
                headers.extend(value.map(|value| (name, HeaderValue::from_static(value))));
            }
            directives(&headers).map(|(field, directives)| (field, directives.max_age))
        };
        use ControlField::{CdnCacheControl, RimwardCacheControl};
        let given = Seconds::Given;
        assert_eq!(of(Some("max-age=1"), Some("max-age=2")), Some((RimwardCacheControl, given(1))));
        assert_eq!(of(Some("no-store"), Some("max-age=2")), Some((RimwardCacheControl, Seconds::Absent)));
        // One that is empty or cannot be read is not there; the next one counts.
        assert_eq!(of(Some(""), Some("max-age=2")), Some((CdnCacheControl, given(2))));
        assert_eq!(of(Some("max-age=\"1\""), Some("max-age=2")), Some((CdnCacheControl, given(2))));
        assert_eq!(of(None, Some("max-age=2")), Some((CdnCacheControl, given(2))));
        assert_eq!(of(Some("&"), None), None);
    }

    #[test]
    fn members_are_directives() {
        // RFC 9213 section 2.1; lines combine, the last of a key counts (RFC 9651 section 3.2).
        let of = |lines: &[&str]| parse(lines).expect("a structured field");
        assert_eq!(of(&["max-age=3600"]).max_age, Seconds::Given(3600));
        assert_eq!(of(&["max-age=99999999999"]).max_age, Seconds::Given(MAX_SECONDS));
        assert_eq!(of(&["max-age=1", "max-age=2"]).max_age, Seconds::Given(2));
        assert_eq!(of(&["max-age=-1"]).max_age, Seconds::Invalid);
        assert_eq!(of(&["foobar, max-age=3600;x=1"]).max_age, Seconds::Given(3600));
        assert!(of(&["no-store"]).no_store);
        assert!(!of(&["no-store=?0"]).no_store);
        assert!(of(&["private"]).private.is_all());
        assert!(of(&["no-cache"]).no_cache.is_all());
    }

    #[test]
    fn a_field_that_does_not_parse_is_not_there() {
        for line in
            ["", "max-age=10000, &&&&&", "max-age=\"10000\"", "max-age=1.5", "max-age", "max-age =100", "MaX-aGe=3600"]
        {
            assert_eq!(parse(&[line]), None, "{line}");
        }
        assert_eq!(parse(&[]), None);
    }

    proptest! {
        #[test]
        fn any_value_is_read_without_panic(line in proptest::collection::vec(32u8..=255, 0..80)) {
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                let mut headers = HeaderMap::new();
                headers.insert(CDN_CACHE_CONTROL, value);
                directives(&headers);
            }
        }
    }
}
