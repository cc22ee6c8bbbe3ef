//! Messages between host and guest, bent: neither side makes more of them than they say.

use crate::support::{answer, lying, ours, publish, run};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rimward_isolate::{Function, Restore};
use rimward_wire::event::{Event, Pair, Request, Response, SetCookie};
use rimward_wire::reply::{Body, Decision, Field, Origin, OriginCall, Query, Reply, Value};
use std::sync::{Arc, OnceLock};

/// A change to a message: at a place, a byte is replaced, put in, or taken out; or the rest is cut off.
#[derive(Debug, Clone)]
enum Bend {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
}

fn bend() -> impl Strategy<Value = Bend> {
    let at = any::<prop::sample::Index>;
    // Lengths and marks are small numbers, or none at all.
    let byte = || prop_oneof![0u8..4, any::<u8>(), Just(0xff)];
    prop_oneof![
        4 => (at(), byte()).prop_map(|(at, byte)| Bend::Set(at, byte)),
        1 => (at(), byte()).prop_map(|(at, byte)| Bend::Insert(at, byte)),
        1 => at().prop_map(Bend::Remove),
        1 => at().prop_map(Bend::Cut),
    ]
}

fn bent(mut bytes: Vec<u8>, bends: &[Bend]) -> Vec<u8> {
    for bend in bends {
        if bytes.is_empty() {
            break;
        }
        let len = bytes.len();
        match bend {
            Bend::Set(at, byte) => bytes[at.index(len)] = *byte,
            Bend::Insert(at, byte) => bytes.insert(at.index(len), *byte),
            Bend::Remove(at) => drop(bytes.remove(at.index(len))),
            Bend::Cut(at) => bytes.truncate(at.index(len)),
        }
    }
    bytes
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9-]{0,12}", "[ -~]{0,40}", any::<String>()]
}

type Pairs = Vec<(String, String)>;

fn pairs(texts: &Pairs) -> Vec<Pair<'_>> {
    texts.iter().map(|(name, value)| Pair { name, value }).collect()
}

/// Events as the host writes them, and some that it never would.
fn event() -> impl Strategy<Value = Vec<u8>> {
    let list = || vec((text(), text()), 0..5);
    let cookies = vec((text(), text(), option::of(text())), 0..3);
    let response = option::of((any::<u16>(), text(), list(), cookies));
    (vec(text(), 6), option::of(text()), list(), list(), response).prop_map(
        |(texts, query, headers, cookies, response)| {
            let request = Request {
                method: &texts[4],
                uri: &texts[5],
                query: query.as_deref(),
                headers: pairs(&headers),
                cookies: pairs(&cookies),
            };
            let response = response.as_ref().map(|(status, description, headers, cookies)| Response {
                status: *status,
                description,
                headers: pairs(headers),
                cookies: cookies
                    .iter()
                    .map(|(name, value, attributes)| SetCookie { name, value, attributes: attributes.as_deref() })
                    .collect(),
            });
            let event = Event {
                distribution_domain_name: &texts[0],
                distribution_id: &texts[1],
                request_id: &texts[2],
                viewer_ip: &texts[3],
                request,
                response,
            };
            let mut bytes = Vec::new();
            event.write(&mut bytes);
            bytes
        },
    )
}

/// Names with their values and attributes.
type Texts = Vec<(String, Vec<(String, Option<String>)>)>;

fn fields(texts: &Texts) -> Vec<Field<'_>> {
    texts
        .iter()
        .map(|(name, values)| Field {
            name,
            values: values.iter().map(|(text, attributes)| Value { text, attributes: attributes.as_deref() }).collect(),
        })
        .collect()
}

