//! `TextEncoder` and `TextDecoder`, for UTF-8 (`cloudfront-functions.md` section 10.3).

use boa_engine::{
    Context, Finalize, JsArgs, JsData, JsNativeError, JsObject, JsResult, JsString, JsValue, NativeFunction, Trace,
    js_string,
    object::{
        ConstructorBuilder, FunctionObjectBuilder, ObjectInitializer,
        builtins::{JsArrayBuffer, JsTypedArray, JsUint8Array},
    },
    property::Attribute,
};

use crate::{
    modules::buffer::bytes_of,
    text::{from_utf8_lossy, utf8},
};

#[derive(Debug, Trace, Finalize, JsData)]
#[boa_gc(unsafe_empty_trace)]
struct Decoder {
    fatal: bool,
    keep_bom: bool,
}

/// Puts both constructors into the global scope.
pub(crate) fn install(context: &mut Context) -> JsResult<()> {
    let hidden = Attribute::WRITABLE | Attribute::CONFIGURABLE;
    let mut builder = ConstructorBuilder::new(context, NativeFunction::from_fn_ptr(new_encoder));
    builder
        .name("TextEncoder")
        .method(NativeFunction::from_fn_ptr(encode), js_string!("encode"), 1)
        .method(NativeFunction::from_fn_ptr(encode_into), js_string!("encodeInto"), 2)
        .property(js_string!("encoding"), js_string!("utf-8"), Attribute::CONFIGURABLE);
    let encoder = builder.build();
    context.insert_data(EncoderPrototype(encoder.prototype()));
    context.register_global_property(js_string!("TextEncoder"), encoder.constructor(), hidden)?;

    let getter =
        |context: &mut Context, f| FunctionObjectBuilder::new(context.realm(), NativeFunction::from_fn_ptr(f)).build();
    let fatal = getter(context, |this, _, _| decoder(this, |d| d.fatal));
    let ignore_bom = getter(context, |this, _, _| decoder(this, |d| d.keep_bom));
    let mut builder = ConstructorBuilder::new(context, NativeFunction::from_fn_ptr(new_decoder));
    builder
        .name("TextDecoder")
        .method(NativeFunction::from_fn_ptr(decode), js_string!("decode"), 1)
        .property(js_string!("encoding"), js_string!("utf-8"), Attribute::CONFIGURABLE)
        .accessor(js_string!("fatal"), Some(fatal), None, Attribute::CONFIGURABLE)
        .accessor(js_string!("ignoreBOM"), Some(ignore_bom), None, Attribute::CONFIGURABLE);
    let decoder = builder.build();
    context.insert_data(DecoderPrototype(decoder.prototype()));
    context.register_global_property(js_string!("TextDecoder"), decoder.constructor(), hidden)
}

struct EncoderPrototype(JsObject);
struct DecoderPrototype(JsObject);

fn new_encoder(new_target: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    if new_target.is_undefined() {
        return Err(JsNativeError::typ().with_message("TextEncoder needs new").into());
    }
    let prototype = context.get_data::<EncoderPrototype>().map(|p| p.0.clone());
    Ok(JsObject::from_proto_and_data(prototype, boa_engine::builtins::object::OrdinaryObject).into())
}

fn new_decoder(new_target: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    if new_target.is_undefined() {
        return Err(JsNativeError::typ().with_message("TextDecoder needs new").into());
    }
    let label = args.get_or_undefined(0);
    if !label.is_undefined() {
        let label = label.to_string(context)?;
        let label = utf8(&label).to_ascii_lowercase();
        if !matches!(label.trim(), "utf8" | "utf-8") {
            let message = format!("The \"{label}\" encoding is not supported");
            return Err(JsNativeError::range().with_message(message).into());
        }
    }
    let mut data = Decoder { fatal: false, keep_bom: false };
    if let Some(options) = args.get_or_undefined(1).as_object() {
        data.fatal = options.get(js_string!("fatal"), context)?.to_boolean();
        data.keep_bom = options.get(js_string!("ignoreBOM"), context)?.to_boolean();
    }
    let prototype = context.get_data::<DecoderPrototype>().map(|p| p.0.clone());
    Ok(JsObject::from_proto_and_data(prototype, data).into())
}

fn decoder(this: &JsValue, f: impl FnOnce(&Decoder) -> bool) -> JsResult<JsValue> {
    let object = this.as_object();
    match object.as_ref().and_then(|o| o.downcast_ref::<Decoder>()) {
        Some(decoder) => Ok(f(&decoder).into()),
        None => Err(JsNativeError::typ().with_message("\"this\" is not a TextDecoder").into()),
    }
}

fn encode(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let value = args.get_or_undefined(0);
    let text = if value.is_undefined() { JsString::default() } else { value.to_string(context)? };
    Ok(JsUint8Array::from_iter(utf8(&text).bytes(), context)?.into())
}

fn encode_into(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = args.get_or_undefined(0).to_string(context)?;
    let target = args.get_or_undefined(1).as_object().and_then(|o| JsUint8Array::from_object(o).ok());
    let Some(target) = target else {
        return Err(JsNativeError::typ().with_message("second argument is not a Uint8Array").into());
    };
    let target = JsTypedArray::from_object(target.into())?;
    let (offset, length) = (target.byte_offset(context)?, target.byte_length(context)?);
    let buffer = target.buffer(context)?.as_object().and_then(|o| JsArrayBuffer::from_object(o).ok());
    let (mut read, mut written) = (0, 0);
    if let Some(buffer) = buffer
        && let Some(mut data) = buffer.data_mut()
        && let Some(room) = data.get_mut(offset..offset + length)
    {
        for c in utf8(&text).chars() {
            let Some(place) = room.get_mut(written..written + c.len_utf8()) else { break };
            c.encode_utf8(place);
            written += c.len_utf8();
            read += c.len_utf16();
        }
    }
    let done = ObjectInitializer::new(context)
        .property(js_string!("read"), read as f64, Attribute::all())
        .property(js_string!("written"), written as f64, Attribute::all())
        .build();
    Ok(done.into())
}

fn decode(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let fatal = decoder(this, |d| d.fatal)?.to_boolean();
    let keep_bom = decoder(this, |d| d.keep_bom)?.to_boolean();
    let value = args.get_or_undefined(0);
    if value.is_undefined() {
        return Ok(js_string!().into());
    }
    let bytes = if value.is_object() { bytes_of(value, None, context)? } else { None };
    let bytes = bytes.ok_or_else(|| JsNativeError::typ().with_message("argument is not a typed array or buffer"))?;
    let bytes = match bytes.strip_prefix("\u{feff}".as_bytes()) {
        Some(rest) if !keep_bom => rest,
        _ => &bytes,
    };
    if fatal && std::str::from_utf8(bytes).is_err() {
        return Err(JsNativeError::typ().with_message("The encoded data was not valid").into());
    }
    Ok(from_utf8_lossy(bytes).into())
}
