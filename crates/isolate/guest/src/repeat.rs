//! `String.prototype.repeat`, `padStart` and `padEnd`: the engine's take twelve bytes for each repetition, and two for each character that
//! is filled in, beside the result.

use boa_engine::{
    Context, JsArgs, JsNativeError, JsResult, JsString, JsValue, NativeFunction, js_string,
    native_function::NativeFunctionPointer,
    object::FunctionObjectBuilder,
    property::PropertyDescriptor,
    string::{JsStrVariant, Latin1JsStringBuilder, Utf16JsStringBuilder},
    value::IntegerOrInfinity,
};

/// Characters of a text at most: more than any memory holds.
const LONGEST: u64 = 1 << 30;

/// Names and functions of `String.prototype`, and how many arguments they name.
const METHODS: [(&str, usize, NativeFunctionPointer); 3] =
    [("repeat", 1, repeat), ("padStart", 1, pad_start), ("padEnd", 1, pad_end)];

/// Puts the functions in place.
pub(crate) fn install(context: &mut Context) {
    let prototype = context.intrinsics().constructors().string().prototype();
    for (name, length, function) in METHODS {
        let function = FunctionObjectBuilder::new(context.realm(), NativeFunction::from_fn_ptr(function))
            .name(js_string!(name))
            .length(length)
            .build();
        let hidden = PropertyDescriptor::builder().value(function).writable(true).enumerable(false).configurable(true);
        prototype.insert_property(js_string!(name), hidden);
    }
}

/// ECMA-262, 22.1.3.18.
fn repeat(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = this.require_object_coercible()?.to_string(context)?;
    let wrong = |what: &str| Err(JsNativeError::range().with_message(format!("invalid count value: {what}")).into());
    let count = match args.get_or_undefined(0).to_integer_or_infinity(context)? {
        IntegerOrInfinity::Integer(n) if n >= 0 => n as u64,
        IntegerOrInfinity::Integer(n) => return wrong(&n.to_string()),
        IntegerOrInfinity::PositiveInfinity => return wrong("Infinity"),
        IntegerOrInfinity::NegativeInfinity => return wrong("-Infinity"),
    };
    if text.is_empty() {
        return Ok(text.into());
    }
    match count.checked_mul(text.len() as u64) {
        Some(length) if length <= LONGEST => Ok(filled(&js_string!(), &text, length as usize, &js_string!()).into()),
        _ => wrong(&count.to_string()),
    }
}

/// ECMA-262, 22.1.3.17.
fn pad_start(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (text, filler, length) = padding(this, args, context)?;
    Ok(if length == 0 { text } else { filled(&js_string!(), &filler, length, &text) }.into())
}

/// ECMA-262, 22.1.3.16.
fn pad_end(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (text, filler, length) = padding(this, args, context)?;
    Ok(if length == 0 { text } else { filled(&text, &filler, length, &js_string!()) }.into())
}

/// The text, what it is padded with, and how many characters of that.
fn padding(this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<(JsString, JsString, usize)> {
    let text = this.require_object_coercible()?.to_string(context)?;
    let wanted = args.get_or_undefined(0).to_length(context)?;
    let missing = wanted.saturating_sub(text.len() as u64);
    if missing == 0 {
        return Ok((text, js_string!(), 0));
    }
    let filler = args.get_or_undefined(1);
    let filler = if filler.is_undefined() { js_string!(" ") } else { filler.to_string(context)? };
    if filler.is_empty() {
        return Ok((text, filler, 0));
    }
    if wanted > LONGEST {
        return Err(JsNativeError::range().with_message("invalid string length").into());
    }
    Ok((text, filler, missing as usize))
}

/// `before`, then `length` characters of `filler` over and over, then `after`.
fn filled(before: &JsString, filler: &JsString, length: usize, after: &JsString) -> JsString {
    let total = before.len() + length + after.len();
    let variants = [before, filler, after].map(|text| text.as_str().variant());
    if let [JsStrVariant::Latin1(before), JsStrVariant::Latin1(filler), JsStrVariant::Latin1(after)] = variants {
        let mut out = Latin1JsStringBuilder::with_capacity(total);
        out.extend_from_slice(before);
        over_and_over(filler, length, |part| out.extend_from_slice(part));
        out.extend_from_slice(after);
        // SAFETY: all parts are Latin-1.
        return unsafe { out.build_as_latin1() };
    }
    let [before, filler, after] = [before, filler, after].map(JsString::to_vec);
    let mut out = Utf16JsStringBuilder::with_capacity(total);
    out.extend_from_slice(&before);
    over_and_over(&filler, length, |part| out.extend_from_slice(part));
    out.extend_from_slice(&after);
    out.build()
}

/// Gives out `length` units of `filler`, in large parts.
fn over_and_over<T: Copy>(filler: &[T], length: usize, mut take: impl FnMut(&[T])) {
    const PART: usize = 512;
    let part = filler.repeat((PART / filler.len()).clamp(1, length.div_ceil(filler.len()).max(1)));
    let mut left = length;
    while left > 0 {
        let now = left.min(part.len());
        take(&part[..now]);
        left -= now;
    }
}