/// Replies as the guest writes them, and some that it never would.
fn reply() -> impl Strategy<Value = Vec<u8>> {
    let texts = || option::of(vec((text(), vec((text(), option::of(text())), 0..3)), 0..4));
    (any::<bool>(), text(), option::of(text()), 0u8..3, texts(), texts(), any::<u32>()).prop_map(
        |(request, some, maybe, kind, headers, cookies, status)| {
            let (headers, cookies) = (headers.as_ref().map(fields), cookies.as_ref().map(fields));
            let reply = if request {
                let query = match kind {
                    0 => Query::Unchanged,
                    1 => Query::Text(&some),
                    _ => Query::Fields(headers.clone().unwrap_or_default()),
                };
                let call = OriginCall::from_u8((status % 4) as u8);
                let origin = call.map(|call| Origin { call, arguments: &some });
                Reply::Request { method: "GET", uri: maybe.as_deref(), query, headers, cookies, origin }
            } else {
                let body = match kind {
                    0 => Body::Absent,
                    1 => Body::Text(&some),
                    _ => Body::Base64(&some),
                };
                Reply::Response { status, description: maybe.as_deref(), headers, cookies, body }
            };
            let mut bytes = Vec::new();
            reply.write(&mut bytes);
            bytes
        },
    )
}

/// Both ends of a connection's event, and what no reader takes.
#[test]
fn decisions_on_connections_survive_their_encoding() {
    for decision in [None, Some(Decision::Allow), Some(Decision::Deny)] {
        for custom_data in [None, Some(""), Some("größe")] {
            let mut bytes = Vec::new();
            let reply = Reply::Connection { decision, custom_data };
            reply.write(&mut bytes);
            assert_eq!(Reply::read(&bytes), Ok(reply));
            for end in 0..bytes.len() {
                assert!(Reply::read(&bytes[..end]).is_err());
            }
        }
    }
    assert!(Reply::read(&[3, 3, 0]).is_err(), "there is no third decision");
}

/// A function that gives back what it gets, and touches all of it.
fn mirror() -> &'static Arc<Function> {
    static MIRROR: OnceLock<Arc<Function>> = OnceLock::new();
    let code = "function handler(event) { JSON.stringify(event); return event.response || event.request; }";
    MIRROR.get_or_init(|| publish(ours(Restore::Auto), code))
}

/// What the guest says to an event is a reply; whether it takes the event is what the host's own reader says.
fn judged_alike(bytes: &[u8]) -> Result<(), TestCaseError> {
    let said = run(mirror(), bytes).result;
    let valid = Event::read(bytes).is_ok();
    match said {
        Ok(said) => match Reply::read(&said) {
            Ok(Reply::Failed { message, .. }) => prop_assert!(!valid, "{message}"),
            Ok(_) => prop_assert!(valid),
            Err(malformed) => prop_assert!(false, "{malformed}"),
        },
        Err(failure) => prop_assert!(false, "{failure}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_guest_takes_what_the_host_would_and_refuses_the_rest(event in event(), bends in vec(bend(), 0..4)) {
        judged_alike(&bent(event, &bends))?;
    }

    #[test]
    fn no_bytes_break_the_guest(bytes in vec(any::<u8>(), 0..300)) {
        judged_alike(&bytes)?;
        prop_assert_eq!(answer(mirror(), "/a").unwrap(), "uri /a");
    }

    #[test]
    fn what_a_lying_guest_replies_is_read_as_it_stands_or_refused(reply in reply(), bends in vec(bend(), 0..4)) {
        static LIAR: OnceLock<Arc<Function>> = OnceLock::new();
        let liar = LIAR.get_or_init(|| publish(lying(Restore::Auto), "r"));
        let said = bent(reply, &bends);
        // The first byte tells it to say what it was told.
        let heard = run(liar, &[b"e", &said[..]].concat()).result.unwrap();
        prop_assert_eq!(&heard[1..], &said[..]);
        if let Ok(read) = Reply::read(&heard[1..]) {
            // No two messages mean the same, so that nothing can hide between the lines.
            let mut again = Vec::new();
            read.write(&mut again);
            prop_assert_eq!(again, said);
        }
    }

    #[test]
    fn an_event_that_can_be_read_is_the_only_one_that_says_this(event in event(), bends in vec(bend(), 0..4)) {
        let bytes = bent(event, &bends);
        if let Ok(read) = Event::read(&bytes) {
            let mut again = Vec::new();
            read.write(&mut again);
            prop_assert_eq!(again, bytes);
        }
    }
}
