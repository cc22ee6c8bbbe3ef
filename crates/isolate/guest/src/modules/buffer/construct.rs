//! `Buffer.from` and the other static functions.

use boa_engine::{
    Context, JsArgs, JsNativeError, JsObject, JsResult, JsValue, js_string,
    native_function::NativeFunctionPointer,
    object::builtins::{AlignedVec, JsArray, JsArrayBuffer, JsTypedArray, JsUint8Array},
};

use super::{Encoding, Prototype, methods, view::View};
use crate::{byte_strings::bytes_in, engine::Runtime, modules::runtime, text::utf8};

/// Names, lengths and functions.
pub(super) const STATIC: &[(&str, usize, NativeFunctionPointer)] = &[
    ("alloc", 1, alloc),
    ("allocUnsafe", 1, alloc),
    ("byteLength", 1, byte_length),
    ("compare", 2, compare),
    ("concat", 1, concat),
    ("from", 3, from),
    ("isBuffer", 1, is_buffer),
    ("isEncoding", 1, is_encoding),
];

pub(super) fn not_a_constructor(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    Err(JsNativeError::typ().with_message("Buffer is not a constructor, use Buffer.from or Buffer.alloc").into())
}

/// A new Buffer with these bytes.
pub(crate) fn from_bytes(bytes: &[u8], context: &mut Context) -> JsResult<JsObject> {
    let block = AlignedVec::from_slice(0, bytes);
    let buffer = JsArrayBuffer::from_byte_block(block, context)?;
    over(buffer, &[], context)
}

/// A new Buffer over a part of an array buffer; `range` is offset and length, as `new Uint8Array` takes them.
pub(super) fn over(buffer: JsArrayBuffer, range: &[JsValue], context: &mut Context) -> JsResult<JsObject> {
    let object: JsObject = if range.is_empty() {
        JsUint8Array::from_array_buffer(buffer, context)?.into()
    } else {
        let constructor = context.intrinsics().constructors().typed_uint8_array().constructor();
        let mut args = vec![buffer.into()];
        args.extend_from_slice(range);
        constructor.construct(&args, None, context)?
    };
    let prototype = context.get_data::<Prototype>().map(|p| p.0.clone());
    object.set_prototype(prototype);
    Ok(object)
}

/// The bytes of a string (in `encoding`; byte strings of runtime 1.0 are bytes already), typed array, data view or array buffer; `None` for anything else.
pub(crate) fn bytes_of(
    value: &JsValue,
    encoding: Option<&JsValue>,
    context: &mut Context,
) -> JsResult<Option<Vec<u8>>> {
    if let Some(text) = value.as_string() {
        if runtime() == Runtime::V1
            && let Some(bytes) = bytes_in(&text)
        {
            return Ok(Some(bytes));
        }
        let encoding = Encoding::from_value(encoding.unwrap_or(&JsValue::undefined()), context)?;
        return Ok(Some(encoding.decode(&text)));
    }
    let Some(object) = value.as_object() else { return Ok(None) };
    Ok(View::of(&object, context)?.map(|view| view.read(<[u8]>::to_vec)))
}

fn alloc(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let size = args.get_or_undefined(0);
    let max = context.host_hooks().max_buffer_size(context) as f64;
    let size = match size.as_number() {
        Some(n) if (0.0..=max).contains(&n) => n as usize,
        Some(_) => return Err(JsNativeError::range().with_message("invalid size").into()),
        None => return Err(JsNativeError::typ().with_message("\"size\" argument must be of type number").into()),
    };
    let buffer: JsValue = over(JsArrayBuffer::new(size, context)?, &[], context)?.into();
    let fill = args.get_or_undefined(1);
    if !fill.is_undefined() {
        let encoding = args.get_or_undefined(2).clone();
        methods::fill(&buffer, &[fill.clone(), JsValue::undefined(), JsValue::undefined(), encoding], context)?;
    }
    Ok(buffer)
}

fn byte_length(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let value = args.get_or_undefined(0);
    match bytes_of(value, args.get(1).filter(|e| !e.is_undefined()), context)? {
        Some(bytes) => Ok(JsValue::from(bytes.len() as f64)),
        None => Err(not_buffer_like()),
    }
}

