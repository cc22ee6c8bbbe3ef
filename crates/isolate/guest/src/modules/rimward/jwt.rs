//! JSON web tokens (RFC 7519) signed with the keys of the function's key set (RFC 7517). The host checks the signature; the claims are
//! checked here.
//!
//! `verifyJwt(token, { issuer, audience, algorithms, leeway })` gives `{ header, claims }` or throws an `Error` that says what is wrong.

use boa_engine::{
    Context, JsArgs, JsError, JsNativeError, JsObject, JsResult, JsString, JsValue, js_string,
    object::{ObjectInitializer, builtins::JsArray},
    property::Attribute,
};
use rimward_wire::abi::{Signature, Verified};

use crate::{
    bytes::decode_base64,
    host,
    json::parse_text,
    text::{from_utf8_lossy, utf8},
};

/// Tokens above this size are refused before anything is decoded.
const LIMIT: usize = 16 << 10;
/// Seconds by which the clocks of issuer and node may differ, unless the call says otherwise.
const LEEWAY: f64 = 0.0;

fn invalid(what: impl Into<String>) -> JsError {
    JsNativeError::error().with_message(format!("invalid token: {}", what.into())).into()
}

pub(super) fn verify(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let token = args.get_or_undefined(0).as_string();
    let token = token.ok_or_else(|| JsNativeError::typ().with_message("the token must be a string"))?;
    let token = utf8(&token);
    let options = Options::read(args.get_or_undefined(1), context)?;
    if token.len() > LIMIT {
        return Err(invalid("it has more than 16 KB"));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts[..] else { return Err(invalid("it has no three parts")) };
    let header = object(head, "header", context)?;
    if !header.get(js_string!("crit"), context)?.is_undefined() {
        return Err(invalid("its header has critical extensions"));
    }
    let algorithm = text(&header, "alg", context)?.unwrap_or_default();
    let kind = Signature::from_name(&algorithm).filter(|_| options.allows(&algorithm));
    let kind = kind.ok_or_else(|| invalid(format!("its algorithm \"{algorithm}\" is not allowed")))?;
    let key = text(&header, "kid", context)?;
    let signed = &token[..head.len() + 1 + body.len()];
    let signature = decode(signature).ok_or_else(|| invalid("its signature is not base64url"))?;
    match host::verify(kind, key.as_deref().unwrap_or_default(), signed.as_bytes(), &signature) {
        Verified::Yes => {}
        Verified::No => return Err(invalid("its signature does not match")),
        Verified::NoKey => {
            let key = key.map_or_else(|| "of its algorithm".to_owned(), |key| format!("named \"{key}\""));
            return Err(invalid(format!("there is no key {key}")));
        }
        Verified::NoKeySet => {
            return Err(JsNativeError::error()
                .with_message("the function has no key set (`jwks`), or it is not loaded yet")
                .into());
        }
    }
    let claims = object(body, "payload", context)?;
    options.check(&claims, context)?;
    Ok(ObjectInitializer::new(context)
        .property(js_string!("header"), header, Attribute::all())
        .property(js_string!("claims"), claims, Attribute::all())
        .build()
        .into())
}

/// What the caller asks of a token.
struct Options {
    issuer: Option<Vec<String>>,
    audience: Option<Vec<String>>,
    algorithms: Option<Vec<String>>,
    leeway: f64,
}

impl Options {
    fn read(value: &JsValue, context: &mut Context) -> JsResult<Self> {
        let Some(options) = value.as_object() else {
            return Ok(Self { issuer: None, audience: None, algorithms: None, leeway: LEEWAY });
        };
        let mut member = |name: &str| -> JsResult<Option<Vec<String>>> {
            let value = options.get(js_string!(name), context)?;
            if value.is_undefined() {
                return Ok(None);
            }
            texts(&value, context)?.map(Some).ok_or_else(|| {
                JsNativeError::typ().with_message(format!("{name} must be a string or an array of strings")).into()
            })
        };
        let (issuer, audience, algorithms) = (member("issuer")?, member("audience")?, member("algorithms")?);
        let leeway = options.get(js_string!("leeway"), context)?;
        let leeway = if leeway.is_undefined() { LEEWAY } else { leeway.to_number(context)? };
        if !(0.0..=3600.0).contains(&leeway) {
            return Err(JsNativeError::range().with_message("leeway must be from 0 to 3600 seconds").into());
        }
        Ok(Self { issuer, audience, algorithms, leeway })
    }

    fn allows(&self, algorithm: &str) -> bool {
        self.algorithms.as_ref().is_none_or(|names| names.iter().any(|name| name == algorithm))
    }

    /// RFC 7519 section 4.1.
    fn check(&self, claims: &JsObject, context: &mut Context) -> JsResult<()> {
        let now = host::now_ms() / 1000.0;
        let mut date = |name: &str| -> JsResult<Option<f64>> {
            let value = claims.get(js_string!(name), context)?;
            match value.as_number() {
                Some(n) => Ok(Some(n)),
                None if value.is_undefined() => Ok(None),
                None => Err(invalid(format!("its claim \"{name}\" is not a number"))),
            }
        };
        if date("exp")?.is_some_and(|at| now >= at + self.leeway) {
            return Err(invalid("it has expired"));
        }
        if date("nbf")?.is_some_and(|at| now < at - self.leeway) {
            return Err(invalid("it is not valid yet"));
        }
        for (name, wanted) in [("iss", &self.issuer), ("aud", &self.audience)] {
            let Some(wanted) = wanted else { continue };
            let value = claims.get(js_string!(name), context)?;
            let has = texts(&value, context)?.unwrap_or_default();
            // The issuer is one; an audience may be several.
            if !has.iter().any(|one| wanted.contains(one)) || (name == "iss" && has.len() != 1) {
                return Err(invalid(format!("its claim \"{name}\" is not the wanted one")));
            }
        }
        Ok(())
    }
}

/// A string, or an array of strings.
fn texts(value: &JsValue, context: &mut Context) -> JsResult<Option<Vec<String>>> {
    if let Some(text) = value.as_string() {
        return Ok(Some(vec![utf8(&text).into_owned()]));
    }
    let Some(array) = value.as_object().and_then(|object| JsArray::from_object(object).ok()) else { return Ok(None) };
    let mut all = Vec::new();
    for i in 0..array.length(context)? {
        let Some(text) = array.get(i, context)?.as_string() else { return Ok(None) };
        all.push(utf8(&text).into_owned());
    }
    Ok(Some(all))
}

fn text(object: &JsObject, name: &str, context: &mut Context) -> JsResult<Option<String>> {
    let value = object.get(js_string!(name), context)?;
    match value.as_string() {
        Some(text) => Ok(Some(utf8(&text).into_owned())),
        None if value.is_undefined() => Ok(None),
        None => Err(invalid(format!("\"{name}\" in its header is not a string"))),
    }
}

/// A part of the token, which is a JSON object.
fn object(part: &str, what: &str, context: &mut Context) -> JsResult<JsObject> {
    let bytes = decode(part).ok_or_else(|| invalid(format!("its {what} is not base64url")))?;
    let json: JsString = from_utf8_lossy(&bytes);
    let value = parse_text(&json, context).map_err(|_| invalid(format!("its {what} is not JSON")))?;
    value.as_object().filter(|object| !object.is_array()).ok_or_else(|| invalid(format!("its {what} is no object")))
}

/// Base64url without padding, strictly: two texts for one signature would make a token's text no key for anything.
fn decode(text: &str) -> Option<Vec<u8>> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    (plain && text.len() % 4 != 1).then(|| decode_base64(text.as_bytes()))
}
