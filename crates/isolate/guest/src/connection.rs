//! Events of new connections (`cloudfront-functions.md` section 13): the object that `connectionHandler` gets, and what it decides.

use std::cell::RefCell;

use boa_engine::{
    Context, JsObject, JsResult, JsString, JsValue, NativeFunction, js_string, object::ObjectInitializer,
    property::Attribute,
};
use rimward_wire::{
    Malformed,
    connection::{Certificate, ConnectionEvent},
    reply::{Decision, Reply},
};

use crate::text::{from_utf8_lossy, utf8};

/// Bytes of UTF-8 that a function may have written to the connection log; what is more is cut off.
const CUSTOM_DATA: usize = 800;

/// What was decided so far.
#[derive(Default)]
struct Said {
    decision: Option<Decision>,
    custom_data: Option<String>,
}

thread_local! {
    static SAID: RefCell<Said> = const { RefCell::new(Said { decision: None, custom_data: None }) };
}

/// Makes the object of an event; nothing is decided from here on.
pub(crate) fn begin(event: &[u8], context: &mut Context) -> Result<JsObject, Malformed> {
    let event = ConnectionEvent::read(event)?;
    SAID.take();
    let certificate = event.certificate.map(|certificate| client_certificate(&certificate, context));
    let mut connection = ObjectInitializer::new(context);
    if let Some(certificate) = certificate {
        connection.property(js_string!("clientCertificate"), certificate, Attribute::all());
    }
    texts(
        &mut connection,
        &[
            ("clientIp", event.client_ip),
            ("endpoint", event.endpoint),
            ("distributionId", event.distribution_id),
            ("connectionId", event.connection_id),
        ],
    );
    connection
        .function(NativeFunction::from_fn_ptr(allow), js_string!("allow"), 0)
        .function(NativeFunction::from_fn_ptr(deny), js_string!("deny"), 0)
        .function(NativeFunction::from_fn_ptr(log_custom_data), js_string!("logCustomData"), 1);
    Ok(connection.build())
}

/// Appends what was decided as a reply.
pub(crate) fn finish(out: &mut Vec<u8>) {
    let said = SAID.take();
    Reply::Connection { decision: said.decision, custom_data: said.custom_data.as_deref() }.write(out);
}

fn client_certificate(certificate: &Certificate<'_>, context: &mut Context) -> JsObject {
    let mut validity = ObjectInitializer::new(context);
    texts(&mut validity, &[("notBefore", certificate.not_before), ("notAfter", certificate.not_after)]);
    let validity = validity.build();
    let mut leaf = ObjectInitializer::new(context);
    texts(
        &mut leaf,
        &[
            ("serialNumber", certificate.serial_number),
            ("issuer", certificate.issuer),
            ("subject", certificate.subject),
        ],
    );
    leaf.property(js_string!("validity"), validity, Attribute::all());
    texts(&mut leaf, &[("sha256Fingerprint", certificate.sha256_fingerprint)]);
    let leaf = leaf.build();
    let certificates = ObjectInitializer::new(context).property(js_string!("leaf"), leaf, Attribute::all()).build();
    ObjectInitializer::new(context).property(js_string!("certificates"), certificates, Attribute::all()).build()
}

fn texts(object: &mut ObjectInitializer<'_>, members: &[(&str, &str)]) {
    for (name, value) in members {
        object.property(JsString::from(*name), from_utf8_lossy(value.as_bytes()), Attribute::all());
    }
}

fn allow(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    // What was denied stays denied.
    SAID.with_borrow_mut(|said| said.decision = said.decision.or(Some(Decision::Allow)));
    Ok(JsValue::undefined())
}

fn deny(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    SAID.with_borrow_mut(|said| said.decision = Some(Decision::Deny));
    Ok(JsValue::undefined())
}

fn log_custom_data(_: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let text = args.first().cloned().unwrap_or_default().to_string(context)?;
    let mut text = utf8(&text).into_owned();
    text.truncate(text.floor_char_boundary(CUSTOM_DATA));
    SAID.with_borrow_mut(|said| said.custom_data = Some(text));
    Ok(JsValue::undefined())
}
