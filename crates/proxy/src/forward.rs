//! The request that goes to the origin: what of the viewer's request is passed on, and what the node adds
//! (`cdn-behaviour.md` section 7).

pub(crate) mod overrides;

use crate::exchange::Context;
use crate::guard;
use crate::live::Plan;
use http::Method;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use rimward_cache::key;
use rimward_config::{Bucket, CachePolicy, Forward, ForwardHeaders, NameSet, Origin, Profile, SigningBehavior};
use rimward_types::RequestHead;
use std::io::Write;
use std::net::IpAddr;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_AMZ_CF_ID: HeaderName = HeaderName::from_static("x-amz-cf-id");

const PROXY: HeaderName = HeaderName::from_static("proxy");

/// Headers that describe a message's body: they go with a body whatever the policy says. Without one they are the viewer's to make
/// up, and an origin that answers a GET by its `Content-Type` (415, another format) gives what does not belong under the key.
const OF_THE_BODY: [HeaderName; 6] = [
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::TRANSFER_ENCODING,
    header::EXPECT,
];

/// What asks for less than the whole of an answer, or for none. Where the cache has a part in a request these are its own, or the viewer's
/// where it leaves them (`Lead::add_conditions`); elsewhere an `If-Match` that is left out would let one update undo
/// another (RFC 9110 section 13.1.1). So they go whatever the policy says, but for one that stores nothing and excludes them.
const CONDITIONS_AND_RANGE: [HeaderName; 6] = [
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::RANGE,
];

/// Room in the origin's request for what the node adds. The parser puts the origin's answer into the same table, and the node
/// adds to that again; a table that grows is made anew.
const ROOM: usize = 16;

/// Makes the origin's request from the viewer's.
pub fn origin_request(viewer: &RequestHead, plan: &Plan, origin: &Origin, context: &Context) -> RequestHead {
    let Context { connection, id, .. } = context;
    let policy = &plan.behavior.cache_policy;
    let mut headers = forwarded(viewer, plan, &context.vouched);
    let signs = signing(origin);
    let own = signs.is_some_and(|behavior| keep_to_bucket(&mut headers, &viewer.headers, plan, behavior));
    if policy.accept_encoding {
        match key::accept_encoding(&viewer.headers, &plan.rules.key) {
            Some(codings) => headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(codings)),
            None => headers.remove(header::ACCEPT_ENCODING),
        };
    }
    let query = query(viewer, plan, signs.is_some());
    let host = match &origin.overrides.host {
        Some(host) => Some(host.clone()),
        // A bucket is found by its name, whatever is forwarded.
        None if origin.bucket.is_some() => Some(origin.host()),
        None => (!headers.contains_key(header::HOST)).then(|| origin.host()),
    };
    if let Some(host) = host.and_then(|host| HeaderValue::try_from(host).ok()) {
        headers.insert(header::HOST, host);
    }
    if !headers.contains_key(header::USER_AGENT) {
        headers.insert(header::USER_AGENT, HeaderValue::from_static("Rimward"));
    }
    if viewer.method == Method::OPTIONS
        && let Some(left) = hops_left(&headers)
    {
        headers.insert(header::MAX_FORWARDS, HeaderValue::from(left.saturating_sub(1)));
    }
    if let Ok(address) = HeaderValue::from_str(written(&mut [0; LONGEST_ADDRESS], connection.peer.ip())) {
        append_list(&mut headers, X_FORWARDED_FOR, address);
    }
    append_list(&mut headers, header::VIA, HeaderValue::from_static(via(viewer.version)));
    // A viewer that signs for itself has not signed this one.
    if let Ok(id) = HeaderValue::from_str(id.as_str())
        && !own
    {
        headers.insert(X_AMZ_CF_ID, id);
    }
    RequestHead { method: viewer.method.clone(), path: viewer.path.clone(), query, headers, version: viewer.version }
}

/// How the node signs requests to an origin, if it does.
fn signing(origin: &Origin) -> Option<SigningBehavior> {
    origin.bucket.as_ref().and_then(Bucket::signer).map(|(_, behavior)| behavior)
}

/// Takes out what would be the node's own wish under its signature: `x-amz-copy-source` and its like, unless they are
/// forwarded by name, or came from a function. True where the viewer's own `Authorization` stands in place of a signature; it
/// does so only where what comes of it is not handed to others.
fn keep_to_bucket(headers: &mut HeaderMap, viewer: &HeaderMap, plan: &Plan, behavior: SigningBehavior) -> bool {
    let (policy, forward) = (&plan.behavior.cache_policy, &plan.behavior.forward);
    let stored_for_all = policy.enabled && !policy.headers.contains(&header::AUTHORIZATION);
    let untouched = |name: &HeaderName, headers: &HeaderMap| {
        viewer.contains_key(name) && headers.get_all(name).iter().eq(viewer.get_all(name).iter())
    };
    if stored_for_all && untouched(&header::AUTHORIZATION, headers) {
        headers.remove(header::AUTHORIZATION);
    }
    if behavior == SigningBehavior::NoOverride && headers.contains_key(header::AUTHORIZATION) {
        return true;
    }
    if !matches!(forward.headers, ForwardHeaders::Only(_)) {
        let commands = headers.keys().filter(|name| name.as_str().starts_with("x-amz-") && untouched(name, headers));
        let commands: Vec<_> = commands.filter(|name| !policy.headers.contains(name)).cloned().collect();
        for name in commands {
            headers.remove(name);
        }
    }
    false
}

