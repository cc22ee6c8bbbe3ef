//! The phases of one request, in order. Start reading here.
//!
//! ```text
//! route ─► authenticate ─► purge ─► locate ─► guard ─► viewer-request ─► negotiate ─► lookup ──hit──► error-page ─► response-headers ─► viewer-response ─► respond
//!                                                             └─miss─► fill ───┘
//! fill: origin-request ─► origin ─► origin-response ─► compress ─► store
//! ```

use crate::compress::{self, Compressors};
use crate::exchange::{Answer, Context, Exchange, Kind};
use crate::explain::Explained;
use crate::finish::{RecordedBody, Records};
use crate::live::{Live, Plan};
use crate::refused::RefusedRequest;
use crate::response_headers::Policed;
use crate::viewer::Passed;
use crate::viewer_headers::Told;
use crate::{error_page, explain, grpc, guard, hop_by_hop, lookup, purge, respond, route, viewer, viewer_headers};
use arc_swap::ArcSwap;
use rimward_cache::Cache;
use rimward_origin::Origins;
use rimward_telemetry::ResultType;
use rimward_types::{Body, Clock, Connection, Entropy, Interim, RequestHead, ResponseHead};
use std::sync::Arc;

/// What a proxy is made of.
pub struct Parts {
    /// The configuration's plans; swapped by [`Proxy::swap`].
    pub live: Live,
    /// The cache; it outlives configurations.
    pub cache: Cache,
    /// Connections to origins.
    pub origins: Origins,
    /// Where records go.
    pub records: Records,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for ids and seeds.
    pub entropy: Arc<dyn Entropy>,
}

/// Serves requests.
pub struct Proxy {
    live: ArcSwap<Live>,
    pub(crate) cache: Cache,
    pub(crate) origins: Origins,
    pub(crate) compressors: Compressors,
    pub(crate) records: Records,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Proxy {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            live: ArcSwap::from_pointee(parts.live),
            cache: parts.cache,
            origins: parts.origins,
            compressors: Compressors::default(),
            records: parts.records,
            clock: parts.clock,
            entropy: parts.entropy,
        })
    }

    /// What is served now.
    pub fn live(&self) -> Arc<Live> {
        self.live.load_full()
    }

    /// Serves another configuration from the next request on; requests in flight finish on the old one.
    pub fn swap(&self, live: Live) {
        self.live.store(Arc::new(live));
    }

    /// The cache, for purge and status.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Where records go.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// Answers one request. `request` has exactly one `host`. Interim answers of the origin go to `interim`.
    pub async fn serve(
        self: &Arc<Self>,
        connection: Arc<Connection>,
        request: RequestHead,
        body: Body,
        interim: Interim,
    ) -> (ResponseHead, RecordedBody) {
        let mut exchange = Exchange::begin(self, &connection, &request);
        let answer = match self.phases(&mut exchange, connection, request, body, interim).await {
            Ok(answer) | Err(answer) => answer,
        };
        respond::finish(self, exchange, answer)
    }

    /// Explains what would become of `request`, as if it came over `connection`. Nothing is fetched, stored or recorded.
    pub async fn explain(self: &Arc<Self>, connection: Arc<Connection>, request: RequestHead) -> Explained {
        explain::explain(self, connection, request).await
    }

    /// Records a request that the server refused before any phase, with the answer that it gives.
    pub fn refused(
        &self,
        connection: &Connection,
        request: &RefusedRequest<'_>,
        head: ResponseHead,
        body: Body,
    ) -> (ResponseHead, RecordedBody) {
        let exchange = Exchange::begin(self, connection, &request.head());
        respond::finish(self, exchange, Answer::new(head, body, ResultType::Error).because(request.reason))
    }

    /// `Err` is an answer that skips the phases after it.
    async fn phases(
        self: &Arc<Self>,
        exchange: &mut Exchange,
        connection: Arc<Connection>,
        mut request: RequestHead,
        body: Body,
        interim: Interim,
    ) -> Result<Answer, Answer> {
        let reused = connection.count_request();
        let live = self.live.load_full();
        let plan = route::route(&live, exchange, &request)?;
        guard::authenticate(exchange, &connection, &plan, &request)?;
        hop_by_hop::end_here(&mut request);
        viewer_headers::strip(&mut request);
        purge::answer(self, exchange, &live.config().node.acl, &connection, &plan, &request).await?;
        let is_call = grpc::begin(exchange, &plan, &request);
        if let Err(refused) = guard::locate(exchange, &connection, &plan) {
            if is_call {
                return Err(refused);
            }
            return Err(Self::substituted(self, exchange, plan, connection, &request, refused).await);
        }
        explain::grant(&live.config().node.acl, exchange, &connection, &mut request);
        guard::admit(exchange, &connection, &plan.behavior, &request, &body)?;
        let mut told = Some(viewer_headers::told(&plan, &connection, reused, &request));
        // A Lambda@Edge function at viewer-request does not see them (`lambda-at-edge.md` section 6.3).
        if is_call || !plan.hooks.viewer_request.iter().any(|function| function.is_lambda()) {
            told.take().into_iter().for_each(|told| told.put(&mut request));
        }
        let policy = Policed::new(&plan, &request);
        let target = plan.behavior.origin.clone();
        // Before any function has seen it: none can ask for it, and none can take it away.
        let kind = match is_call {
            true => Kind::Grpc,
            false if request.asks_for_websocket() => Kind::WebSocket,
            false => Kind::Plain,
        };
        let (proxy, id) = (self.clone(), exchange.record.id);
        let context = Context { proxy, plan, target, connection, id, interim, kind, vouched: Vec::new() };
        let content = Self::content(context, exchange, request, body, told).await;
        let (context, request, mut answer) = content.map_err(|mut answer| {
            policy.apply(self, exchange, &mut answer);
            answer
        })?;
        policy.apply(self, exchange, &mut answer);
        viewer::response(&context, exchange, &request, answer).await.map_err(|mut page| {
            policy.apply(self, exchange, &mut page);
            page
        })
    }

    /// The site's own page in place of a refusal, where it has one.
    async fn substituted(
        self: &Arc<Self>,
        exchange: &mut Exchange,
        plan: Arc<Plan>,
        connection: Arc<Connection>,
        request: &RequestHead,
        refused: Answer,
    ) -> Answer {
        let context = Context::alone(self, plan, connection, exchange.record.id);
        match error_page::substitute(&context, exchange, request, refused).await {
            Ok(answer) | Err(answer) => answer,
        }
    }

    /// From viewer-request to what the behavior has for the request, with the request as it became. `told` is put into it
    /// after viewer-request.
    async fn content(
        mut context: Context,
        exchange: &mut Exchange,
        request: RequestHead,
        body: Body,
        told: Option<Told>,
    ) -> Result<(Arc<Context>, RequestHead, Answer), Answer> {
        let Passed { mut request, body, chosen, vouched } = viewer::request(&context, exchange, request, body).await?;
        context.vouched = vouched;
        told.into_iter().for_each(|told| told.put(&mut request));
        if let Some(chosen) = chosen {
            context.target = chosen;
        }
        let context = Arc::new(context);
        route::default_root_object(&context.plan, &mut request);
        if context.kind == Kind::Grpc {
            let answer = lookup::answer(&context, exchange, &request, body).await?;
            return Ok((context, request, answer));
        }
        compress::negotiate(&context.plan, &mut request);
        let answer = lookup::answer(&context, exchange, &request, body).await?;
        let answer = error_page::substitute(&context, exchange, &request, answer).await?;
        Ok((context, request, answer))
    }
}
