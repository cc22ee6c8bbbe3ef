//! Values as `console.log` shows them (`cloudfront-functions.md` section 10.4): `{a:1,b:[1,2]}`.

use boa_engine::{
    Context, JsObject, JsValue,
    builtins::typed_array::TypedArrayKind,
    js_string,
    object::builtins::{JsDate, JsTypedArray},
    property::PropertyKey,
};

use crate::text::utf8;

/// Deeper members are shown as `[Object]`.
const DEPTH: usize = 8;
/// More members of one object are cut; a log line is bounded by the host anyway.
const MEMBERS: usize = 1000;

/// One argument of `console.log`: strings as they are, all else inspected.
pub(crate) fn argument(value: &JsValue, context: &mut Context) -> String {
    value.as_string().map_or_else(|| inspect(value, context), |s| utf8(&s).into_owned())
}

/// A value in its inspected form.
pub(crate) fn inspect(value: &JsValue, context: &mut Context) -> String {
    let mut out = String::new();
    Inspector { context, path: Vec::new(), out: &mut out }.value(value);
    out
}

struct Inspector<'a> {
    context: &'a mut Context,
    path: Vec<JsObject>,
    out: &'a mut String,
}

impl Inspector<'_> {
    fn value(&mut self, value: &JsValue) {
        if let Some(text) = value.as_string() {
            self.quoted(&utf8(&text));
        } else if let Some(symbol) = value.as_symbol() {
            self.out.push_str(&utf8(&symbol.descriptive_string()));
        } else if let Some(object) = value.as_object() {
            self.object(&object);
        } else if value.as_number().is_some_and(|n| n == 0.0 && n.is_sign_negative()) {
            self.out.push_str("-0");
        } else {
            let text = value.to_string(self.context).map(|s| utf8(&s).into_owned());
            self.out.push_str(&text.unwrap_or_default());
        }
    }

    fn quoted(&mut self, text: &str) {
        self.out.push('\'');
        for c in text.chars() {
            match c {
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\'' => self.out.push_str("\\'"),
                '\\' => self.out.push_str("\\\\"),
                c => self.out.push(c),
            }
        }
        self.out.push('\'');
    }

    fn object(&mut self, object: &JsObject) {
        if self.path.iter().any(|o| JsObject::equals(o, object)) {
            self.out.push_str("[Circular]");
        } else if self.path.len() == DEPTH {
            self.out.push_str(if object.is_array() { "[Array]" } else { "[Object]" });
        } else {
            self.path.push(object.clone());
            self.members(object);
            self.path.pop();
        }
    }

    fn members(&mut self, object: &JsObject) {
        if object.is_callable() {
            let name = self.text(object, "name").filter(|n| !n.is_empty());
            self.out.push_str(&name.map_or_else(|| "[Function]".to_owned(), |n| format!("[Function: {n}]")));
        } else if object.is_array() {
            self.array(object);
        } else if let Ok(array) = JsTypedArray::from_object(object.clone()) {
            let name = self.text(object, "constructor").unwrap_or_default();
            let name = if name.is_empty() { type_name(array.kind()) } else { &name };
            self.out.push_str(name);
            self.out.push(' ');
            self.array(object);
        } else if let Some(error) = self.error(object) {
            self.out.push_str(&error);
        } else if let Ok(date) = JsDate::from_object(object.clone()) {
            let text = date.to_iso_string(self.context).ok().and_then(|v| v.as_string());
            self.out.push_str(&text.map_or_else(|| "Invalid Date".to_owned(), |t| utf8(&t).into_owned()));
        } else if let Some(regexp) = JsValue::from(object.clone()).as_regexp() {
            self.out.push_str(&regexp.to_string(self.context).unwrap_or_default());
        } else {
            self.fields(object);
        }
    }

    fn array(&mut self, array: &JsObject) {
        let length = array.get(js_string!("length"), self.context).ok().and_then(|l| l.as_number()).unwrap_or_default();
        self.out.push('[');
        for i in 0..(length as usize).min(MEMBERS) {
            if i > 0 {
                self.out.push(',');
            }
            let element = array.get(i as u32, self.context).unwrap_or_default();
            self.value(&element);
        }
        self.out.push_str(if length as usize > MEMBERS { ",...]" } else { "]" });
    }

    fn fields(&mut self, object: &JsObject) {
        let keys = object.own_property_keys(self.context).unwrap_or_default();
        self.out.push('{');
        let mut first = true;
        for key in keys.into_iter().take(MEMBERS) {
            let enumerable = object.borrow().properties().get(&key).is_none_or(|p| p.enumerable() == Some(true));
            if !enumerable {
                continue;
            }
            if !std::mem::take(&mut first) {
                self.out.push(',');
            }
            self.key(&key);
            self.out.push(':');
            let value = object.get(key, self.context).unwrap_or_default();
            self.value(&value);
        }
        self.out.push('}');
    }

    fn key(&mut self, key: &PropertyKey) {
        match key {
            PropertyKey::Index(i) => self.out.push_str(&i.get().to_string()),
            PropertyKey::Symbol(s) => self.out.push_str(&format!("[{}]", utf8(&s.descriptive_string()))),
            PropertyKey::String(s) => {
                let text = utf8(s);
                let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
                if !text.is_empty() && text.chars().all(plain) && !text.starts_with(|c: char| c.is_ascii_digit()) {
                    self.out.push_str(&text);
                } else {
                    self.quoted(&text);
                }
            }
        }
    }

    /// `name: message`, for errors.
    fn error(&mut self, object: &JsObject) -> Option<String> {
        object.downcast_ref::<boa_engine::builtins::error::Error>()?;
        let name = self.text(object, "name")?;
        let message = self.text(object, "message")?;
        Some(if message.is_empty() { name } else { format!("{name}: {message}") })
    }

    /// A member that is a string, or the name of the function that it is.
    fn text(&mut self, object: &JsObject, key: &str) -> Option<String> {
        let value = object.get(js_string!(key), self.context).ok()?;
        let text = match value.as_callable() {
            Some(function) => function.get(js_string!("name"), self.context).ok()?.as_string()?,
            None => value.as_string()?,
        };
        Some(utf8(&text).into_owned())
    }
}

fn type_name(kind: Option<TypedArrayKind>) -> &'static str {
    match kind {
        Some(TypedArrayKind::Uint8) => "Uint8Array",
        _ => "TypedArray",
    }
}
