//! Reads primitives; every read is checked against the end of the buffer.

use core::fmt;

/// Says at which byte a message stopped making sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// Offset of the first byte that could not be read.
    pub offset: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at byte {}", self.expected, self.offset)
    }
}

impl core::error::Error for Malformed {}

/// A cursor over a message.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Says that `expected` is not what stands here.
    pub fn malformed(&self, expected: &'static str) -> Malformed {
        Malformed { offset: self.at, expected }
    }

    fn take(&mut self, n: usize, expected: &'static str) -> Result<&'a [u8], Malformed> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..n).ok_or(Malformed { offset: self.at, expected })?;
        self.at += n;
        Ok(taken)
    }

    /// Reads one byte.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1, "a byte")?[0])
    }

    /// Reads a little-endian `u16`.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        let b = self.take(2, "two bytes")?;
        Ok(u16::from_le_bytes([b[0], b[1]]))
    }

    /// Reads a little-endian `u32`.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        let b = self.take(4, "four bytes")?;
        Ok(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    /// Reads a byte string.
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let n = self.u32()? as usize;
        self.take(n, "as many bytes as announced")
    }

    /// Reads text.
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        let offset = self.at;
        core::str::from_utf8(self.bytes()?).map_err(|_| Malformed { offset, expected: "UTF-8 text" })
    }

    /// Reads text that may be absent.
    pub fn optional_text(&mut self) -> Result<Option<&'a str>, Malformed> {
        match self.u8()? {
            0 => Ok(None),
            1 => self.text().map(Some),
            _ => Err(Malformed { offset: self.at - 1, expected: "0 or 1" }),
        }
    }

    /// Reads a byte string that may be absent.
    pub fn optional_bytes(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        match self.u8()? {
            0 => Ok(None),
            1 => self.bytes().map(Some),
            _ => Err(Malformed { offset: self.at - 1, expected: "0 or 1" }),
        }
    }

    /// Checks that nothing is left.
    pub fn finish(self) -> Result<(), Malformed> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(Malformed { offset: self.at, expected: "the end" }) }
    }
}
