//! The event as places in its bytes: nothing is copied before a function looks at it.

use boa_engine::JsString;
use rimward_wire::{Malformed, Reader};

use crate::text::{from_utf8_lossy, is_ascii};

/// A text in the event's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// The text.
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..(self.start + self.len) as usize).unwrap_or_default()
    }

    /// The text as a JavaScript string.
    pub(crate) fn js(self, bytes: &[u8]) -> JsString {
        from_utf8_lossy(self.of(bytes))
    }
}

/// A name with one of its values; attributes only with cookies of responses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: Span,
    pub(crate) value: Span,
    pub(crate) attributes: Option<Span>,
}

/// `rimward_wire::event::Request`.
#[derive(Debug)]
pub(crate) struct WireRequest {
    pub(crate) method: Span,
    pub(crate) uri: Span,
    pub(crate) query: Option<Span>,
    pub(crate) headers: Vec<Entry>,
    pub(crate) cookies: Vec<Entry>,
}

/// `rimward_wire::event::Response`.
#[derive(Debug)]
pub(crate) struct WireResponse {
    pub(crate) status: u16,
    pub(crate) description: Span,
    pub(crate) headers: Vec<Entry>,
    pub(crate) cookies: Vec<Entry>,
}

/// `rimward_wire::event::Event`.
#[derive(Debug)]
pub(crate) struct WireEvent {
    /// All of it.
    pub(crate) bytes: &'static [u8],
    pub(crate) distribution_domain_name: Span,
    pub(crate) distribution_id: Span,
    pub(crate) request_id: Span,
    pub(crate) viewer_ip: Span,
    pub(crate) request: WireRequest,
    pub(crate) response: Option<WireResponse>,
}

/// Reads texts as places.
struct Places<'a> {
    reader: Reader<'a>,
    base: usize,
}

impl Places<'_> {
    fn text(&mut self) -> Result<Span, Malformed> {
        let text = self.reader.bytes()?;
        self.span(text)
    }

    fn optional_text(&mut self) -> Result<Option<Span>, Malformed> {
        let text = self.reader.optional_bytes()?;
        text.map(|text| self.span(text)).transpose()
    }

    /// The place of a text, checked to be UTF-8 here, once.
    fn span(&self, text: &[u8]) -> Result<Span, Malformed> {
        let start = text.as_ptr() as usize - self.base;
        if !is_ascii(text) && std::str::from_utf8(text).is_err() {
            return Err(Malformed { offset: start, expected: "UTF-8 text" });
        }
        Ok(Span { start: start as u32, len: text.len() as u32 })
    }

    fn entries(&mut self, with_attributes: bool) -> Result<Vec<Entry>, Malformed> {
        let count = self.reader.u16()?;
        // An announced count costs no memory before its entries are there.
        let mut entries = Vec::with_capacity(usize::from(count.min(64)));
        for _ in 0..count {
            let (name, value) = (self.text()?, self.text()?);
            let attributes = if with_attributes { self.optional_text()? } else { None };
            entries.push(Entry { name, value, attributes });
        }
        Ok(entries)
    }
}

impl WireEvent {
    /// Reads an event.
    ///
    /// # Errors
    /// When `bytes` is not exactly one event.
    pub(crate) fn read(bytes: &'static [u8]) -> Result<Self, Malformed> {
        let mut r = Places { reader: Reader::new(bytes), base: bytes.as_ptr() as usize };
        let with_response = match r.reader.u8()? {
            0 => false,
            1 => true,
            _ => return Err(r.reader.malformed("an event type")),
        };
        let event = Self {
            distribution_domain_name: r.text()?,
            distribution_id: r.text()?,
            request_id: r.text()?,
            viewer_ip: r.text()?,
            request: WireRequest {
                method: r.text()?,
                uri: r.text()?,
                query: r.optional_text()?,
                headers: r.entries(false)?,
                cookies: r.entries(false)?,
            },
            response: if with_response {
                Some(WireResponse {
                    status: r.reader.u16()?,
                    description: r.text()?,
                    headers: r.entries(false)?,
                    cookies: r.entries(true)?,
                })
            } else {
                None
            },
            bytes,
        };
        r.reader.finish()?;
        Ok(event)
    }

    /// The parameters of the query string, not decoded (section 3.3); empty parts (`a&&b`) are none.
    pub(crate) fn query_entries(&self) -> Vec<Entry> {
        let Some(query) = self.request.query else { return Vec::new() };
        let text = query.of(self.bytes);
        let mut entries = Vec::new();
        let mut start = query.start;
        for part in text.split(|&b| b == b'&') {
            let len = part.len() as u32;
            if len > 0 {
                let name = part.iter().position(|&b| b == b'=').map_or(len, |at| at as u32);
                let value_start = (name + 1).min(len);
                entries.push(Entry {
                    name: Span { start, len: name },
                    value: Span { start: start + value_start, len: len - value_start },
                    attributes: None,
                });
            }
            start += len + 1;
        }
        entries
    }
}
