//! The key set that counts now.

use crate::schedule::Schedule;
use crate::set::KeySet;
use arc_swap::ArcSwapOption;
use rimward_wire::abi::{Signature, Verified};
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// A set that is replaced while functions use it. The last good one stays until a better one is there.
#[derive(Debug, Default)]
pub struct Keys {
    set: ArcSwapOption<KeySet>,
    missed: Notify,
}

impl Keys {
    /// Without a set: everything is answered with [`Verified::NoKeySet`].
    pub fn new() -> Self {
        Self::default()
    }

    /// The set takes the place of the one before.
    pub fn replace(&self, set: KeySet) {
        self.set.store(Some(Arc::new(set)));
    }

    /// Whether there is a set.
    pub fn is_loaded(&self) -> bool {
        self.set.load().is_some()
    }

    /// See [`KeySet::verify`]. An unknown key id asks [`keep_fresh`] for a new set; this answer does not wait for it.
    pub fn verify(&self, algorithm: Signature, id: &[u8], data: &[u8], signature: &[u8]) -> Verified {
        let Some(set) = &*self.set.load() else { return Verified::NoKeySet };
        let answer = set.verify(algorithm, id, data, signature);
        if answer == Verified::NoKey {
            self.missed.notify_one();
        }
        answer
    }
}

/// Loads the set again and again; `load` gives its text. Runs until it is dropped. The first load is one `schedule.wait()` away.
pub async fn keep_fresh<F, L>(keys: Arc<Keys>, source: &str, mut schedule: Schedule, mut load: F)
where
    F: FnMut() -> L,
    L: Future<Output = Result<Vec<u8>, String>>,
{
    loop {
        let last = Instant::now();
        tokio::select! {
            () = sleep_until(last + schedule.wait()) => {}
            () = async {
                keys.missed.notified().await;
                sleep_until(last + schedule.wait_when_missed()).await;
            } => {}
        }
        let loaded = load().await.and_then(|text| KeySet::parse(&text).map_err(|error| error.to_string()));
        schedule.loaded(loaded.is_ok());
        match loaded {
            Ok(set) => {
                tracing::debug!(source, keys = set.count(), "key set loaded");
                keys.replace(set);
            }
            Err(error) => {
                let retry = schedule.wait().as_secs();
                tracing::warn!(source, retry, "key set not loaded, the last one stays: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Keys, keep_fresh};
    use crate::{KeySet, Schedule};
    use rimward_wire::abi::{Signature, Verified};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    const SET: &[u8] =
        br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    #[test]
    fn without_a_set_nothing_is_verified() {
        let keys = Keys::new();
        assert_eq!(keys.verify(Signature::EdDsa, b"a", b"", &[0; 64]), Verified::NoKeySet);
        keys.replace(KeySet::parse(SET).unwrap());
        assert_eq!(keys.verify(Signature::EdDsa, b"a", b"", &[0; 64]), Verified::No);
        assert_eq!(keys.verify(Signature::Rs256, b"a", b"", &[0; 64]), Verified::NoKey);
    }

    #[tokio::test]
    async fn a_failed_load_leaves_the_last_good_set() {
        let keys = Arc::new(Keys::new());
        let loads = AtomicUsize::new(0);
        let load = || {
            let n = loads.fetch_add(1, Ordering::Relaxed);
            async move { if n == 0 { Ok(SET.to_vec()) } else { Err("gone".to_owned()) } }
        };
        let fresh = keep_fresh(keys.clone(), "test", Schedule::new(Duration::from_millis(1)), load);
        let three = async {
            while loads.load(Ordering::Relaxed) < 3 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { () = fresh => {} () = three => {} }
        assert!(keys.is_loaded());
    }
}
