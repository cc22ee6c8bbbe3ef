//! The gate between the socket and the HTTP parser.
//!
//! It reads HTTP/1 heads before the parser does ([`crate::head`]) and follows bodies to know where the next head
//! begins. A bad head never reaches the parser: the gate hands it a harmless request in its place, remembers the
//! verdict in the [`Flow`], and hands nothing after that. So the refusal goes out in order, after the answers to
//! requests before it, and the connection closes behind it.
//! Behind a head that asks to switch protocols it holds back everything until that is settled ([`crate::switch`]).
//! The gate also keeps the times ([`crate::times`]). Over HTTP/2 it does that alone.

mod socket;

use crate::chunked::Chunked;
use crate::counters::Counters;
use crate::counting::Counting;
use crate::flow::{Flow, Verdict};
use crate::head::{Framing, Inspected, inspect};
use crate::refusal::Refusal;
use crate::times::{Awaits, Late, Times};
use http::Version;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use rimward_config::Limits;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// Bytes read at a time. On the stack, so that an idle connection holds no buffer.
const READ: usize = 16 * 1024;
/// What the client of HTTP/2 says first (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Which protocol a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing is known yet of the protocol.
    Unknown,
    /// Before or in a head.
    Head,
    /// In a body of known length; this much is to come.
    Length(u64),
    /// In a chunked body.
    Chunked(Chunked),
    /// Behind a head that asks to switch protocols.
    Switching,
    /// A head was refused, or bytes came behind one that asked to switch protocols in vain.
    Refused,
    /// The framing of a body is broken.
    Broken,
    /// HTTP/2: nothing is looked at.
    Frames,
}

/// A socket with the gate before it.
pub(crate) struct Gate<T> {
    io: TokioIo<Counting<T>>,
    phase: Phase,
    /// Bytes that the parser has not taken. The first `passed` of them are judged and good.
    held: Vec<u8>,
    passed: usize,
    /// What the parser gets after them in place of a refused head.
    substitute: &'static [u8],
    /// Heads passed.
    heads: u64,
    flow: Arc<Flow>,
    limits: Arc<Limits>,
    times: Times,
    /// Interim answers that are being written.
    interim: Vec<u8>,
    /// Whether a viewer that resets too many streams was told, or takes nothing.
    told_off: bool,
    /// Set when the writing side was closed: how long and how much we still read.
    linger: Option<(Instant, u64)>,
    /// Whether it is closed.
    closed: bool,
}

