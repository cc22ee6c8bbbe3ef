//! Builds the event object (`cloudfront-functions.md` section 3).

use boa_engine::{
    Context, Finalize, JsData, JsNativeError, JsObject, JsResult, JsString, JsValue, Trace,
    builtins::object::OrdinaryObject, js_string,
};

use crate::{fields::Fields, shapes::Shapes, wire_event::WireEvent};

/// The event and the maps in it, by which the reply reader knows what was not replaced.
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
pub(crate) struct RequestData {
    raw_query: Option<JsString>,
}

/// Makes event objects.
pub(crate) struct Builder {
    pub(crate) shapes: &'static Shapes,
    version: JsValue,
    viewer_request: JsValue,
    viewer_response: JsValue,
}

impl Builder {
    pub(crate) fn new(context: &mut Context) -> Self {
        Self {
            // An engine lives as long as its process.
            shapes: Box::leak(Box::new(Shapes::new(context))),
            version: js_string!("1.0").into(),
            viewer_request: js_string!("viewer-request").into(),
            viewer_response: js_string!("viewer-response").into(),
        }
    }

    /// Builds one event; takes its entries.
    pub(crate) fn build(&self, event: &mut WireEvent) -> Built {
        let s = self.shapes;
        let query = event.query_entries();
        let bytes = event.bytes;
        let map = |entries| Fields::object(bytes, entries, s);
        let query = map(query);
        let headers = map(std::mem::take(&mut event.request.headers));
        let cookies = map(std::mem::take(&mut event.request.cookies));
        let response = event.response.as_mut().map(|response| {
            let headers = map(std::mem::take(&mut response.headers));
            let cookies = map(std::mem::take(&mut response.cookies));
            let members = vec![
                JsValue::from(i32::from(response.status)),
                response.description.js(bytes).into(),
                headers.clone().into(),
                cookies.clone().into(),
            ];
            (s.response.create(OrdinaryObject, members), headers, cookies)
        });

        let kind = if response.is_some() { &self.viewer_response } else { &self.viewer_request };
        let about = vec![
            event.distribution_domain_name.js(bytes).into(),
            event.distribution_id.js(bytes).into(),
            kind.clone(),
            event.request_id.js(bytes).into(),
        ];
        let about = s.context.create(OrdinaryObject, about);
        let viewer = s.viewer.create(OrdinaryObject, vec![event.viewer_ip.js(bytes).into()]);
        let members = vec![
            event.request.method.js(bytes).into(),
            event.request.uri.js(bytes).into(),
            query.clone().into(),
            headers.clone().into(),
            cookies.clone().into(),
        ];
        let data = RequestData { raw_query: event.request.query.map(|q| q.js(bytes)) };
        let request = s.request.create(data, members);
        let mut members = vec![self.version.clone(), about.into(), viewer.into(), request.into()];
        let template = if response.is_some() { &s.response_event } else { &s.request_event };
        let response = response.map(|(response, headers, cookies)| {
            members.push(response.into());
            (headers, cookies)
        });
        Built { event: template.create(OrdinaryObject, members), headers, cookies, query, response }
    }
}

/// `event.request.rawQueryString()` (section 11.6): `""` for a bare `?`, `undefined` without `?`.
pub(crate) fn raw_query_string(this: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    let request = this.as_object();
    let data = request.as_ref().and_then(|o| o.downcast_ref::<RequestData>());
    let data = data.ok_or_else(|| JsNativeError::typ().with_message("rawQueryString is a method of event.request"))?;
    Ok(data.raw_query.clone().map_or_else(JsValue::undefined, JsValue::from))
}
