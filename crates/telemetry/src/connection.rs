//! The record of one connection to a distribution with mutual TLS.

use crate::access_log::Line;
use rimward_types::connection::ViewerCertificate;
use rimward_types::{RequestId, Timestamp};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// One connection's record.
#[derive(Debug, Clone)]
pub struct ConnectionRecord {
    /// Id; the same as in events.
    pub id: RequestId,
    /// When the handshake was over.
    pub end: Timestamp,
    /// The viewer.
    pub viewer: SocketAddr,
    /// The node's address.
    pub server: SocketAddr,
    /// The distribution's id.
    pub distribution: Arc<str>,
    /// Server name that the viewer asked for.
    pub server_name: Option<String>,
    /// TLS version and cipher suite, when TLS came about.
    pub tls: Option<(&'static str, String)>,
    /// The certificate that the viewer sent; where the result says that it is not good, it may be anybody's.
    pub certificate: Option<Arc<ViewerCertificate>>,
    /// `Success`, or what stood against it: `ClientCertMissing`, `ConnectionFunctionDenied`, ...
    pub result: &'static str,
    /// Time of the handshake.
    pub handshake: Duration,
    /// The connection function, when it ran.
    pub function: Option<ConnectionFunctionRecord>,
}

/// What a connection function did.
#[derive(Debug, Clone)]
pub struct ConnectionFunctionRecord {
    /// Which.
    pub name: Arc<str>,
    /// `allowed`, `denied` or `ConnectionFunctionError`.
    pub verdict: &'static str,
    /// The true reason of a failure.
    pub reason: Option<String>,
    /// Time inside the function.
    pub time: Duration,
    /// Share of the time limit, 0 to 100.
    pub utilization: u8,
    /// Reads of its key value store, and those for keys that are not there.
    pub kv_reads: u32,
    /// See `kv_reads`.
    pub kv_misses: u32,
    /// What it had to say.
    pub custom_data: Option<String>,
}

#[derive(Serialize)]
struct Written<'a> {
    time: u64,
    id: &'a str,
    viewer: SocketAddr,
    server: SocketAddr,
    distribution: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_name: Option<&'a str>,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_cipher: Option<&'a str>,
    handshake_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<WrittenCertificate<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<WrittenFunction<'a>>,
    #[serde(rename = "connectionLogCustomData", skip_serializing_if = "Option::is_none")]
    custom_data: Option<&'a str>,
}

#[derive(Serialize)]
struct WrittenCertificate<'a> {
    serial: &'a str,
    subject: &'a str,
    issuer: &'a str,
    not_before: &'a str,
    not_after: &'a str,
    sha256: &'a str,
}

#[derive(Serialize)]
struct WrittenFunction<'a> {
    function: &'a str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    us: u64,
    utilization: u8,
}

fn micros(d: Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}

impl Line for ConnectionRecord {
    fn to_json(&self) -> String {
        let function = self.function.as_ref();
        let line = Written {
            time: self.end.as_millis(),
            id: self.id.as_str(),
            viewer: self.viewer,
            server: self.server,
            distribution: &self.distribution,
            server_name: self.server_name.as_deref(),
            result: self.result,
            tls_version: self.tls.as_ref().map(|(version, _)| *version),
            tls_cipher: self.tls.as_ref().map(|(_, cipher)| cipher.as_str()),
            handshake_us: micros(self.handshake),
            certificate: self.certificate.as_ref().map(|certificate| WrittenCertificate {
                serial: &certificate.serial,
                subject: &certificate.subject,
                issuer: &certificate.issuer,
                not_before: &certificate.not_before,
                not_after: &certificate.not_after,
                sha256: &certificate.sha256,
            }),
            function: function.map(|function| WrittenFunction {
                function: &function.name,
                verdict: function.verdict,
                reason: function.reason.as_deref(),
                us: micros(function.time),
                utilization: function.utilization,
            }),
            custom_data: function.and_then(|function| function.custom_data.as_deref()),
        };
        serde_json::to_string(&line).unwrap_or_default()
    }
}
