//! The global scope beyond the language: `Math.random`, `eval` (which refuses), `atob`, `btoa`, `TextEncoder`, `TextDecoder`, `console`.

use std::cell::Cell;

use boa_engine::{
    Context, JsArgs, JsNativeError, JsObject, JsResult, JsValue, NativeFunction, js_string,
    object::FunctionObjectBuilder, property::PropertyDescriptor,
};

use crate::{
    bytes, console, errors, host, json, repeat,
    text::{from_latin1, low_bytes},
    text_codec,
};

thread_local! {
    /// State of `Math.random`; 0 until the first call in an invocation.
    static RANDOM: Cell<u64> = const { Cell::new(0) };
}

/// Puts the globals in place.
pub(crate) fn install(context: &mut Context) -> JsResult<()> {
    console::install(context)?;
    text_codec::install(context)?;
    json::install(context);
    repeat::install(context);
    let internal = errors::define("InternalError", context)?;
    let eval = NativeFunction::from_copy_closure_with_captures(
        |_, _, prototype: &JsObject, context| Err(errors::thrown(prototype, "Not implemented", context)),
        internal,
    );
    context.register_global_callable(js_string!("eval"), 1, eval)?;
    for (name, function) in [("atob", NativeFunction::from_fn_ptr(atob)), ("btoa", NativeFunction::from_fn_ptr(btoa))] {
        context.register_global_callable(js_string!(name), 1, function)?;
    }
    let random = FunctionObjectBuilder::new(context.realm(), NativeFunction::from_fn_ptr(random))
        .name(js_string!("random"))
        .build();
    let hidden = PropertyDescriptor::builder().value(random).writable(true).enumerable(false).configurable(true);
    context.intrinsics().objects().math().insert_property(js_string!("random"), hidden);
    // Nothing waits, nothing is shared between threads.
    for name in ["SharedArrayBuffer", "Atomics", "WeakRef", "FinalizationRegistry"] {
        context.global_object().delete_property_or_throw(js_string!(name), context)?;
    }
    Ok(())
}

/// Seeded by the host in each invocation, so that the snapshot does not freeze it (SplitMix64).
fn random(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    let state = match RANDOM.get() {
        0 => host::seed() | 1,
        state => state,
    };
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    RANDOM.set(state);
    let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    // 53 bits: every double in [0, 1) that is a multiple of 2^-53.
    Ok(JsValue::from((z >> 11) as f64 / (1u64 << 53) as f64))
}

fn atob(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = args.get_or_undefined(0).to_string(context)?;
    let decoded = bytes::decode_base64_strictly(&as_bytes(&text)?)
        .ok_or_else(|| JsNativeError::typ().with_message("invalid characters or length in base64"))?;
    Ok(from_latin1(&decoded).into())
}

fn btoa(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = args.get_or_undefined(0).to_string(context)?;
    Ok(from_latin1(&bytes::encode_base64(&as_bytes(&text)?)).into())
}

/// The string as bytes, if each unit is one.
fn as_bytes(text: &boa_engine::JsString) -> JsResult<Vec<u8>> {
    if text.iter().any(|unit| unit > 0xff) {
        return Err(JsNativeError::typ().with_message("invalid character (>= U+00FF)").into());
    }
    Ok(low_bytes(text))
}
