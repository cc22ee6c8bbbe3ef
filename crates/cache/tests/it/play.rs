//! The stage: a cache, a clock, and a proxy as simple as can be.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use rimward_cache::{
    Begin, Cache, CacheResult, Completed, Followed, Hit, Key, Lead, Options, OriginFailure, Profile, Rules, Times,
};
use rimward_types::{Body, BodyError, ByteSize, Clock, RequestHead, ResponseHead, TestClock, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

pub(crate) const START: Timestamp = Timestamp::from_secs(1_750_000_000);

pub(crate) struct Play {
    pub(crate) cache: Cache,
    pub(crate) clock: TestClock,
    pub(crate) rules: Arc<Rules>,
}

/// What the origin does.
pub(crate) enum Origin {
    Answers(ResponseHead, Body),
    IsAway,
    MustNotBeAsked,
}

/// What a viewer sees, and what the origin saw.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) asked: Option<RequestHead>,
    pub(crate) head: ResponseHead,
    pub(crate) body: Bytes,
    pub(crate) status: String,
    pub(crate) result: CacheResult,
}

impl Play {
    pub(crate) fn new() -> Self {
        Self::with(Rules::default(), Options { memory: ByteSize::mb(1), ..Options::default() })
    }

    pub(crate) fn cloudfront() -> Self {
        let rules = Rules { profile: Profile::CloudFront, ..Rules::default() };
        Self::with(rules, Options { memory: ByteSize::mb(1), ..Options::default() })
    }

    pub(crate) fn with(rules: Rules, options: Options) -> Self {
        let clock = TestClock::at(START);
        Self { cache: Cache::new(options, Arc::new(clock.clone())), clock, rules: Arc::new(rules) }
    }

    pub(crate) fn after(&self, seconds: u64) -> &Self {
        self.clock.advance(Duration::from_secs(seconds));
        self
    }

    pub(crate) fn key(&self, request: &RequestHead) -> Key {
        Key::new("E1", request, &self.rules.key)
    }

    pub(crate) fn begin(&self, request: &RequestHead) -> Begin {
        self.cache.begin(&self.key(request), request, &self.rules)
    }

    pub(crate) fn times(&self) -> Times {
        Times { requested: self.clock.now(), received: self.clock.now() }
    }

    pub(crate) async fn get(&self, url: &str, origin: Origin) -> Seen {
        self.ask(get(url, &[]), origin).await
    }

    pub(crate) async fn hit(&self, url: &str) -> Seen {
        self.ask(get(url, &[]), Origin::MustNotBeAsked).await
    }

    /// Sends a request through, as the proxy does. A background fetch is done before this returns.
    pub(crate) async fn ask(&self, request: RequestHead, origin: Origin) -> Seen {
        match self.begin(&request) {
            Begin::Hit(hit) => seen(None, hit).await,
            Begin::Lead(lead) => self.lead(lead, &request, origin).await,
            Begin::Stale(hit, lead) => {
                let mut seen = seen(None, hit).await;
                seen.asked = self.lead(lead, &request, origin).await.asked;
                seen
            }
            Begin::Follow(follow) => match follow.wait().await {
                Followed::Hit(hit) => seen(None, hit).await,
                // As the proxy does: what was read from the disk is found now.
                Followed::Retry => Box::pin(self.ask(request, origin)).await,
                other => panic!("follows in vain: {other:?}"),
            },
            Begin::Slices(_) => panic!("no play here is in slices"),
            Begin::Pass(reason) => {
                let Origin::Answers(head, body) = origin else { panic!("passes") };
                let body = body.collect(u64::MAX).await.unwrap();
                Seen { asked: Some(request), head, body, status: reason.as_str().into(), result: CacheResult::Miss }
            }
            Begin::Refuse(refusal) => Seen {
                asked: None,
                head: ResponseHead::new(refusal.status()),
                body: Bytes::new(),
                status: String::new(),
                result: CacheResult::Error,
            },
        }
    }

