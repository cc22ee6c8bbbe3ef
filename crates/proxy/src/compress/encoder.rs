//! The codings: bytes in, coded bytes out.

use brotli::CompressorWriter as Brotli;
use flate2::write::GzEncoder as Gzip;
use std::io::{self, Write};
use zstd::stream::write::Encoder as Zstd;

/// A content coding that the node makes (RFC 9110 section 8.4.1, RFC 7932, RFC 8878).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
    /// `gzip`.
    Gzip,
}

/// Window of brotli and Zstandard, as a power of two: 512 KB, which bounds an encoder's memory.
const WINDOW: u32 = 19;
/// Brotli's output buffer in bytes.
const BROTLI_BUFFER: usize = 16 << 10;

/// An encoder in the middle of a body.
pub enum Encoder {
    /// See [`Coding::Brotli`].
    Brotli(Box<Brotli<Vec<u8>>>),
    /// See [`Coding::Zstd`].
    Zstd(Box<Zstd<'static, Vec<u8>>>),
    /// See [`Coding::Gzip`].
    Gzip(Box<Gzip<Vec<u8>>>),
}

/// What comes after some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// More bytes.
    More,
    /// Nothing for a while: what is there must be readable.
    Pause,
    /// The end.
    End,
}

impl Coding {
    /// How hard it tries: a body is coded once and sent often, but the first viewer waits for it. `docs/performance.md` has what
    /// each level takes and brings.
    pub fn level(self) -> i32 {
        match self {
            Coding::Brotli => 5,
            Coding::Zstd => 3,
            Coding::Gzip => 6,
        }
    }

    /// The name in `Content-Encoding`.
    pub fn as_str(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
            Coding::Gzip => "gzip",
        }
    }
}

impl Encoder {
    /// An encoder for one body.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(coding: Coding) -> io::Result<Self> {
        Self::with_level(coding, coding.level())
    }

    /// An encoder that tries as hard as `level` says: 0 to 11 for brotli, 1 to 22 for Zstandard, 0 to 9 for gzip.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn with_level(coding: Coding, level: i32) -> io::Result<Self> {
        let unsigned = level.unsigned_abs();
        Ok(match coding {
            Coding::Brotli => Self::Brotli(Box::new(Brotli::new(Vec::new(), BROTLI_BUFFER, unsigned, WINDOW))),
            Coding::Zstd => {
                let mut zstd = Zstd::new(Vec::new(), level)?;
                zstd.window_log(WINDOW)?;
                Self::Zstd(Box::new(zstd))
            }
            Coding::Gzip => Self::Gzip(Box::new(Gzip::new(Vec::new(), flate2::Compression::new(unsigned)))),
        })
    }

    /// Codes `bytes` and gives what is ready of the result, and the encoder unless it was the end.
    ///
    /// # Errors
    /// When the encoder fails, for want of memory.
    pub fn code(mut self, bytes: &[u8], then: Then) -> io::Result<(Option<Self>, Vec<u8>)> {
        match &mut self {
            Self::Brotli(brotli) => brotli.write_all(bytes)?,
            Self::Zstd(zstd) => zstd.write_all(bytes)?,
            Self::Gzip(gzip) => gzip.write_all(bytes)?,
        }
        match then {
            Then::End => return self.finish().map(|end| (None, end)),
            Then::Pause => match &mut self {
                Self::Brotli(brotli) => brotli.flush()?,
                Self::Zstd(zstd) => zstd.flush()?,
                Self::Gzip(gzip) => gzip.flush()?,
            },
            Then::More => {}
        }
        let ready = match &mut self {
            Self::Brotli(brotli) => std::mem::take(brotli.get_mut()),
            Self::Zstd(zstd) => std::mem::take(zstd.get_mut()),
            Self::Gzip(gzip) => std::mem::take(gzip.get_mut()),
        };
        Ok((Some(self), ready))
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Brotli(brotli) => Ok(brotli.into_inner()),
            Self::Zstd(zstd) => zstd.finish(),
            Self::Gzip(gzip) => gzip.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;

    const CODINGS: [Coding; 3] = [Coding::Brotli, Coding::Zstd, Coding::Gzip];

    fn decode(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match coding {
            Coding::Brotli => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut out),
            Coding::Zstd => zstd::stream::read::Decoder::new(bytes).unwrap().read_to_end(&mut out),
            Coding::Gzip => flate2::read::GzDecoder::new(bytes).read_to_end(&mut out),
        }
        .unwrap();
        out
    }

    /// As much as can be read of bytes that have no end yet.
    fn decode_begun(coding: Coding, bytes: &[u8], length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        match coding {
            Coding::Brotli => brotli::Decompressor::new(bytes, 4096).read_exact(&mut out),
            Coding::Zstd => zstd::stream::read::Decoder::new(bytes).unwrap().read_exact(&mut out),
            Coding::Gzip => flate2::read::GzDecoder::new(bytes).read_exact(&mut out),
        }
        .unwrap();
        out
    }

    #[test]
    fn before_a_pause_all_that_came_can_be_read() {
        for coding in CODINGS {
            let (encoder, begun) = Encoder::new(coding).unwrap().code(b"first line\n", Then::Pause).unwrap();
            assert_eq!(decode_begun(coding, &begun, 11), b"first line\n", "{coding:?}");
            let (ended, rest) = encoder.unwrap().code(b"second line\n", Then::End).unwrap();
            assert!(ended.is_none());
            assert_eq!(decode(coding, &[begun, rest].concat()), b"first line\nsecond line\n", "{coding:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn what_was_coded_in_parts_is_decoded_to_the_same(
            parts in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..3000), any::<bool>()), 0..6),
        ) {
            for coding in CODINGS {
                let (mut encoder, mut coded) = (Encoder::new(coding).unwrap(), Vec::new());
                for (part, pause) in &parts {
                    let (next, ready) = encoder.code(part, if *pause { Then::Pause } else { Then::More }).unwrap();
                    encoder = next.unwrap();
                    coded.extend(ready);
                }
                coded.extend(encoder.code(b"", Then::End).unwrap().1);
                let all: Vec<u8> = parts.iter().flat_map(|(part, _)| part.clone()).collect();
                prop_assert_eq!(decode(coding, &coded), all);
            }
        }
    }
}
