//! Our cache, as the node uses it.

use crate::tier::Sizes;
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use rimward_cache::{Begin, Cache, Completed, DiskOptions, Followed, Hit, Key, Options, Purge, Rules, Tag, Times};
use rimward_types::{Body, ByteSize, Clock, RequestHead, ResponseHead, SystemClock};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub struct Ours {
    pub cache: Cache,
    rules: Arc<Rules>,
}

impl Ours {
    pub fn open(folder: &Path, sizes: Sizes) -> Self {
        let options = Options {
            memory: ByteSize::bytes(sizes.memory as u64),
            max_object: ByteSize::bytes(sizes.object as u64),
            disk: Some(DiskOptions::new(folder, ByteSize::bytes(sizes.disk as u64))),
            ..Options::default()
        };
        let cache = Cache::open(options, Arc::new(SystemClock)).expect("the folder can be used");
        Self { cache, rules: Arc::new(Rules::default()) }
    }

    fn begin(&self, url: &str) -> Begin {
        let request = RequestHead::get(url);
        self.cache.begin(&Key::new("E1", &request, &self.rules.key), &request, &self.rules)
    }

    pub fn respond(&self, url: &str, tag: Option<&'static str>, body: Body) -> Option<Hit> {
        let Begin::Lead(lead) = self.begin(url) else { return None };
        let mut head = ResponseHead::new(StatusCode::OK);
        head.headers.insert("cache-control", HeaderValue::from_static("max-age=86400"));
        head.headers.insert("content-type", HeaderValue::from_static("text/html; charset=utf-8"));
        head.headers.insert("etag", HeaderValue::from_static("\"1\""));
        if let Some(tag) = tag {
            head.headers.insert("cache-tag", HeaderValue::from_static(tag));
        }
        if let Some(length) = body.len() {
            head.headers.insert("content-length", HeaderValue::from(length));
        }
        let now = SystemClock.now();
        match lead.respond(head, body, Times { requested: now, received: now }) {
            Completed::Stored(hit) => Some(hit),
            _ => None,
        }
    }

    pub fn put(&self, url: &str, tag: Option<&'static str>, body: Bytes) {
        for _ in 0..3 {
            self.respond(url, tag, body.clone().into());
            // The second request for an object shows that it is worth a write. The entry of another may have pushed it out.
            if let Begin::Hit(_) = self.begin(url) {
                break;
            }
        }
    }

    pub async fn hit(&self, url: &str) -> Option<Hit> {
        for _ in 0..3 {
            match self.begin(url) {
                Begin::Hit(hit) => return Some(hit),
                Begin::Follow(follow) => match follow.wait().await {
                    Followed::Hit(hit) => return Some(hit),
                    Followed::Retry => {}
                    _ => return None,
                },
                _ => return None,
            }
        }
        None
    }

    pub async fn get(&self, url: &str) -> Option<Bytes> {
        self.hit(url).await?.body.collect(u64::MAX).await.ok()
    }

    pub fn remove(&self, url: &str) {
        self.cache.purge(&Purge::Url { distribution: "E1".into(), url: url.to_owned() });
    }

    pub fn purge_tag(&self, tag: &str) -> u64 {
        let tag = Tag::try_new(tag).expect("a tag");
        let purged = self.cache.purge(&Purge::Tag { distribution: "E1".into(), tag });
        self.cache.confirm();
        purged.objects
    }

    pub async fn recovered(&self) {
        while self.cache.usage().disk.is_some_and(|disk| disk.recovering) {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }

    pub async fn settle(&self) {
        let cache = self.cache.clone();
        tokio::task::spawn_blocking(move || cache.settle()).await.expect("it settles");
    }

    pub async fn close(self) {
        self.settle().await;
        tokio::task::spawn_blocking(move || drop(self)).await.expect("it ends");
    }
}