impl<T> Gate<T>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    pub(crate) fn new(io: T, flow: Arc<Flow>, limits: Arc<Limits>, counters: Arc<Counters>) -> Self {
        let times = Times::new(flow.clone(), limits.clone(), counters);
        let io = TokioIo::new(Counting { inner: io, read: 0 });
        let (held, phase) = (Vec::new(), Phase::Unknown);
        Self {
            io,
            phase,
            held,
            passed: 0,
            substitute: &[],
            heads: 0,
            flow,
            limits,
            times,
            interim: Vec::new(),
            told_off: false,
            linger: None,
            closed: false,
        }
    }

    /// The socket, and the bytes that were read and not handed over.
    pub(crate) fn into_parts(self) -> (T, Vec<u8>) {
        (self.io.into_inner().inner, self.held)
    }

    /// Closes it, unless that was done: the parser leaves it open when it thinks that another protocol takes over.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closed { Poll::Ready(Ok(())) } else { Pin::new(self).poll_shutdown(cx) }
    }

    /// Settles the protocol without looking.
    pub(crate) fn speak(&mut self, protocol: Protocol) {
        self.phase = match protocol {
            Protocol::Http1 => Phase::Head,
            Protocol::Http2 => Phase::Frames,
        };
    }

    /// Finds out the protocol from the first bytes. `None`: the viewer left or said nothing in time.
    pub(crate) fn poll_protocol(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Protocol>>> {
        loop {
            let len = self.held.len().min(PREFACE.len());
            if self.held[..len] != PREFACE[..len] {
                self.speak(Protocol::Http1);
                self.judge_held();
                return Poll::Ready(Ok(Some(Protocol::Http1)));
            }
            if len == PREFACE.len() {
                self.speak(Protocol::Http2);
                self.passed = self.held.len();
                return Poll::Ready(Ok(Some(Protocol::Http2)));
            }
            let mut scratch = [MaybeUninit::uninit(); READ];
            let mut buffer = ReadBuf::uninit(&mut scratch);
            match Pin::new(self.io.inner_mut()).poll_read(cx, &mut buffer)? {
                Poll::Ready(()) if buffer.filled().is_empty() => return Poll::Ready(Ok(None)),
                Poll::Ready(()) => self.held.extend_from_slice(buffer.filled()),
                Poll::Pending => match ready!(self.poll_late(cx)) {
                    Late::Head => {
                        self.speak(Protocol::Http1);
                        self.refuse_held(Refusal::HeadTimeout);
                        return Poll::Ready(Ok(Some(Protocol::Http1)));
                    }
                    Late::Idle => return Poll::Ready(Ok(None)),
                },
            }
        }
    }

    /// Gives the parser what is judged, as much as it has room for. Says whether there was any.
    fn hand_over(&mut self, cursor: &mut ReadBufCursor<'_>) -> bool {
        if self.passed > 0 {
            let len = self.passed.min(cursor.remaining());
            cursor.put_slice(&self.held[..len]);
            self.passed -= len;
            if len == self.held.len() {
                self.held = Vec::new();
            } else {
                self.held.drain(..len);
            }
            return true;
        }
        let (now, later) = self.substitute.split_at(self.substitute.len().min(cursor.remaining()));
        cursor.put_slice(now);
        self.substitute = later;
        !now.is_empty()
    }

    /// Takes fresh bytes: judged ones go to the parser as far as it has room, others are held.
    fn take(&mut self, bytes: &[u8], cursor: &mut ReadBufCursor<'_>) {
        if !self.held.is_empty() {
            self.held.extend_from_slice(bytes);
            self.judge_held();
            return;
        }
        let good = self.judge(bytes);
        let handed = good.min(cursor.remaining());
        cursor.put_slice(&bytes[..handed]);
        let kept = if self.phase == Phase::Refused { good } else { bytes.len() };
        if handed < kept {
            self.held = bytes[handed..kept].to_vec();
            self.passed = good - handed;
        }
    }

    fn judge_held(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        // Searching for the end of a head that comes byte by byte must not cost its length each time.
        if self.may_be_complete(&held[self.passed..]) {
            self.passed += self.judge(&held[self.passed..]);
            if self.phase == Phase::Refused {
                held.truncate(self.passed);
            }
        }
        self.held = held;
    }

    /// Whether judging can find anything new: a head needs an empty line or the room that heads may take.
    fn may_be_complete(&self, bytes: &[u8]) -> bool {
        if self.phase != Phase::Head {
            return true;
        }
        let tail = &bytes[bytes.len().saturating_sub(READ + 3)..];
        bytes.len() > self.limits.url.as_usize().min(self.limits.head.as_usize())
            || memchr::memchr_iter(b'\n', tail).any(|at| matches!(tail[at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]))
    }

    /// Judges bytes that follow what was judged before. Gives how many of them are good to hand over.
    fn judge(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            if rest.is_empty() {
                return at;
            }
            match &mut self.phase {
                Phase::Head => {
                    // RFC 9112 section 2.2: an empty line before a request line is skipped. The parser skips it too.
                    if let [b'\r', b'\n', ..] = rest {
                        at += 2;
                        continue;
                    }
                    match inspect(rest, &self.limits) {
                        Inspected::Partial => {
                            self.times.head_began();
                            return at;
                        }
                        Inspected::Good { len, body, switch } => {
                            at += len;
                            self.heads += 1;
                            self.times.head_ended();
                            self.phase = match body {
                                _ if switch => {
                                    self.flow.switch.ask(self.heads);
                                    Phase::Switching
                                }
                                Framing::Length(0) => Phase::Head,
                                Framing::Length(length) => Phase::Length(length),
                                Framing::Chunked => Phase::Chunked(Chunked::START),
                            };
                        }
                        Inspected::Refused(refusal) => {
                            self.refuse(refusal, rest);
                            return at;
                        }
                    }
                }
                Phase::Length(left) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    at += taken;
                    *left -= taken as u64;
                    if *left == 0 {
                        self.phase = Phase::Head;
                    }
                }
                Phase::Chunked(state) => match state.follow(rest) {
                    Ok(taken) => {
                        at += taken;
                        if *state == Chunked::End {
                            self.phase = Phase::Head;
                        }
                    }
                    Err(_) => {
                        self.phase = Phase::Broken;
                        return at;
                    }
                },
                Phase::Frames => return bytes.len(),
                Phase::Switching => {
                    self.flow.switch.came_early();
                    return at;
                }
                Phase::Unknown | Phase::Refused | Phase::Broken => return at,
            }
        }
    }

    /// Refuses what is held.
    fn refuse_held(&mut self, refusal: Refusal) {
        let mut held = std::mem::take(&mut self.held);
        self.refuse(refusal, &held[self.passed..]);
        held.truncate(self.passed);
        self.held = held;
    }

    /// Puts a harmless request in place of the one that begins with `bytes`.
    fn refuse(&mut self, refusal: Refusal, bytes: &[u8]) {
        let line = bytes.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
        // An answer to HEAD has no body.
        let (version, substitute) = match (line.starts_with(b"HEAD "), line.ends_with(b" HTTP/1.0")) {
            (false, false) => (Version::HTTP_11, "GET / HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n"),
            (true, false) => (Version::HTTP_11, "HEAD / HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n"),
            (false, true) => (Version::HTTP_10, "GET / HTTP/1.0\r\n\r\n"),
            (true, true) => (Version::HTTP_10, "HEAD / HTTP/1.0\r\n\r\n"),
        };
        self.substitute = substitute.as_bytes();
        self.phase = Phase::Refused;
        let line = line[..line.len().min(256)].to_vec();
        self.flow.refuse(Verdict { number: self.heads + 1, refusal, version, line });
    }

    fn poll_read_parser(&mut self, cx: &mut Context<'_>, mut cursor: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.hand_over(&mut cursor) {
                return Poll::Ready(Ok(()));
            }
            match self.phase {
                // The parser is busy with the last request and will close after it.
                Phase::Refused => return Poll::Pending,
                Phase::Switching if self.flow.switch.take_declined() => {
                    self.phase = if self.held.is_empty() { Phase::Head } else { Phase::Refused };
                    continue;
                }
                // A bounded part is held, so that the viewer's leaving is seen behind it.
                Phase::Switching if self.held.len() >= READ => return Poll::Pending,
                Phase::Broken => return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "broken chunk"))),
                // Nothing more is let in; the viewer is told when what was written is flushed.
                Phase::Frames if self.flow.is_flooded() => {
                    if self.told_off || self.times.is_writing() {
                        return Poll::Ready(Err(io::Error::other("the viewer resets too many streams")));
                    }
                    return Poll::Pending;
                }
                // Nothing to look at: straight into the parser's buffer.
                Phase::Frames => match Pin::new(&mut self.io).poll_read(cx, cursor) {
                    Poll::Pending => match ready!(self.poll_late(cx)) {
                        Late::Head | Late::Idle => return Poll::Ready(Ok(())),
                    },
                    done => return done,
                },
                Phase::Length(left) if self.held.is_empty() && left >= cursor.remaining() as u64 => {
                    let before = self.io.inner().read;
                    ready!(Pin::new(&mut self.io).poll_read(cx, cursor))?;
                    let left = left - (self.io.inner().read - before);
                    self.phase = if left == 0 { Phase::Head } else { Phase::Length(left) };
                    return Poll::Ready(Ok(()));
                }
                _ => {}
            }
            let mut scratch = [MaybeUninit::uninit(); READ];
            let mut buffer = ReadBuf::uninit(&mut scratch);
            match Pin::new(self.io.inner_mut()).poll_read(cx, &mut buffer)? {
                Poll::Ready(()) => {
                    if buffer.filled().is_empty() {
                        return Poll::Ready(Ok(()));
                    }
                    let room = cursor.remaining();
                    self.take(buffer.filled(), &mut cursor);
                    if cursor.remaining() < room {
                        return Poll::Ready(Ok(()));
                    }
                }
                Poll::Pending => {
                    if self.phase != Phase::Head {
                        // The reader of a body keeps its time.
                        return Poll::Pending;
                    }
                    match ready!(self.poll_late(cx)) {
                        Late::Head => self.refuse_held(Refusal::HeadTimeout),
                        Late::Idle => return Poll::Ready(Ok(())),
                    }
                }
            }
        }
    }

    /// Ready when a head or the next request is late.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Late> {
        let awaits = match self.phase {
            Phase::Frames => Awaits::Frames,
            _ if self.held.len() > self.passed => Awaits::Head,
            _ => Awaits::Request,
        };
        self.times.poll_late(awaits, cx)
    }
}
