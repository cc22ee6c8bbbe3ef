//! Bodies of requests and responses.

/// A body as a function sees it.
///
/// By default there is none to see: the node sends on what it has. One that is made [from](From) bytes or text takes its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    pub(crate) shown: Option<Vec<u8>>,
    pub(crate) truncated: bool,
    pub(crate) replaces: bool,
}

impl Body {
    /// The bytes: of a request whose function has `include-body`, or those that this body was made of. At most 40 KB at
    /// viewer-request and 1 MB at origin-request.
    pub fn bytes(&self) -> &[u8] {
        self.shown.as_deref().unwrap_or_default()
    }

    /// Whether there are bytes to see.
    pub fn is_shown(&self) -> bool {
        self.shown.is_some()
    }

    /// Whether the node cut what it shows. It still sends the whole body on, unless this one is replaced.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self { shown: Some(bytes), truncated: false, replaces: true }
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}
