//! Counters and histograms, as Prometheus text (exposition format 0.0.4).

use crate::grpc::{GrpcCounts, GrpcRecord};
use crate::{ConnectionRecord, Record, ResultType};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the latency buckets, in microseconds.
const BUCKETS: [u64; 14] =
    [25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000];

#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS.len()],
    count: AtomicU64,
    sum_us: AtomicU64,
}

impl Histogram {
    fn observe(&self, d: Duration) {
        let us = u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = BUCKETS.iter().position(|le| us <= *le) {
            self.buckets[bucket].fetch_add(1, Relaxed);
        }
        self.count.fetch_add(1, Relaxed);
        self.sum_us.fetch_add(us, Relaxed);
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct FunctionCount {
    runs: u64,
    us: u64,
    utilization: u64,
    kv_reads: u64,
    kv_misses: u64,
}

/// What is told of each function, hook and verdict (`cloudfront-functions.md` section 9).
type FunctionMetric = (&'static str, &'static str, fn(&FunctionCount) -> u64);

const FUNCTION_METRICS: [FunctionMetric; 5] = [
    ("rimward_function_runs_total", "function runs by verdict", |count| count.runs),
    ("rimward_function_microseconds_total", "time inside functions", |count| count.us),
    ("rimward_function_utilization_percent_total", "shares of the time limit, summed up", |count| count.utilization),
    ("rimward_function_kv_reads_total", "reads of key value stores", |count| count.kv_reads),
    ("rimward_function_kv_misses_total", "reads of keys that are not there", |count| count.kv_misses),
];

/// The key of a function's counters: function, hook, verdict.
type FunctionKey = (Arc<str>, &'static str, &'static str);

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    results: [AtomicU64; ResultType::ALL.len()],
    statuses: [AtomicU64; 6],
    bytes: AtomicU64,
    incomplete: AtomicU64,
    latency: Histogram,
    origin_latency: Histogram,
    origin_errors: AtomicU64,
    grpc: GrpcCounts,
    functions: Mutex<BTreeMap<FunctionKey, FunctionCount>>,
    /// Connections to distributions with mutual TLS, by result.
    connections: Mutex<BTreeMap<&'static str, u64>>,
}

impl Metrics {
    /// Counts one request.
    pub fn observe(&self, record: &Record) {
        if let Some(i) = ResultType::ALL.iter().position(|r| *r == record.result) {
            self.results[i].fetch_add(1, Relaxed);
        }
        self.statuses[usize::from(record.status / 100).min(5)].fetch_add(1, Relaxed);
        if let Some(call) = record.grpc.as_ref().and_then(GrpcRecord::call) {
            self.grpc.observe(call);
            self.bytes.fetch_add(record.bytes, Relaxed);
        }
        match &record.websocket {
            // A call lasts as long as the two sides talk, too.
            None if record.grpc.as_ref().is_some_and(|grpc| grpc.call().is_some()) => {
                self.latency.observe(record.first_byte);
            }
            None => {
                self.bytes.fetch_add(record.bytes, Relaxed);
                self.latency.observe(record.total);
            }
            // How long people talk says nothing of the node; what they say is counted where it passes.
            Some(_) => self.latency.observe(record.first_byte),
        }
        if !record.complete {
            self.incomplete.fetch_add(1, Relaxed);
        }
        for origin in &record.origins {
            self.origin_latency.observe(origin.time);
            if origin.error.is_some() {
                self.origin_errors.fetch_add(1, Relaxed);
            }
        }
        if record.hooks.is_empty() {
            return;
        }
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        for hook in &record.hooks {
            let count = functions.entry((hook.function.clone(), hook.hook.as_str(), hook.verdict)).or_default();
            count.runs += 1;
            count.us += u64::try_from(hook.time.as_micros()).unwrap_or(0);
            count.utilization += u64::from(hook.utilization);
            count.kv_reads += u64::from(hook.kv_reads);
            count.kv_misses += u64::from(hook.kv_misses);
        }
    }