    async fn lead(&self, lead: Lead, request: &RequestHead, origin: Origin) -> Seen {
        let mut asked = request.clone();
        lead.add_conditions(&mut asked);
        match origin {
            Origin::Answers(head, body) => done(Some(asked), lead.respond(head, body, self.times())).await,
            Origin::IsAway => match lead.fail(OriginFailure { status: StatusCode::BAD_GATEWAY }) {
                Some(hit) => seen(Some(asked), hit).await,
                None => Seen {
                    asked: Some(asked),
                    head: ResponseHead::new(StatusCode::BAD_GATEWAY),
                    body: Bytes::new(),
                    status: String::new(),
                    result: CacheResult::Error,
                },
            },
            Origin::MustNotBeAsked => panic!("the origin is asked: {request:?}"),
        }
    }
}

pub(crate) async fn seen(asked: Option<RequestHead>, hit: Hit) -> Seen {
    let body = hit.body.collect(u64::MAX).await.unwrap();
    Seen { asked, head: hit.head, body, status: hit.status.to_string(), result: hit.result }
}

pub(crate) async fn done(asked: Option<RequestHead>, completed: Completed) -> Seen {
    match completed {
        Completed::Stored(hit) | Completed::Refreshed(hit) | Completed::Stale(hit) => seen(asked, hit).await,
        Completed::NotStored { head, body, status, result, .. } => {
            let body = body.collect(u64::MAX).await.unwrap();
            Seen { asked, head, body, status: status.to_string(), result }
        }
        Completed::Unsliced { .. } => panic!("no play here is in slices"),
        Completed::Again(_) => panic!("the origin's 304 is for something else"),
    }
}

pub(crate) fn get(url: &str, fields: &[(&str, &str)]) -> RequestHead {
    RequestHead { headers: headers(fields, START), ..RequestHead::get(url) }
}

pub(crate) fn method(name: &str, url: &str, fields: &[(&str, &str)]) -> RequestHead {
    RequestHead { method: Method::from_bytes(name.as_bytes()).unwrap(), ..get(url, fields) }
}

/// `@-60` in a value is the date a minute before `now`.
pub(crate) fn headers(fields: &[(&str, &str)], now: Timestamp) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        let value = match value.strip_prefix('@').map(str::parse::<i64>) {
            Some(Ok(offset)) => date(Timestamp::from_secs((now.as_secs() as i64 + offset) as u64)),
            _ => (*value).to_owned(),
        };
        map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::try_from(value).unwrap());
    }
    map
}

pub(crate) fn date(at: Timestamp) -> String {
    rimward_cache::policy::date::format(at)
}

pub(crate) fn head(status: u16, fields: &[(&str, &str)]) -> ResponseHead {
    let mut head = ResponseHead::new(StatusCode::from_u16(status).unwrap());
    head.headers = headers(fields, START);
    head
}

pub(crate) fn answers(status: u16, fields: &[(&str, &str)], body: &'static str) -> Origin {
    Origin::Answers(head(status, fields), body.into())
}

/// A body that a test feeds.
pub(crate) struct Feed(mpsc::UnboundedSender<Result<Bytes, BodyError>>);

impl Feed {
    pub(crate) fn new() -> (Self, Body) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), Body::stream(Fed(receiver)))
    }

    pub(crate) fn send(&self, bytes: impl Into<Bytes>) {
        let _ = self.0.send(Ok(bytes.into()));
    }

    pub(crate) fn break_off(self) {
        let _ = self.0.send(Err(BodyError::Origin("it broke off".into())));
    }

    pub(crate) fn is_read(&self) -> bool {
        !self.0.is_closed()
    }
}

struct Fed(mpsc::UnboundedReceiver<Result<Bytes, BodyError>>);

impl http_body::Body for Fed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, BodyError>>> {
        self.0.poll_recv(cx).map(|next| next.map(|part| part.map(http_body::Frame::data)))
    }
}

/// So many random cases, times `RIMWARD_TEST_TIMES` where that is set: for a night.
pub(crate) fn cases(usual: u32) -> proptest::test_runner::Config {
    let times = std::env::var("RIMWARD_TEST_TIMES").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    proptest::test_runner::Config::with_cases(usual.saturating_mul(times))
}

/// Lets every other task go on until it waits.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}
