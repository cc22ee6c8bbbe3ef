//! `Buffer` and module `buffer` (`cloudfront-functions.md` section 10.5), in Rust.
//!
//! A Buffer is a `Uint8Array` with another prototype: index access, `length`, `buffer` and iteration are the engine's.
//!
//! - [`view`]: the bytes behind an object.
//! - [`construct`]: `Buffer.from` and the other static functions.
//! - [`methods`]: text, comparison, search, copies.
//! - [`numbers`]: `readInt16BE` and its relatives.

mod construct;
mod methods;
mod numbers;
mod view;

use boa_engine::{
    Context, JsNativeError, JsObject, JsResult, JsString, JsSymbol, JsValue, NativeFunction, js_string,
    object::{ConstructorBuilder, FunctionObjectBuilder, JsObject as Object, ObjectInitializer},
    property::Attribute,
};

pub(crate) use construct::{bytes_of, from_bytes};

use crate::{
    bytes::{decode_base64, decode_hex, encode_base64, encode_base64url, encode_hex},
    text::{from_latin1, from_utf8_lossy, low_bytes, utf8},
};

/// Where `Buffer.prototype` is kept.
struct Prototype(JsObject);

/// Encodings of text in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Hex,
    Base64,
    Base64Url,
}

impl Encoding {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "utf8" | "utf-8" => Some(Self::Utf8),
            "hex" => Some(Self::Hex),
            "base64" => Some(Self::Base64),
            "base64url" => Some(Self::Base64Url),
            _ => None,
        }
    }

    /// The encoding that an argument names; `undefined` means UTF-8.
    fn from_value(value: &JsValue, context: &mut Context) -> JsResult<Self> {
        if value.is_undefined() {
            return Ok(Self::Utf8);
        }
        let name = value.to_string(context)?;
        let name = utf8(&name);
        Self::from_name(&name)
            .ok_or_else(|| JsNativeError::typ().with_message(format!("\"{name}\" encoding is not supported")).into())
    }

    fn decode(self, text: &JsString) -> Vec<u8> {
        match self {
            Self::Utf8 => utf8(text).into_owned().into_bytes(),
            Self::Hex => decode_hex(&low_bytes(text)),
            Self::Base64 | Self::Base64Url => decode_base64(&low_bytes(text)),
        }
    }

    fn encode(self, bytes: &[u8]) -> JsString {
        match self {
            Self::Utf8 => from_utf8_lossy(bytes),
            Self::Hex => from_latin1(&encode_hex(bytes)),
            Self::Base64 => from_latin1(&encode_base64(bytes)),
            Self::Base64Url => from_latin1(&encode_base64url(bytes)),
        }
    }
}

/// Makes `Buffer` a global and returns the object of module `buffer`.
pub(crate) fn install(context: &mut Context) -> JsResult<JsObject> {
    let uint8_array = context.intrinsics().constructors().typed_uint8_array().clone();
    let species = FunctionObjectBuilder::new(context.realm(), NativeFunction::from_fn_ptr(species)).build();
    let hidden = Attribute::WRITABLE | Attribute::CONFIGURABLE;
    let mut builder = ConstructorBuilder::new(context, NativeFunction::from_fn_ptr(construct::not_a_constructor));
    builder
        .name("Buffer")
        .constructor(false)
        .inherit(uint8_array.prototype())
        .custom_prototype(uint8_array.constructor());
    for (name, length, function) in construct::STATIC {
        builder.static_method(NativeFunction::from_fn_ptr(*function), js_string!(*name), *length);
    }
    for (name, length, function) in methods::METHODS {
        builder.method(NativeFunction::from_fn_ptr(*function), js_string!(*name), *length);
    }
    numbers::define(&mut builder);
    // `map`, `filter` and the like give plain arrays of bytes.
    builder.static_accessor(JsSymbol::species(), Some(species), None, Attribute::CONFIGURABLE);
    let buffer = builder.build();
    context.insert_data(Prototype(buffer.prototype()));
    let constructor: Object = buffer.constructor();
    context.register_global_property(js_string!("Buffer"), constructor.clone(), hidden)?;
    Ok(ObjectInitializer::new(context).property(js_string!("Buffer"), constructor, Attribute::all()).build())
}

fn species(_: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    Ok(context.intrinsics().constructors().typed_uint8_array().constructor().into())
}
