//! `JSON.parse`, in Rust: the engine's own compiles the text as a program, which takes two hundred microseconds and more.
//!
//! With a reviver the values are made first and walked afterwards (ECMA-262, InternalizeJSONProperty). `JSON.stringify` is the engine's.

use boa_engine::{
    Context, JsArgs, JsError, JsNativeError, JsObject, JsResult, JsString, JsValue, NativeFunction, js_string,
    object::{
        FunctionObjectBuilder,
        builtins::{JsArray, JsFunction},
    },
    property::{PropertyDescriptor, PropertyKey},
    string::JsStrVariant,
};

use crate::{
    byte_strings::bytes_in,
    engine::Runtime,
    modules::runtime,
    text::{from_latin1, from_utf8_lossy},
};

/// Deeper texts are refused, as a stack overflow would be.
const DEPTH: usize = 500;

/// Replaces `JSON.parse`.
pub(crate) fn install(context: &mut Context) {
    let parse = FunctionObjectBuilder::new(context.realm(), NativeFunction::from_fn_ptr(parse))
        .name(js_string!("parse"))
        .length(2)
        .build();
    let property = PropertyDescriptor::builder().value(parse).writable(true).enumerable(false).configurable(true);
    context.intrinsics().objects().json().insert_property(js_string!("parse"), property);
}

fn parse(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut text = args.get_or_undefined(0).to_string(context)?;
    if runtime() == Runtime::V1
        && let Some(bytes) = bytes_in(&text)
    {
        text = from_utf8_lossy(&bytes);
    }
    let value = parse_text(&text, context)?;
    match args.get_or_undefined(1).as_callable().and_then(JsFunction::from_object) {
        None => Ok(value),
        Some(reviver) => {
            let root = JsObject::with_object_proto(context.intrinsics());
            root.create_data_property_or_throw(js_string!(), value, context)?;
            revive(&root, &PropertyKey::from(js_string!()), &reviver, 0, context)
        }
    }
}

/// Parses a text.
pub(crate) fn parse_text(text: &JsString, context: &mut Context) -> JsResult<JsValue> {
    match text.as_str().variant() {
        JsStrVariant::Latin1(units) => Parser { units, at: 0, context }.document(),
        JsStrVariant::Utf16(units) => Parser { units, at: 0, context }.document(),
    }
}

/// A unit of either kind of string.
trait Unit: Copy {
    fn code(self) -> u16;
    /// A string of these units.
    fn string(units: &[Self]) -> JsString;
}

impl Unit for u8 {
    fn code(self) -> u16 {
        u16::from(self)
    }

    fn string(units: &[Self]) -> JsString {
        from_latin1(units)
    }
}

impl Unit for u16 {
    fn code(self) -> u16 {
        self
    }

    fn string(units: &[Self]) -> JsString {
        JsString::from(units)
    }
}

struct Parser<'a, U> {
    units: &'a [U],
    at: usize,
    context: &'a mut Context,
}

