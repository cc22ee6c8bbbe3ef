//! Module `rimward`: what functions find here and not at CloudFront. Code that imports it says so in its first line.
//!
//! - `environment`: the function's variables, a frozen object.
//! - `secret(name)`: a secret of the function.
//! - `verifyJwt(token, options)`: [`jwt`].

mod jwt;

use boa_engine::{
    Context, JsArgs, JsNativeError, JsObject, JsResult, JsValue, NativeFunction, js_string,
    object::{FunctionObjectBuilder, IntegrityLevel, ObjectInitializer},
    property::Attribute,
};
use rimward_wire::abi::Find;

use crate::{
    host,
    json::parse_text,
    text::{from_utf8_lossy, utf8},
};

/// Makes the module's object.
pub(crate) fn module(context: &mut Context) -> JsResult<JsObject> {
    let environment = FunctionObjectBuilder::new(context.realm(), NativeFunction::from_fn_ptr(environment))
        .name(js_string!("environment"))
        .build();
    Ok(ObjectInitializer::new(context)
        .accessor(js_string!("environment"), Some(environment), None, Attribute::ENUMERABLE | Attribute::CONFIGURABLE)
        .function(NativeFunction::from_fn_ptr(secret), js_string!("secret"), 1)
        .function(NativeFunction::from_fn_ptr(jwt::verify), js_string!("verifyJwt"), 2)
        .build())
}

/// The variables do not change while a function is published, so that a top level may read them.
fn environment(_: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = host::find(Find::Environment, "").unwrap_or_else(|| b"{}".to_vec());
    let environment = parse_text(&from_utf8_lossy(&text), context)?;
    if let Some(object) = environment.as_object() {
        object.set_integrity_level(IntegrityLevel::Frozen, context)?;
    }
    Ok(environment)
}

fn secret(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name = args.get_or_undefined(0).to_string(context)?;
    let name = utf8(&name);
    let value = host::find(Find::Secret, &name)
        .ok_or_else(|| JsNativeError::error().with_message(format!("the function has no secret named \"{name}\"")))?;
    Ok(from_utf8_lossy(&value).into())
}