/// The query that goes to the origin. `?acl` and `?response-content-type=...` are commands to a bucket; with the node's rights
/// their answer must not become that of the path, so that where answers are stored they are in the key, or named.
fn query(viewer: &RequestHead, plan: &Plan, signed: bool) -> Option<String> {
    let (policy, forward) = (&plan.behavior.cache_policy, &plan.behavior.forward);
    let named = matches!(forward.query, NameSet::Only(_));
    let more = if signed && policy.enabled && !named { &NameSet::None } else { &forward.query };
    selected_query(viewer.query.as_deref(), [&policy.query, more])
}

/// A request that a function moved to a bucket which its behavior's own origin is not: the same rules hold for what the function
/// left as the viewer sent it.
pub fn keep_moved(request: &mut RequestHead, viewer: &RequestHead, plan: &Plan, from: &Origin, to: &Origin) {
    let Some(behavior) = signing(to).filter(|_| signing(from).is_none()) else { return };
    keep_to_bucket(&mut request.headers, &viewer.headers, plan, behavior);
    if request.query == query(viewer, plan, false) {
        request.query = query(viewer, plan, true);
    }
}

/// A request that a function moved to another configured origin gets that one's `Host`, unless it carries the viewer's
/// or the function's own; a bucket does not get the viewer's. `shown` is the `Host` that the function was given. (For
/// custom origins that are not configured the vendor's rule holds: the function sets `Host`.)
pub fn move_host(request: &mut RequestHead, shown: Option<&HeaderValue>, from: &Origin, to: &Origin) {
    let host = request.headers.get(header::HOST);
    let nodes_own = host.is_some_and(|host| host == from.host().as_str());
    let untouched = host == shown;
    if (nodes_own || (untouched && to.bucket.is_some()))
        && let Ok(host) = HeaderValue::from_str(&to.host())
    {
        request.headers.insert(header::HOST, host);
    }
}

/// The node's member of `Via` for a message received in `version` (RFC 9110 section 7.6.3).
pub fn via(version: http::Version) -> &'static str {
    match version {
        http::Version::HTTP_10 => "1.0 rimward",
        http::Version::HTTP_2 => "2.0 rimward",
        http::Version::HTTP_3 => "3.0 rimward",
        _ => "1.1 rimward",
    }
}

/// The longest text of an IP address: an IPv6 address that ends with an IPv4 one.
const LONGEST_ADDRESS: usize = 45;

/// An address as text, without heap.
fn written(text: &mut [u8; LONGEST_ADDRESS], address: IpAddr) -> &str {
    let mut rest = &mut text[..];
    let _fits = write!(rest, "{address}");
    let len = LONGEST_ADDRESS - rest.len();
    std::str::from_utf8(&text[..len]).unwrap_or_default()
}

