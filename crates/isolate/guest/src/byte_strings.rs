//! Byte strings of runtime 1.0 (`cloudfront-functions.md` section 10.3): `String.bytesFrom`, `fromBytes`, `fromUTF8`, `toBytes`, `toUTF8`,
//! and `toString` with an encoding.
//!
//! The vendor's engine marks a string as bytes or as text. Here the mark is the way in which the engine keeps it: text whose characters all
//! fit into eight bits is kept in bytes, so a *wide* string of such units, of which one is above ASCII, is a byte string ([`bytes_in`]).
//! Parts and sums of byte strings are byte strings again, and JavaScript that does not know of them sees characters from U+0000 to U+00FF.

use boa_engine::{
    Context, JsArgs, JsNativeError, JsResult, JsString, JsValue, NativeFunction, js_string,
    native_function::NativeFunctionPointer,
    object::{FunctionObjectBuilder, builtins::JsArray},
    property::PropertyDescriptor,
    string::JsStrVariant,
};

use crate::{
    bytes::{decode_base64, decode_hex, encode_base64, encode_base64url, encode_hex},
    text::{from_latin1, low_bytes, utf8},
};

/// Names, lengths and functions of `String.prototype`.
const METHODS: [(&str, usize, NativeFunctionPointer); 5] = [
    ("fromBytes", 0, from_bytes),
    ("fromUTF8", 0, from_utf8),
    ("toBytes", 0, to_bytes),
    ("toUTF8", 0, to_utf8),
    ("toString", 1, to_string),
];

/// Puts the functions in place.
pub(crate) fn install(context: &mut Context) {
    let string = context.intrinsics().constructors().string().clone();
    let define = |on: &boa_engine::JsObject, name: &str, length, function| {
        let function = FunctionObjectBuilder::new(context.realm(), NativeFunction::from_fn_ptr(function))
            .name(js_string!(name))
            .length(length)
            .build();
        let hidden = PropertyDescriptor::builder().value(function).writable(true).enumerable(false).configurable(true);
        on.insert_property(js_string!(name), hidden);
    };
    define(&string.constructor(), "bytesFrom", 2, bytes_from);
    for (name, length, function) in METHODS {
        define(&string.prototype(), name, length, function);
    }
}

/// A string of these bytes.
pub(crate) fn byte_string(bytes: &[u8]) -> JsString {
    if bytes.is_ascii() {
        return from_latin1(bytes);
    }
    let units: Vec<u16> = bytes.iter().map(|&b| u16::from(b)).collect();
    JsString::from(&units[..])
}

/// The bytes of a byte string; `None` for text. ASCII is both, and comes as text.
pub(crate) fn bytes_in(text: &JsString) -> Option<Vec<u8>> {
    let JsStrVariant::Utf16(units) = text.as_str().variant() else { return None };
    let bytes: Option<Vec<u8>> = units.iter().map(|&u| u8::try_from(u).ok()).collect();
    bytes.filter(|bytes| !bytes.is_ascii())
}

/// `String.bytesFrom(array)` and `String.bytesFrom(text, encoding)`.
fn bytes_from(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let source = args.get_or_undefined(0);
    if let Some(text) = source.as_string() {
        let encoding = args.get_or_undefined(1).to_string(context)?;
        let bytes = match &*utf8(&encoding) {
            "hex" => decode_hex(&low_bytes(&text)),
            "base64" | "base64url" => decode_base64(&low_bytes(&text)),
            other => return Err(unknown(other)),
        };
        return Ok(byte_string(&bytes).into());
    }
    let Some(array) = source.as_object().and_then(|o| JsArray::from_object(o).ok()) else {
        return Err(JsNativeError::typ().with_message("value must be a string or array").into());
    };
    let mut bytes = Vec::new();
    for i in 0..array.length(context)? {
        bytes.push(array.get(i, context)?.to_uint8(context)?);
    }
    Ok(byte_string(&bytes).into())
}

