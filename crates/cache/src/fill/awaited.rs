//! A fetch whose head has not come is worth something to those who wait for it, and to nobody else: it ends with the last
//! of them. Otherwise a viewer that asks and leaves would hold connections to an origin with nothing but requests.

use super::lead::Lead;
use super::state::Fill;
use crate::store::Store;
use crate::store::unattended::Unattended;
use std::future::Future;
use std::sync::Arc;

/// The leader's viewer waits for the head; dropped, it does so no more.
#[derive(Debug)]
#[must_use = "dropped, the viewer has left"]
pub struct Attending(Arc<Fill>);

/// Who waits for one fetch.
#[derive(Debug)]
pub struct Awaited {
    store: Arc<Store>,
    fill: Arc<Fill>,
}

impl Lead {
    /// The viewer that this fetch begins for waits, and so may others.
    pub fn attend(&self) -> (Attending, Awaited) {
        self.fill.attend(true);
        (Attending(self.fill.clone()), Awaited { store: self.store.clone(), fill: self.fill.clone() })
    }

    /// A place among the refreshes that no viewer waits for. `None`: there are too many; what is stale is served on, and a
    /// later request refreshes it.
    pub fn try_unattended(&self) -> Option<Unattended> {
        let place = self.store.unattended().refresh();
        if place.is_none() {
            self.store.unattended().give_up();
        }
        place
    }
}

impl Awaited {
    /// Runs the fetch, which owns the lead. `None`: it was dropped before its end, because the last who waited had left.
    pub async fn run<T>(self, fetch: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = fetch => Some(done),
            () = self.fill.deserted() => {
                self.store.unattended().give_up();
                None
            }
        }
    }
}

impl Drop for Attending {
    fn drop(&mut self) {
        self.0.attend(false);
    }
}
