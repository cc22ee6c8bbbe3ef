//! What the host tells the guest: one viewer event.
//!
//! The order of fields is the order of the struct's. Header names are lower case, one entry per line of the message;
//! disallowed headers, `cookie` and `set-cookie` are left out by the host.

use crate::{Malformed, Reader, Writer};

/// A header line, a query parameter or a request cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair<'a> {
    /// Name, in the case that the function sees.
    pub name: &'a str,
    /// Value, not decoded.
    pub value: &'a str,
}

/// A cookie of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetCookie<'a> {
    /// Name.
    pub name: &'a str,
    /// Value.
    pub value: &'a str,
    /// Text after the first `;`, trimmed; `None` when there is none.
    pub attributes: Option<&'a str>,
}

/// The request, as the hook may see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request<'a> {
    /// Method.
    pub method: &'a str,
    /// Path, not decoded.
    pub uri: &'a str,
    /// Text after `?`; `None` when the URL has no `?`.
    pub query: Option<&'a str>,
    /// Header lines in message order.
    pub headers: Vec<Pair<'a>>,
    /// Cookies in message order.
    pub cookies: Vec<Pair<'a>>,
}

/// The response, as the viewer-response hook may see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response<'a> {
    /// Status code.
    pub status: u16,
    /// Reason phrase.
    pub description: &'a str,
    /// Header lines in message order.
    pub headers: Vec<Pair<'a>>,
    /// Cookies in message order.
    pub cookies: Vec<SetCookie<'a>>,
}

/// One viewer event. With a response it is viewer-response, without it is viewer-request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event<'a> {
    /// `context.distributionDomainName`.
    pub distribution_domain_name: &'a str,
    /// `context.distributionId`.
    pub distribution_id: &'a str,
    /// `context.requestId`.
    pub request_id: &'a str,
    /// `viewer.ip`.
    pub viewer_ip: &'a str,
    /// The request; at viewer-response as it was after viewer-request.
    pub request: Request<'a>,
    /// The response, at viewer-response.
    pub response: Option<Response<'a>>,
}

impl Event<'_> {
    /// Appends the event to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut w = Writer::new(out);
        w.u8(u8::from(self.response.is_some()));
        for text in [self.distribution_domain_name, self.distribution_id, self.request_id, self.viewer_ip] {
            w.text(text);
        }
        w.text(self.request.method);
        w.text(self.request.uri);
        w.optional_text(self.request.query);
        write_pairs(&mut w, &self.request.headers);
        write_pairs(&mut w, &self.request.cookies);
        if let Some(response) = &self.response {
            w.u16(response.status);
            w.text(response.description);
            write_pairs(&mut w, &response.headers);
            let mut list = w.start_list();
            for cookie in &response.cookies {
                list.entry();
                w.text(cookie.name);
                w.text(cookie.value);
                w.optional_text(cookie.attributes);
            }
            w.end_list(list);
        }
    }

    /// Reads an event.
    ///
    /// # Errors
    /// When `bytes` is not exactly one event.
    pub fn read(bytes: &[u8]) -> Result<Event<'_>, Malformed> {
        let mut r = Reader::new(bytes);
        let with_response = match r.u8()? {
            0 => false,
            1 => true,
            _ => return Err(r.malformed("an event type")),
        };
        let event = Event {
            distribution_domain_name: r.text()?,
            distribution_id: r.text()?,
            request_id: r.text()?,
            viewer_ip: r.text()?,
            request: Request {
                method: r.text()?,
                uri: r.text()?,
                query: r.optional_text()?,
                headers: read_pairs(&mut r)?,
                cookies: read_pairs(&mut r)?,
            },
            response: if with_response { Some(read_response(&mut r)?) } else { None },
        };
        r.finish()?;
        Ok(event)
    }
}

fn write_pairs(w: &mut Writer<'_>, pairs: &[Pair<'_>]) {
    let mut list = w.start_list();
    for pair in pairs {
        list.entry();
        w.text(pair.name);
        w.text(pair.value);
    }
    w.end_list(list);
}

fn read_pairs<'a>(r: &mut Reader<'a>) -> Result<Vec<Pair<'a>>, Malformed> {
    let n = r.u16()?;
    (0..n).map(|_| Ok(Pair { name: r.text()?, value: r.text()? })).collect()
}

fn read_response<'a>(r: &mut Reader<'a>) -> Result<Response<'a>, Malformed> {
    Ok(Response {
        status: r.u16()?,
        description: r.text()?,
        headers: read_pairs(r)?,
        cookies: {
            let n = r.u16()?;
            let cookie = |_| Ok(SetCookie { name: r.text()?, value: r.text()?, attributes: r.optional_text()? });
            (0..n).map(cookie).collect::<Result<_, Malformed>>()?
        },
    })
}
