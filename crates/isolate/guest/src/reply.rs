//! Reads what the handler returned and writes it as a reply (`cloudfront-functions.md` section 4).
//!
//! The shapes are checked here; header rules, limits and encodings are the host's.

mod fields;

use boa_engine::{Context, JsObject, JsString, JsValue, property::PropertyKey};

use crate::{
    event::{Built, RequestData},
    failure::Fault,
    modules::cloudfront::origin,
    shapes::Shapes,
    text::{equals, push_utf8, utf8},
    wire_event::WireEvent,
};

/// Reads a result against the event that led to it.
pub(crate) struct ReplyReader<'a> {
    pub(crate) shapes: &'static Shapes,
    pub(crate) event: &'a WireEvent,
    pub(crate) built: &'a Built,
}

/// A map of fields and what the wire says before it.
struct Map<'a> {
    /// Its name for the author: `request.headers`.
    place: &'static str,
    /// The event's own map, if the event has one.
    original: Option<&'a JsObject>,
    /// Whether its entries may carry attributes.
    attributes: bool,
    /// The mark of a map that is as the event had it, and the mark of one that is written out.
    marks: [u8; 2],
}

fn invalid<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Invalid(what.into()))
}

impl ReplyReader<'_> {
    /// Appends the reply.
    pub(crate) fn write(&self, context: &mut Context, result: &JsValue, out: &mut Vec<u8>) -> Result<(), Fault> {
        let Some(result) = result.as_object() else {
            return invalid("the function must return a request or a response");
        };
        if self.event.response.is_none() && self.shapes.is_request(&result) {
            return self.request(context, &result, out);
        }
        let n = &self.shapes.names;
        let status = self.member(context, &result, &n.status_code)?;
        if !status.is_undefined() {
            return self.response(context, &result, &status, out);
        }
        if self.event.response.is_some() {
            return invalid("response.statusCode must be an integer");
        }
        if self.member(context, &result, &n.method)?.is_undefined() {
            let whole_event = !self.member(context, &result, &n.request)?.is_undefined();
            return invalid(if whole_event {
                "the function must return event.request or a response, not the event"
            } else {
                "the function must return a request or a response"
            });
        }
        self.request(context, &result, out)
    }

    fn request(&self, context: &mut Context, request: &JsObject, out: &mut Vec<u8>) -> Result<(), Fault> {
        let n = &self.shapes.names;
        out.push(0);
        let method = self.string(context, request, &n.method, "request.method")?;
        text(out, &method);
        let uri = self.string(context, request, &n.uri, "request.uri")?;
        if equals(&uri, self.event.request.uri.of(self.event.bytes)) {
            out.push(0);
        } else {
            out.push(1);
            text(out, &uri);
        }
        let query = self.member(context, request, &n.querystring)?;
        if let Some(query) = query.as_string() {
            out.push(1);
            text(out, &query);
        } else {
            let original = Some(&self.built.query);
            let map = Map { place: "request.querystring", original, attributes: false, marks: [0, 2] };
            self.map(context, &query, &map, out)?;
        }
        let headers = self.member(context, request, &n.headers)?;
        let original = Some(&self.built.headers);
        let map = Map { place: "request.headers", original, attributes: false, marks: [0, 1] };
        self.map(context, &headers, &map, out)?;
        let cookies = self.member(context, request, &n.cookies)?;
        let original = Some(&self.built.cookies);
        let map = Map { place: "request.cookies", original, attributes: false, marks: [0, 1] };
        self.map(context, &cookies, &map, out)?;
        write_origin(out);
        Ok(())
    }

    fn response(
        &self,
        context: &mut Context,
        response: &JsObject,
        status: &JsValue,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let n = &self.shapes.names;
        let status = match status.as_number() {
            Some(s) if (0.0..=f64::from(u32::MAX)).contains(&s) && s.fract() == 0.0 => s as u32,
            _ => return invalid("response.statusCode must be an integer"),
        };
        out.push(1);
        out.extend_from_slice(&status.to_le_bytes());
        let description = self.member(context, response, &n.status_description)?;
        if description.is_null_or_undefined() {
            out.push(0);
        } else if let Some(description) = description.as_string() {
            out.push(1);
            text(out, &description);
        } else {
            return invalid("response.statusDescription must be a string");
        }
        let originals = self.built.response.as_ref();
        let headers = self.member(context, response, &n.headers)?;
        let original = originals.map(|r| &r.0);
        let map = Map { place: "response.headers", original, attributes: false, marks: [0, 1] };
        self.map(context, &headers, &map, out)?;
        let cookies = self.member(context, response, &n.cookies)?;
        let original = originals.map(|r| &r.1);
        let map = Map { place: "response.cookies", original, attributes: true, marks: [0, 1] };
        self.map(context, &cookies, &map, out)?;
        self.body(context, response, out)
    }

    /// Section 4.2 rules 3 and 4.
    fn body(&self, context: &mut Context, response: &JsObject, out: &mut Vec<u8>) -> Result<(), Fault> {
        let n = &self.shapes.names;
        let body = self.member(context, response, &n.body)?;
        if body.is_undefined() {
            out.push(0);
            return Ok(());
        }
        if let Some(body) = body.as_string() {
            out.push(1);
            text(out, &body);
            return Ok(());
        }
        let Some(body) = body.as_object() else {
            return invalid("response.body must be a string or an object");
        };
        let encoding = self.string(context, &body, &n.encoding, "response.body.encoding")?;
        out.push(match &*utf8(&encoding) {
            "text" => 1,
            "base64" => 2,
            _ => return invalid("response.body.encoding must be \"text\" or \"base64\""),
        });
        let data = self.string(context, &body, &n.data, "response.body.data")?;
        text(out, &data);
        Ok(())
    }

    /// A member of a returned object. What it inherits from `Object.prototype` is not meant by the author.
    fn member(&self, context: &mut Context, of: &JsObject, key: &PropertyKey) -> Result<JsValue, Fault> {
        {
            let object = of.borrow();
            if let Some(place) = self.shapes.place_in_request(object.shape(), key) {
                return Ok(object.properties().storage[place].clone());
            }
            if let Some(property) = object.properties().get(key) {
                if let Some(value) = property.value() {
                    return Ok(value.clone());
                }
            } else if of.is_ordinary() || of.is::<RequestData>() {
                return Ok(JsValue::undefined());
            }
        }
        Ok(of.get(key.clone(), context)?)
    }

    fn string(&self, context: &mut Context, of: &JsObject, key: &PropertyKey, place: &str) -> Result<JsString, Fault> {
        let value = self.member(context, of, key)?;
        value.as_string().map_or_else(|| invalid(format!("{place} must be a string")), Ok)
    }
}

/// The last call of an origin helper (section 11.2).
fn write_origin(out: &mut Vec<u8>) {
    origin::with_call(|call| match call {
        None => out.push(0),
        Some((call, arguments)) => {
            out.push(1);
            out.push(call as u8);
            measured(out, |out| out.extend_from_slice(arguments));
        }
    });
}

/// A JavaScript string as the wire's text, without a copy in between.
fn text(out: &mut Vec<u8>, text: &JsString) {
    measured(out, |out| push_utf8(out, text));
}

/// A text whose length stands before it.
fn measured(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let length = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
}
