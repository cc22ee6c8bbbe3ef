//! A viewer's `Accept-Encoding` (RFC 9110 section 12.5.3), made normal.

use super::encoder::Coding;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// What a viewer takes, as far as it makes a difference. Few values, so that few variants are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Offer {
    /// Nothing that is coded.
    Identity,
    /// gzip alone.
    Gzip,
    /// Brotli, and perhaps others of ours that it likes less.
    Brotli,
    /// Brotli, and gzip where an origin has nothing better.
    BrotliGzip,
    /// Zstandard alone.
    Zstd,
    /// Zstandard, and gzip where an origin has nothing better.
    ZstdGzip,
}

/// In thousandths, 0 to 1000; `None`: not named.
type Quality = Option<u16>;

#[derive(Default)]
struct Named {
    brotli: Quality,
    zstd: Quality,
    gzip: Quality,
    identity: Quality,
    any: Quality,
}

impl Offer {
    /// All of them, for tests and tables.
    pub const ALL: [Offer; 6] =
        [Offer::Identity, Offer::Gzip, Offer::Brotli, Offer::BrotliGzip, Offer::Zstd, Offer::ZstdGzip];

    /// Reads it. The coding that the viewer likes best counts; between equals brotli, then Zstandard, then gzip
    /// (`cdn-behaviour.md` section 13; Zstandard is an extension). Without the field, as with one that excludes all, a
    /// viewer gets what is not coded.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut named = Named::default();
        for line in headers.get_all(ACCEPT_ENCODING) {
            line.as_bytes().split(|b| *b == b',').for_each(|member| named.take(member));
        }
        let quality = |named: Quality, any: Quality| named.or(any).unwrap_or(0);
        let [brotli, zstd, gzip] = [named.brotli, named.zstd, named.gzip].map(|q| quality(q, named.any));
        let best = brotli.max(zstd).max(gzip);
        // Named with a higher quality than all codings, it is what the viewer wants.
        if best == 0 || named.identity.is_some_and(|identity| identity > best) {
            return Offer::Identity;
        }
        match (brotli == best, zstd == best, gzip > 0) {
            (true, _, true) => Offer::BrotliGzip,
            (true, _, false) => Offer::Brotli,
            (_, true, true) => Offer::ZstdGzip,
            (_, true, false) => Offer::Zstd,
            _ => Offer::Gzip,
        }
    }

    /// As the origin gets it, and as it is in the cache key.
    pub fn as_str(self) -> &'static str {
        match self {
            Offer::Identity => "identity",
            Offer::Gzip => "gzip",
            Offer::Brotli => "br",
            Offer::BrotliGzip => "br,gzip",
            Offer::Zstd => "zstd",
            Offer::ZstdGzip => "zstd,gzip",
        }
    }

    /// The coding that the node makes for it.
    pub fn coding(self) -> Option<Coding> {
        match self {
            Offer::Identity => None,
            Offer::Gzip => Some(Coding::Gzip),
            Offer::Brotli | Offer::BrotliGzip => Some(Coding::Brotli),
            Offer::Zstd | Offer::ZstdGzip => Some(Coding::Zstd),
        }
    }
}

impl Named {
    fn take(&mut self, member: &[u8]) {
        let mut parts = member.split(|b| *b == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        let quality = match parts.find_map(|part| part.strip_prefix(b"q=").or_else(|| part.strip_prefix(b"Q="))) {
            Some(text) => parse_quality(text),
            None => 1000,
        };
        let is = |coding: &[u8]| name.eq_ignore_ascii_case(coding);
        let slot = match name {
            _ if is(b"br") => &mut self.brotli,
            _ if is(b"zstd") => &mut self.zstd,
            // RFC 9110 section 8.4.1.3: the older name.
            _ if is(b"gzip") || is(b"x-gzip") => &mut self.gzip,
            _ if is(b"identity") => &mut self.identity,
            b"*" => &mut self.any,
            _ => return,
        };
        *slot = Some(quality);
    }
}

/// RFC 9110 section 12.4.2, in thousandths. What is no quality counts as 0: not coded is never wrong.
fn parse_quality(text: &[u8]) -> u16 {
    let digits = match text {
        [b'1'] => return 1000,
        [b'1', b'.', zeros @ ..] if zeros.len() <= 3 && zeros.iter().all(|b| *b == b'0') => return 1000,
        [b'0', b'.', digits @ ..] if digits.len() <= 3 && digits.iter().all(u8::is_ascii_digit) => digits,
        _ => return 0,
    };
    [100, 10, 1].iter().zip(digits).map(|(worth, digit)| worth * u16::from(digit - b'0')).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn offer(lines: &[&str]) -> Offer {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT_ENCODING, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        Offer::of(&headers)
    }

    #[test]
    fn what_is_liked_best_counts() {
        // RFC 9110 section 12.5.3, and the vendor's preference (`cdn-behaviour.md` section 13)
        for (line, expected) in [
            ("gzip, deflate, br, zstd", Offer::BrotliGzip),
            ("gzip, deflate, br", Offer::BrotliGzip),
            ("br", Offer::Brotli),
            ("gzip", Offer::Gzip),
            ("x-gzip", Offer::Gzip),
            ("GZIP", Offer::Gzip),
            ("zstd, gzip", Offer::ZstdGzip),
            ("zstd", Offer::Zstd),
            ("deflate, compress", Offer::Identity),
            ("", Offer::Identity),
            ("gzip;q=1.0, br;q=0.5", Offer::Gzip),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", Offer::BrotliGzip),
            ("br;q=0.5, zstd;q=0.6, gzip;q=0.1", Offer::ZstdGzip),
            ("br;q=0, gzip", Offer::Gzip),
            ("br; q=0.001 , gzip;q=0.000", Offer::Brotli),
            ("*", Offer::BrotliGzip),
            ("*;q=0", Offer::Identity),
            ("br;q=0, *", Offer::ZstdGzip),
            ("gzip, *;q=0", Offer::Gzip),
            ("identity", Offer::Identity),
            ("identity;q=1, gzip;q=0.5", Offer::Identity),
            ("identity;q=0.5, gzip", Offer::Gzip),
            ("identity, gzip", Offer::Gzip),
            ("identity;q=0, gzip", Offer::Gzip),
            ("identity;q=0", Offer::Identity),
            ("gzip;q=2", Offer::Identity),
            ("gzip;q=0.1234", Offer::Identity),
            ("gzip;q=", Offer::Identity),
            ("gzip;q=1.001", Offer::Identity),
        ] {
            assert_eq!(offer(&[line]), expected, "{line}");
        }
        assert_eq!(offer(&[]), Offer::Identity);
        assert_eq!(offer(&["gzip", "br"]), Offer::BrotliGzip);
    }

    #[test]
    fn a_normal_one_stays_as_it_is() {
        for normal in Offer::ALL {
            assert_eq!(offer(&[normal.as_str()]), normal);
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_normal_form_that_stays(line in "[a-z*;=,. 0-9-]{0,60}") {
            let normal = offer(&[&line]);
            prop_assert_eq!(offer(&[normal.as_str()]), normal);
        }
    }
}
