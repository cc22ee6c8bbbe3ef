//! Strings between JavaScript (Latin-1 or UTF-16) and the wire (UTF-8).

use std::borrow::Cow;

use boa_engine::{JsString, string::JsStrVariant};

use crate::{byte_strings::bytes_in, engine::Runtime, modules::runtime};

/// Whether all bytes are ASCII: eight at a time, the last of them perhaps twice.
pub(crate) fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let Some(last) = bytes.last_chunk::<8>() else {
        return match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(first), Some(last)) => (u32::from_ne_bytes(*first) | u32::from_ne_bytes(*last)) & HIGH as u32 == 0,
            _ => bytes.iter().all(u8::is_ascii),
        };
    };
    let mut all = u64::from_ne_bytes(*last);
    for word in bytes.as_chunks::<8>().0 {
        all |= u64::from_ne_bytes(*word);
    }
    all & HIGH == 0
}

/// Appends a JavaScript string as UTF-8; lone surrogates become U+FFFD. Byte strings of runtime 1.0 that are UTF-8 go as they are.
pub(crate) fn push_utf8(out: &mut Vec<u8>, text: &JsString) {
    match text.as_str().variant() {
        JsStrVariant::Latin1(bytes) if is_ascii(bytes) => out.extend_from_slice(bytes),
        JsStrVariant::Latin1(bytes) => {
            for &b in bytes {
                push_char(out, char::from(b));
            }
        }
        JsStrVariant::Utf16(units) => {
            if runtime() == Runtime::V1
                && let Some(bytes) = bytes_in(text)
                && std::str::from_utf8(&bytes).is_ok()
            {
                return out.extend_from_slice(&bytes);
            }
            for c in char::decode_utf16(units.iter().copied()) {
                push_char(out, c.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
    }
}

fn push_char(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The string as UTF-8, borrowed where it is ASCII.
pub(crate) fn utf8(text: &JsString) -> Cow<'_, str> {
    if let JsStrVariant::Latin1(bytes) = text.as_str().variant()
        && is_ascii(bytes)
        && let Ok(ascii) = std::str::from_utf8(bytes)
    {
        return Cow::Borrowed(ascii);
    }
    Cow::Owned(text.to_std_string_lossy())
}

/// Whether both are the same text; `utf8` is UTF-8.
pub(crate) fn equals(text: &JsString, utf8: &[u8]) -> bool {
    match text.as_str().variant() {
        JsStrVariant::Latin1(bytes) if is_ascii(bytes) => bytes == utf8,
        _ => text.to_std_string().is_ok_and(|t| t.as_bytes() == utf8),
    }
}

/// The string's units as bytes, each cut to its low eight bits.
pub(crate) fn low_bytes(text: &JsString) -> Vec<u8> {
    match text.as_str().variant() {
        JsStrVariant::Latin1(bytes) => bytes.to_vec(),
        JsStrVariant::Utf16(units) => units.iter().map(|&u| u as u8).collect(),
    }
}

/// A string whose units are the bytes.
pub(crate) fn from_latin1(bytes: &[u8]) -> JsString {
    let text = boa_engine::JsStr::latin1(bytes);
    // One character and none are known to the engine; whether a longer text is costs more to find out than it saves.
    if bytes.len() < 2 { JsString::from(text) } else { JsString::from_slice_skip_interning(text) }
}

/// A string from UTF-8 bytes; what is not UTF-8 becomes U+FFFD.
pub(crate) fn from_utf8_lossy(bytes: &[u8]) -> JsString {
    if is_ascii(bytes) { from_latin1(bytes) } else { JsString::from(String::from_utf8_lossy(bytes).as_ref()) }
}

#[cfg(test)]
mod tests {
    use super::{equals, from_utf8_lossy, is_ascii, low_bytes, push_utf8, utf8};
    use boa_engine::JsString;

    #[test]
    fn text_survives_the_way_through_javascript() {
        for text in ["", "plain", "größe", "家", "🦀 x"] {
            let js = JsString::from(text);
            let mut out = Vec::new();
            push_utf8(&mut out, &js);
            assert_eq!(out, text.as_bytes());
            assert_eq!(utf8(&js), text);
            assert!(equals(&js, text.as_bytes()) && !equals(&js, b"other"));
            assert_eq!(from_utf8_lossy(text.as_bytes()), js);
        }
    }

    #[test]
    fn one_byte_of_many_decides_whether_all_are_ascii() {
        for len in 0..40 {
            let mut bytes = vec![0x7f; len];
            assert!(is_ascii(&bytes), "{len}");
            for at in 0..len {
                bytes[at] = 0x80;
                assert!(!is_ascii(&bytes), "{len} {at}");
                bytes[at] = 0x7f;
            }
        }
    }

    #[test]
    fn a_lone_surrogate_becomes_the_replacement_character() {
        let js = JsString::from(&[0x61, 0xd800][..]);
        let mut out = Vec::new();
        push_utf8(&mut out, &js);
        assert_eq!(out, "a\u{fffd}".as_bytes());
        assert_eq!(low_bytes(&js), [0x61, 0]);
    }
}
