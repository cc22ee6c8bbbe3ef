//! The origin helpers (`cloudfront-functions.md` sections 11.2 to 11.5). What they are given is handed to the host with the reply, which
//! knows the rules and the origins.

use std::cell::RefCell;

use boa_engine::{
    Context, JsNativeError, JsObject, JsResult, JsValue, native_function::NativeFunctionPointer, property::PropertyKey,
};
use rimward_wire::reply::OriginCall;

use super::{PHASE, Phase};
use crate::{
    host,
    text::{push_utf8, utf8},
};

/// Names, lengths and functions.
pub(super) const HELPERS: [(&str, usize, NativeFunctionPointer); 3] = [
    ("updateRequestOrigin", 1, update),
    ("selectRequestOriginById", 2, select),
    ("createRequestOriginGroup", 1, group),
];

/// Deeper values are refused; the helpers' own have four levels.
const DEPTH: usize = 8;

thread_local! {
    /// The last call of this event: a later one takes the place of an earlier one (section 11.2).
    static CALL: RefCell<Option<(OriginCall, Vec<u8>)>> = const { RefCell::new(None) };
}

pub(super) fn forget() {
    CALL.set(None);
}

/// Shows the last call and its arguments as JSON.
pub(crate) fn with_call<T>(f: impl FnOnce(Option<(OriginCall, &[u8])>) -> T) -> T {
    CALL.with_borrow(|call| f(call.as_ref().map(|(call, arguments)| (*call, &**arguments))))
}

fn update(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    call("updateRequestOrigin", OriginCall::Update, args, context)
}

fn select(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    call("selectRequestOriginById", OriginCall::Select, args, context)
}

fn group(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    call("createRequestOriginGroup", OriginCall::Group, args, context)
}

fn call(name: &str, call: OriginCall, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    match PHASE.get() {
        Phase::Request => {}
        // The call belongs to an event, so the top level must run in each.
        Phase::TopLevel => {
            host::mark();
            return Ok(JsValue::undefined());
        }
        Phase::Response => {
            let text = format!("{name} can be called in viewer-request functions only");
            return Err(JsNativeError::error().with_message(text).into());
        }
    }
    let mut json = Json { context, out: vec![b'['] };
    for (i, argument) in args.iter().take(2).enumerate() {
        if i > 0 {
            json.out.push(b',');
        }
        json.value(argument, 0)?;
    }
    json.out.push(b']');
    let arguments = json.out;
    CALL.set(Some((call, arguments)));
    Ok(JsValue::undefined())
}

/// Writes values as JSON. Members that are `undefined` or functions are left out; the host sees the types of all else.
struct Json<'a> {
    context: &'a mut Context,
    out: Vec<u8>,
}

impl Json<'_> {
    fn value(&mut self, value: &JsValue, depth: usize) -> JsResult<()> {
        if depth > DEPTH {
            return Err(JsNativeError::typ().with_message("the origin's properties are nested too deeply").into());
        }
        if let Some(object) = value.as_object() {
            return if object.is_array() { self.array(&object, depth) } else { self.object(&object, depth) };
        }
        if let Some(text) = value.as_string() {
            let mut bytes = Vec::new();
            push_utf8(&mut bytes, &text);
            self.string(&bytes);
        } else if let Some(number) = value.as_number().filter(|n| n.is_finite()) {
            let text = JsValue::from(number).to_string(self.context)?;
            self.out.extend_from_slice(utf8(&text).as_bytes());
        } else if let Some(flag) = value.as_boolean() {
            self.out.extend_from_slice(if flag { b"true" } else { b"false" });
        } else {
            self.out.extend_from_slice(b"null");
        }
        Ok(())
    }

    fn array(&mut self, array: &JsObject, depth: usize) -> JsResult<()> {
        let length = array.get(boa_engine::js_string!("length"), self.context)?.to_length(self.context)?;
        self.out.push(b'[');
        for i in 0..length {
            if i > 0 {
                self.out.push(b',');
            }
            let element = array.get(i, self.context)?;
            self.value(&element, depth + 1)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, object: &JsObject, depth: usize) -> JsResult<()> {
        self.out.push(b'{');
        let mut first = true;
        for key in object.own_property_keys(self.context)? {
            if matches!(key, PropertyKey::Symbol(_)) {
                continue;
            }
            let value = object.get(key.clone(), self.context)?;
            if value.is_undefined() || value.is_callable() {
                continue;
            }
            if !std::mem::take(&mut first) {
                self.out.push(b',');
            }
            self.string(key.to_string().as_bytes());
            self.out.push(b':');
            self.value(&value, depth + 1)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn string(&mut self, utf8: &[u8]) {
        self.out.push(b'"');
        for &b in utf8 {
            match b {
                b'"' | b'\\' => self.out.extend_from_slice(&[b'\\', b]),
                0..0x20 => self.out.extend_from_slice(format!("\\u{b:04x}").as_bytes()),
                b => self.out.push(b),
            }
        }
        self.out.push(b'"');
    }
}
