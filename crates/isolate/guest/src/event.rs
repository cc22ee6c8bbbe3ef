//! Builds the event object (`cloudfront-functions.md` section 3).

use boa_engine::{
    Context, Finalize, JsData, JsNativeError, JsObject, JsResult, JsString, JsValue, NativeFunction, Trace,
    builtins::object::OrdinaryObject,
    js_string,
    object::{FunctionObjectBuilder, builtins::JsArray},
    property::{PropertyDescriptor, PropertyKey},
};
use rimward_wire::event::{Event, Pair, Request, Response, SetCookie};

use crate::names::{Names, key};

/// What the reply reader needs to know of the event it came from.
pub(crate) struct Built {
    /// The event.
    pub(crate) event: JsObject,
    /// `request.headers`.
    pub(crate) headers: JsObject,
    /// `request.cookies`.
    pub(crate) cookies: JsObject,
    /// `request.querystring`.
    pub(crate) query: JsObject,
    /// `response.headers` and `response.cookies`.
    pub(crate) response: Option<(JsObject, JsObject)>,
}

/// The data behind `event.request`.
#[derive(Debug, Trace, Finalize, JsData)]
#[boa_gc(unsafe_empty_trace)]
struct RequestData {
    raw_query: Option<JsString>,
}

/// Makes event objects.
pub(crate) struct Builder {
    /// Holds `rawQueryString`, out of sight of `Object.keys` and `JSON.stringify`.
    request_prototype: JsObject,
    version: JsValue,
    viewer_request: JsValue,
    viewer_response: JsValue,
    /// One object of each shape: shapes are kept only as long as an object has them.
    _shapes: Vec<JsObject>,
}

impl Builder {
    pub(crate) fn new(context: &mut Context, names: &Names) -> JsResult<Self> {
        let request_prototype = JsObject::with_object_proto(context.intrinsics());
        let raw = FunctionObjectBuilder::new(context.realm(), NativeFunction::from_fn_ptr(raw_query_string))
            .name(js_string!("rawQueryString"))
            .build();
        request_prototype.insert_property(
            js_string!("rawQueryString"),
            PropertyDescriptor::builder().value(raw).writable(true).enumerable(false).configurable(true),
        );
        let mut builder = Self {
            request_prototype,
            version: js_string!("1.0").into(),
            viewer_request: js_string!("viewer-request").into(),
            viewer_response: js_string!("viewer-response").into(),
            _shapes: Vec::new(),
        };
        let mut shapes = Vec::new();
        for cookie in [false, true] {
            let one = |text| Value { text, attributes: cookie.then_some("Secure") };
            shapes.push(builder.entry(context, names, &[one("a")]));
            shapes.push(builder.entry(context, names, &[one("a"), one("b")]));
        }
        let pair = Pair { name: "a", value: "b" };
        let response = Response { status: 200, headers: vec![pair], ..Response::default() };
        let request = Request { headers: vec![pair], ..Request::default() };
        let sample = Event { request, response: Some(response), ..Event::default() };
        let built = builder.build(context, names, &sample);
        shapes.push(built.event);
        shapes.push(builder.build(context, names, &Event { response: None, ..sample }).event);
        builder._shapes = shapes;
        Ok(builder)
    }

    /// Builds one event.
    pub(crate) fn build(&self, context: &mut Context, names: &Names, event: &Event<'_>) -> Built {
        let n = names;
        let text = |s: &str| JsValue::from(JsString::from(s));
        let about = object(context);
        put(&about, &n.distribution_domain_name, text(event.distribution_domain_name));
        put(&about, &n.distribution_id, text(event.distribution_id));
        let kind = if event.response.is_some() { &self.viewer_response } else { &self.viewer_request };
        put(&about, &n.event_type, kind.clone());
        put(&about, &n.request_id, text(event.request_id));
        let viewer = object(context);
        put(&viewer, &n.ip, text(event.viewer_ip));

        let r = &event.request;
        let data = RequestData { raw_query: r.query.map(JsString::from) };
        let request = JsObject::new(context.root_shape(), self.request_prototype.clone(), data).upcast();
        put(&request, &n.method, text(r.method));
        put(&request, &n.uri, text(r.uri));
        let query = self.map(context, n, QueryPairs(r.query.unwrap_or_default()), key);
        put(&request, &n.querystring, query.clone().into());
        let headers = self.map(context, n, r.headers.iter().map(pair), |name| n.header(name));
        put(&request, &n.headers, headers.clone().into());
        let cookies = self.map(context, n, r.cookies.iter().map(pair), key);
        put(&request, &n.cookies, cookies.clone().into());

        let root = object(context);
        put(&root, &n.version, self.version.clone());
        put(&root, &n.context, about.into());
        put(&root, &n.viewer, viewer.into());
        put(&root, &n.request, request.into());
        let response = event.response.as_ref().map(|r| {
            let response = object(context);
            put(&response, &n.status_code, JsValue::from(i32::from(r.status)));
            put(&response, &n.status_description, text(r.description));
            let headers = self.map(context, n, r.headers.iter().map(pair), |name| n.header(name));
            put(&response, &n.headers, headers.clone().into());
            let cookies = self.map(context, n, r.cookies.iter().map(set_cookie), key);
            put(&response, &n.cookies, cookies.clone().into());
            put(&root, &n.response, response.into());
            (headers, cookies)
        });
        Built { event: root, headers, cookies, query, response }
    }