fn compare(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let a = View::of_argument(args.get_or_undefined(0), context, "buf1")?;
    let b = View::of_argument(args.get_or_undefined(1), context, "buf2")?;
    let order = a.read(|a| b.read(|b| a.cmp(b)));
    Ok(JsValue::from(order as i32))
}

fn concat(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let list = args.get_or_undefined(0).as_object().and_then(|o| JsArray::from_object(o).ok());
    let Some(list) = list else {
        return Err(JsNativeError::typ().with_message("\"list\" argument must be an instance of Array").into());
    };
    let mut bytes = Vec::new();
    for i in 0..list.length(context)? {
        let part = list.get(i, context)?;
        View::of_argument(&part, context, "list element")?.read(|part| bytes.extend_from_slice(part));
    }
    let total = args.get_or_undefined(1);
    if !total.is_undefined() {
        let max = context.host_hooks().max_buffer_size(context) as f64;
        let total = total.to_number(context)?;
        if !(0.0..=max).contains(&total) {
            return Err(JsNativeError::range().with_message("invalid \"totalLength\"").into());
        }
        bytes.resize(total as usize, 0);
    }
    Ok(from_bytes(&bytes, context)?.into())
}

fn not_buffer_like() -> boa_engine::JsError {
    JsNativeError::typ().with_message("first argument is not a string or Buffer-like object").into()
}

fn from(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let value = args.get_or_undefined(0);
    if let Some(text) = value.as_string() {
        let encoding = Encoding::from_value(args.get_or_undefined(1), context)?;
        return Ok(from_bytes(&encoding.decode(&text), context)?.into());
    }
    let Some(object) = value.as_object() else { return Err(not_buffer_like()) };
    if let Ok(buffer) = JsArrayBuffer::from_object(object.clone()) {
        // Shared with the array buffer, not copied.
        let range = [args.get_or_undefined(1).clone(), args.get_or_undefined(2).clone()];
        return Ok(over(buffer, &range, context)?.into());
    }
    if JsUint8Array::from_object(object.clone()).is_ok()
        && let Some(view) = View::of(&object, context)?
    {
        let bytes = view.read(<[u8]>::to_vec);
        return Ok(from_bytes(&bytes, context)?.into());
    }
    from_object(&object, args, context)
}

/// Objects with a `valueOf` of their own, `{type: 'Buffer', data}`, arrays, other typed arrays.
fn from_object(object: &JsObject, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    if let Some(value_of) = object.get(js_string!("valueOf"), context)?.as_callable() {
        let value = value_of.call(&object.clone().into(), &[], context)?;
        let other = value.as_object().is_none_or(|o| !JsObject::equals(&o, object));
        if other && !value.is_null_or_undefined() {
            let mut again = vec![value];
            again.extend(args.iter().skip(1).cloned());
            return from(&JsValue::undefined(), &again, context);
        }
    }
    let kind = object.get(js_string!("type"), context)?;
    let source = if kind.as_string().is_some_and(|k| utf8(&k) == "Buffer") {
        object.get(js_string!("data"), context)?.as_object().ok_or_else(not_buffer_like)?
    } else {
        object.clone()
    };
    let Some(length) = source.get(js_string!("length"), context)?.as_number() else {
        return Err(not_buffer_like());
    };
    let max = context.host_hooks().max_buffer_size(context) as f64;
    if !(0.0..=max).contains(&length) {
        return Err(JsNativeError::range().with_message("invalid size").into());
    }
    let mut bytes = Vec::new();
    for i in 0..length as u32 {
        let element = source.get(i, context)?;
        bytes.push(element.to_uint8(context)?);
    }
    Ok(from_bytes(&bytes, context)?.into())
}

fn is_buffer(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let prototype = context.get_data::<Prototype>().map(|p| p.0.clone());
    let is = args.get_or_undefined(0).as_object().is_some_and(|object| {
        JsTypedArray::from_object(object.clone()).is_ok()
            && object.prototype().zip(prototype).is_some_and(|(a, b)| JsObject::equals(&a, &b))
    });
    Ok(is.into())
}

fn is_encoding(_: &JsValue, args: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    let name = args.get_or_undefined(0).as_string();
    Ok(name.is_some_and(|name| Encoding::from_name(&utf8(&name)).is_some()).into())
}
