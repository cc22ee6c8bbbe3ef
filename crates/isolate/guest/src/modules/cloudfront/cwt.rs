//! CBOR web tokens (`cloudfront-functions.md` section 11.7): COSE_Mac0 with HMAC 256/256 (RFC 8152 section 6.2), in or out of tag 61.

use boa_engine::{
    Context, JsArgs, JsError, JsNativeError, JsObject, JsResult, JsValue, NativeFunction, js_string,
    object::ObjectInitializer, property::Attribute,
};
use rimward_wire::abi::Hash;

use super::cbor::{self, Item};
use crate::{host, modules::buffer, text::utf8};

/// The largest token in bytes.
const LIMIT: usize = 1024;
/// Tag of COSE_Mac0.
const MAC0: u64 = 17;
/// Tag of a CBOR web token (RFC 8392 section 6).
const CWT: u64 = 61;
/// Label of the algorithm, and HMAC 256/256 (RFC 8152 sections 3.1 and 9.1).
const ALGORITHM: i128 = 1;
const HS256: i128 = 5;

/// `cf.cwt`.
pub(super) fn object(context: &mut Context) -> JsObject {
    ObjectInitializer::new(context)
        .function(NativeFunction::from_fn_ptr(validate), js_string!("validateToken"), 2)
        .function(NativeFunction::from_fn_ptr(generate), js_string!("generateToken"), 2)
        .build()
}

fn invalid(what: &str) -> JsError {
    JsNativeError::error().with_message(format!("invalid token: {what}")).into()
}

/// Checks the tag; claims are the function's to check.
fn validate(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let token = buffer::bytes_of(args.get_or_undefined(0), None, context)?
        .filter(|_| args.get_or_undefined(0).is_object())
        .ok_or_else(|| JsNativeError::typ().with_message("the token must be a Buffer"))?;
    let key = key(args.get_or_undefined(1), context)?;
    if token.len() > LIMIT {
        return Err(invalid("it has more than 1024 bytes"));
    }
    let item = cbor::read(&token).ok_or_else(|| invalid("it is not CBOR"))?;
    let item = match item {
        Item::Tag(CWT, inner) => *inner,
        other => other,
    };
    let Item::Tag(MAC0, item) = item else { return Err(invalid("it has no COSE tag 17 (MAC0)")) };
    let Item::Array(parts) = *item else { return Err(invalid("it is no COSE structure")) };
    let [Item::Bytes(protected), unprotected @ Item::Map(_), Item::Bytes(payload), Item::Bytes(tag)] = &parts[..]
    else {
        return Err(invalid("it is no COSE structure"));
    };
    let headers = if protected.is_empty() { Some(Item::Map(Vec::new())) } else { cbor::read(protected) };
    let Some(Item::Map(headers)) = headers else { return Err(invalid("its protected headers are no map")) };
    let algorithm = headers.iter().find(|(label, _)| *label == Item::Integer(ALGORITHM)).map(|(_, value)| value);
    if !matches!(algorithm, Some(Item::Integer(HS256) | Item::Text("5"))) {
        return Err(invalid("its algorithm is not HS256"));
    }
    let expected = mac(&key, protected, payload);
    let differs = expected.iter().zip(*tag).fold(0, |sum, (a, b)| sum | (a ^ b));
    if tag.len() != expected.len() || differs != 0 {
        return Err(invalid("the tag does not match"));
    }
    let payload = cbor::read(payload).ok_or_else(|| invalid("its payload is not CBOR"))?;
    let headers = cbor::to_js(&Item::Map(headers), context)?;
    let unprotected = cbor::to_js(unprotected, context)?;
    let payload = cbor::to_js(&payload, context)?;
    Ok(ObjectInitializer::new(context)
        .property(js_string!("protectedHeaders"), headers, Attribute::all())
        .property(js_string!("unprotectedHeaders"), unprotected, Attribute::all())
        .property(js_string!("payload"), payload, Attribute::all())
        .build()
        .into())
}

