//! What the host tells the guest of a new connection (`cloudfront-functions.md` section 13).

use crate::{Malformed, Reader, Writer};

/// The first byte of this event; those of viewer events are smaller.
pub const KIND: u8 = 2;

/// A connection over which a viewer has shown its certificate, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConnectionEvent<'a> {
    /// `clientCertificate.certificates.leaf`; without one there is no `clientCertificate`.
    pub certificate: Option<Certificate<'a>>,
    /// `clientIp`.
    pub client_ip: &'a str,
    /// `endpoint`.
    pub endpoint: &'a str,
    /// `distributionId`.
    pub distribution_id: &'a str,
    /// `connectionId`.
    pub connection_id: &'a str,
}

/// A viewer's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Certificate<'a> {
    /// `serialNumber`.
    pub serial_number: &'a str,
    /// `issuer`.
    pub issuer: &'a str,
    /// `subject`.
    pub subject: &'a str,
    /// `validity.notBefore`.
    pub not_before: &'a str,
    /// `validity.notAfter`.
    pub not_after: &'a str,
    /// `sha256Fingerprint`.
    pub sha256_fingerprint: &'a str,
}

impl ConnectionEvent<'_> {
    /// Appends the event to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut w = Writer::new(out);
        w.u8(KIND);
        w.u8(u8::from(self.certificate.is_some()));
        if let Some(c) = &self.certificate {
            for text in [c.serial_number, c.issuer, c.subject, c.not_before, c.not_after, c.sha256_fingerprint] {
                w.text(text);
            }
        }
        for text in [self.client_ip, self.endpoint, self.distribution_id, self.connection_id] {
            w.text(text);
        }
    }

    /// Reads an event.
    ///
    /// # Errors
    /// When `bytes` is not exactly one event of a connection.
    pub fn read(bytes: &[u8]) -> Result<ConnectionEvent<'_>, Malformed> {
        let mut r = Reader::new(bytes);
        if r.u8()? != KIND {
            return Err(r.malformed("a connection"));
        }
        let certificate = match r.u8()? {
            0 => None,
            1 => Some(Certificate {
                serial_number: r.text()?,
                issuer: r.text()?,
                subject: r.text()?,
                not_before: r.text()?,
                not_after: r.text()?,
                sha256_fingerprint: r.text()?,
            }),
            _ => return Err(r.malformed("0 or 1")),
        };
        let event = ConnectionEvent {
            certificate,
            client_ip: r.text()?,
            endpoint: r.text()?,
            distribution_id: r.text()?,
            connection_id: r.text()?,
        };
        r.finish()?;
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::event::Event;

    #[test]
    fn an_event_survives_its_encoding_and_no_part_of_it_is_one() {
        let certificate = Certificate { serial_number: "4a:3f", subject: "CN=a", ..Certificate::default() };
        for certificate in [Some(certificate), None] {
            let event =
                ConnectionEvent { certificate, client_ip: "192.0.2.1", connection_id: "c", ..Default::default() };
            let mut bytes = Vec::new();
            event.write(&mut bytes);
            assert_eq!(ConnectionEvent::read(&bytes), Ok(event));
            for end in 0..bytes.len() {
                assert!(ConnectionEvent::read(&bytes[..end]).is_err(), "{end}");
            }
            assert!(Event::read(&bytes).is_err(), "it is no viewer event");
            bytes.push(0);
            assert!(ConnectionEvent::read(&bytes).is_err());
        }
        let mut viewer = Vec::new();
        Event::default().write(&mut viewer);
        assert!(ConnectionEvent::read(&viewer).is_err());
    }
}