impl<U: Unit> Parser<'_, U> {
    fn document(mut self) -> JsResult<JsValue> {
        let value = self.value(0)?;
        self.space();
        if self.at < self.units.len() { Err(self.unexpected()) } else { Ok(value) }
    }

    fn peek(&self) -> Option<u16> {
        self.units.get(self.at).map(|u| u.code())
    }

    /// The texts of CloudFront's engine (`cloudfront-functions.md` section 18).
    fn unexpected(&self) -> JsError {
        let what = if self.at < self.units.len() { "Unexpected token" } else { "Unexpected end of input" };
        JsNativeError::syntax().with_message(format!("{what} at position {}", self.at)).into()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(0x20 | 0x09 | 0x0a | 0x0d)) {
            self.at += 1;
        }
    }

    fn expect(&mut self, c: u8) -> JsResult<()> {
        if self.peek() != Some(u16::from(c)) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &str, value: JsValue) -> JsResult<JsValue> {
        for c in word.bytes() {
            self.expect(c)?;
        }
        Ok(value)
    }

    fn value(&mut self, depth: usize) -> JsResult<JsValue> {
        if depth > DEPTH {
            return Err(JsNativeError::range().with_message("Maximum call stack size exceeded").into());
        }
        self.space();
        match self.peek().and_then(|c| u8::try_from(c).ok()) {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(JsValue::from),
            Some(b't') => self.word("true", JsValue::from(true)),
            Some(b'f') => self.word("false", JsValue::from(false)),
            Some(b'n') => self.word("null", JsValue::null()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected()),
        }
    }

    fn object(&mut self, depth: usize) -> JsResult<JsValue> {
        self.at += 1;
        let object = JsObject::with_object_proto(self.context.intrinsics());
        self.space();
        if self.peek() == Some(u16::from(b'}')) {
            self.at += 1;
            return Ok(object.into());
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.expect(b':')?;
            let value = self.value(depth + 1)?;
            // The last of equal names counts; `__proto__` is a name like any other.
            let property =
                PropertyDescriptor::builder().value(value).writable(true).enumerable(true).configurable(true);
            object.insert_property(PropertyKey::from(name), property);
            self.space();
            match self.peek().and_then(|c| u8::try_from(c).ok()) {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(object.into());
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn array(&mut self, depth: usize) -> JsResult<JsValue> {
        self.at += 1;
        let mut elements = Vec::new();
        self.space();
        if self.peek() == Some(u16::from(b']')) {
            self.at += 1;
            return Ok(JsArray::from_iter(elements, self.context).into());
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.space();
            match self.peek().and_then(|c| u8::try_from(c).ok()) {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(JsArray::from_iter(elements, self.context).into());
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn string(&mut self) -> JsResult<JsString> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match self.peek() {
                Some(0x22) => {
                    let text = U::string(&self.units[start..self.at]);
                    self.at += 1;
                    return Ok(text);
                }
                Some(0x5c) => return self.string_with_escapes(start),
                Some(0x20..) => self.at += 1,
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn string_with_escapes(&mut self, start: usize) -> JsResult<JsString> {
        let mut text: Vec<u16> = self.units[start..self.at].iter().map(|u| u.code()).collect();
        loop {
            let Some(c @ 0x20..) = self.peek() else { return Err(self.unexpected()) };
            self.at += 1;
            match c {
                0x22 => return Ok(narrow(&text)),
                0x5c => text.push(self.escape()?),
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> JsResult<u16> {
        let c = self.peek().and_then(|c| u8::try_from(c).ok());
        let plain = match c {
            Some(c @ (b'"' | b'\\' | b'/')) => c,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                self.at += 1;
                let mut code = 0;
                for _ in 0..4 {
                    let digit = self.peek().and_then(|c| char::from_u32(c.into())).and_then(|c| c.to_digit(16));
                    let Some(digit) = digit else { return Err(self.unexpected()) };
                    code = code << 4 | digit as u16;
                    self.at += 1;
                }
                return Ok(code);
            }
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(u16::from(plain))
    }

    fn number(&mut self) -> JsResult<JsValue> {
        let start = self.at;
        if self.peek() == Some(u16::from(b'-')) {
            self.at += 1;
        }
        if self.peek() == Some(u16::from(b'0')) {
            self.at += 1;
        } else {
            self.digits()?;
        }
        let mut whole = true;
        if self.peek() == Some(u16::from(b'.')) {
            self.at += 1;
            self.digits()?;
            whole = false;
        }
        if matches!(self.peek(), Some(0x65 | 0x45)) {
            self.at += 1;
            if matches!(self.peek(), Some(0x2b | 0x2d)) {
                self.at += 1;
            }
            self.digits()?;
            whole = false;
        }
        let text: String = self.units[start..self.at].iter().map(|u| u.code() as u8 as char).collect();
        if whole
            && text != "-0"
            && let Ok(small) = text.parse::<i32>()
        {
            return Ok(JsValue::from(small));
        }
        // Cannot fail: the grammar of JSON is narrower.
        text.parse::<f64>().map(JsValue::from).map_err(|_| self.unexpected())
    }

    fn digits(&mut self) -> JsResult<()> {
        let start = self.at;
        while matches!(self.peek(), Some(0x30..=0x39)) {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected()) } else { Ok(()) }
    }
}

/// The string in its shorter form, where there is one.
fn narrow(units: &[u16]) -> JsString {
    let bytes: Option<Vec<u8>> = units.iter().map(|&u| u8::try_from(u).ok()).collect();
    match bytes {
        Some(bytes) => from_latin1(&bytes),
        None => JsString::from(units),
    }
}

/// ECMA-262, InternalizeJSONProperty.
fn revive(
    holder: &JsObject,
    name: &PropertyKey,
    reviver: &JsFunction,
    depth: usize,
    context: &mut Context,
) -> JsResult<JsValue> {
    if depth > DEPTH {
        return Err(JsNativeError::range().with_message("Maximum call stack size exceeded").into());
    }
    let value = holder.get(name.clone(), context)?;
    if let Some(object) = value.as_object() {
        let keys = if object.is_array() {
            let length = object.get(js_string!("length"), context)?.to_length(context)?;
            (0..length as u32).map(PropertyKey::from).collect()
        } else {
            let mut keys = object.own_property_keys(context)?;
            keys.retain(|key| !matches!(key, PropertyKey::Symbol(_)));
            keys
        };
        for key in keys {
            let new = revive(&object, &key, reviver, depth + 1, context)?;
            if new.is_undefined() {
                // The result does not matter, as in the standard.
                drop(object.delete_property_or_throw(key, context));
            } else {
                object.create_data_property(key, new, context)?;
            }
        }
    }
    let name: JsValue = match name {
        PropertyKey::String(s) => s.clone().into(),
        PropertyKey::Index(i) => from_utf8_lossy(i.get().to_string().as_bytes()).into(),
        PropertyKey::Symbol(s) => s.clone().into(),
    };
    reviver.call(&holder.clone().into(), &[name, value], context)
}
