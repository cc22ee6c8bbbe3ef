//! Key values (`cloudfront-functions.md` section 11.1).

use std::cell::Cell;

use boa_engine::{
    Context, JsArgs, JsError, JsNativeError, JsObject, JsResult, JsString, JsValue, NativeFunction, js_string,
    object::{ObjectInitializer, builtins::JsPromise},
    property::Attribute,
};

use crate::{
    host::{self, Lookup},
    json::parse_text,
    modules::buffer,
    text::{from_utf8_lossy, utf8},
};

thread_local! {
    static STORE: Cell<bool> = const { Cell::new(true) };
}

/// Says at load whether the function has a store: without one `kvs()` throws, and needs not ask the host for that.
pub(in crate::modules) fn set_store(store: bool) {
    STORE.set(store);
}

/// Where the object that `kvs()` returns is kept: it has no state.
struct Handle(JsObject);

/// Makes the object that `kvs()` returns.
pub(super) fn install(context: &mut Context) {
    let handle = ObjectInitializer::new(context)
        .function(NativeFunction::from_fn_ptr(get), js_string!("get"), 2)
        .function(NativeFunction::from_fn_ptr(exists), js_string!("exists"), 1)
        .function(NativeFunction::from_fn_ptr(meta), js_string!("meta"), 0)
        .build();
    context.insert_data(Handle(handle));
}

/// The id is optional and not looked at: a function has one store.
pub(super) fn kvs(_: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    match context.get_data::<Handle>() {
        Some(handle) if STORE.get() => Ok(handle.0.clone().into()),
        _ => Err(no_store()),
    }
}

fn no_store() -> JsError {
    JsNativeError::error().with_message("the function has no key value store").into()
}

/// All methods answer with promises, which are settled already.
fn promise(result: JsResult<JsValue>, context: &mut Context) -> JsResult<JsValue> {
    match result {
        Ok(value) => JsPromise::resolve(value, context).map(JsValue::from),
        Err(error) => JsPromise::reject(error, context).map(JsValue::from),
    }
}

fn get(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let result = value(args, context);
    promise(result, context)
}

fn value(args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let key = args.get_or_undefined(0).to_string(context)?;
    let key = utf8(&key);
    let format = match args.get_or_undefined(1).as_object() {
        Some(options) => options.get(js_string!("format"), context)?,
        None => JsValue::undefined(),
    };
    let value = match host::kv_get(&key) {
        Lookup::Found(len) => host::kv_read(len),
        Lookup::Missing => return Err(JsNativeError::error().with_message(format!("key not found: {key}")).into()),
        Lookup::NoStore => return Err(no_store()),
    };
    if format.is_undefined() {
        return Ok(from_utf8_lossy(&value).into());
    }
    let format = format.to_string(context)?;
    match &*utf8(&format) {
        "string" => Ok(from_utf8_lossy(&value).into()),
        "bytes" => Ok(buffer::from_bytes(&value, context)?.into()),
        "json" => parse_text(&from_utf8_lossy(&value), context),
        other => Err(JsNativeError::typ().with_message(format!("unknown format: \"{other}\"")).into()),
    }
}

fn exists(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let key = args.get_or_undefined(0).to_string(context)?;
    let result = match host::kv_get(&utf8(&key)) {
        Lookup::Found(_) => Ok(true.into()),
        Lookup::Missing => Ok(false.into()),
        Lookup::NoStore => Err(no_store()),
    };
    promise(result, context)
}

fn meta(_: &JsValue, _: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let Some(meta) = host::kv_meta() else { return promise(Err(no_store()), context) };
    let shown = ObjectInitializer::new(context)
        .property(js_string!("creationDateTime"), iso(meta.created_ms), Attribute::all())
        .property(js_string!("lastUpdatedDateTime"), iso(meta.updated_ms), Attribute::all())
        .property(js_string!("keyCount"), meta.keys as f64, Attribute::all())
        .build();
    promise(Ok(shown.into()), context)
}

/// ISO 8601 in UTC, with milliseconds.
fn iso(ms: f64) -> JsString {
    let ms = ms as i64;
    let (days, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    // Days to a date of the proleptic Gregorian calendar, counting years from March.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let (h, m, s, milli) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    JsString::from(format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{milli:03}Z"))
}

#[cfg(test)]
mod tests {
    use super::iso;

    #[test]
    fn dates_are_iso_8601() {
        for (ms, text) in [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000.0, "2000-02-29T00:00:00.000Z"),
            (1_700_000_123_456.0, "2023-11-14T22:15:23.456Z"),
        ] {
            assert_eq!(iso(ms), boa_engine::JsString::from(text));
        }
    }
}
