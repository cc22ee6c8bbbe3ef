//! What a fake origin answers, and how it misbehaves.

use bytes::Bytes;
use tokio::sync::oneshot;

/// An answer, written part by part.
#[derive(Debug, Default)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    /// Parts instead of the above.
    script: Vec<Part>,
    close: bool,
}

#[derive(Debug)]
pub(crate) enum Part {
    Bytes(Bytes),
    Wait(oneshot::Receiver<()>),
    Never,
    Echo,
    Close,
}

/// Lets an answer that waits go on; so does dropping it.
#[derive(Debug)]
pub struct Step(oneshot::Sender<()>);

/// What an answer waits for, see [`Answer::then_wait`].
#[derive(Debug)]
pub struct Wait(oneshot::Receiver<()>);

/// A pair of a lever for the test and what the answer waits for.
pub fn step() -> (Step, Wait) {
    let (go, wait) = oneshot::channel();
    (Step(go), Wait(wait))
}

impl Step {
    /// Lets the answer go on.
    pub fn go(self) {
        // Nobody waits any more when the connection is gone.
        let _ = self.0.send(());
    }
}

impl Answer {
    /// An answer of `status` with a body and its length.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    /// 200 with a body.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::new(200, body)
    }

    /// 200 with a body that may be stored for some seconds.
    pub fn cached(seconds: u32, body: impl Into<Bytes>) -> Self {
        Self::ok(body).header("cache-control", &format!("max-age={seconds}"))
    }

    /// Bytes as they are, in place of status, headers and body.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::default().then(bytes)
    }

    /// No answer: the connection stays open, and nothing comes.
    pub fn never() -> Self {
        Self { script: vec![Part::Never], ..Self::default() }
    }

    /// No answer: the connection is closed.
    pub fn hang_up() -> Self {
        Self { script: vec![Part::Close], ..Self::default() }
    }

    /// Adds a header. `content-length` replaces the true one.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Goes on with these bytes after what there is so far.
    pub fn then(mut self, bytes: impl Into<Bytes>) -> Self {
        self.script.push(Part::Bytes(bytes.into()));
        self
    }

    /// Goes on when the test says so.
    pub fn then_wait(mut self, wait: Wait) -> Self {
        self.script.push(Part::Wait(wait.0));
        self
    }

    /// Then nothing comes any more, and the connection stays open.
    pub fn then_never(mut self) -> Self {
        self.script.push(Part::Never);
        self
    }

    /// Then whatever comes is sent back, until the peer closes.
    pub fn then_echo(mut self) -> Self {
        self.script.push(Part::Echo);
        self
    }

    /// Closes the connection after the answer.
    pub fn then_close(mut self) -> Self {
        self.close = true;
        self
    }

    /// The parts to write. `head`: whether the request was HEAD, so that the body stays here.
    pub(crate) fn into_parts(self, head: bool) -> Vec<Part> {
        let mut parts = Vec::new();
        if self.status != 0 {
            let mut text = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
            let framed =
                |name: &str| ["content-length", "transfer-encoding"].iter().any(|n| n.eq_ignore_ascii_case(name));
            if !self.headers.iter().any(|(name, _)| framed(name)) && !matches!(self.status, 204 | 304) {
                text.push_str(&format!("content-length: {}\r\n", self.body.len()));
            }
            for (name, value) in &self.headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            text.push_str("\r\n");
            let mut bytes = text.into_bytes();
            if !head {
                bytes.extend_from_slice(&self.body);
            }
            parts.push(Part::Bytes(bytes.into()));
        }
        parts.extend(self.script);
        if self.close {
            parts.push(Part::Close);
        }
        parts
    }
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("Unknown")
}
