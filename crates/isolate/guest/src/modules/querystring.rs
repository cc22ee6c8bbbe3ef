//! Module `querystring` (`cloudfront-functions.md` section 10.5).

use boa_engine::{
    Context, JsArgs, JsObject, JsResult, JsString, JsValue, NativeFunction, js_string,
    object::{ObjectInitializer, builtins::JsArray},
    property::PropertyKey,
};

use crate::text::{from_utf8_lossy, utf8};

/// Keys that `parse` reads unless `maxKeys` says otherwise.
const MAX_KEYS: usize = 1000;

/// Makes the module's object.
pub(crate) fn module(context: &mut Context) -> JsResult<JsObject> {
    Ok(ObjectInitializer::new(context)
        .function(NativeFunction::from_fn_ptr(parse), js_string!("parse"), 4)
        .function(NativeFunction::from_fn_ptr(parse), js_string!("decode"), 4)
        .function(NativeFunction::from_fn_ptr(stringify), js_string!("stringify"), 4)
        .function(NativeFunction::from_fn_ptr(stringify), js_string!("encode"), 4)
        .function(NativeFunction::from_fn_ptr(escape_text), js_string!("escape"), 1)
        .function(NativeFunction::from_fn_ptr(unescape_text), js_string!("unescape"), 1)
        .build())
}

/// A separator argument; absent or empty means the default.
fn separator(args: &[JsValue], index: usize, default: &str, context: &mut Context) -> JsResult<String> {
    let value = args.get_or_undefined(index);
    if value.is_null_or_undefined() {
        return Ok(default.to_owned());
    }
    let text = value.to_string(context)?;
    Ok(if text.is_empty() { default.to_owned() } else { utf8(&text).into_owned() })
}

/// A function among the options.
fn option(args: &[JsValue], name: &str, context: &mut Context) -> JsResult<JsValue> {
    match args.get_or_undefined(3).as_object() {
        Some(options) => options.get(js_string!(name), context),
        None => Ok(JsValue::undefined()),
    }
}

fn parse(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let result = JsObject::with_object_proto(context.intrinsics());
    let Some(text) = args.get_or_undefined(0).as_string() else { return Ok(result.into()) };
    let text = utf8(&text);
    let (sep, eq) = (separator(args, 1, "&", context)?, separator(args, 2, "=", context)?);
    let decoder = option(args, "decodeURIComponent", context)?.as_callable();
    let max_keys = match option(args, "maxKeys", context)?.as_number() {
        Some(n) if n > 0.0 => n as usize,
        Some(_) => usize::MAX,
        None => MAX_KEYS,
    };
    let decode = |part: &str, context: &mut Context| match &decoder {
        Some(f) => f.call(&JsValue::undefined(), &[JsString::from(part).into()], context)?.to_string(context),
        None => Ok(unescape(part)),
    };
    for part in text.split(&*sep).filter(|p| !p.is_empty()).take(max_keys) {
        let (name, value) = part.split_once(&*eq).unwrap_or((part, ""));
        let name = PropertyKey::from(decode(name, context)?);
        let value = JsValue::from(decode(value, context)?);
        add(&result, name, value, context)?;
    }
    Ok(result.into())
}

/// A second value makes an array.
fn add(object: &JsObject, name: PropertyKey, value: JsValue, context: &mut Context) -> JsResult<()> {
    if object.has_own_property(name.clone(), context)? {
        let before = object.get(name.clone(), context)?;
        match before.as_object().and_then(|o| JsArray::from_object(o).ok()) {
            Some(array) => drop(array.push(value, context)?),
            None => {
                let both = JsArray::from_iter([before, value], context);
                object.create_data_property_or_throw(name, both, context)?;
            }
        }
    } else {
        object.create_data_property_or_throw(name, value, context)?;
    }
    Ok(())
}

fn stringify(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let Some(object) = args.get_or_undefined(0).as_object() else { return Ok(js_string!().into()) };
    let (sep, eq) = (separator(args, 1, "&", context)?, separator(args, 2, "=", context)?);
    let encoder = option(args, "encodeURIComponent", context)?.as_callable();
    let encode = |text: &JsString, context: &mut Context| -> JsResult<String> {
        match &encoder {
            Some(f) => {
                let said = f.call(&JsValue::undefined(), &[text.clone().into()], context)?.to_string(context)?;
                Ok(utf8(&said).into_owned())
            }
            None => Ok(escape(&utf8(text))),
        }
    };
    let mut out = String::new();
    for key in object.own_property_keys(context)? {
        let name = match &key {
            PropertyKey::String(s) => s.clone(),
            PropertyKey::Index(i) => JsString::from(i.get().to_string()),
            PropertyKey::Symbol(_) => continue,
        };
        let name = encode(&name, context)?;
        let value = object.get(key, context)?;
        let values = match value.as_object().filter(JsObject::is_array) {
            Some(array) => {
                let array = JsArray::from_object(array)?;
                let length = array.length(context)?;
                (0..length).map(|i| array.get(i, context)).collect::<JsResult<Vec<_>>>()?
            }
            None => vec![value],
        };
        for value in values {
            if !out.is_empty() {
                out.push_str(&sep);
            }
            out.push_str(&name);
            out.push_str(&eq);
            let text = primitive(&value, context)?;
            out.push_str(&encode(&text, context)?);
        }
    }
    Ok(JsString::from(out).into())
}

/// `null`, `undefined` and objects are empty.
fn primitive(value: &JsValue, context: &mut Context) -> JsResult<JsString> {
    if value.is_null_or_undefined() || value.is_object() || value.is_symbol() {
        return Ok(js_string!());
    }
    value.to_string(context)
}

fn escape_text(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = args.get_or_undefined(0).to_string(context)?;
    Ok(JsString::from(escape(&utf8(&text))).into())
}

fn unescape_text(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = args.get_or_undefined(0).to_string(context)?;
    Ok(unescape(&utf8(&text)).into())
}

/// Percent-encodes what `encodeURIComponent` encodes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&b) {
            out.push(char::from(b));
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            out.push(char::from(HEX[usize::from(b >> 4)]));
            out.push(char::from(HEX[usize::from(b & 15)]));
        }
    }
    out
}

/// `+` becomes a space, a bad escape stays, what is not UTF-8 becomes U+FFFD.
fn unescape(text: &str) -> JsString {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let hex = |b: Option<&u8>| b.and_then(|&b| char::from(b).to_digit(16));
    let mut i = 0;
    while i < bytes.len() {
        match (bytes[i], hex(bytes.get(i + 1)), hex(bytes.get(i + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                i += 3;
                continue;
            }
            (b'+', ..) => out.push(b' '),
            (b, ..) => out.push(b),
        }
        i += 1;
    }
    from_utf8_lossy(&out)
}
