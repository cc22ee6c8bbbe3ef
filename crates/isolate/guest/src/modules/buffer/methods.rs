//! Methods of Buffers: text, comparison, search, copies.

use boa_engine::{
    Context, JsArgs, JsNativeError, JsResult, JsValue, js_string,
    native_function::NativeFunctionPointer,
    object::{ObjectInitializer, builtins::JsArray},
    property::Attribute,
};

use super::{
    Encoding,
    construct::{bytes_of, from_bytes, over},
    view::{View, absolute, relative},
};

/// Names, lengths and functions.
pub(super) const METHODS: &[(&str, usize, NativeFunctionPointer)] = &[
    ("compare", 1, compare),
    ("copy", 1, copy),
    ("equals", 1, equals),
    ("fill", 1, fill),
    ("includes", 1, includes),
    ("indexOf", 1, index_of),
    ("lastIndexOf", 1, last_index_of),
    ("slice", 2, slice),
    ("subarray", 2, subarray),
    ("swap16", 0, |this, _, context| swap(this, 2, context)),
    ("swap32", 0, |this, _, context| swap(this, 4, context)),
    ("swap64", 0, |this, _, context| swap(this, 8, context)),
    ("toJSON", 0, to_json),
    ("toString", 0, to_string),
    ("write", 1, write),
];

fn to_string(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let view = View::of_this(this, context)?;
    let encoding = Encoding::from_value(args.get_or_undefined(0), context)?;
    let start = relative(args.get_or_undefined(1), view.len, 0, context)?;
    let end = relative(args.get_or_undefined(2), view.len, view.len, context)?;
    Ok(view.read(|bytes| encoding.encode(bytes.get(start..end).unwrap_or_default())).into())
}

fn to_json(this: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let view = View::of_this(this, context)?;
    let numbers: Vec<JsValue> = view.read(|bytes| bytes.iter().map(|&b| JsValue::from(b)).collect());
    let data = JsArray::from_iter(numbers, context);
    let shown = ObjectInitializer::new(context)
        .property(js_string!("type"), js_string!("Buffer"), Attribute::all())
        .property(js_string!("data"), data, Attribute::all())
        .build();
    Ok(shown.into())
}

fn equals(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let view = View::of_this(this, context)?;
    let other = View::of_argument(args.get_or_undefined(0), context, "target")?;
    Ok(view.read(|a| other.read(|b| a == b)).into())
}

fn compare(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let source = View::of_this(this, context)?;
    let target = View::of_argument(args.get_or_undefined(0), context, "target")?;
    let target_start = absolute(args.get_or_undefined(1), target.len, 0, "targetStart", context)?;
    let target_end = absolute(args.get_or_undefined(2), target.len, target.len, "targetEnd", context)?;
    let source_start = absolute(args.get_or_undefined(3), source.len, 0, "sourceStart", context)?;
    let source_end = absolute(args.get_or_undefined(4), source.len, source.len, "sourceEnd", context)?;
    let order = source.read(|s| {
        let s = s.get(source_start..source_end).unwrap_or_default();
        target.read(|t| s.cmp(t.get(target_start..target_end).unwrap_or_default()))
    });
    Ok(JsValue::from(order as i32))
}

fn copy(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let source = View::of_this(this, context)?;
    let target = View::of_argument(args.get_or_undefined(0), context, "target")?;
    let at = absolute(args.get_or_undefined(1), usize::MAX >> 1, 0, "targetStart", context)?;
    let start = absolute(args.get_or_undefined(2), source.len, 0, "sourceStart", context)?;
    let end = absolute(args.get_or_undefined(3), usize::MAX >> 1, source.len, "sourceEnd", context)?.min(source.len);
    // Source and target may be the same memory.
    let bytes = source.read(|bytes| bytes.get(start..end).unwrap_or_default().to_vec());
    let copied = target.write(|target| {
        let room = target.get_mut(at..).unwrap_or_default();
        let n = room.len().min(bytes.len());
        room[..n].copy_from_slice(&bytes[..n]);
        n
    });
    Ok(JsValue::from(copied as f64))
}

pub(super) fn fill(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let view = View::of_this(this, context)?;
    let value = args.get_or_undefined(0);
    // `fill(text, encoding)` and `fill(text, offset, end, encoding)`.
    let encoding_at = if args.get_or_undefined(1).is_string() { 1 } else { 3 };
    let (from, to) = if encoding_at == 1 {
        (0, view.len)
    } else {
        let from = absolute(args.get_or_undefined(1), view.len, 0, "offset", context)?;
        (from, absolute(args.get_or_undefined(2), view.len, view.len, "end", context)?)
    };
    let pattern = match bytes_of(value, args.get(encoding_at).filter(|e| !e.is_undefined()), context)? {
        Some(bytes) => bytes,
        None => vec![value.to_uint8(context)?],
    };
    view.write(|bytes| {
        let room = bytes.get_mut(from..to.max(from)).unwrap_or_default();
        if pattern.is_empty() {
            room.fill(0);
        } else {
            room.iter_mut().zip(pattern.iter().cycle()).for_each(|(b, p)| *b = *p);
        }
    });
    Ok(this.clone())
}

