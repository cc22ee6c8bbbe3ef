//! The first message of a TLS handshake, as far as fingerprints need it (RFC 8446 section 4.1.2). It is the viewer's, and
//! has been through the TLS library; whatever is in it, reading ends.

/// TLS records of a handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;
/// `client_hello` (RFC 8446 section 4).
const CLIENT_HELLO: u8 = 1;

/// Types of extensions that are read.
const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const POINT_FORMATS: u16 = 11;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;

/// What a viewer offers, in its order, without values that only keep servers from choking on new ones (GREASE, RFC 8701).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ClientHello {
    /// `legacy_version`.
    pub(crate) version: u16,
    pub(crate) ciphers: Vec<u16>,
    /// Types of all extensions.
    pub(crate) extensions: Vec<u16>,
    pub(crate) groups: Vec<u16>,
    pub(crate) point_formats: Vec<u8>,
    pub(crate) signature_algorithms: Vec<u16>,
    /// `supported_versions`; empty before TLS 1.3.
    pub(crate) versions: Vec<u16>,
    /// The first protocol of ALPN.
    pub(crate) protocol: Option<Vec<u8>>,
}

impl ClientHello {
    /// Reads the records that a viewer began with. `None` when they hold no whole message of this kind.
    pub(crate) fn read(records: &[u8]) -> Option<Self> {
        let message = message(records)?;
        let mut body = Bytes(&message);
        let version = body.number()?;
        body.take(32)?;
        body.short()?;
        let ciphers = numbers(body.long()?);
        body.short()?;
        let mut hello = Self { version, ciphers, ..Self::default() };
        // A hello of TLS 1.0 may end here.
        let mut extensions = Bytes(body.long().unwrap_or_default());
        while !extensions.0.is_empty() {
            let (kind, content) = (extensions.number()?, Bytes(extensions.long()?));
            if !is_grease(kind) {
                hello.extensions.push(kind);
                // One that is malformed counts as one that says nothing.
                let _ = hello.read_extension(kind, content);
            }
        }
        Some(hello)
    }

    /// Whether the viewer says which host it wants.
    pub(crate) fn names_a_host(&self) -> bool {
        self.extensions.contains(&SERVER_NAME)
    }

    /// The types of extensions but those of host and protocol.
    pub(crate) fn other_extensions(&self) -> impl Iterator<Item = u16> {
        self.extensions.iter().copied().filter(|kind| !matches!(*kind, SERVER_NAME | ALPN))
    }

    fn read_extension(&mut self, kind: u16, mut content: Bytes<'_>) -> Option<()> {
        match kind {
            SUPPORTED_GROUPS => self.groups = numbers(content.long()?),
            POINT_FORMATS => self.point_formats = content.short()?.to_vec(),
            SIGNATURE_ALGORITHMS => self.signature_algorithms = numbers(content.long()?),
            SUPPORTED_VERSIONS => self.versions = numbers(content.short()?),
            ALPN => self.protocol = Some(Bytes(content.long()?).short()?.to_vec()),
            _ => {}
        }
        Some(())
    }
}

/// The body of the first handshake message, put together from its records.
fn message(records: &[u8]) -> Option<Vec<u8>> {
    let mut records = Bytes(records);
    let mut text = Vec::new();
    loop {
        let kind = records.take(1)?[0];
        let _version = records.number()?;
        let content = records.long()?;
        if kind != HANDSHAKE || content.is_empty() {
            return None;
        }
        text.extend_from_slice(content);
        if let [kind, high, middle, low, body @ ..] = text.as_slice() {
            let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
            if *kind != CLIENT_HELLO {
                return None;
            }
            if let Some(body) = body.get(..length) {
                return Some(body.to_vec());
            }
        }
    }
}

/// 16-bit numbers of a list, without GREASE. A byte over is passed over.
fn numbers(list: &[u8]) -> Vec<u16> {
    let numbers = list.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    numbers.filter(|number| !is_grease(*number)).collect()
}

/// `0x0a0a`, `0x1a1a`, ... (RFC 8701 section 2).
fn is_grease(number: u16) -> bool {
    let [high, low] = number.to_be_bytes();
    high == low && high & 0x0f == 0x0a
}

/// Bytes that are left.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
    }

    /// What a length of one byte stands before.
    fn short(&mut self) -> Option<&'a [u8]> {
        let length = self.take(1)?[0];
        self.take(length.into())
    }

    /// What a length of two bytes stands before.
    fn long(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(length.into())
    }
}

#[cfg(test)]
pub(crate) mod tests;