fn unknown(encoding: &str) -> boa_engine::JsError {
    JsNativeError::typ().with_message(format!("Unknown encoding: \"{encoding}\"")).into()
}

/// Bytes to the characters with the same numbers; text stays as it is.
fn from_bytes(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = part(this, args, context)?;
    Ok(bytes_in(&text).map_or(text, |bytes| from_latin1(&bytes)).into())
}

/// Bytes as UTF-8 to text, `null` when they are not; text stays as it is.
fn from_utf8(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = part(this, args, context)?;
    Ok(match bytes_in(&text).map(String::from_utf8) {
        None => text.into(),
        Some(Ok(decoded)) => JsString::from(decoded.as_str()).into(),
        Some(Err(_)) => JsValue::null(),
    })
}

/// Characters to the bytes with the same numbers, `null` when one is above 255; bytes stay as they are.
fn to_bytes(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = part(this, args, context)?;
    let fits = text.iter().all(|unit| unit <= 0xff);
    Ok(if fits { byte_string(&low_bytes(&text)).into() } else { JsValue::null() })
}

/// Text to its bytes in UTF-8; bytes stay as they are.
fn to_utf8(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = part(this, args, context)?;
    Ok(if bytes_in(&text).is_some() { text } else { byte_string(utf8(&text).as_bytes()) }.into())
}

/// With an encoding: bytes, or text as UTF-8, in hexadecimal or base64.
fn to_string(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = this_string(this)?;
    let encoding = args.get_or_undefined(0);
    if encoding.is_undefined() {
        return Ok(text.into());
    }
    let encoding = encoding.to_string(context)?;
    let bytes = bytes_in(&text).unwrap_or_else(|| utf8(&text).into_owned().into_bytes());
    Ok(match &*utf8(&encoding) {
        "hex" => from_latin1(&encode_hex(&bytes)),
        "base64" => from_latin1(&encode_base64(&bytes)),
        "base64url" => from_latin1(&encode_base64url(&bytes)),
        other => return Err(unknown(other)),
    }
    .into())
}

/// The string itself: these methods are for strings alone.
fn this_string(this: &JsValue) -> JsResult<JsString> {
    let boxed = || this.as_object().and_then(|o| o.downcast_ref::<JsString>().as_deref().cloned());
    let text = this.as_string().or_else(boxed);
    text.ok_or_else(|| JsNativeError::typ().with_message("unexpected value type: not a string").into())
}

/// The part from `args[0]` to before `args[1]`, counted as `slice` counts.
fn part(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsString> {
    let text = this_string(this)?;
    let length = text.len() as f64;
    let mut place = |value: &JsValue, default: f64| -> JsResult<f64> {
        if value.is_undefined() {
            return Ok(default);
        }
        let n = value.to_number(context)?.trunc();
        // Not a number counts as 0.
        Ok(if n < 0.0 { (length + n).max(0.0) } else { n.max(0.0).min(length) })
    };
    let start = place(args.get_or_undefined(0), 0.0)? as usize;
    let end = (place(args.get_or_undefined(1), length)? as usize).max(start);
    if start == 0 && end == text.len() {
        return Ok(text);
    }
    Ok(text.get(start..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{byte_string, bytes_in};
    use boa_engine::{JsString, js_string};

    #[test]
    fn byte_strings_are_told_from_text_and_so_are_their_parts() {
        let bytes = byte_string(&[0x61, 0xc3, 0xa9]);
        assert_eq!(bytes_in(&bytes).as_deref(), Some(&[0x61, 0xc3, 0xa9][..]));
        assert_eq!(bytes_in(&js_string!(&js_string!("ab"), &bytes)).map(|b| b.len()), Some(5));
        assert_eq!(bytes_in(&JsString::from("aé")), None);
        assert_eq!(bytes_in(&byte_string(b"ascii")), None);
        assert_eq!(bytes, JsString::from("aÃ©"), "JavaScript compares characters");
    }
}
