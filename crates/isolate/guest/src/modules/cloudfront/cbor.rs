//! CBOR (RFC 8949) as far as web tokens need it: definite lengths, values that JavaScript has.

use boa_engine::{
    Context, JsNativeError, JsObject, JsResult, JsString, JsValue,
    object::builtins::JsArray,
    property::{PropertyDescriptor, PropertyKey},
};

use crate::{
    modules::buffer,
    text::{from_utf8_lossy, utf8},
};

/// Deeper items are refused.
const DEPTH: usize = 8;

/// A data item.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item<'a> {
    /// Major types 0 and 1; all of them fit.
    Integer(i128),
    Bytes(&'a [u8]),
    Text(&'a str),
    Array(Vec<Item<'a>>),
    Map(Vec<(Item<'a>, Item<'a>)>),
    Tag(u64, Box<Item<'a>>),
    Bool(bool),
    Null,
    Undefined,
    Float(f64),
}

/// A reader of items. `None`: malformed, or not supported.
struct Reader<'a> {
    rest: &'a [u8],
}

/// Reads exactly one item.
pub(super) fn read(bytes: &[u8]) -> Option<Item<'_>> {
    let mut reader = Reader { rest: bytes };
    let item = reader.item(0)?;
    reader.rest.is_empty().then_some(item)
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(taken)
    }

    fn number(&mut self, info: u8) -> Option<u64> {
        let size = match info {
            0..24 => return Some(u64::from(info)),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return None,
        };
        Some(self.take(size)?.iter().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    fn item(&mut self, depth: usize) -> Option<Item<'a>> {
        if depth > DEPTH {
            return None;
        }
        let head = self.take(1)?[0];
        let (major, info) = (head >> 5, head & 31);
        if major == 7 {
            return self.simple(info);
        }
        let n = self.number(info)?;
        Some(match major {
            0 => Item::Integer(n.into()),
            1 => Item::Integer(-1 - i128::from(n)),
            2 => Item::Bytes(self.take(usize::try_from(n).ok()?)?),
            3 => Item::Text(std::str::from_utf8(self.take(usize::try_from(n).ok()?)?).ok()?),
            // Each entry has a byte at least, so the count needs no limit of its own.
            4 => Item::Array((0..n).map(|_| self.item(depth + 1)).collect::<Option<_>>()?),
            5 => {
                Item::Map((0..n).map(|_| Some((self.item(depth + 1)?, self.item(depth + 1)?))).collect::<Option<_>>()?)
            }
            _ => Item::Tag(n, Box::new(self.item(depth + 1)?)),
        })
    }

    fn simple(&mut self, info: u8) -> Option<Item<'a>> {
        Some(match info {
            20 => Item::Bool(false),
            21 => Item::Bool(true),
            22 => Item::Null,
            23 => Item::Undefined,
            25 => Item::Float(half(self.number(25)? as u16)),
            26 => Item::Float(f32::from_bits(self.number(26)? as u32).into()),
            27 => Item::Float(f64::from_bits(self.number(27)?)),
            _ => return None,
        })
    }
}

/// A number of 16 bits (RFC 8949 appendix D).
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let value = match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { value } else { -value }
}

/// An item as a value: byte strings are Buffers, keys of maps are strings, tags are left out.
pub(super) fn to_js(item: &Item<'_>, context: &mut Context) -> JsResult<JsValue> {
    Ok(match item {
        Item::Integer(n) => JsValue::from(*n as f64),
        Item::Bytes(bytes) => buffer::from_bytes(bytes, context)?.into(),
        Item::Text(text) => from_utf8_lossy(text.as_bytes()).into(),
        Item::Array(items) => {
            let values = items.iter().map(|item| to_js(item, context)).collect::<JsResult<Vec<_>>>()?;
            JsArray::from_iter(values, context).into()
        }
        Item::Map(entries) => {
            let object = JsObject::with_object_proto(context.intrinsics());
            for (key, value) in entries {
                let value = to_js(value, context)?;
                let key = PropertyKey::from(to_js(key, context)?.to_string(context)?);
                let plain = PropertyDescriptor::builder().value(value).writable(true).enumerable(true);
                object.insert_property(key, plain.configurable(true));
            }
            object.into()
        }
        Item::Tag(_, item) => to_js(item, context)?,
        Item::Bool(flag) => (*flag).into(),
        Item::Null => JsValue::null(),
        Item::Undefined => JsValue::undefined(),
        Item::Float(n) => (*n).into(),
    })
}

/// Appends a head: major type and argument.
pub(super) fn write_head(major: u8, n: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    match n {
        0..24 => out.push(major | n as u8),
        24..0x100 => out.extend_from_slice(&[major | 24, n as u8]),
        0x100..0x1_0000 => {
            out.push(major | 25);
            out.extend_from_slice(&(n as u16).to_be_bytes());
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 26);
            out.extend_from_slice(&(n as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&n.to_be_bytes());
        }
    }
}

