//! `console.log`, the only member of `console` (`cloudfront-functions.md` section 10.4).

use boa_engine::{
    Context, JsResult, JsValue, NativeFunction, js_string, object::ObjectInitializer, property::Attribute,
};

use crate::{host, inspect::argument};

/// Puts `console` into the global scope.
pub(crate) fn install(context: &mut Context) -> JsResult<()> {
    let console =
        ObjectInitializer::new(context).function(NativeFunction::from_fn_ptr(log), js_string!("log"), 0).build();
    let hidden = Attribute::WRITABLE | Attribute::CONFIGURABLE;
    context.register_global_property(js_string!("console"), console, hidden)
}

fn log(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut line = String::new();
    for (i, value) in args.iter().enumerate() {
        if i > 0 {
            line.push(' ');
        }
        line.push_str(&argument(value, context));
    }
    host::log(&line);
    Ok(JsValue::undefined())
}
