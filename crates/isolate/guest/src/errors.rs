//! Error classes that the vendor's engine has beside those of the language: `InternalError`, and `MemoryError` in runtime 1.0
//! (`cloudfront-functions.md` section 10.3).

use boa_engine::{
    Context, JsArgs, JsError, JsNativeError, JsObject, JsResult, JsString, JsValue, NativeFunction, js_string,
    object::FunctionObjectBuilder,
    property::{Attribute, PropertyDescriptor},
};

/// Makes the class a global and returns its prototype.
pub(crate) fn define(name: &'static str, context: &mut Context) -> JsResult<JsObject> {
    let error = context.intrinsics().constructors().error().clone();
    let prototype = JsObject::with_null_proto();
    prototype.set_prototype(Some(error.prototype()));
    let construct = NativeFunction::from_copy_closure_with_captures(
        |_, args, prototype: &JsObject, context| {
            let message = args.get_or_undefined(0);
            let message = if message.is_undefined() { js_string!() } else { message.to_string(context)? };
            Ok(make(prototype, &message, context).into())
        },
        prototype.clone(),
    );
    let class = FunctionObjectBuilder::new(context.realm(), construct)
        .name(js_string!(name))
        .length(1)
        .constructor(true)
        .build();
    class.set_prototype(Some(error.constructor()));
    let hidden = |value: JsValue| {
        PropertyDescriptor::builder().value(value).writable(true).enumerable(false).configurable(true).build()
    };
    prototype.insert_property(js_string!("constructor"), hidden(class.clone().into()));
    prototype.insert_property(js_string!("name"), hidden(js_string!(name).into()));
    prototype.insert_property(js_string!("message"), hidden(js_string!().into()));
    class.insert_property(
        js_string!("prototype"),
        PropertyDescriptor::builder().value(prototype.clone()).writable(false).enumerable(false).configurable(false),
    );
    let attributes = Attribute::WRITABLE | Attribute::CONFIGURABLE;
    context.register_global_property(js_string!(name), class, attributes)?;
    Ok(prototype)
}

/// An error of the class with this prototype, to be thrown.
pub(crate) fn thrown(prototype: &JsObject, message: &str, context: &mut Context) -> JsError {
    let error = make(prototype, &JsString::from(message), context);
    JsError::from_opaque(error.into())
}

fn make(prototype: &JsObject, message: &JsString, context: &mut Context) -> JsObject {
    let error = JsNativeError::error().with_message(message.to_std_string_lossy()).into_opaque(context);
    error.set_prototype(Some(prototype.clone()));
    error
}
