//! Ranges of large objects, answered from slices: each is looked up and fetched as an object of its own.

use crate::exchange::{Answer, Context, Exchange, Trace};
use crate::fill::{self, FilledSlice};
use crate::lookup::{self, from_hit};
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use rimward_cache::{Begin, Followed, GetSlice, Hit, Lead, Slices, Whole};
use rimward_telemetry::{SliceNote, SliceTally};
use rimward_types::{BodyError, RequestHead};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a slice after the first may be begun again because the fetch that it waited for gave up.
const MOST_RETRIES: usize = 4;

/// What a slice came to.
enum Got {
    Slice(Hit),
    /// To be answered as it is.
    Answer(Result<Answer, Answer>),
    /// It cannot be had in slices, which is remembered; the whole, if that has come.
    Unsliced(Option<Box<Whole>>),
    /// Somebody else's fetch has ended without an answer for this one: begin again.
    Again,
}

impl Got {
    /// Whether the object ends before the slice.
    fn is_beyond_the_end(&self) -> bool {
        let status = match self {
            Got::Slice(hit) => hit.head.status,
            Got::Answer(Ok(answer)) => answer.head.status,
            Got::Answer(Err(_)) | Got::Unsliced(_) | Got::Again => return false,
        };
        status == StatusCode::RANGE_NOT_SATISFIABLE
    }
}

/// Answers `viewer` from slices. `None`: begin again; where the object cannot be had in slices, that is remembered.
///
/// # Errors
/// An answer that viewer-response must not see.
pub async fn answer(
    context: &Arc<Context>,
    exchange: &mut Exchange,
    viewer: &RequestHead,
    mut slices: Slices,
) -> Result<Option<Answer>, Answer> {
    let tally = Arc::<SliceTally>::default();
    let (mut got, mut trace) = get(context, &slices, slices.scout()).await;
    // The origin has not seen the viewer's conditions, which come first (RFC 9110 section 13.2.2), nor its other ranges.
    while got.is_beyond_the_end() {
        exchange.learn(std::mem::take(&mut trace));
        if !slices.turn_to_start() {
            // It is empty.
            slices.give_up();
            return Ok(None);
        }
        (got, trace) = get(context, &slices, slices.scout()).await;
    }
    let answer = match got {
        Got::Slice(hit) => {
            tally.note(SliceNote { origins: trace.origins.clone(), ..note(&hit, exchange.began.elapsed()) });
            // Its own record tells of them already.
            tally.take();
            exchange.record.slices = Some(tally.clone());
            // Nobody waits for what comes after the head by an interim answer.
            let get = Getter { context: Arc::new(context.unattended()), slices: slices.clone(), tally };
            match slices.answer(viewer, hit, Arc::new(get)) {
                // An error that is stored in its place.
                Err(hit) if hit.head.status != StatusCode::PARTIAL_CONTENT => Some(from_hit(hit)),
                Ok(hit) => Some(from_hit(hit)),
                Err(_) => {
                    slices.discard();
                    slices.give_up();
                    None
                }
            }
        }
        Got::Answer(answer) => {
            exchange.learn(trace);
            return answer.map(Some);
        }
        Got::Unsliced(Some(whole)) => Some(fill::whole(*whole, viewer, &trace)),
        Got::Unsliced(None) | Got::Again => None,
    };
    exchange.learn(trace);
    Ok(answer)
}

/// Gets one slice.
async fn get(context: &Arc<Context>, slices: &Slices, index: u64) -> (Got, Trace) {
    let got = match slices.begin(index) {
        Begin::Hit(hit) => checked(hit).await,
        Begin::Stale(hit, lead) => {
            lookup::refresh(context, lead);
            checked(hit).await
        }
        Begin::Lead(lead) => return fetch(context, lead).await,
        Begin::Follow(follow) => match follow.wait().await {
            Followed::Hit(hit) => checked(hit).await,
            Followed::Alone(lead) => return fetch(context, lead).await,
            Followed::Retry => Got::Again,
            Followed::Failed(failure) => Got::Answer(Ok(fill::failed_elsewhere(context, failure.status))),
        },
        Begin::Refuse(refusal) => Got::Answer(Ok(lookup::refused(context, refusal))),
        Begin::Slices(_) | Begin::Pass(_) => Got::Again,
    };
    (got, Trace::default())
}

/// A slice that is stored, if it can be read.
async fn checked(hit: Hit) -> Got {
    hit.checked().await.map_or(Got::Again, Got::Slice)
}

/// Asks the origin for a slice, in a task that outlives the viewer as long as others wait for it.
async fn fetch(context: &Arc<Context>, lead: Lead) -> (Got, Trace) {
    let (_attending, awaited) = lead.attend();
    let task = tokio::spawn(awaited.run(fill::fill_slice(context.clone(), lead)));
    match task.await {
        // This viewer waits, so that it is not deserted.
        Ok(None) => (Got::Again, Trace::default()),
        Ok(Some((filled, trace))) => match filled {
            FilledSlice::Slice(hit) => (Got::Slice(hit), trace),
            FilledSlice::Unsliced(whole) => (Got::Unsliced(whole), trace),
            FilledSlice::Answer(answer) => (Got::Answer(answer), trace),
        },
        Err(panicked) => {
            tracing::error!(request = %context.id, "slice: {panicked}");
            let answer = fill::failed_elsewhere(context, StatusCode::INTERNAL_SERVER_ERROR);
            (Got::Answer(Err(answer)), Trace::default())
        }
    }
}

/// What the record is told of a slice that was had.
fn note(hit: &Hit, time: Duration) -> SliceNote {
    let length = hit.head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    SliceNote { length: Some(length.or(hit.body.len()).unwrap_or(0)), time, ..SliceNote::default() }
}

/// Gives the slices after the first, while the answer is sent.
#[derive(Clone)]
struct Getter {
    context: Arc<Context>,
    slices: Slices,
    tally: Arc<SliceTally>,
}

impl Getter {
    /// One slice; what it took is for the record.
    async fn try_get(&self, index: u64) -> Got {
        let start = Instant::now();
        let (got, Trace { hooks, origins, .. }) = get(&self.context, &self.slices, index).await;
        let told = match &got {
            // It is begun again, and noted then.
            Got::Again => return got,
            Got::Slice(hit) => note(hit, start.elapsed()),
            Got::Answer(_) | Got::Unsliced(_) => SliceNote { time: start.elapsed(), ..SliceNote::default() },
        };
        self.tally.note(SliceNote { hooks, origins, ..told });
        got
    }
}

impl GetSlice for Getter {
    fn get(&self, index: u64) -> Pin<Box<dyn Future<Output = Result<Hit, BodyError>> + Send>> {
        let this = self.clone();
        Box::pin(async move {
            let slices = &this.slices;
            for _ in 0..MOST_RETRIES {
                match this.try_get(index).await {
                    Got::Slice(hit) => return Ok(hit),
                    Got::Answer(Ok(answer) | Err(answer)) => {
                        let status = answer.head.status;
                        if status == StatusCode::RANGE_NOT_SATISFIABLE {
                            // It had this slice when it was begun.
                            slices.discard();
                        }
                        return Err(BodyError::Origin(format!("slice {index} was answered with {status}")));
                    }
                    Got::Unsliced(whole) => {
                        // It is stored for whoever asks next, this viewer most likely.
                        drop(whole.map(|whole| whole.respond(None)));
                        break;
                    }
                    Got::Again if slices.are_given_up() => break,
                    Got::Again => {}
                }
            }
            Err(BodyError::Origin(format!("slice {index} could not be had")))
        })
    }
}
