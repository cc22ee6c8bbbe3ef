//! Module `cloudfront` (`cloudfront-functions.md` section 11).
//!
//! - [`kvs`]: key values.
//! - [`origin`]: `updateRequestOrigin` and its relatives.
//! - [`place`]: `edgeLocation`, `distributionTenant`.
//! - [`cwt`]: CBOR web tokens; [`cbor`] is their encoding.

mod cbor;
mod cwt;
pub(crate) mod kvs;
pub(crate) mod origin;
mod place;

use std::cell::Cell;

use boa_engine::{
    Context, JsObject, JsResult, NativeFunction, js_string, object::ObjectInitializer, property::Attribute,
};

/// Where the function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// In its top level.
    TopLevel,
    /// In an event of viewer-request.
    Request,
    /// In an event of viewer-response.
    Response,
}

thread_local! {
    static PHASE: Cell<Phase> = const { Cell::new(Phase::TopLevel) };
}

/// Begins a load.
pub(crate) fn load() {
    PHASE.set(Phase::TopLevel);
}

/// Begins an event.
pub(crate) fn begin(with_response: bool) {
    PHASE.set(if with_response { Phase::Response } else { Phase::Request });
    origin::forget();
}

/// Makes the module's object.
pub(crate) fn module(context: &mut Context) -> JsResult<JsObject> {
    kvs::install(context);
    let cwt = cwt::object(context);
    let tenant = place::distribution_tenant(context);
    let location = place::edge_location(context);
    let mut module = ObjectInitializer::new(context);
    module.function(NativeFunction::from_fn_ptr(kvs::kvs), js_string!("kvs"), 1);
    for (name, length, function) in origin::HELPERS {
        module.function(NativeFunction::from_fn_ptr(function), js_string!(name), length);
    }
    module
        .property(js_string!("cwt"), cwt, Attribute::all())
        .property(js_string!("distributionTenant"), tenant, Attribute::all())
        .accessor(js_string!("edgeLocation"), Some(location), None, Attribute::ENUMERABLE | Attribute::CONFIGURABLE);
    Ok(module.build())
}
