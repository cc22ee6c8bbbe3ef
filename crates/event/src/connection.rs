//! Events of connections and what functions make of them (`cloudfront-functions.md` section 13): to the wire, from JSON, to JSON.

use crate::text::text_at;
use crate::{Invalid, InvalidEvent};
use rimward_types::connection::ViewerCertificate;
use rimward_wire::connection::{Certificate, ConnectionEvent};
use rimward_wire::reply::{Decision, Failure, Reply};
use serde_json::{Value, json};

/// Bytes that a function may have written to the connection log.
pub const CUSTOM_DATA: usize = 800;

/// A connection, as functions see it.
#[derive(Debug, Clone, Copy)]
pub struct Connected<'a> {
    /// The viewer's certificate; `None` when it sent none.
    pub certificate: Option<&'a ViewerCertificate>,
    /// Address of the viewer, without port.
    pub client_ip: &'a str,
    /// The distribution's own name.
    pub endpoint: &'a str,
    /// The distribution's id.
    pub distribution_id: &'a str,
    /// The connection's id.
    pub connection_id: &'a str,
}

/// What a function decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Whether the connection goes on. A function that says neither denies it.
    pub allowed: bool,
    /// Text for the connection log.
    pub custom_data: Option<String>,
}

impl Connected<'_> {
    /// Appends the event's wire bytes to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let certificate = self.certificate.map(|certificate| Certificate {
            serial_number: &certificate.serial,
            issuer: &certificate.issuer,
            subject: &certificate.subject,
            not_before: &certificate.not_before,
            not_after: &certificate.not_after,
            sha256_fingerprint: &certificate.sha256,
        });
        let Self { client_ip, endpoint, distribution_id, connection_id, .. } = *self;
        ConnectionEvent { certificate, client_ip, endpoint, distribution_id, connection_id }.write(out);
    }
}

/// Turns a reply into what was decided.
///
/// # Errors
/// When the function failed, or gave something else.
pub fn decode(reply: &Reply<'_>) -> Result<Decided, Invalid> {
    match reply {
        Reply::Connection { decision, custom_data } => {
            let cut = |text: &str| text[..text.floor_char_boundary(CUSTOM_DATA)].to_owned();
            Ok(Decided { allowed: *decision == Some(Decision::Allow), custom_data: custom_data.map(cut) })
        }
        Reply::Failed { failure: Failure::Execution, message, line, column } => {
            Err(Invalid::Threw { message: (*message).to_owned(), line: *line, column: *column })
        }
        Reply::Failed { message, .. } => Err(Invalid::Shape((*message).to_owned())),
        Reply::Request { .. } | Reply::Response { .. } => {
            Err(Invalid::Shape("a connection function returned a request or a response".to_owned()))
        }
    }
}

/// An event that came as JSON.
#[derive(Debug, Clone)]
pub struct OwnedConnection(Value);

impl OwnedConnection {
    /// Whether a JSON text is such an event, rather than one of a viewer's request.
    pub fn is_one(root: &Value) -> bool {
        let members = ["clientCertificate", "clientIp", "connectionId", "endpoint"];
        root.get("request").is_none() && members.iter().any(|member| root.get(member).is_some())
    }

    /// Reads an event: the vendor's object. Every member may be left out; without `clientCertificate` the viewer sent none.
    ///
    /// # Errors
    /// When the text is no JSON, or a member is of the wrong type.
    pub fn from_json(text: &str) -> Result<Self, InvalidEvent> {
        let root: Value = serde_json::from_str(text)?;
        if !root.is_object() {
            return Err(InvalidEvent::shape("event", "an object"));
        }
        let leaf = ["clientCertificate", "certificates", "leaf"];
        let present = root.get(leaf[0]).is_some_and(|certificate| !certificate.is_null());
        let paths = [&["clientIp"][..], &["endpoint"], &["distributionId"], &["connectionId"]];
        for path in
            paths.into_iter().map(<[&str]>::to_vec).chain(CERTIFICATE.iter().map(|path| [&leaf[..], path].concat()))
        {
            let found = path.iter().try_fold(&root, |value, name| value.get(name));
            if found.is_some_and(|value| !value.is_string()) {
                return Err(InvalidEvent::shape(&path.join("."), "a string"));
            }
        }
        if present && leaf.iter().try_fold(&root, |value, name| value.get(name)).is_none_or(|leaf| !leaf.is_object()) {
            return Err(InvalidEvent::shape("clientCertificate.certificates.leaf", "an object"));
        }
        Ok(Self(root))
    }

    /// Appends the event's wire bytes to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let text = |path: &[&str]| text_at(&self.0, path).unwrap_or_default();
        let leaf = ["clientCertificate", "certificates", "leaf"];
        let present = self.0.get(leaf[0]).is_some_and(|certificate| !certificate.is_null());
        let [serial_number, issuer, subject, not_before, not_after, sha256_fingerprint] =
            CERTIFICATE.map(|path| text(&[&leaf[..], path].concat()));
        let certificate = Certificate { serial_number, issuer, subject, not_before, not_after, sha256_fingerprint };
        ConnectionEvent {
            certificate: present.then_some(certificate),
            client_ip: text_at(&self.0, &["clientIp"]).unwrap_or("127.0.0.1"),
            endpoint: text(&["endpoint"]),
            distribution_id: text(&["distributionId"]),
            connection_id: text(&["connectionId"]),
        }
        .write(out);
    }
}

/// Members of a leaf certificate, in the order of the wire.
const CERTIFICATE: [&[&str]; 6] = [
    &["serialNumber"],
    &["issuer"],
    &["subject"],
    &["validity", "notBefore"],
    &["validity", "notAfter"],
    &["sha256Fingerprint"],
];

/// What was decided, as JSON: one member, `connection`.
pub fn decided_to_json(decided: &Decided) -> Value {
    let mut connection = json!({ "decision": if decided.allowed { "allow" } else { "deny" } });
    if let Some(text) = &decided.custom_data {
        connection["connectionLogCustomData"] = text.as_str().into();
    }
    json!({ "connection": connection })
}

#[cfg(test)]
mod tests;
