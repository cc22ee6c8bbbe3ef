//! A key set, and what its keys verify.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rimward_wire::abi::{Signature, Verified};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256};
use ring::signature::{RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;

/// Largest text of a set in bytes. Those of large providers have a few kilobytes.
pub const MAX_TEXT: usize = 64 << 10;
/// Most keys that are kept.
pub const MAX_KEYS: usize = 32;
/// Most keys that are tried for one signature: without a key id all would be, and each takes up to half a millisecond.
const MAX_TRIED: usize = 4;

/// A text is no key set that could verify anything.
#[derive(Debug, thiserror::Error)]
pub enum InvalidKeySet {
    /// Larger than [`MAX_TEXT`].
    #[error("it has {0} bytes; the limit is {MAX_TEXT}")]
    TooLarge(usize),
    /// No JSON object with `keys`.
    #[error("it is no JSON web key set: {0}")]
    Json(#[from] serde_json::Error),
    /// More than [`MAX_KEYS`] keys of the algorithms that count.
    #[error("it has more than {MAX_KEYS} usable keys")]
    TooMany,
    /// Nothing in it is a public key for RS256, ES256 or EdDSA.
    #[error("it has no public key for RS256, ES256 or EdDSA (RSA of 2048 to 8192 bits, EC P-256, OKP Ed25519)")]
    NoKey,
}

/// Public keys with their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<Key>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// The point, uncompressed.
    P256([u8; 65]),
    Ed25519([u8; 32]),
}

#[derive(Deserialize)]
struct JsonSet {
    keys: Vec<serde_json::Value>,
}

/// The members of a JSON web key that matter (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2).
#[derive(Deserialize)]
struct JsonKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a set. Keys of other kinds and for other purposes are passed over (RFC 7517 section 5).
    ///
    /// # Errors
    /// When nothing is left, or the text is no set.
    pub fn parse(text: &[u8]) -> Result<Self, InvalidKeySet> {
        if text.len() > MAX_TEXT {
            return Err(InvalidKeySet::TooLarge(text.len()));
        }
        let set: JsonSet = serde_json::from_slice(text)?;
        let keys: Vec<Key> = set.keys.into_iter().filter_map(Key::read).collect();
        match keys.len() {
            0 => Err(InvalidKeySet::NoKey),
            1..=MAX_KEYS => Ok(Self { keys }),
            _ => Err(InvalidKeySet::TooMany),
        }
    }

    /// Number of keys.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// Whether a key with this id, or one of the first four if the id is empty, made the signature. A key serves its own algorithm alone.
    pub fn verify(&self, algorithm: Signature, id: &[u8], data: &[u8], signature: &[u8]) -> Verified {
        let fits = |key: &&Key| {
            key.material.algorithm() == algorithm
                && (id.is_empty() || key.id.as_ref().is_some_and(|own| own.as_bytes() == id))
        };
        let mut answer = Verified::NoKey;
        for key in self.keys.iter().filter(fits).take(MAX_TRIED) {
            if key.material.verifies(data, signature) {
                return Verified::Yes;
            }
            answer = Verified::No;
        }
        answer
    }
}

impl Key {
    fn read(value: serde_json::Value) -> Option<Self> {
        let key: JsonKey = serde_json::from_value(value).ok()?;
        if key.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        let curve = key.crv.as_deref();
        let material = match key.kty.as_str() {
            "RSA" => {
                let (n, e) = (bytes(&key.n)?, bytes(&key.e)?);
                // Shorter and longer ones are refused when they verify; better to know now.
                (256..=1024).contains(&n.len()).then_some(Material::Rsa { n, e })?
            }
            "EC" if curve == Some("P-256") => {
                let mut point = [4; 65];
                point[1..33].copy_from_slice(&<[u8; 32]>::try_from(bytes(&key.x)?).ok()?);
                point[33..].copy_from_slice(&<[u8; 32]>::try_from(bytes(&key.y)?).ok()?);
                Material::P256(point)
            }
            "OKP" if curve == Some("Ed25519") => Material::Ed25519(bytes(&key.x)?.try_into().ok()?),
            _ => return None,
        };
        let named = key.alg.as_deref().is_none_or(|name| name == material.algorithm().name());
        named.then_some(Self { id: key.kid, material })
    }
}

impl Material {
    fn algorithm(&self) -> Signature {
        match self {
            Self::Rsa { .. } => Signature::Rs256,
            Self::P256(_) => Signature::Es256,
            Self::Ed25519(_) => Signature::EdDsa,
        }
    }

    fn verifies(&self, data: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, data, signature),
            Self::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(data, signature),
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(data, signature),
        }
        .is_ok()
    }
}

#[cfg(test)]
mod tests;
