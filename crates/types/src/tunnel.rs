//! Connections that have changed their protocol (RFC 9110 section 7.8): no messages any more, only bytes both ways.

use std::fmt;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection that bytes go over, both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// The origin's side of a connection that has changed its protocol, on its way to whoever joins it with the viewer's.
/// Dropped, it closes the origin's connection, and whoever waits for its end is told [`Ended::Viewer`].
pub struct Tunnel {
    origin: Option<Box<dyn Duplex>>,
    told: Option<Box<dyn FnOnce(Passage) + Send>>,
}

/// What went through a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passage {
    /// Bytes that came from the viewer.
    pub received: u64,
    /// Bytes that the viewer took.
    pub sent: u64,
    /// Why it ended.
    pub ended: Ended,
}

/// Why a tunnel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ended {
    /// The viewer closed its side first, or was gone before it began.
    #[default]
    Viewer,
    /// The origin closed its side first.
    Origin,
    /// The viewer's connection broke.
    ViewerFailed,
    /// The origin's connection broke.
    OriginFailed,
    /// The viewer took no byte for too long.
    ViewerStalled,
    /// The origin took no byte for too long.
    OriginStalled,
    /// No byte came from the origin for too long.
    Idle,
    /// The node stopped, or the rules changed by which the viewer's certificate was judged.
    Cut,
}

// === impl Tunnel ===

impl Tunnel {
    /// A tunnel to `origin`.
    pub fn new(origin: Box<dyn Duplex>) -> Self {
        Self { origin: Some(origin), told: None }
    }

    /// The same, and `told` learns how it ended, once.
    #[must_use]
    pub fn telling(mut self, told: impl FnOnce(Passage) + Send + 'static) -> Self {
        self.told = Some(Box::new(told));
        self
    }

    /// The origin's connection; `None` when it was taken before.
    pub fn take_origin(&mut self) -> Option<Box<dyn Duplex>> {
        self.origin.take()
    }

    /// Ends it, and tells what went through.
    pub fn end(mut self, passage: Passage) {
        self.tell(passage);
    }

    fn tell(&mut self, passage: Passage) {
        if let Some(told) = self.told.take() {
            told(passage);
        }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.tell(Passage::default());
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tunnel")
    }
}

// === impl Ended ===

impl Ended {
    /// Each of them.
    pub const ALL: [Ended; 8] = [
        Self::Viewer,
        Self::Origin,
        Self::ViewerFailed,
        Self::OriginFailed,
        Self::ViewerStalled,
        Self::OriginStalled,
        Self::Idle,
        Self::Cut,
    ];

    /// The word in records and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer-closed",
            Self::Origin => "origin-closed",
            Self::ViewerFailed => "viewer-failed",
            Self::OriginFailed => "origin-failed",
            Self::ViewerStalled => "viewer-stalled",
            Self::OriginStalled => "origin-stalled",
            Self::Idle => "idle",
            Self::Cut => "cut",
        }
    }

    /// Whether one of the two ended it as such connections end.
    pub fn is_regular(self) -> bool {
        matches!(self, Self::Viewer | Self::Origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn its_end_is_told_once_and_also_when_it_is_only_dropped() {
        let (sender, told) = channel();
        let telling = |sender: std::sync::mpsc::Sender<Passage>| {
            Tunnel::new(Box::new(tokio::io::empty())).telling(move |passage| sender.send(passage).expect("a receiver"))
        };
        let passage = Passage { received: 1, sent: 2, ended: Ended::Idle };
        telling(sender.clone()).end(passage);
        drop(telling(sender));
        assert_eq!(told.iter().collect::<Vec<_>>(), [passage, Passage::default()]);
    }
}
