//! Ranges of large objects, answered from slices: each is looked up and fetched as an object of its own.

use crate::exchange::{Answer, Context, Exchange, Trace};
use crate::fill::{self, FilledSlice};
use crate::lookup::{self, from_hit};
use http::StatusCode;
use rimward_cache::{Begin, Followed, GetSlice, Hit, Lead, Slices, Times};
use rimward_types::{Body, BodyError, RequestHead, ResponseHead};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// How often a slice may be begun again because the fetch that it waited for gave up.
const MOST_RETRIES: usize = 4;

/// What a slice came to.
enum Got {
    Slice(Hit),
    /// To be answered as it is.
    Answer(Result<Answer, Answer>),
    /// It cannot be had in slices; the whole, if that has come.
    Unsliced(Option<Box<(ResponseHead, Body, Times)>>),
}

/// Answers `viewer` from slices. `None`: the object cannot be had so, which is remembered.
///
/// # Errors
/// An answer that viewer-response must not see.
pub async fn answer(
    context: &Arc<Context>,
    exchange: &mut Exchange,
    viewer: &RequestHead,
    slices: Slices,
) -> Result<Option<Answer>, Answer> {
    let (got, trace) = get(context, &slices, slices.scout()).await;
    let answer = match got {
        Got::Slice(hit) => {
            // What comes after the head belongs to no record.
            let get = Getter { context: Arc::new(context.unattended()), slices: slices.clone() };
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
        Got::Unsliced(Some(whole)) => {
            let (head, body, times) = *whole;
            Some(fill::whole(slices.lead_whole(viewer).respond(head, body, times), &trace))
        }
        Got::Unsliced(None) => {
            slices.give_up();
            None
        }
    };
    exchange.learn(trace);
    Ok(answer)
}

/// Gets one slice.
async fn get(context: &Arc<Context>, slices: &Slices, index: u64) -> (Got, Trace) {
    for _ in 0..MOST_RETRIES {
        let lead = match slices.begin(index) {
            Begin::Hit(hit) => return (Got::Slice(hit), Trace::default()),
            Begin::Stale(hit, lead) => {
                lookup::refresh(context, slices.request(), lead);
                return (Got::Slice(hit), Trace::default());
            }
            Begin::Lead(lead) => lead,
            Begin::Follow(follow) => match follow.wait().await {
                Followed::Hit(hit) => return (Got::Slice(hit), Trace::default()),
                Followed::Alone(lead) => lead,
                Followed::Retry => continue,
                Followed::Failed(failure) => {
                    let answer = fill::failed_elsewhere(context, failure.status);
                    return (Got::Answer(Ok(answer)), Trace::default());
                }
            },
            Begin::Refuse(refusal) => {
                return (Got::Answer(Ok(lookup::refused(context, refusal))), Trace::default());
            }
            Begin::Slices(_) | Begin::Pass(_) => break,
        };
        return fetch(context, slices, lead).await;
    }
    (Got::Unsliced(None), Trace::default())
}

/// Asks the origin for a slice, in a task that outlives the viewer.
async fn fetch(context: &Arc<Context>, slices: &Slices, lead: Lead) -> (Got, Trace) {
    let task = tokio::spawn(fill::fill_slice(context.clone(), slices.request().clone(), lead));
    match task.await {
        Ok((filled, trace)) => match filled {
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

/// Gives the slices after the first, while the answer is sent.
struct Getter {
    context: Arc<Context>,
    slices: Slices,
}

impl GetSlice for Getter {
    fn get(&self, index: u64) -> Pin<Box<dyn Future<Output = Result<Hit, BodyError>> + Send>> {
        let (context, slices) = (self.context.clone(), self.slices.clone());
        Box::pin(async move {
            match get(&context, &slices, index).await.0 {
                Got::Slice(hit) => Ok(hit),
                Got::Answer(Ok(answer) | Err(answer)) => {
                    let status = answer.head.status;
                    Err(BodyError::Origin(format!("slice {index} was answered with {status}")))
                }
                Got::Unsliced(_) => Err(BodyError::Origin(format!("slice {index} could not be had"))),
            }
        })
    }
}
