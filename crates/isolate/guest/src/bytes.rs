//! Base64 and hexadecimal, as `Buffer`, `crypto`, `atob` and `btoa` need them.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Value of a base64 character of either alphabet; 64 for all others.
const VALUES: [u8; 256] = {
    let mut table = [64; 256];
    let mut i = 0;
    while i < 64 {
        table[STANDARD[i] as usize] = i as u8;
        table[URL[i] as usize] = i as u8;
        i += 1;
    }
    table
};

/// Base64 with padding.
pub(crate) fn encode_base64(data: &[u8]) -> Vec<u8> {
    let mut out = encode(data, STANDARD);
    while !out.len().is_multiple_of(4) {
        out.push(b'=');
    }
    out
}

/// Base64url without padding.
pub(crate) fn encode_base64url(data: &[u8]) -> Vec<u8> {
    encode(data, URL)
}

fn encode(data: &[u8], alphabet: &[u8; 64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len().div_ceil(3) * 4);
    for chunk in data.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digits = [18, 12, 6, 0].map(|shift| alphabet[(bits >> shift) as usize & 63]);
        out.extend_from_slice(&digits[..=chunk.len()]);
    }
    out
}

/// Decodes either alphabet, as `Buffer.from` does: skips what is no digit, ends at `=`, drops incomplete bytes.
pub(crate) fn decode_base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0u32, 0);
    for &c in text {
        if c == b'=' {
            break;
        }
        let value = VALUES[c as usize];
        if value == 64 {
            continue;
        }
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            out.extend_from_slice(&[(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]);
            (bits, count) = (0, 0);
        }
    }
    match count {
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => {}
    }
    out
}

/// Decodes the standard alphabet as `atob` does: white space is skipped, padding may be left out, all else is refused.
pub(crate) fn decode_base64_strictly(text: &[u8]) -> Option<Vec<u8>> {
    let mut digits: Vec<u8> = text.iter().copied().filter(|c| !c.is_ascii_whitespace()).collect();
    if digits.len().is_multiple_of(4) {
        for _ in 0..2 {
            if digits.last() == Some(&b'=') {
                digits.pop();
            }
        }
    }
    let valid = digits.len() % 4 != 1 && digits.iter().all(|c| STANDARD.contains(c));
    valid.then(|| decode_base64(&digits))
}

/// Lower-case hexadecimal.
pub(crate) fn encode_hex(data: &[u8]) -> Vec<u8> {
    data.iter().flat_map(|b| [HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]).collect()
}

/// Decodes hexadecimal up to the first pair that is none.
pub(crate) fn decode_hex(text: &[u8]) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
    text.chunks_exact(2).map_while(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::{decode_base64, decode_base64_strictly, decode_hex, encode_base64, encode_base64url, encode_hex};

    /// RFC 4648 section 10.
    #[test]
    fn base64_meets_the_vectors_of_the_rfc() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(encode_base64(plain.as_bytes()), coded.as_bytes());
            assert_eq!(decode_base64(coded.as_bytes()), plain.as_bytes());
            assert_eq!(decode_base64_strictly(coded.as_bytes()).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(encode_base64url(&[0xfb, 0xff]), b"-_8");
        assert_eq!(decode_base64(b"-_8"), decode_base64(b"+/8="));
    }

    #[test]
    fn atob_refuses_what_buffer_skips() {
        assert_eq!(decode_base64(b"Zm\n9v!"), b"foo");
        assert_eq!(decode_base64_strictly(b"Zm 9v\n").as_deref(), Some(&b"foo"[..]));
        for bad in [&b"Zm9v!"[..], b"Z", b"Zg=", b"-_8", b"Zg==="] {
            assert_eq!(decode_base64_strictly(bad), None);
        }
    }

    #[test]
    fn hexadecimal_ends_at_the_first_pair_that_is_none() {
        assert_eq!(encode_hex(&[0, 0xab, 0xff]), b"00abff");
        assert_eq!(decode_hex(b"00ABffzz11"), [0, 0xab, 0xff]);
        assert_eq!(decode_hex(b"abc"), [0xab]);
    }
}