/// Appends a byte string.
pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_head(2, bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Appends a text.
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) {
    write_head(3, text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// Appends an integer.
pub(super) fn write_integer(n: i64, out: &mut Vec<u8>) {
    match u64::try_from(n) {
        Ok(n) => write_head(0, n, out),
        Err(_) => write_head(1, (-1 - n) as u64, out),
    }
}

/// Appends a value: Buffers as byte strings; keys that look like integers as integers, as COSE labels are.
pub(super) fn write_js(value: &JsValue, depth: usize, out: &mut Vec<u8>, context: &mut Context) -> JsResult<()> {
    let refused = |text: &str| Err(JsNativeError::typ().with_message(text.to_owned()).into());
    if depth > DEPTH {
        return refused("the token's payload is nested too deeply");
    }
    if let Some(text) = value.as_string() {
        write_text(&utf8(&text), out);
    } else if let Some(n) = value.as_number() {
        if n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_991.0 {
            write_integer(n as i64, out);
        } else {
            out.push(7 << 5 | 27);
            out.extend_from_slice(&n.to_bits().to_be_bytes());
        }
    } else if let Some(flag) = value.as_boolean() {
        out.push(if flag { 0xf5 } else { 0xf4 });
    } else if value.is_null() {
        out.push(0xf6);
    } else if value.is_undefined() {
        out.push(0xf7);
    } else if let Some(object) = value.as_object() {
        if let Some(bytes) = buffer::bytes_of(value, None, context)? {
            write_bytes(&bytes, out);
        } else if let Ok(array) = JsArray::from_object(object.clone()) {
            let length = array.length(context)?;
            write_head(4, length, out);
            for i in 0..length {
                let element = array.get(i, context)?;
                write_js(&element, depth + 1, out, context)?;
            }
        } else if object.is_callable() {
            return refused("a token cannot carry functions");
        } else {
            write_map(&object, depth, out, context)?;
        }
    } else {
        return refused("a token cannot carry symbols or big integers");
    }
    Ok(())
}

fn write_map(object: &JsObject, depth: usize, out: &mut Vec<u8>, context: &mut Context) -> JsResult<()> {
    let mut keys = object.own_property_keys(context)?;
    keys.retain(|key| !matches!(key, PropertyKey::Symbol(_)));
    write_head(5, keys.len() as u64, out);
    for key in keys {
        match label(&key) {
            Some(n) => write_integer(n, out),
            None => write_text(&key.to_string(), out),
        }
        let value = object.get(key, context)?;
        write_js(&value, depth + 1, out, context)?;
    }
    Ok(())
}

/// The number of a key that is written as one: `1`, `-65537`.
fn label(key: &PropertyKey) -> Option<i64> {
    match key {
        PropertyKey::Index(i) => Some(i.get().into()),
        PropertyKey::String(text) => {
            let text = utf8(text);
            text.parse::<i64>().ok().filter(|n| JsString::from(n.to_string()) == JsString::from(&*text))
        }
        PropertyKey::Symbol(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Item, half, read, write_integer, write_text};

    /// RFC 8949 appendix A.
    #[test]
    fn items_are_read_as_the_rfc_shows_them() {
        for (bytes, item) in [
            (&[0x17][..], Item::Integer(23)),
            (&[0x18, 0x64], Item::Integer(100)),
            (&[0x39, 0x03, 0xe7], Item::Integer(-1000)),
            (&[0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Item::Integer(-18_446_744_073_709_551_616)),
            (&[0x44, 1, 2, 3, 4], Item::Bytes(&[1, 2, 3, 4])),
            (&[0x64, 0x49, 0x45, 0x54, 0x46], Item::Text("IETF")),
            (&[0x82, 0x01, 0xf5], Item::Array(vec![Item::Integer(1), Item::Bool(true)])),
            (&[0xa1, 0x01, 0xf6], Item::Map(vec![(Item::Integer(1), Item::Null)])),
            (&[0xc1, 0x00], Item::Tag(1, Box::new(Item::Integer(0)))),
            (&[0xfb, 0x3f, 0xf1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a], Item::Float(1.1)),
        ] {
            assert_eq!(read(bytes), Some(item), "{bytes:x?}");
        }
        assert_eq!([half(0x3c00), half(0x7bff), half(0x0001)], [1.0, 65504.0, 5.960_464_477_539_063e-8]);
    }

    #[test]
    fn what_is_cut_off_or_unsupported_is_no_item() {
        for bytes in [&[][..], &[0x18], &[0x44, 1], &[0x9f, 0xff], &[0x62, 0xc3, 0x28], &[0x00, 0x00], &[0x81; 20]] {
            assert_eq!(read(bytes), None, "{bytes:x?}");
        }
        let mut out = Vec::new();
        write_integer(-1000, &mut out);
        write_text("a", &mut out);
        assert_eq!(out, [0x39, 0x03, 0xe7, 0x61, 0x61]);
    }
}