    /// Counts one connection to a distribution with mutual TLS.
    pub fn observe_connection(&self, record: &ConnectionRecord) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        *connections.entry(record.result).or_default() += 1;
        drop(connections);
        if let Some(function) = &record.function {
            let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
            let count = functions.entry((function.name.clone(), "connection", function.verdict)).or_default();
            count.runs += 1;
            count.us += u64::try_from(function.time.as_micros()).unwrap_or(0);
            count.utilization += u64::from(function.utilization);
            count.kv_reads += u64::from(function.kv_reads);
            count.kv_misses += u64::from(function.kv_misses);
        }
    }

    /// The text that a scrape gets.
    pub fn to_prometheus(&self) -> String {
        let mut out = String::with_capacity(4096);
        head(&mut out, "rimward_requests_total", "counter", "requests by result");
        for (result, count) in ResultType::ALL.iter().zip(&self.results) {
            line(&mut out, "rimward_requests_total", &format!("result=\"{}\"", result.as_str()), count.load(Relaxed));
        }
        head(&mut out, "rimward_responses_total", "counter", "responses by status class");
        for (class, count) in self.statuses.iter().enumerate().skip(1) {
            line(&mut out, "rimward_responses_total", &format!("class=\"{class}xx\""), count.load(Relaxed));
        }
        for (name, help, value) in [
            ("rimward_response_body_bytes_total", "body bytes sent", &self.bytes),
            ("rimward_responses_incomplete_total", "responses that were not sent whole", &self.incomplete),
            ("rimward_origin_errors_total", "attempts at origins without a response", &self.origin_errors),
        ] {
            head(&mut out, name, "counter", help);
            line(&mut out, name, "", value.load(Relaxed));
        }
        histogram(&mut out, "rimward_request_seconds", "time from head to last byte", &self.latency);
        histogram(&mut out, "rimward_origin_seconds", "time to the head of an origin's response", &self.origin_latency);
        let calls = self.grpc.calls();
        if !calls.is_empty() {
            let name = "rimward_grpc_calls_total";
            head(&mut out, name, "counter", "gRPC calls by status");
            for (status, count) in calls {
                line(&mut out, name, &format!("status=\"{status}\""), count);
            }
            let name = "rimward_grpc_received_bytes_total";
            head(&mut out, name, "counter", "bytes from viewers in gRPC calls");
            line(&mut out, name, "", self.grpc.received());
        }
        let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if !connections.is_empty() {
            let name = "rimward_mutual_tls_connections_total";
            head(&mut out, name, "counter", "connections to distributions with mutual TLS by result");
            for (result, count) in connections.iter() {
                line(&mut out, name, &format!("result=\"{result}\""), *count);
            }
        }
        drop(connections);
        let functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, help, value) in FUNCTION_METRICS {
            head(&mut out, name, "counter", help);
            for ((function, hook, verdict), count) in functions.iter() {
                let labels = format!("function=\"{function}\",hook=\"{hook}\",verdict=\"{verdict}\"");
                line(&mut out, name, &labels, value(count));
            }
        }
        out
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _infallible = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &str, value: u64) {
    let _infallible =
        if labels.is_empty() { writeln!(out, "{name} {value}") } else { writeln!(out, "{name}{{{labels}}} {value}") };
}

fn histogram(out: &mut String, name: &str, help: &str, h: &Histogram) {
    head(out, name, "histogram", help);
    let mut total = 0;
    for (le, count) in BUCKETS.iter().zip(&h.buckets) {
        total += count.load(Relaxed);
        let _infallible = writeln!(out, "{name}_bucket{{le=\"{}\"}} {total}", *le as f64 / 1e6);
    }
    let count = h.count.load(Relaxed);
    let _infallible = writeln!(
        out,
        "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {}\n{name}_count {count}",
        h.sum_us.load(Relaxed) as f64 / 1e6
    );
}