fn index_of(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let found = find(this, args, false, context)?;
    Ok(found.map_or_else(|| JsValue::from(-1), |i| JsValue::from(i as f64)))
}

fn last_index_of(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let found = find(this, args, true, context)?;
    Ok(found.map_or_else(|| JsValue::from(-1), |i| JsValue::from(i as f64)))
}

fn includes(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    Ok(find(this, args, false, context)?.is_some().into())
}

fn find(this: &JsValue, args: &[JsValue], last: bool, context: &mut Context) -> JsResult<Option<usize>> {
    let view = View::of_this(this, context)?;
    let value = args.get_or_undefined(0);
    let by_encoding = args.get_or_undefined(1).is_string();
    let encoding = args.get(if by_encoding { 1 } else { 2 }).filter(|e| !e.is_undefined());
    let needle = match bytes_of(value, encoding, context)? {
        Some(bytes) => bytes,
        None if value.is_number() => vec![value.to_uint8(context)?],
        None => return Err(JsNativeError::typ().with_message("\"value\" is not a string, number or Buffer").into()),
    };
    let offset = if by_encoding { JsValue::undefined() } else { args.get_or_undefined(1).clone() };
    let default = if last { view.len } else { 0 };
    let offset = relative(&offset, view.len, default, context)?;
    Ok(view.read(|bytes| {
        if needle.len() > bytes.len() {
            return None;
        }
        let matches = |i: &usize| bytes[*i..].starts_with(&needle);
        let end = bytes.len() - needle.len();
        if last { (0..=offset.min(end)).rev().find(matches) } else { (offset..=end).find(matches) }
    }))
}

/// Shares the memory.
fn subarray(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let view = View::of_this(this, context)?;
    let start = relative(args.get_or_undefined(0), view.len, 0, context)?;
    let end = relative(args.get_or_undefined(1), view.len, view.len, context)?;
    let range = [JsValue::from((view.offset + start) as f64), JsValue::from(end.saturating_sub(start) as f64)];
    Ok(over(view.buffer, &range, context)?.into())
}

/// Copies, as typed arrays do.
fn slice(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let view = View::of_this(this, context)?;
    let start = relative(args.get_or_undefined(0), view.len, 0, context)?;
    let end = relative(args.get_or_undefined(1), view.len, view.len, context)?;
    let bytes = view.read(|bytes| bytes.get(start..end).unwrap_or_default().to_vec());
    Ok(from_bytes(&bytes, context)?.into())
}

fn swap(this: &JsValue, width: usize, context: &mut Context) -> JsResult<JsValue> {
    let view = View::of_this(this, context)?;
    if !view.len.is_multiple_of(width) {
        let message = format!("Buffer size must be a multiple of {}-bits", width * 8);
        return Err(JsNativeError::range().with_message(message).into());
    }
    view.write(|bytes| bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse));
    Ok(this.clone())
}

/// `write(text[, offset[, length]][, encoding])`.
fn write(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let view = View::of_this(this, context)?;
    let Some(text) = args.get_or_undefined(0).as_string() else {
        return Err(JsNativeError::typ().with_message("first argument must be a string").into());
    };
    let undefined = JsValue::undefined();
    let encoding_at = (1..4).find(|&i| args.get_or_undefined(i).is_string());
    let encoding = Encoding::from_value(encoding_at.map_or(&undefined, |i| &args[i]), context)?;
    let number = |i: usize| if encoding_at.is_some_and(|e| e <= i) { &undefined } else { args.get_or_undefined(i) };
    let offset = absolute(number(1), view.len, 0, "offset", context)?;
    let room = view.len - offset;
    let length = absolute(number(2), usize::MAX >> 1, room, "length", context)?.min(room);
    let bytes = encoding.decode(&text);
    let mut n = bytes.len().min(length);
    if encoding == Encoding::Utf8 {
        // Never half a character.
        while n < bytes.len() && n > 0 && bytes[n] & 0xc0 == 0x80 {
            n -= 1;
        }
    }
    view.write(|room| {
        if let Some(room) = room.get_mut(offset..offset + n) {
            room.copy_from_slice(&bytes[..n]);
        }
    });
    Ok(JsValue::from(n as f64))
}
