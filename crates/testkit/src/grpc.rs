//! gRPC without its libraries: heads, messages and trailers over HTTP/2, for both ends.
//!
//! - `origin`: a server whose calls a test plays, part by part.
//! - `viewer`: a client of the same kind.

mod origin;
mod viewer;

pub use origin::{Call, GrpcOrigin};
pub use viewer::{Asked, Viewer};

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName};
use hyper::body::{Body, Frame};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A message as gRPC frames it: not compressed, its length, its bytes.
pub fn message(bytes: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(bytes.len() + 5);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(bytes.len()).expect("a message of a test"));
    framed.put_slice(bytes);
    framed.freeze()
}

/// A half that a test sends part by part.
pub(crate) struct Half(UnboundedReceiver<Part>);

type Part = Result<Frame<Bytes>, std::io::Error>;

fn half() -> (UnboundedSender<Part>, Half) {
    let (sender, receiver) = unbounded_channel();
    (sender, Half(receiver))
}

impl Body for Half {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Part>> {
        self.0.poll_recv(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_closed() && self.0.is_empty()
    }
}

fn fields(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name: HeaderName = name.parse().expect("a header name");
        headers.append(name, value.parse().expect("a header value"));
    }
    headers
}
