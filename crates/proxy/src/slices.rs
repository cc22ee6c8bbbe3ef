//! Ranges of large objects, answered from slices: each is looked up and fetched as an object of its own.

use crate::exchange::{Answer, Context, Exchange, Trace};
use crate::fill::{self, FilledSlice};
use crate::led;
use crate::lookup::{self, from_hit};
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use rimward_cache::{Begin, Followed, GetSlice, GettingSlice, Had, Hit, Lead, Missing, Slices, Turn, Whole};
use rimward_telemetry::{SliceNote, SliceTally};
use rimward_types::{BodyError, RequestHead};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

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
    let mut start = Instant::now();
    let (mut got, mut trace) = get(context, &slices, slices.scout()).await;
    // The origin has not seen the viewer's conditions, which come first (RFC 9110 section 13.2.2), nor its other ranges.
    while got.is_beyond_the_end() {
        exchange.learn(std::mem::take(&mut trace));
        if !slices.turn_to_start() {
            // It is empty.
            slices.give_up();
            return Ok(None);
        }
        start = Instant::now();
        (got, trace) = get(context, &slices, slices.scout()).await;
    }
    let answer = match got {
        Got::Slice(hit) => {
            tally.note(SliceNote { origins: trace.origins.clone(), ..note(&hit, start.elapsed()) });
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
                    slices.discard_all();
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
    come(context, slices.begin(index)).await
}

/// What a slice comes to that was begun so.
async fn come(context: &Arc<Context>, begun: Begin) -> (Got, Trace) {
    let got = match begun {
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

/// Asks the origin for a slice; outlives the viewer as long as others wait for it.
async fn fetch(context: &Arc<Context>, lead: Lead) -> (Got, Trace) {
    match led::led(context, lead, |lead| fill::fill_slice(context.clone(), lead)).await {
        // This viewer waits, so that it is not deserted.
        Ok(None) => (Got::Again, Trace::default()),
        Ok(Some((filled, trace))) => match filled {
            FilledSlice::Slice(hit) => (Got::Slice(hit), trace),
            FilledSlice::Unsliced(whole) => (Got::Unsliced(whole), trace),
            FilledSlice::Answer(answer) => (Got::Answer(answer), trace),
        },
        Err(page) => (Got::Answer(Err(*page)), Trace::default()),
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
    /// Tells the record of a slice, and what it comes to.
    fn end(&self, index: u64, turn: Turn, got: Got, trace: Trace, time: Duration) -> Result<Had, Missing> {
        let Trace { hooks, origins, .. } = trace;
        let told = match &got {
            Got::Slice(hit) => note(hit, time),
            Got::Answer(_) | Got::Unsliced(_) | Got::Again => SliceNote { time, ..SliceNote::default() },
        };
        // What was told when it was had ahead of its turn.
        let is_known = turn == Turn::Again && told.length.is_some() && origins.is_empty();
        if !is_known {
            self.tally.note(SliceNote { hooks, origins, ..told });
        }
        let failed = |text: String| Err(Missing::Failed(BodyError::Origin(text)));
        match got {
            Got::Slice(hit) => Ok(turn.take(hit)),
            Got::Answer(Ok(answer) | Err(answer)) => match answer.head.status {
                StatusCode::RANGE_NOT_SATISFIABLE => Err(Missing::Gone),
                status => failed(format!("slice {index} was answered with {status}")),
            },
            Got::Unsliced(whole) => {
                // It is stored for whoever asks next, this viewer most likely.
                drop(whole.map(|whole| whole.respond(None)));
                failed(format!("slice {index} could not be had"))
            }
            Got::Again => failed(format!("slice {index} could not be had")),
        }
    }

    /// Goes on with what was begun until it comes to something.
    async fn come(&self, index: u64, mut begun: Begin) -> (Got, Trace) {
        for _ in 1..MOST_RETRIES {
            match come(&self.context, begun).await {
                given_up @ (Got::Again, _) if self.slices.are_given_up() => return given_up,
                (Got::Again, _) => {}
                come => return come,
            }
            begun = self.slices.begin(index);
        }
        come(&self.context, begun).await
    }
}

impl GetSlice for Getter {
    /// What is not there at once is waited for in a task of its own: a viewer who does not read does not hold it up, and its
    /// time is not the viewer's.
    fn get(&self, index: u64, turn: Turn) -> GettingSlice {
        let this = self.clone();
        match self.slices.begin(index) {
            Begin::Hit(hit) if hit.is_at_hand() => {
                let got = this.end(index, turn, Got::Slice(hit), Trace::default(), Duration::ZERO);
                Box::pin(std::future::ready(got))
            }
            begun => {
                let start = Instant::now();
                // Dropped, it waits no more.
                let mut task = JoinSet::new();
                task.spawn(async move {
                    let (got, trace) = this.come(index, begun).await;
                    this.end(index, turn, got, trace, start.elapsed())
                });
                Box::pin(async move {
                    match task.join_next().await {
                        Some(Ok(got)) => got,
                        // A runtime that ends, or a panic, which was told where it was.
                        _ => Err(Missing::Failed(BodyError::Origin(format!("slice {index} could not be had")))),
                    }
                })
            }
        }
    }
}
