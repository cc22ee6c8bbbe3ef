//! Follows a chunked body (RFC 9112 section 7.1) to find where it ends, more strictly than the parser behind us does:
//! CR LF everywhere, a bounded size, bounded extensions and trailers.

use crate::head::is_token;

/// Digits of a chunk size. More would overflow 64 bits.
const SIZE_DIGITS: u8 = 15;
/// Bytes of the extensions of one chunk.
const EXTENSION_LIMIT: u16 = 256;
/// Bytes of all trailers.
const TRAILER_LIMIT: u16 = 8192;

/// The framing of the body is broken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken;

/// Where in a chunked body we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunked {
    Size {
        digits: u8,
        size: u64,
    },
    Extension {
        size: u64,
        bytes: u16,
    },
    SizeLf {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataCr,
    DataLf,
    /// At the start of a trailer line or of the last, empty line.
    TrailerStart {
        bytes: u16,
    },
    TrailerName {
        bytes: u16,
    },
    TrailerValue {
        bytes: u16,
    },
    TrailerLf {
        bytes: u16,
    },
    EndLf,
    End,
}

impl Chunked {
    pub(crate) const START: Chunked = Chunked::Size { digits: 0, size: 0 };

    /// Moves on over `bytes`, up to the end of the body. Gives how many bytes belong to it.
    pub(crate) fn follow(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let mut at = 0;
        while at < bytes.len() && *self != Chunked::End {
            if let Chunked::Data { left } = self {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len() - at);
                *left -= taken as u64;
                at += taken;
                if *left == 0 {
                    *self = Chunked::DataCr;
                }
                continue;
            }
            *self = self.after(bytes[at])?;
            at += 1;
        }
        Ok(at)
    }

    fn after(self, byte: u8) -> Result<Chunked, Broken> {
        Ok(match (self, byte) {
            (Chunked::Size { digits, size }, _) if byte.is_ascii_hexdigit() && digits < SIZE_DIGITS => {
                let digit = (byte as char).to_digit(16).map_or(0, u64::from);
                Chunked::Size { digits: digits + 1, size: size << 4 | digit }
            }
            (Chunked::Size { digits: 1.., size }, b'\r') => Chunked::SizeLf { size },
            (Chunked::Size { digits: 1.., size }, b';') => Chunked::Extension { size, bytes: 0 },
            (Chunked::Extension { size, .. }, b'\r') => Chunked::SizeLf { size },
            (Chunked::Extension { size, bytes }, b' '..=b'~' | b'\t' | 0x80..) if bytes < EXTENSION_LIMIT => {
                Chunked::Extension { size, bytes: bytes + 1 }
            }
            (Chunked::SizeLf { size: 0 }, b'\n') => Chunked::TrailerStart { bytes: 0 },
            (Chunked::SizeLf { size }, b'\n') => Chunked::Data { left: size },
            (Chunked::DataCr, b'\r') => Chunked::DataLf,
            (Chunked::DataLf, b'\n') => Chunked::START,
            (Chunked::TrailerStart { .. }, b'\r') => Chunked::EndLf,
            (Chunked::EndLf, b'\n') => Chunked::End,
            (Chunked::TrailerStart { bytes }, _) if is_token(byte) => Chunked::TrailerName { bytes }.longer()?,
            (Chunked::TrailerName { .. }, _) if is_token(byte) => self.longer()?,
            (Chunked::TrailerName { bytes }, b':') => Chunked::TrailerValue { bytes }.longer()?,
            (Chunked::TrailerValue { bytes }, b'\r') => Chunked::TrailerLf { bytes },
            (Chunked::TrailerValue { .. }, b' '..=b'~' | b'\t' | 0x80..) => self.longer()?,
            (Chunked::TrailerLf { bytes }, b'\n') => Chunked::TrailerStart { bytes },
            _ => return Err(Broken),
        })
    }

    fn longer(self) -> Result<Chunked, Broken> {
        match self {
            Chunked::TrailerName { bytes } if bytes < TRAILER_LIMIT => Ok(Chunked::TrailerName { bytes: bytes + 1 }),
            Chunked::TrailerValue { bytes } if bytes < TRAILER_LIMIT => Ok(Chunked::TrailerValue { bytes: bytes + 1 }),
            _ => Err(Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn follow(text: &str) -> Result<(usize, Chunked), Broken> {
        let mut state = Chunked::START;
        state.follow(text.as_bytes()).map(|len| (len, state))
    }

    #[test]
    fn a_body_ends_after_its_trailers_and_not_before() {
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "5;a=b\r\nhello\r\n000\r\nx: y\r\nz:\r\n\r\n",
            "A\r\n0123456789\r\n0\r\n\r\n",
        ] {
            assert_eq!(follow(&format!("{body}GET /")), Ok((body.len(), Chunked::End)), "{body:?}");
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for body in [
            "\r\n",
            "x\r\n",
            "+5\r\nhello\r\n",
            "0x5\r\nhello\r\n",
            "5\nhello\r\n",
            " 5\r\nhello\r\n",
            "5 \r\nhello\r\n",
            "5\r\nhello0\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\rhello",
            "1234567890123456\r\n",
            "0\r\n x: y\r\n\r\n",
            "0\r\nx : y\r\n\r\n",
            "0\r\nx: y\n\r\n",
            "5;a\nb\r\nhello",
            "0\r\nx\r\n\r\n",
        ] {
            assert_eq!(follow(body), Err(Broken), "{body:?}");
        }
    }

    #[test]
    fn extensions_and_trailers_are_bounded() {
        assert_eq!(follow(&format!("5;{}\r\n", "a".repeat(300))), Err(Broken));
        assert_eq!(follow(&format!("0\r\n{}\r\n", "a: b\r\n".repeat(3000))), Err(Broken));
    }

    proptest! {
        #[test]
        fn the_way_bytes_are_cut_does_not_matter(parts in prop::collection::vec("[0-9a-f]{1,3}", 0..4), cut in 0usize..64) {
            let mut text = String::new();
            for part in &parts {
                let size = usize::from_str_radix(part, 16).unwrap() % 64 + 1;
                text.push_str(&format!("{size:x}\r\n{}\r\n", "d".repeat(size)));
            }
            text.push_str("0\r\n\r\n");
            let bytes = text.as_bytes();
            let cut = cut.min(bytes.len());
            let mut state = Chunked::START;
            prop_assert_eq!(state.follow(&bytes[..cut]), Ok(cut));
            prop_assert_eq!(state.follow(&bytes[cut..]), Ok(bytes.len() - cut));
            prop_assert_eq!(state, Chunked::End);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Chunked::START.clone().follow(&bytes);
        }
    }
}
