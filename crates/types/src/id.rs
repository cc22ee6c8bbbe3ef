//! Ids.

use crate::Entropy;
use std::fmt;

/// The id of one viewer request: 54 base64url characters and `==`, the shape of `x-amz-cf-id`
/// (`cloudfront-functions.md` section 3). The same value is in events, records and the response.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 56]);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl RequestId {
    /// A new id.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut id = [0u8; 56];
        entropy.fill(&mut id[..54]);
        for byte in &mut id[..54] {
            *byte = ALPHABET[usize::from(*byte & 63)];
        }
        id[54..].copy_from_slice(b"==");
        Self(id)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
