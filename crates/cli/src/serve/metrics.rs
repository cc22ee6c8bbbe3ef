//! Metrics in Prometheus' text format: what requests have left in the records, and what is counted beside them.

use super::node::Setup;
use rimward_cache::DiskUsage;
use rimward_server::Refusal;
use rimward_types::{Clock, Ended, SystemClock};
use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

/// All metrics.
pub fn to_prometheus(setup: &Setup) -> String {
    let records = setup.proxy.records();
    let mut out = records.metrics.to_prometheus();
    let (counters, usage) = (&setup.counters, setup.proxy.cache().usage());
    for (name, kind, help, value) in [
        ("rimward_connections_open", "gauge", "connections of viewers that are open", counters.open.load(Relaxed)),
        ("rimward_connections_total", "counter", "connections accepted", counters.accepted.load(Relaxed)),
        (
            "rimward_handshakes_failed_total",
            "counter",
            "TLS handshakes that failed",
            counters.handshakes_failed.load(Relaxed),
        ),
        ("rimward_connections_idle_total", "counter", "connections closed for being idle", counters.idle.load(Relaxed)),
        (
            "rimward_connections_given_up_total",
            "counter",
            "idle connections closed early to make room",
            counters.given_up.load(Relaxed),
        ),
        (
            "rimward_connections_flooded_total",
            "counter",
            "HTTP/2 connections ended because the viewer reset too many streams",
            counters.flooded.load(Relaxed),
        ),
        (
            "rimward_connections_stalled_total",
            "counter",
            "connections cut while a body stood still",
            counters.stalled.load(Relaxed),
        ),
        (
            "rimward_websockets_open",
            "gauge",
            "WebSockets that are open, handshakes included",
            counters.websockets_open.load(Relaxed),
        ),
        ("rimward_websockets_total", "counter", "WebSockets that began", counters.websockets.load(Relaxed)),
        (
            "rimward_websocket_received_bytes_total",
            "counter",
            "bytes from viewers over WebSockets",
            counters.websocket_received.load(Relaxed),
        ),
        (
            "rimward_websocket_sent_bytes_total",
            "counter",
            "bytes to viewers over WebSockets",
            counters.websocket_sent.load(Relaxed),
        ),
        ("rimward_panics_total", "counter", "requests that met a bug of the node", counters.panics.load(Relaxed)),
        ("rimward_cache_bytes", "gauge", "bytes that the cache holds", usage.bytes),
        (
            "rimward_cache_held_bytes",
            "gauge",
            "bytes that evicting would not give back: bodies that arrive, or that viewers still read",
            usage.held,
        ),
        (
            "rimward_cache_no_room_total",
            "counter",
            "answers passed on, not stored, because there was no room",
            usage.no_room,
        ),
        ("rimward_cache_objects", "gauge", "answers that the cache holds", usage.objects),
        ("rimward_cache_fills", "gauge", "fetches for the cache in flight", usage.fills),
        (
            "rimward_cache_fills_given_up_total",
            "counter",
            "fetches ended, or not begun, because no viewer waited for them",
            usage.given_up,
        ),
        ("rimward_cache_evicted_total", "counter", "answers that made room for others", usage.evicted),
        (
            "rimward_access_log_dropped_total",
            "counter",
            "lines lost because the writer was too slow",
            records.log.dropped(),
        ),
    ] {
        head(&mut out, name, kind, help);
        line(&mut out, name, value);
    }
    let instances = setup.engines.sandbox.usage().instances as u64;
    head(&mut out, "rimward_sandbox_instances", "gauge", "instances of origin functions");
    line(&mut out, "rimward_sandbox_instances", instances);
    if let Some(queue) = &setup.queue {
        let (usage, counters) = (queue.usage(), queue.counters());
        for (name, kind, help, value) in [
            ("rimward_events_kept", "gauge", "events of the invoke API that wait or are handled", usage.events as u64),
            ("rimward_events_received_total", "counter", "events accepted", counters.received.load(Relaxed)),
            ("rimward_events_dropped_total", "counter", "events given up", counters.dropped.load(Relaxed)),
            (
                "rimward_event_records_undelivered_total",
                "counter",
                "attempts to deliver a record that failed",
                counters.undelivered.load(Relaxed),
            ),
        ] {
            head(&mut out, name, kind, help);
            line(&mut out, name, value);
        }
    }
    if let Some(disk) = &usage.disk {
        disk_metrics(&mut out, disk);
    }
    let name = "rimward_requests_refused_total";
    head(&mut out, name, "counter", "requests refused before they were served");
    for refusal in Refusal::ALL {
        line(&mut out, &format!("{name}{{reason=\"{}\"}}", refusal.as_str()), counters.refused(*refusal));
    }
    let name = "rimward_websockets_ended_total";
    head(&mut out, name, "counter", "WebSockets by what ended them");
    for ended in Ended::ALL {
        line(&mut out, &format!("{name}{{reason=\"{}\"}}", ended.as_str()), counters.websockets_ended(ended));
    }
    let name = "rimward_function_throttled";
    head(&mut out, name, "gauge", "1 for a function that is throttled because it keeps running past its time limit");
    let now = SystemClock.now();
    for function in setup.proxy.live().functions().iter().filter(|function| function.version().is_some()) {
        let throttled = u64::from(function.throttled_until(now).is_some());
        line(&mut out, &format!("{name}{{function=\"{}\"}}", function.name()), throttled);
    }
    out
}

fn disk_metrics(out: &mut String, disk: &DiskUsage) {
    for (name, kind, help, value) in [
        ("rimward_cache_disk_bytes", "gauge", "bytes of the files on the cache's disk", disk.bytes),
        ("rimward_cache_disk_limit_bytes", "gauge", "bytes that they may have", disk.limit),
        ("rimward_cache_disk_objects", "gauge", "answers on the cache's disk", disk.objects),
        ("rimward_cache_disk_index_bytes", "gauge", "bytes of memory that their index takes", disk.index),
        ("rimward_cache_disk_evicted_total", "counter", "answers that made room for others", disk.evicted),
        ("rimward_cache_disk_written_total", "counter", "answers written", disk.written),
        ("rimward_cache_disk_read_total", "counter", "answers read for a request", disk.read),
        ("rimward_cache_disk_skipped_total", "counter", "answers not written for lack of time or room", disk.skipped),
        ("rimward_cache_disk_damaged_total", "counter", "answers found damaged", disk.damaged),
        ("rimward_cache_disk_failures_total", "counter", "operations of the disk that failed", disk.failures),
        ("rimward_cache_disk_recovering", "gauge", "1 while the disk is looked through", disk.recovering.into()),
        ("rimward_cache_disk_failing", "gauge", "1 while nothing can be written", disk.problem.is_some().into()),
    ] {
        head(out, name, kind, help);
        line(out, name, value);
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _infallible = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, value: u64) {
    let _infallible = writeln!(out, "{name} {value}");
}