/// How many more times a request may be sent on (`Max-Forwards`, RFC 9110 section 7.6.2). It counts for OPTIONS; TRACE
/// goes nowhere.
pub fn hops_left(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(header::MAX_FORWARDS)?.to_str().ok()?;
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Whether a request has passed this node or its like too often; a loop ends here.
pub fn is_loop(headers: &HeaderMap) -> bool {
    const MOST_HOPS: usize = 8;
    let hops = headers.get_all(header::VIA).iter().filter_map(|v| v.to_str().ok());
    hops.flat_map(|v| v.split(',')).filter(|hop| hop.trim().ends_with(" rimward")).count() >= MOST_HOPS
}

/// Puts an item behind those that a list has already.
fn append_list(headers: &mut HeaderMap, name: HeaderName, item: HeaderValue) {
    if !headers.contains_key(&name) {
        headers.insert(name, item);
        return;
    }
    let mut list = Vec::new();
    for value in headers.get_all(&name).iter().filter(|value| value.to_str().is_ok()) {
        list.extend_from_slice(value.as_bytes());
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(item.as_bytes());
    if let Ok(value) = HeaderValue::try_from(list) {
        headers.insert(name, value);
    }
}

/// Headers that the policies let through. Cookies have policies of their own; `Via` and `X-Forwarded-For` are
/// appended to, whatever the policies say.
fn forwarded(viewer: &RequestHead, plan: &Plan, vouched: &[HeaderName]) -> HeaderMap {
    let (policy, forward) = (&plan.behavior.cache_policy, &plan.behavior.forward);
    let passing = Passing::of(viewer, plan, vouched);
    let mut out = HeaderMap::with_capacity(viewer.headers.keys_len() + ROOM);
    for (name, value) in &viewer.headers {
        if *name != header::COOKIE && passing.lets_through(name) {
            out.append(name.clone(), value.clone());
        }
    }
    forward_cookies(&viewer.headers, policy, forward, &mut out);
    out
}

/// Which of a request's headers go to the origin.
struct Passing<'a> {
    policy: &'a CachePolicy,
    forward: &'a Forward,
    /// Overrides that a function set.
    vouched: &'a [HeaderName],
    /// Answers to its method are stored where the policy stores any.
    reads: bool,
    has_body: bool,
}

impl<'a> Passing<'a> {
    fn of(viewer: &RequestHead, plan: &'a Plan, vouched: &'a [HeaderName]) -> Self {
        let reads = matches!(viewer.method, Method::GET | Method::HEAD)
            || (viewer.method == Method::OPTIONS && plan.rules.options);
        let (policy, forward) = (&plan.behavior.cache_policy, &plan.behavior.forward);
        Self { policy, forward, vouched, reads, has_body: guard::has_body(viewer) }
    }

    fn lets_through(&self, name: &HeaderName) -> bool {
        let Self { policy, forward, .. } = self;
        // CGI makes `HTTP_PROXY` of it, which many clients take for their proxy (CVE-2016-5385).
        if *name == PROXY {
            return false;
        }
        if policy.headers.contains(name) {
            return true;
        }
        if CONDITIONS_AND_RANGE.contains(name) {
            let excludes = matches!(&forward.headers, ForwardHeaders::Except(names) if names.contains(name));
            return policy.enabled || !excludes;
        }
        let forwarded = forward.headers.contains(name);
        let by_name = forwarded && matches!(forward.headers, ForwardHeaders::Only(_));
        // `cdn-behaviour.md` section 7.3: of another proxy, and of the vendor's own.
        if !by_name && (name.as_str().starts_with("proxy-") || name.as_str().starts_with("x-edge-")) {
            return false;
        }
        if OF_THE_BODY.contains(name) {
            return self.has_body || !(policy.enabled && self.reads) || by_name;
        }
        // Loops end by it (RFC 9110 section 7.6.3).
        if *name == header::VIA {
            return true;
        }
        // `cdn-behaviour.md` section 7.3: it is taken out where answers could be stored alone.
        if *name == header::AUTHORIZATION && policy.profile == Profile::CloudFront && !self.reads {
            return true;
        }
        forwarded && (by_name || !policy.enabled || !overrides::is_override(name) || self.vouched.contains(name))
    }
}

/// Whether the policies let through what no origin agrees to a WebSocket without (`cdn-behaviour.md` section 21), as far
/// as the viewer has sent it.
pub fn forwards_websocket(viewer: &RequestHead, plan: &Plan) -> bool {
    let needed = [header::SEC_WEBSOCKET_KEY, header::SEC_WEBSOCKET_VERSION];
    let passing = Passing::of(viewer, plan, &[]);
    needed.iter().all(|name| !viewer.headers.contains_key(name) || passing.lets_through(name))
}

/// Cookies that the policies let through: as they came, or in the order of their names (`cdn-behaviour.md` section 5), in which
/// they are in the key.
fn forward_cookies(viewer: &HeaderMap, policy: &CachePolicy, forward: &Forward, out: &mut HeaderMap) {
    let sets = [&policy.cookies, &forward.cookies];
    let sorts = policy.profile == Profile::CloudFront;
    if sets.contains(&&NameSet::All) && !sorts {
        for line in viewer.get_all(header::COOKIE) {
            out.append(header::COOKIE, line.clone());
        }
        return;
    }
    let wanted = |cookie: &key::Cookie<'_>| sets.iter().any(|set| cookie.is_in(set));
    let mut kept: Vec<_> = key::cookies(viewer).filter(wanted).collect();
    if sorts {
        kept.sort_by_key(|cookie| cookie.name);
    }
    let pairs: Vec<&[u8]> = kept.iter().map(|cookie| cookie.pair).collect();
    if !pairs.is_empty()
        && let Ok(value) = HeaderValue::from_bytes(&pairs.join(&b"; "[..]))
    {
        out.insert(header::COOKIE, value);
    }
}

/// Parameters that any of `sets` includes, in the viewer's order and spelling.
fn selected_query(query: Option<&str>, sets: [&NameSet; 2]) -> Option<String> {
    let query = query?;
    if sets.contains(&&NameSet::All) {
        return Some(query.to_owned());
    }
    let wanted = |part: &&str| sets.iter().any(|set| set.contains(name_of(part)));
    let kept: Vec<&str> = query.split('&').filter(|part| !part.is_empty()).filter(wanted).collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

fn name_of(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(name, _)| name)
}
