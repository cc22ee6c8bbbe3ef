//! What is carried along while a request is answered.

use crate::live::Plan;
use crate::pipeline::Proxy;
use http::HeaderName;
use rimward_cache::CacheStatus;
use rimward_config::Target;
use rimward_hooks::{Call, Function, OutgoingCall, Report};
use rimward_telemetry::{CallRecord, HookRecord, OneLine, OriginRecord, Record, ResultType};
use rimward_types::{Body, Connection, Interim, RequestHead, RequestId, ResponseHead};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a request's phases and the tasks that it leaves behind share.
pub struct Context {
    /// The proxy.
    pub proxy: Arc<Proxy>,
    /// The behavior, with what it needs.
    pub plan: Arc<Plan>,
    /// Where a miss goes: the behavior's origin, unless viewer-request chose another.
    pub target: Target,
    /// The viewer's connection.
    pub connection: Arc<Connection>,
    /// The request's id.
    pub id: RequestId,
    /// Where interim answers of the origin go: to the viewer whose request it is, no other.
    pub interim: Interim,
    /// What the request asks for.
    pub kind: Kind,
    /// Headers with which a viewer could mislead the origin, where a function at viewer-request set them.
    pub vouched: Vec<HeaderName>,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// An answer.
    #[default]
    Plain,
    /// To go on as a WebSocket.
    WebSocket,
    /// A gRPC call.
    Grpc,
}

impl Context {
    /// The same for a request that no viewer waits for.
    pub fn unattended(&self) -> Self {
        Self {
            proxy: self.proxy.clone(),
            plan: self.plan.clone(),
            target: self.target.clone(),
            connection: self.connection.clone(),
            id: self.id,
            interim: Interim::default(),
            kind: Kind::Plain,
            vouched: self.vouched.clone(),
        }
    }

    /// The same request's, under another behavior.
    pub fn under(&self, plan: Arc<Plan>) -> Arc<Self> {
        Arc::new(Self { target: plan.behavior.origin.clone(), plan, ..self.unattended() })
    }

    /// For a request that nobody sent.
    pub fn alone(proxy: &Arc<Proxy>, plan: Arc<Plan>, connection: Arc<Connection>, id: RequestId) -> Arc<Self> {
        let target = plan.behavior.origin.clone();
        let (proxy, interim) = (proxy.clone(), Interim::default());
        Arc::new(Self { proxy, plan, target, connection, id, interim, kind: Kind::Plain, vouched: Vec::new() })
    }

    /// Whether the request goes past `function`: gRPC goes past those of the origin tier (`lambda-at-edge.md` section 2).
    pub fn goes_past(&self, function: &Function) -> bool {
        self.kind == Kind::Grpc && function.is_lambda()
    }

    /// What hooks are told of the request's surroundings.
    pub fn call(&self) -> Call<'_> {
        let mut seed = [0; 8];
        self.proxy.entropy.fill(&mut seed);
        Call {
            request_id: self.id.as_str(),
            viewer: self.connection.peer.ip(),
            server: self.connection.local.ip(),
            distribution_id: &self.plan.distribution_id,
            distribution_domain_name: &self.plan.distribution_domain_name,
            now: self.proxy.clock.now(),
            seed: u64::from_le_bytes(seed),
        }
    }
}

/// What was learned on the way; it ends up in the record.
#[derive(Debug, Default)]
pub struct Trace {
    /// Hooks that ran.
    pub hooks: Vec<HookRecord>,
    /// Origins that were asked.
    pub origins: Vec<OriginRecord>,
    /// Which coding was made of the answer, or why none.
    pub compression: Option<&'static str>,
}

impl Trace {
    /// Notes that a hook ran, and gives its failure and its log lines to the operator.
    pub fn hook(&mut self, id: &RequestId, report: Report) {
        for line in &report.logs {
            tracing::info!(target: "function", function = %report.function, request = %id, "{}", OneLine(line));
        }
        if let Some(reason) = &report.reason {
            tracing::warn!(
                target: "function",
                function = %report.function,
                hook = %report.hook,
                request = %id,
                category = report.verdict,
                "{}",
                OneLine(reason)
            );
        }
        self.hooks.push(HookRecord {
            hook: report.hook,
            function: report.function,
            verdict: report.verdict,
            reason: report.reason,
            time: report.time,
            utilization: report.utilization,
            kv_reads: report.kv.requests,
            kv_misses: report.kv.misses,
            calls: report.calls.into_iter().map(call_record).collect(),
        });
    }
}

fn call_record(call: OutgoingCall) -> CallRecord {
    let OutgoingCall { method, authority, outcome, time, sent, received } = call;
    CallRecord { method, host: authority, outcome, time, sent, received }
}

/// One request's record while it is made.
pub struct Exchange {
    /// The record.
    pub record: Box<Record>,
    /// When the head had arrived, for durations.
    pub began: Instant,
    /// Where the viewer asked for an explanation and may have it: the cache's part, empty until it was asked.
    pub explanation: Option<String>,
    /// What a response headers policy did, for the explanation.
    pub response_headers: Option<String>,
    /// Whether the answer has `Server-Timing`.
    pub server_timing: bool,
}

impl Exchange {
    /// Begins the record.
    pub fn begin(proxy: &Proxy, connection: &Connection, request: &RequestHead) -> Self {
        let record = Record {
            id: RequestId::random(&*proxy.entropy),
            start: proxy.clock.now(),
            viewer: connection.peer,
            method: request.method.clone(),
            scheme: connection.scheme(),
            version: request.version,
            host: request.header("host").unwrap_or_default().to_owned(),
            path: request.path.clone(),
            query: request.query.clone(),
            distribution: None,
            behavior: None,
            hooks: Vec::new(),
            cache: None,
            origins: Vec::new(),
            compression: None,
            slices: None,
            result: ResultType::Error,
            detail: None,
            status: 0,
            first_byte: Duration::ZERO,
            total: Duration::ZERO,
            bytes: 0,
            complete: false,
            websocket: None,
            grpc: None,
        };
        Self {
            record: Box::new(record),
            began: Instant::now(),
            explanation: None,
            response_headers: None,
            server_timing: false,
        }
    }

    /// Takes over what a part of the way has learned.
    pub fn learn(&mut self, trace: Trace) {
        append(&mut self.record.hooks, trace.hooks);
        append(&mut self.record.origins, trace.origins);
        self.record.compression = trace.compression.or(self.record.compression);
    }

    /// Notes a hook.
    pub fn hook(&mut self, report: Report) {
        let mut trace = Trace::default();
        trace.hook(&self.record.id, report);
        self.learn(trace);
    }
}

/// Appends a list to another, which is mostly empty.
fn append<T>(list: &mut Vec<T>, more: Vec<T>) {
    if list.is_empty() { *list = more } else { list.extend(more) }
}

/// An answer for the viewer.
#[derive(Debug)]
pub struct Answer {
    /// Head.
    pub head: ResponseHead,
    /// Body.
    pub body: Body,
    /// How it came about.
    pub result: ResultType,
    /// Why, where `result` does not tell.
    pub detail: Option<&'static str>,
    /// The cache's part, when it was asked.
    pub cache: Option<CacheStatus>,
    /// A page that the node wrote because nothing came: no function sees it.
    pub is_own_page: bool,
}

impl Answer {
    /// An answer that the cache had no part in.
    pub fn new(head: ResponseHead, body: Body, result: ResultType) -> Self {
        Self { head, body, result, detail: None, cache: None, is_own_page: false }
    }

    /// Gives the reason.
    pub fn because(mut self, detail: &'static str) -> Self {
        self.detail = Some(detail);
        self
    }
}
