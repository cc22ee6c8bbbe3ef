//! Key sets of viewer functions: where they come from, and the task that loads them again.

use http::header::{ACCEPT, HOST};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use rimward_config::{KeySetPlace, KeySetSource, Origin, OriginUrl};
use rimward_jwks::{KeySet, Keys, Schedule, keep_fresh, set};
use rimward_origin::Origins;
use rimward_types::{Body, RequestHead};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::task::AbortHandle;

/// How long publishing waits for the first set; a provider that is slow or down must not hold up a start.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long one load may take.
const LOAD: Duration = Duration::from_secs(15);

/// One key set. Dropped, it is no longer kept fresh.
pub(crate) struct KeySource {
    pub(crate) keys: Arc<Keys>,
    task: AbortHandle,
}

impl Drop for KeySource {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl KeySource {
    /// Loads the set, or goes on without one until it can be loaded, and keeps it fresh.
    ///
    /// # Errors
    /// When the set is a file that cannot be used: then waiting does not help.
    pub(crate) async fn start(source: &KeySetSource) -> Result<Arc<Self>, String> {
        let keys = Arc::new(Keys::new());
        let origins = Origins::new();
        let mut schedule = Schedule::new(source.refresh);
        let first = tokio::time::timeout(PATIENCE, load(&source.place, &origins)).await;
        let first = first.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")));
        let first = first.and_then(|text| KeySet::parse(&text).map_err(|error| error.to_string()));
        schedule.loaded(first.is_ok());
        match first {
            Ok(set) => keys.replace(set),
            Err(error) if matches!(source.place, KeySetPlace::File(_)) => return Err(error),
            Err(error) => {
                tracing::warn!(source = %source.place, "key set not loaded yet, tokens are refused until it is: {error}");
            }
        }
        let (shared, place) = (keys.clone(), source.place.clone());
        let task = tokio::spawn(async move {
            let name = place.to_string();
            let load = || async { load(&place, &origins).await };
            keep_fresh(shared, &name, schedule, load).await;
        });
        Ok(Arc::new(Self { keys, task: task.abort_handle() }))
    }
}

async fn load(place: &KeySetPlace, origins: &Origins) -> Result<Vec<u8>, String> {
    match place {
        KeySetPlace::File(file) => read(file).await.map_err(|error| format!("cannot be read: {error}")),
        KeySetPlace::Url { url, ca } => {
            let fetched = tokio::time::timeout(LOAD, fetch(url, ca.as_deref(), origins)).await;
            fetched.unwrap_or_else(|_| Err(format!("no answer within {LOAD:?}")))
        }
    }
}

async fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    // One more than is allowed, so that a larger one is noticed.
    tokio::fs::File::open(file).await?.take(set::MAX_TEXT as u64 + 1).read_to_end(&mut text).await?;
    Ok(text)
}

async fn fetch(url: &str, ca: Option<&Path>, origins: &Origins) -> Result<Vec<u8>, String> {
    let (base, query) = url.split_once('?').map_or((url, None), |(base, query)| (base, Some(query.to_owned())));
    let parsed: OriginUrl = base.parse().map_err(|error: rimward_config::InvalidUrl| error.to_string())?;
    let OriginUrl::Http { tls, host, port, .. } = parsed else { return Err("it must be https".to_owned()) };
    let authority = base.find("://").map_or(0, |at| at + 3);
    let path = base[authority..].find('/').map_or("/", |at| &base[authority + at..]).to_owned();
    let origin = Origin {
        ca: ca.map(Path::to_owned),
        attempts: 1,
        read_timeout: Duration::from_secs(10),
        ..Origin::new("key set", OriginUrl::Http { tls, host, port, path: String::new() })
    };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/jwk-set+json, application/json"));
    if let Ok(host) = HeaderValue::from_str(&origin.host()) {
        headers.insert(HOST, host);
    }
    let request = RequestHead { method: Method::GET, path, query, headers, version: Version::HTTP_11 };
    let fetched = origins.fetch(&origin, request, Body::Empty).await.map_err(|error| error.to_string())?;
    if fetched.head.status != StatusCode::OK {
        return Err(format!("the answer has status {}", fetched.head.status));
    }
    let text = fetched.body.collect(set::MAX_TEXT as u64).await.map_err(|error| error.to_string())?;
    Ok(text.to_vec())
}
