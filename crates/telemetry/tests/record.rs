//! One record, seen as a line and as metrics.
#![allow(clippy::unwrap_used)]

use rimward_telemetry::{
    AccessLog, CacheRecord, CallRecord, HookRecord, Line, Metrics, OriginRecord, Record, ResultType,
};
use rimward_types::{Hook, RequestId, SeededEntropy, Timestamp};
use std::io::{self, Write};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

fn record() -> Record {
    Record {
        id: RequestId::random(&SeededEntropy::new(1)),
        start: Timestamp::from_secs(1_700_000_000),
        viewer: "203.0.113.7:4711".parse().unwrap(),
        method: http::Method::GET,
        scheme: "https",
        version: http::Version::HTTP_2,
        host: "www.example.com".into(),
        path: "/a\"b".into(),
        query: Some("x=1".into()),
        distribution: Some("EDEMO".into()),
        behavior: Some("*".into()),
        hooks: vec![HookRecord {
            hook: Hook::ViewerRequest,
            function: "jwt-auth".into(),
            verdict: "FunctionExecutionError",
            reason: Some("TypeError: x".into()),
            time: Duration::from_micros(31),
            utilization: 3,
            kv_reads: 2,
            kv_misses: 1,
            calls: vec![
                CallRecord {
                    method: "GET".into(),
                    host: "api.example.com:443".into(),
                    outcome: Ok(204),
                    time: Duration::from_micros(900),
                    sent: 0,
                    received: 17,
                },
                CallRecord {
                    method: "POST".into(),
                    host: "10.0.0.1:80".into(),
                    outcome: Err("not granted".into()),
                    time: Duration::ZERO,
                    sent: 0,
                    received: 0,
                },
            ],
        }],
        cache: Some(CacheRecord { status: "Rimward; hit; ttl=5".into(), stored: None }),
        origins: vec![OriginRecord {
            origin: "app".into(),
            status: None,
            attempts: 3,
            time: Duration::from_millis(7),
            error: Some("connection refused".into()),
        }],
        compression: Some("br"),
        slices: None,
        result: ResultType::FunctionExecutionError,
        detail: None,
        status: 503,
        first_byte: Duration::from_micros(120),
        total: Duration::from_micros(150),
        bytes: 9,
        complete: true,
        websocket: None,
        grpc: None,
    }
}

#[test]
fn a_record_is_one_json_object_with_every_decision() {
    let line: serde_json::Value = serde_json::from_str(&record().to_json()).unwrap();
    assert_eq!(line["result"], "FunctionExecutionError");
    assert_eq!(line["path"], "/a\"b");
    assert_eq!(line["hooks"][0]["reason"], "TypeError: x");
    assert_eq!(line["hooks"][0]["calls"][0]["status"], 204);
    assert_eq!(line["hooks"][0]["calls"][0]["received"], 17);
    assert_eq!(line["hooks"][0]["calls"][1]["error"], "not granted");
    assert_eq!(line["origins"][0]["error"], "connection refused");
    assert_eq!(line["cache"], "Rimward; hit; ttl=5");
    assert_eq!(line["compression"], "br");
    assert_eq!(line["total_us"], 150);
    assert!(line.get("detail").is_none());
}

#[test]
fn metrics_count_requests_functions_and_origins() {
    let metrics = Metrics::default();
    metrics.observe(&record());
    let text = metrics.to_prometheus();
    for expected in [
        "rimward_requests_total{result=\"FunctionExecutionError\"} 1",
        "rimward_responses_total{class=\"5xx\"} 1",
        "rimward_request_seconds_bucket{le=\"0.0001\"} 0",
        "rimward_request_seconds_bucket{le=\"0.00025\"} 1",
        "rimward_origin_errors_total 1",
        "rimward_function_runs_total{function=\"jwt-auth\",hook=\"viewer-request\",verdict=\"FunctionExecutionError\"} 1",
        // cloudfront-functions.md section 9
        "rimward_function_utilization_percent_total{function=\"jwt-auth\",hook=\"viewer-request\",verdict=\"FunctionExecutionError\"} 3",
        "rimward_function_kv_reads_total{function=\"jwt-auth\",hook=\"viewer-request\",verdict=\"FunctionExecutionError\"} 2",
        "rimward_function_kv_misses_total{function=\"jwt-auth\",hook=\"viewer-request\",verdict=\"FunctionExecutionError\"} 1",
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
}

struct Pipe(Sender<Vec<u8>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_access_log_writes_a_line_for_each_record_and_outlives_its_reader() {
    let (sender, lines) = channel();
    let log = AccessLog::writer(Pipe(sender));
    log.write(record());
    let line = String::from_utf8(lines.recv().unwrap()).unwrap();
    assert!(line.ends_with("}\n") && line.contains("jwt-auth"), "{line}");
    drop(lines);
    log.write(record());
    assert_eq!(log.dropped(), 0);
}

#[test]
fn lines_after_a_reopening_go_where_it_led() {
    let (sender, lines) = channel();
    let mut opened = 0;
    let open = move || {
        opened += 1;
        match opened {
            // The second time it fails, and what was open before is kept.
            2 => Err(io::ErrorKind::PermissionDenied.into()),
            n => Ok(Box::new(Numbered(n, sender.clone())) as Box<dyn Write + Send>),
        }
    };
    let log = AccessLog::opening(open).unwrap();
    for expected in [1, 1, 3] {
        log.write(record());
        assert_eq!(lines.recv().unwrap(), expected);
        log.reopen();
    }
}

/// Says which of several writers wrote.
struct Numbered(u32, Sender<u32>);

impl Write for Numbered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.send(self.0).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