    /// One property per name; a repeated name sits at its first position (section 3.1).
    fn map<'a>(
        &self,
        context: &mut Context,
        names: &Names,
        entries: impl Iterator<Item = (&'a str, Value<'a>)> + Clone,
        key: impl Fn(&str) -> PropertyKey,
    ) -> JsObject {
        // The names differ from message to message: a shape of its own is cheaper than a chain of shared ones.
        let map = JsObject::with_object_proto(context.intrinsics());
        for (i, (name, value)) in entries.clone().enumerate() {
            let is = |other: &(&str, Value<'_>)| other.0 == name;
            if entries.clone().take(i).any(|e| is(&e)) {
                continue;
            }
            let mut more = entries.clone().skip(i + 1).filter(is).map(|e| e.1).peekable();
            let entry = if more.peek().is_none() {
                self.entry(context, names, &[value])
            } else {
                let all: Vec<_> = std::iter::once(value).chain(more).collect();
                self.entry(context, names, &all)
            };
            put(&map, &key(name), entry.into());
        }
        map
    }

    /// `{value}`, for cookies of responses `{value, attributes}`, for several values with `multiValue`.
    fn entry(&self, context: &mut Context, names: &Names, values: &[Value<'_>]) -> JsObject {
        let single = |context: &mut Context, value: &Value<'_>| {
            let entry = object(context);
            put(&entry, &names.value, JsString::from(value.text).into());
            if let Some(attributes) = value.attributes {
                put(&entry, &names.attributes, JsString::from(attributes).into());
            }
            entry
        };
        let entry = single(context, &values[0]);
        if values.len() > 1 {
            let all: Vec<JsValue> = values.iter().map(|v| single(context, v).into()).collect();
            put(&entry, &names.multi_value, JsArray::from_iter(all, context).into());
        }
        entry
    }
}

/// One value of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    /// The value.
    pub(crate) text: &'a str,
    /// Attributes of a response's cookie.
    pub(crate) attributes: Option<&'a str>,
}

/// A pair of the wire, as a map wants it.
pub(crate) fn pair<'a>(p: &Pair<'a>) -> (&'a str, Value<'a>) {
    (p.name, Value { text: p.value, attributes: None })
}

/// A cookie of the wire, as a map wants it.
pub(crate) fn set_cookie<'a>(c: &SetCookie<'a>) -> (&'a str, Value<'a>) {
    (c.name, Value { text: c.value, attributes: c.attributes })
}

/// The parameters of a query string, not decoded (section 3.3); empty parts (`a&&b`) are none.
#[derive(Debug, Clone)]
pub(crate) struct QueryPairs<'a>(pub(crate) &'a str);

impl<'a> Iterator for QueryPairs<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.0.is_empty() {
                return None;
            }
            let (part, rest) = self.0.split_once('&').unwrap_or((self.0, ""));
            self.0 = rest;
            if !part.is_empty() {
                let (name, text) = part.split_once('=').unwrap_or((part, ""));
                return Some((name, Value { text, attributes: None }));
            }
        }
    }
}

fn object(context: &mut Context) -> JsObject {
    let prototype = context.intrinsics().constructors().object().prototype();
    JsObject::new(context.root_shape(), prototype, OrdinaryObject).upcast()
}

fn put(object: &JsObject, key: &PropertyKey, value: JsValue) {
    let property = PropertyDescriptor::builder().value(value).writable(true).enumerable(true).configurable(true);
    object.insert_property(key.clone(), property);
}

/// `event.request.rawQueryString()` (section 11.6): `""` for a bare `?`, `undefined` without `?`.
fn raw_query_string(this: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    let request = this.as_object();
    let data = request.as_ref().and_then(|o| o.downcast_ref::<RequestData>());
    let data = data.ok_or_else(|| JsNativeError::typ().with_message("rawQueryString is a method of event.request"))?;
    Ok(data.raw_query.clone().map_or_else(JsValue::undefined, JsValue::from))
}
