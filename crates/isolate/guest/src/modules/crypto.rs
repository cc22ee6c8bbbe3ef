//! Module `crypto` (`cloudfront-functions.md` section 10.5). The digests are the host's: its processor has instructions for them.

use boa_engine::{
    Context, Finalize, JsArgs, JsData, JsNativeError, JsObject, JsResult, JsValue, NativeFunction, Trace, js_string,
    object::ObjectInitializer,
};
use rimward_wire::abi::Hash;

use super::{buffer, runtime};
use crate::{
    byte_strings::byte_string,
    bytes::{encode_base64, encode_base64url, encode_hex},
    engine::Runtime,
    host,
    text::{from_latin1, utf8},
};

/// A digest under way. The host wants all data at once, and memory is small: so data is collected.
#[derive(Debug, Trace, Finalize, JsData)]
#[boa_gc(unsafe_empty_trace)]
struct Digest {
    algorithm: Hash,
    key: Option<Vec<u8>>,
    data: Vec<u8>,
    done: bool,
}

/// Where the prototype of digests is kept.
struct Prototype(JsObject);

/// Makes the module's object.
pub(crate) fn module(context: &mut Context) -> JsResult<JsObject> {
    let prototype = ObjectInitializer::new(context)
        .function(NativeFunction::from_fn_ptr(update), js_string!("update"), 1)
        .function(NativeFunction::from_fn_ptr(digest), js_string!("digest"), 1)
        .build();
    context.insert_data(Prototype(prototype));
    Ok(ObjectInitializer::new(context)
        .function(NativeFunction::from_fn_ptr(create_hash), js_string!("createHash"), 1)
        .function(NativeFunction::from_fn_ptr(create_hmac), js_string!("createHmac"), 2)
        .build())
}

fn create_hash(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let algorithm = algorithm(args)?;
    start(algorithm, None, context)
}

fn create_hmac(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let algorithm = algorithm(args)?;
    let key = buffer::bytes_of(args.get_or_undefined(1), None, context)?
        .ok_or_else(|| JsNativeError::typ().with_message("key is not a string or Buffer-like object"))?;
    start(algorithm, Some(key), context)
}

/// Names are case-sensitive.
fn algorithm(args: &[JsValue]) -> JsResult<Hash> {
    let Some(name) = args.get_or_undefined(0).as_string() else {
        return Err(JsNativeError::typ().with_message("algorithm must be a string").into());
    };
    match &*utf8(&name) {
        "md5" => Ok(Hash::Md5),
        "sha1" => Ok(Hash::Sha1),
        "sha256" => Ok(Hash::Sha256),
        other => Err(JsNativeError::typ().with_message(format!("not supported algorithm: \"{other}\"")).into()),
    }
}

fn start(algorithm: Hash, key: Option<Vec<u8>>, context: &mut Context) -> JsResult<JsValue> {
    let prototype = context.get_data::<Prototype>().map(|p| p.0.clone());
    let digest = Digest { algorithm, key, data: Vec::new(), done: false };
    Ok(JsObject::new(context.root_shape(), prototype, digest).upcast().into())
}

fn update(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let encoding = args.get(1).filter(|e| !e.is_undefined());
    let data = buffer::bytes_of(args.get_or_undefined(0), encoding, context)?
        .ok_or_else(|| JsNativeError::typ().with_message("data is not a string or Buffer-like object"))?;
    with_digest(this, |digest| {
        if digest.data.is_empty() {
            digest.data = data;
        } else {
            digest.data.extend_from_slice(&data);
        }
    })?;
    Ok(this.clone())
}

fn digest(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (algorithm, digest) = with_digest(this, |digest| {
        digest.done = true;
        let out = match &digest.key {
            None => host::hash(digest.algorithm, &digest.data),
            Some(key) => host::hmac(digest.algorithm, key, &digest.data),
        };
        (digest.algorithm, out)
    })?;
    let digest = &digest[..algorithm.size()];
    let encoding = args.get_or_undefined(0);
    if encoding.is_undefined() {
        return match runtime() {
            Runtime::V1 => Ok(byte_string(digest).into()),
            Runtime::V2 => Ok(buffer::from_bytes(digest, context)?.into()),
        };
    }
    let encoding = encoding.to_string(context)?;
    let text = match &*utf8(&encoding) {
        "hex" => encode_hex(digest),
        "base64" => encode_base64(digest),
        "base64url" => encode_base64url(digest),
        other => {
            return Err(JsNativeError::typ().with_message(format!("Unknown digest encoding: \"{other}\"")).into());
        }
    };
    Ok(from_latin1(&text).into())
}

fn with_digest<T>(this: &JsValue, f: impl FnOnce(&mut Digest) -> T) -> JsResult<T> {
    let object = this.as_object();
    let Some(mut digest) = object.as_ref().and_then(|o| o.downcast_mut::<Digest>()) else {
        return Err(JsNativeError::typ().with_message("\"this\" is not a hash object").into());
    };
    if digest.done {
        return Err(JsNativeError::error().with_message("Digest already called").into());
    }
    Ok(f(&mut digest))
}
