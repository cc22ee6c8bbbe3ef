//! An object of 256 MB with 64 MB of memory.

use crate::folder::cpu_us;
use crate::objects::body;
use crate::tier::{Kind, Sizes, Tier};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use rimward_benches::{Report, allocations};
use rimward_types::{Body, BodyError};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

const SIZE: usize = 256 << 20;
const PIECE: usize = 64 << 10;

/// The origin's body, a piece at a time.
struct Arriving {
    piece: Bytes,
    left: usize,
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= PIECE;
        Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(&self.piece)))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

/// What a viewer had to wait for, and how many bytes came.
struct Seen {
    first_byte_ms: f64,
    bytes: usize,
}

async fn drain(mut body: Body, start: Instant) -> Seen {
    let mut seen = Seen { first_byte_ms: f64::NAN, bytes: 0 };
    while let Some(Ok(frame)) = body.frame().await {
        if seen.bytes == 0 {
            seen.first_byte_ms = start.elapsed().as_micros() as f64 / 1000.0;
        }
        seen.bytes += frame.data_ref().map_or(0, Bytes::len);
    }
    seen
}

pub async fn run(report: &mut Report, kind: Kind) {
    let name = kind.name();
    let folder = tempfile::TempDir::new_in(".").expect("a folder");
    // foyer needs blocks that an entry fits into.
    let object = SIZE + (1 << 20);
    let sizes = Sizes { memory: 64 << 20, disk: 4 << 30, object };
    let mut rows = Vec::new();
    let tier = Tier::open(kind, folder.path(), sizes).await;
    let before = allocations::held();
    allocations::peak();
    let (cpu, start) = (cpu_us(), Instant::now());
    match &tier {
        Tier::Ours(ours) => {
            let arriving = Arriving { piece: body(1, 1, PIECE), left: SIZE };
            let hit = ours.respond("/large", None, Body::stream(arriving)).expect("it is stored");
            let seen = drain(hit.body, start).await;
            assert_eq!(seen.bytes, SIZE);
            rows.push(("store/first-byte-ms", seen.first_byte_ms));
        }
        Tier::Foyer(foyer) => {
            // All of it has to have come before it can be stored; a viewer could be sent it meanwhile by other means.
            let mut whole = Vec::with_capacity(SIZE);
            let piece = body(1, 1, PIECE);
            while whole.len() < SIZE {
                whole.extend_from_slice(&piece);
            }
            rows.push(("store/first-byte-ms", start.elapsed().as_micros() as f64 / 1000.0));
            foyer.put("/large", whole.into());
        }
    }
    tier.settle().await;
    rows.push(("store/ms-of-cpu", (cpu_us() - cpu) / 1000.0));
    rows.push(("store/most-mb-of-memory", allocations::peak().saturating_sub(before) as f64 / 1e6));
    tier.close().await;

    let tier = Tier::open(kind, folder.path(), sizes).await;
    tier.recovered().await;
    let before = allocations::held();
    allocations::peak();
    let (cpu, start) = (cpu_us(), Instant::now());
    let seen = match &tier {
        Tier::Ours(ours) => match ours.hit("/large").await {
            Some(hit) => drain(hit.body, start).await,
            None => Seen { first_byte_ms: f64::NAN, bytes: 0 },
        },
        Tier::Foyer(foyer) => {
            let bytes = foyer.get("/large").await.map_or(0, |read| read.len());
            Seen { first_byte_ms: start.elapsed().as_micros() as f64 / 1000.0, bytes }
        }
    };
    rows.push(("hit/is-stored", f64::from(u8::from(seen.bytes == SIZE))));
    rows.push(("hit/first-byte-ms", seen.first_byte_ms));
    rows.push(("hit/ms-of-cpu", (cpu_us() - cpu) / 1000.0));
    rows.push(("hit/most-mb-of-memory", allocations::peak().saturating_sub(before) as f64 / 1e6));
    tier.close().await;
    for (row, value) in rows {
        report.number(&format!("{name}/256-mb/{row}"), value);
    }
}
