//! Writes primitives.

/// Appends a message to a buffer.
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut Vec<u8>,
}

/// A list whose count is not known yet; close it with [`Writer::end_list`].
#[derive(Debug)]
#[must_use = "a list must be ended"]
pub struct OpenList {
    at: usize,
    count: u16,
}

impl OpenList {
    /// Counts one more entry. Entries past 65,535 are a bug of the caller: limits on heads are far below.
    pub fn entry(&mut self) {
        self.count = self.count.saturating_add(1);
    }
}

impl<'b> Writer<'b> {
    /// Appends to `out`.
    pub fn new(out: &'b mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Writes one byte.
    pub fn u8(&mut self, v: u8) {
        self.out.push(v);
    }

    /// Writes a little-endian `u16`.
    pub fn u16(&mut self, v: u16) {
        self.out.extend_from_slice(&v.to_le_bytes());
    }

    /// Writes a little-endian `u32`.
    pub fn u32(&mut self, v: u32) {
        self.out.extend_from_slice(&v.to_le_bytes());
    }

    /// Writes a byte string; lengths past 4 GB cannot occur in a 32-bit guest.
    pub fn bytes(&mut self, v: &[u8]) {
        self.u32(v.len() as u32);
        self.out.extend_from_slice(v);
    }

    /// Writes text.
    pub fn text(&mut self, v: &str) {
        self.bytes(v.as_bytes());
    }

    /// Writes text that may be absent.
    pub fn optional_text(&mut self, v: Option<&str>) {
        match v {
            None => self.u8(0),
            Some(v) => {
                self.u8(1);
                self.text(v);
            }
        }
    }

    /// Starts a list.
    pub fn start_list(&mut self) -> OpenList {
        let at = self.out.len();
        self.u16(0);
        OpenList { at, count: 0 }
    }

    /// Ends a list: its count is written where the list began.
    pub fn end_list(&mut self, list: OpenList) {
        self.out[list.at..list.at + 2].copy_from_slice(&list.count.to_le_bytes());
    }
}