/// Takes its arguments in either order: the vendor's reference and its examples differ.
fn generate(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (first, second) = (object_at(args, 0)?, object_at(args, 1)?);
    let is_context = |object: &JsObject, context: &mut Context| object.has_property(js_string!("coseTag"), context);
    let (about, content) = if is_context(&first, context)? { (first, second) } else { (second, first) };
    let tag = about.get(js_string!("coseTag"), context)?.to_string(context)?;
    if utf8(&tag) != "MAC0" {
        return Err(JsNativeError::typ().with_message("coseTag must be \"MAC0\"").into());
    }
    let key = key(&about.clone().into(), context)?;
    let mut member = |names: [&str; 2]| -> JsResult<JsValue> {
        for name in names {
            let value = content.get(js_string!(name), context)?;
            if !value.is_undefined() {
                return Ok(value);
            }
        }
        Ok(JsValue::undefined())
    };
    let protected = member(["protected", "protectedHeaders"])?;
    let unprotected = member(["unprotected", "unprotectedHeaders"])?;
    let payload = member(["payload", "payload"])?;

    let protected = protected_headers(&protected, context)?;
    let mut claims = Vec::new();
    cbor::write_js(&payload, 0, &mut claims, context)?;
    let mut token = Vec::new();
    if about.get(js_string!("cwtTag"), context)?.to_boolean() {
        cbor::write_head(6, CWT, &mut token);
    }
    cbor::write_head(6, MAC0, &mut token);
    cbor::write_head(4, 4, &mut token);
    cbor::write_bytes(&protected, &mut token);
    if unprotected.is_undefined() {
        cbor::write_head(5, 0, &mut token);
    } else if unprotected.is_object() {
        cbor::write_js(&unprotected, 0, &mut token, context)?;
    } else {
        return Err(JsNativeError::typ().with_message("the unprotected headers must be an object").into());
    }
    cbor::write_bytes(&claims, &mut token);
    cbor::write_bytes(&mac(&key, &protected, &claims), &mut token);
    if token.len() > LIMIT {
        return Err(JsNativeError::range().with_message("the token has more than 1024 bytes").into());
    }
    Ok(buffer::from_bytes(&token, context)?.into())
}

/// The map of protected headers. The algorithm may be left out or be the text `"5"`, as in the vendor's examples.
fn protected_headers(given: &JsValue, context: &mut Context) -> JsResult<Vec<u8>> {
    let mut out = Vec::new();
    let Some(object) = given.as_object() else {
        cbor::write_head(5, 1, &mut out);
        cbor::write_integer(1, &mut out);
        cbor::write_integer(5, &mut out);
        return Ok(out);
    };
    let algorithm = object.get(1, context)?;
    if !algorithm.is_undefined() && algorithm.to_number(context)? != HS256 as f64 {
        return Err(JsNativeError::typ().with_message("the algorithm must be 5 (HS256)").into());
    }
    // A copy, so that the caller's object stays as it is.
    let copy = JsObject::with_object_proto(context.intrinsics());
    for key in object.own_property_keys(context)? {
        let value = object.get(key.clone(), context)?;
        copy.set(key, value, true, context)?;
    }
    copy.set(1, 5, true, context)?;
    cbor::write_js(&copy.into(), 0, &mut out, context)?;
    Ok(out)
}

/// HMAC over the structure that RFC 8152 section 6.3 names.
fn mac(key: &[u8], protected: &[u8], payload: &[u8]) -> [u8; 32] {
    let mut data = Vec::with_capacity(protected.len() + payload.len() + 16);
    cbor::write_head(4, 4, &mut data);
    cbor::write_text("MAC0", &mut data);
    cbor::write_bytes(protected, &mut data);
    cbor::write_bytes(&[], &mut data);
    cbor::write_bytes(payload, &mut data);
    host::hmac(Hash::Sha256, key, &data)
}

fn key(options: &JsValue, context: &mut Context) -> JsResult<Vec<u8>> {
    let options = options.as_object().ok_or_else(|| JsNativeError::typ().with_message("options must be an object"))?;
    let key = options.get(js_string!("key"), context)?;
    let bytes = buffer::bytes_of(&key, None, context)?;
    bytes.ok_or_else(|| JsNativeError::typ().with_message("key must be a string or a Buffer").into())
}

fn object_at(args: &[JsValue], index: usize) -> JsResult<JsObject> {
    let object = args.get_or_undefined(index).as_object();
    object.ok_or_else(|| JsNativeError::typ().with_message("generateToken takes two objects").into())
}
