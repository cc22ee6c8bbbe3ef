//! Reads what the handler returned and writes it as a reply (`cloudfront-functions.md` section 4).
//!
//! The shapes are checked here; header rules, limits and encodings are the host's.

use boa_engine::{Context, JsObject, JsString, JsValue, property::PropertyKey};
use rimward_wire::{
    Writer,
    event::{Event, Pair},
};

use crate::{
    event::{Built, QueryPairs, Value, pair, set_cookie},
    failure::Fault,
    names::Names,
    text::{equals, push_utf8, utf8},
};

/// Reads a result against the event that led to it.
pub(crate) struct ReplyReader<'a> {
    pub(crate) names: &'a Names,
    pub(crate) event: &'a Event<'a>,
    pub(crate) built: &'a Built,
}

/// Whether the entries of a map may carry attributes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attributes {
    Yes,
    No,
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
        let status = result.get(self.names.status_code.clone(), context)?;
        if !status.is_undefined() {
            return self.response(context, &result, &status, out);
        }
        if self.event.response.is_some() {
            return invalid("response.statusCode must be an integer");
        }
        if !result.has_property(self.names.method.clone(), context)? {
            let whole_event = result.has_property(self.names.request.clone(), context)?;
            return invalid(if whole_event {
                "the function must return event.request or a response, not the event"
            } else {
                "the function must return a request or a response"
            });
        }
        self.request(context, &result, out)
    }

    fn request(&self, context: &mut Context, request: &JsObject, out: &mut Vec<u8>) -> Result<(), Fault> {
        let n = self.names;
        let event = &self.event.request;
        out.push(0);
        let method = self.string(context, request, &n.method, "request.method")?;
        text(out, &method);
        let uri = self.string(context, request, &n.uri, "request.uri")?;
        if equals(&uri, event.uri) {
            out.push(0);
        } else {
            out.push(1);
            text(out, &uri);
        }
        let query = request.get(n.querystring.clone(), context)?;
        if let Some(query) = query.as_string() {
            out.push(1);
            text(out, &query);
        } else {
            let wire = QueryPairs(event.query.unwrap_or_default());
            let place = "request.querystring";
            self.map(context, &query, &self.built.query, wire, Attributes::No, place, out, [0, 2])?;
        }
        let headers = request.get(n.headers.clone(), context)?;
        let wire = event.headers.iter().map(pair);
        self.map(context, &headers, &self.built.headers, wire, Attributes::No, "request.headers", out, [0, 1])?;
        let cookies = request.get(n.cookies.clone(), context)?;
        let wire = event.cookies.iter().map(pair);
        self.map(context, &cookies, &self.built.cookies, wire, Attributes::No, "request.cookies", out, [0, 1])
    }

    fn response(
        &self,
        context: &mut Context,
        response: &JsObject,
        status: &JsValue,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let n = self.names;
        let status = match status.as_number() {
            Some(s) if (0.0..=f64::from(u32::MAX)).contains(&s) && s.fract() == 0.0 => s as u32,
            _ => return invalid("response.statusCode must be an integer"),
        };
        out.push(1);
        out.extend_from_slice(&status.to_le_bytes());
        let description = response.get(n.status_description.clone(), context)?;
        if description.is_null_or_undefined() {
            out.push(0);
        } else if let Some(description) = description.as_string() {
            out.push(1);
            text(out, &description);
        } else {
            return invalid("response.statusDescription must be a string");
        }
        let headers = response.get(n.headers.clone(), context)?;
        let cookies = response.get(n.cookies.clone(), context)?;
        if let (Some(event), Some((h, c))) = (&self.event.response, &self.built.response) {
            let wire = event.headers.iter().map(pair);
            self.map(context, &headers, h, wire, Attributes::No, "response.headers", out, [0, 1])?;
            let wire = event.cookies.iter().map(set_cookie);
            self.map(context, &cookies, c, wire, Attributes::Yes, "response.cookies", out, [0, 1])?;
        } else {
            let none: &[Pair<'_>] = &[];
            for (value, attributes, place) in
                [(headers, Attributes::No, "response.headers"), (cookies, Attributes::Yes, "response.cookies")]
            {
                if value.is_null_or_undefined() {
                    out.push(0);
                } else {
                    self.map(
                        context,
                        &value,
                        &self.built.event,
                        none.iter().map(pair),
                        attributes,
                        place,
                        out,
                        [1, 1],
                    )?;
                }
            }
        }
        self.body(context, response, out)
    }

    /// Section 4.2 rules 3 and 4.
    fn body(&self, context: &mut Context, response: &JsObject, out: &mut Vec<u8>) -> Result<(), Fault> {
        let n = self.names;
        let body = response.get(n.body.clone(), context)?;
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

    fn string(&self, context: &mut Context, of: &JsObject, key: &PropertyKey, place: &str) -> Result<JsString, Fault> {
        let value = of.get(key.clone(), context)?;
        value.as_string().map_or_else(|| invalid(format!("{place} must be a string")), Ok)
    }

    /// Writes a map of fields, or `marks[0]` alone when it says what the event said; before fields stands `marks[1]`.
    /// A map that is missing is empty (section 4.1 rule 5).
    #[expect(clippy::too_many_arguments, reason = "one caller per kind of map, each names them all")]
    fn map<'w>(
        &self,
        context: &mut Context,
        value: &JsValue,
        original: &JsObject,
        wire: impl Iterator<Item = (&'w str, Value<'w>)> + Clone,
        attributes: Attributes,
        place: &str,
        out: &mut Vec<u8>,
        marks: [u8; 2],
    ) -> Result<(), Fault> {
        let start = out.len();
        out.push(marks[1]);
        out.extend_from_slice(&[0, 0]);
        if value.is_null_or_undefined() {
            return Ok(());
        }
        let Some(map) = value.as_object() else {
            return invalid(format!("{place} must be an object"));
        };
        let own = JsObject::equals(&map, original);
        let keys = self.ordered_keys(context, &map, own.then(|| wire.clone()))?;
        let mut count = 0u16;
        let mut same = own;
        for key in keys {
            let name = match &key {
                PropertyKey::String(s) => s.clone(),
                PropertyKey::Index(i) => JsString::from(i.get().to_string()),
                PropertyKey::Symbol(_) => continue,
            };
            let entry = map.get(key, context)?;
            let Some(entry) = entry.as_object() else {
                return invalid(format!("{place}[\"{}\"] must be an object", utf8(&name)));
            };
            let Some(next) = count.checked_add(1) else { return invalid(format!("{place} has too many entries")) };
            count = next;
            text(out, &name);
            let name = utf8(&name);
            let was = wire.clone().filter(|e| e.0 == name).map(|e| e.1);
            same &= self.entry(context, &entry, was, attributes, || format!("{place}[\"{name}\"]"), out)?;
        }
        if same && usize::from(count) == distinct(wire) {
            out.truncate(start);
            out.push(marks[0]);
        } else {
            out[start + 1..start + 3].copy_from_slice(&count.to_le_bytes());
        }
        Ok(())
    }

    /// The engine enumerates integer-like names first; CloudFront's does not (section 3.2).
    /// In the event's own map such names go back to where the message had them.
    fn ordered_keys<'w>(
        &self,
        context: &mut Context,
        map: &JsObject,
        wire: Option<impl Iterator<Item = (&'w str, Value<'w>)> + Clone>,
    ) -> Result<Vec<PropertyKey>, Fault> {
        let keys = map.own_property_keys(context)?;
        let Some(wire) = wire else { return Ok(keys) };
        if !matches!(keys.first(), Some(PropertyKey::Index(_))) {
            return Ok(keys);
        }
        let mut ordered: Vec<PropertyKey> = Vec::with_capacity(keys.len());
        let known = wire.map(|(name, _)| crate::names::key(name)).filter(|k| keys.contains(k));
        for key in known.chain(keys.iter().cloned()) {
            if !ordered.contains(&key) {
                ordered.push(key);
            }
        }
        Ok(ordered)
    }

    /// Writes the values of one name; says whether they are what the event had. Precedence: section 4.1 rule 6.
    fn entry<'w>(
        &self,
        context: &mut Context,
        entry: &JsObject,
        was: impl Iterator<Item = Value<'w>> + Clone,
        attributes: Attributes,
        place: impl Fn() -> String,
        out: &mut Vec<u8>,
    ) -> Result<bool, Fault> {
        let multi = entry.get(self.names.multi_value.clone(), context)?;
        if multi.is_null_or_undefined() {
            out.extend_from_slice(&1u16.to_le_bytes());
            let said = self.value(context, entry, attributes, &place)?;
            said.write(out);
            return Ok(was.clone().nth(1).is_none() && was.clone().next().is_some_and(|w| said.is(&w)));
        }
        let Some(multi) = multi.as_object().filter(JsObject::is_array) else {
            return invalid(format!("{}.multiValue must be an array", place()));
        };
        let length = multi.get(self.names.length.clone(), context)?.as_number().unwrap_or_default();
        if length > f64::from(u16::MAX) {
            return invalid(format!("{}.multiValue has too many elements", place()));
        }
        let mut all = Vec::with_capacity(length as usize);
        for i in 0..length as u32 {
            let element = multi.get(i, context)?;
            let Some(element) = element.as_object() else {
                return invalid(format!("{}.multiValue[{i}] must be an object", place()));
            };
            all.push(self.value(context, &element, attributes, &|| format!("{}.multiValue[{i}]", place()))?);
        }
        let mut same = all.len() == was.clone().count() && all.iter().zip(was.clone()).all(|(a, w)| a.is(&w));
        if same && let Some(first) = all.first_mut() {
            let value = entry.get(self.names.value.clone(), context)?;
            if !value.is_undefined() {
                let said = self.value(context, entry, attributes, &place)?;
                if was.clone().next().is_none_or(|w| !said.is(&w)) {
                    *first = said;
                    same = false;
                }
            }
        }
        out.extend_from_slice(&(all.len() as u16).to_le_bytes());
        all.iter().for_each(|v| v.write(out));
        Ok(same)
    }

    fn value(
        &self,
        context: &mut Context,
        of: &JsObject,
        attributes: Attributes,
        place: &dyn Fn() -> String,
    ) -> Result<Said, Fault> {
        let text = of.get(self.names.value.clone(), context)?;
        let Some(text) = text.as_string() else {
            return invalid(format!("{}.value must be a string", place()));
        };
        let mut said = Said { text, attributes: None };
        if attributes == Attributes::Yes {
            let value = of.get(self.names.attributes.clone(), context)?;
            if !value.is_null_or_undefined() {
                let Some(value) = value.as_string() else {
                    return invalid(format!("{}.attributes must be a string", place()));
                };
                said.attributes = Some(value);
            }
        }
        Ok(said)
    }
}

/// One value that the function gave.
struct Said {
    text: JsString,
    attributes: Option<JsString>,
}

impl Said {
    fn is(&self, wire: &Value<'_>) -> bool {
        equals(&self.text, wire.text)
            && match (&self.attributes, wire.attributes) {
                (None, None) => true,
                (Some(a), Some(b)) => equals(a, b),
                _ => false,
            }
    }

    fn write(&self, out: &mut Vec<u8>) {
        text(out, &self.text);
        match &self.attributes {
            None => out.push(0),
            Some(attributes) => {
                out.push(1);
                text(out, attributes);
            }
        }
    }
}

fn distinct<'w>(wire: impl Iterator<Item = (&'w str, Value<'w>)> + Clone) -> usize {
    let first = |i: usize, name: &str| !wire.clone().take(i).any(|e| e.0 == name);
    wire.clone().enumerate().filter(|(i, e)| first(*i, e.0)).count()
}

/// A JavaScript string as the wire's text, without a copy in between.
fn text(out: &mut Vec<u8>, text: &JsString) {
    let at = out.len();
    Writer::new(out).u32(0);
    push_utf8(out, text);
    let length = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
}
