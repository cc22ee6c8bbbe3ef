//! `CloudFront-Viewer-Cert-*`: what a viewer's certificate says, where its distribution has mutual TLS.

use super::ViewerHeader;
use crate::live::Plan;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use rimward_types::connection::{Mutual, ViewerCertificate};
use rimward_types::{Connection, RequestHead};

/// The longest `CloudFront-Viewer-Cert-Pem`; a longer one is left out, since origins refuse heads that are too large.
const PEM: usize = 32 * 1024;
/// Characters in a line of a PEM file (RFC 7468 section 2).
const LINE: usize = 64;

/// What functions and the origin are told.
pub(super) fn value(header: ViewerHeader, mutual: &Mutual) -> Option<String> {
    let certificate = mutual.certificate.as_ref();
    match header {
        ViewerHeader::CertPresent => Some(u8::from(certificate.is_some()).to_string()),
        ViewerHeader::CertSerialNumber => certificate.map(|certificate| certificate.serial.clone()),
        ViewerHeader::CertIssuer => certificate.map(|certificate| certificate.issuer.clone()),
        ViewerHeader::CertSubject => certificate.map(|certificate| certificate.subject.clone()),
        ViewerHeader::CertSha256 => certificate.map(|certificate| certificate.sha256.clone()),
        _ => None,
    }
}

/// Adds what the origin alone is told; no function sees it.
pub fn add_for_origin(plan: &Plan, connection: &Connection, request: &mut RequestHead) {
    for (name, header) in &plan.viewer_headers {
        if !matches!(header, ViewerHeader::CertValidity | ViewerHeader::CertPem) {
            continue;
        }
        let certificate = connection.mutual(&plan.distribution_id).and_then(|mutual| mutual.certificate.as_ref());
        let value = certificate.and_then(|certificate| match header {
            ViewerHeader::CertPem => Some(pem(certificate)).filter(|pem| pem.len() <= PEM),
            _ => Some(format!("NotBefore={};NotAfter={}", certificate.not_before, certificate.not_after)),
        });
        match value.and_then(|value| HeaderValue::try_from(value).ok()) {
            Some(value) => request.headers.insert(name, value),
            // A function may have written it.
            None => request.headers.remove(name),
        };
    }
}

/// The certificate as a PEM file, encoded for URLs.
fn pem(certificate: &ViewerCertificate) -> String {
    let text = BASE64_STANDARD.encode(&certificate.der);
    let mut out = String::with_capacity(text.len() + text.len() / 8 + 96);
    out.push_str("-----BEGIN%20CERTIFICATE-----%0A");
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at % LINE == 0 {
            out.push_str("%0A");
        }
        match character {
            '+' => out.push_str("%2B"),
            '/' => out.push_str("%2F"),
            '=' => out.push_str("%3D"),
            plain => out.push(plain),
        }
    }
    out.push_str("%0A-----END%20CERTIFICATE-----%0A");
    out
}
