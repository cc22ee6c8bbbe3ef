//! Where the function runs (`cloudfront-functions.md` section 11.6): `cf.edgeLocation`, `cf.distributionTenant`.

use boa_engine::{
    Context, JsNativeError, JsObject, JsResult, JsValue, NativeFunction, js_string,
    object::{FunctionObjectBuilder, ObjectInitializer, builtins::JsFunction},
    property::Attribute,
};
use rimward_wire::abi::Find;

use super::{PHASE, Phase};
use crate::{host, text::from_utf8_lossy};

/// Getter of `cf.edgeLocation`: `{name, serverIp, region}`, without members in viewer-response.
pub(super) fn edge_location(context: &mut Context) -> JsFunction {
    let get = |_: &JsValue, _: &[JsValue], context: &mut Context| {
        let mut place = ObjectInitializer::new(context);
        if PHASE.get() != Phase::Response {
            for name in ["name", "serverIp", "region"] {
                let value = host::find(Find::Location, name).unwrap_or_default();
                place.property(js_string!(name), from_utf8_lossy(&value), Attribute::all());
            }
        }
        Ok(place.build().into())
    };
    FunctionObjectBuilder::new(context.realm(), NativeFunction::from_fn_ptr(get))
        .name(js_string!("edgeLocation"))
        .build()
}

/// `cf.distributionTenant`: no distribution here has tenants, so all members throw as on a standard distribution.
pub(super) fn distribution_tenant(context: &mut Context) -> JsObject {
    let realm = context.realm().clone();
    let absent = move || FunctionObjectBuilder::new(&realm, NativeFunction::from_fn_ptr(no_tenant)).build();
    let shown = Attribute::ENUMERABLE | Attribute::CONFIGURABLE;
    ObjectInitializer::new(context)
        .accessor(js_string!("id"), Some(absent()), None, shown)
        .accessor(js_string!("parameters"), Some(absent()), None, shown)
        .build()
}

fn no_tenant(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    Err(JsNativeError::typ().with_message("distributionTenant module is not available").into())
}
