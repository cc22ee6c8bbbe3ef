#![allow(clippy::unwrap_used)]

use super::*;
use crate::functions::{Throttled, Undelivered};
use rimward_types::TestClock;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// A node whose function does what the test says, in turn.
#[derive(Default)]
struct Play {
    turns: Mutex<VecDeque<Result<Ran, NotRun>>>,
    settings: Mutex<AsyncSettings>,
    missing: Mutex<bool>,
    ran: Mutex<Vec<(String, String, String)>>,
    posts: Mutex<Vec<Result<(), Undelivered>>>,
    posted: Mutex<Vec<(String, Value)>>,
    ids: AtomicU64,
}

impl Functions for Play {
    fn settings(&self, function: &str, _: Option<&str>) -> Result<AsyncSettings, Refusal> {
        if *self.missing.lock() {
            Err(Refusal::NotFound(function.to_owned()))
        } else {
            Ok(self.settings.lock().clone())
        }
    }

    fn invocation_id(&self) -> String {
        format!("made-{}", self.ids.fetch_add(1, Ordering::Relaxed))
    }

    async fn run(&self, invocation: Invocation<'_>) -> Result<Ran, NotRun> {
        let told = [invocation.function, invocation.id, invocation.payload].map(str::to_owned);
        let [function, id, payload] = told;
        self.ran.lock().push((function, id, payload));
        self.turns.lock().pop_front().unwrap_or_else(succeeded)
    }

    async fn post(&self, url: &str, record: String) -> Result<(), Undelivered> {
        self.posted.lock().push((url.to_owned(), serde_json::from_str(&record).unwrap()));
        self.posts.lock().pop().unwrap_or(Ok(()))
    }
}

fn succeeded() -> Result<Ran, NotRun> {
    Ok(Ran { result: Ok("\"done\"".to_owned()), version: "1".into(), log: Vec::new() })
}

fn failed() -> Result<Ran, NotRun> {
    Ok(Ran { result: Err(json!({ "errorMessage": "no" })), version: "1".into(), log: Vec::new() })
}

fn throttled() -> Result<Ran, NotRun> {
    Err(NotRun::Throttled(Throttled::Function))
}

struct Stage {
    folder: tempfile::TempDir,
    clock: TestClock,
    play: Play,
}

impl Stage {
    fn new(turns: impl IntoIterator<Item = Result<Ran, NotRun>>) -> Self {
        let play = Play { turns: Mutex::new(turns.into_iter().collect()), ..Play::default() };
        let clock = TestClock::at(Timestamp::from_secs(1_800_000_000));
        Self { folder: tempfile::tempdir().unwrap(), clock, play }
    }

    fn queue(&self) -> Queue {
        self.queue_of(Bounds::default())
    }

    fn queue_of(&self, bounds: Bounds) -> Queue {
        Queue::open(&self.folder.path().join("queue"), bounds, Arc::new(self.clock.clone())).unwrap()
    }

    fn runs(&self) -> usize {
        self.play.ran.lock().len()
    }

    fn to_folder(&self) -> Destination {
        Destination::Folder(self.folder.path().join("records"))
    }

    fn records(&self) -> Vec<Value> {
        let folder = self.folder.path().join("records");
        let mut files: Vec<_> =
            std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()).collect()
    }
}

fn event(id: &str) -> Accepted {
    Accepted { id: id.to_owned(), function: "f".to_owned(), qualifier: None, payload: "{\"a\":1}".to_owned() }
}

/// lambda-at-edge.md 14.1.
#[tokio::test]
async fn an_event_is_handled_once_and_forgotten() {
    let stage = Stage::new([]);
    let queue = stage.queue();
    queue.accept(event("one")).await.unwrap();
    assert_eq!(queue.usage().events, 1);
    queue.run_due(&stage.play).await;
    assert_eq!(*stage.play.ran.lock(), [("f".to_owned(), "one".to_owned(), "{\"a\":1}".to_owned())]);
    assert_eq!(queue.usage(), Usage::default());
    drop(queue);
    assert_eq!(stage.queue().usage(), Usage::default());
}

/// lambda-at-edge.md 14.1.
#[tokio::test]
async fn a_failure_is_tried_twice_more_under_the_same_id_and_then_goes_to_its_destination() {
    let stage = Stage::new([failed(), failed(), failed()]);
    stage.play.settings.lock().on_failure = Some(stage.to_folder());
    let queue = stage.queue();
    queue.accept(event("one")).await.unwrap();
    for (wait, runs) in [(0, 1), (59, 1), (1, 2), (119, 2), (1, 3), (100_000, 3)] {
        stage.clock.advance(Duration::from_secs(wait));
        queue.run_due(&stage.play).await;
        assert_eq!(stage.runs(), runs);
    }
    assert!(stage.play.ran.lock().iter().all(|(_, id, _)| id == "one"));
    let records = stage.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(records[0]["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(records[0]["requestPayload"], json!({ "a": 1 }));
    assert_eq!(records[0]["responsePayload"], json!({ "errorMessage": "no" }));
    assert_eq!(queue.usage(), Usage::default());
}

/// lambda-at-edge.md 14.1.
#[tokio::test]
async fn a_success_goes_to_its_own_destination() {
    let stage = Stage::new([]);
    stage.play.settings.lock().on_success = Some(Destination::Http("http://example.com/done".to_owned()));
    let queue = stage.queue();
    queue.accept(event("one")).await.unwrap();
    queue.run_due(&stage.play).await;
    let posted = stage.play.posted.lock();
    assert_eq!(posted.len(), 1);
    assert_eq!(posted[0].0, "http://example.com/done");
    assert_eq!(posted[0].1["requestContext"]["condition"], "Success");
}

/// lambda-at-edge.md 14.1.
#[tokio::test]
async fn a_throttled_event_is_kept_and_uses_no_attempt_up() {
    let stage = Stage::new((0..6).map(|_| throttled()).chain([failed(), failed()]));
    let queue = stage.queue();
    queue.accept(event("one")).await.unwrap();
    let mut waited = 0;
    while stage.runs() < 7 {
        if queue.run_due(&stage.play).await == 0 {
            stage.clock.advance(Duration::from_secs(1));
            waited += 1;
        }
    }
    // 1 + 2 + 4 + 8 + 16 + 32 seconds.
    assert_eq!(waited, 63);
    stage.clock.advance(Duration::from_secs(60));
    queue.run_due(&stage.play).await;
    stage.clock.advance(Duration::from_secs(120));
    queue.run_due(&stage.play).await;
    assert_eq!((stage.runs(), queue.usage().events), (9, 0));
}

/// lambda-at-edge.md 14.1.
#[tokio::test]
async fn an_event_that_finds_no_room_for_too_long_is_given_up() {
    let stage = Stage::new((0..1000).map(|_| throttled()));
    *stage.play.settings.lock() = AsyncSettings {
        max_age: Duration::from_secs(60),
        on_failure: Some(stage.to_folder()),
        ..AsyncSettings::default()
    };
    let queue = stage.queue();
    queue.accept(event("one")).await.unwrap();
    for _ in 0..60 {
        queue.run_due(&stage.play).await;
        stage.clock.advance(Duration::from_secs(1));
    }
    let records = stage.records();
    assert_eq!(records[0]["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(records[0].get("responsePayload"), None);
}

#[tokio::test]
async fn an_event_waits_for_a_function_that_is_gone_for_a_while() {
    let stage = Stage::new([]);
    *stage.play.missing.lock() = true;
    let queue = stage.queue();
    queue.accept(event("one")).await.unwrap();
    queue.run_due(&stage.play).await;
    assert_eq!((stage.runs(), queue.usage().events), (0, 1));
    *stage.play.missing.lock() = false;
    stage.clock.advance(Duration::from_secs(1));
    queue.run_due(&stage.play).await;
    assert_eq!((stage.runs(), queue.usage().events), (1, 0));
}

/// lambda-at-edge.md 14.1.
#[tokio::test]
async fn another_function_gets_the_record_as_its_event() {
    let stage = Stage::new([succeeded(), failed(), failed(), failed()]);
    stage.play.settings.lock().on_success = Some(Destination::Function("next".to_owned()));
    let queue = stage.queue();
    queue.accept(event("one")).await.unwrap();
    queue.run_due(&stage.play).await;
    let ran = stage.play.ran.lock().clone();
    assert_eq!((&*ran[1].0, &*ran[1].1), ("next", "made-0"));
    let record: Value = serde_json::from_str(&ran[1].2).unwrap();
    assert_eq!(record["requestContext"]["requestId"], "one");
}

#[tokio::test]
async fn functions_that_are_each_others_destination_come_to_an_end() {
    let stage = Stage::new([]);
    stage.play.settings.lock().on_success = Some(Destination::Function("f".to_owned()));
    let queue = stage.queue();
    queue.accept(event("one")).await.unwrap();
    queue.run_due(&stage.play).await;
    assert_eq!((stage.runs(), queue.usage().events), (HOPS as usize + 1, 0));
}

#[tokio::test]
async fn a_record_is_sent_again_until_it_arrives() {
    let stage = Stage::new([]);
    stage.play.settings.lock().on_success = Some(Destination::Http("http://example.com/".to_owned()));
    stage.play.posts.lock().extend([Err(Undelivered("503".to_owned())), Err(Undelivered("refused".to_owned()))]);
    let queue = stage.queue();
    queue.accept(event("one")).await.unwrap();
    for _ in 0..4 {
        queue.run_due(&stage.play).await;
        stage.clock.advance(Duration::from_secs(1));
    }
    // At once, after 1 s, after 2 s more.
    assert_eq!((stage.runs(), stage.play.posted.lock().len(), queue.usage().events), (1, 3, 0));
    let counters = queue.counters();
    let counts = [&counters.received, &counters.dropped, &counters.undelivered];
    assert_eq!(counts.map(|count| count.load(Ordering::Relaxed)), [1, 0, 2]);
}

#[tokio::test]
async fn what_was_accepted_is_there_after_a_restart() {
    let stage = Stage::new([failed()]);
    let queue = stage.queue();
    for id in ["one", "two"] {
        queue.accept(event(id)).await.unwrap();
    }
    queue.run_due(&stage.play).await;
    assert_eq!(queue.usage().events, 1);
    // One was handled, the other failed once: that is remembered too.
    drop(queue);
    let queue = stage.queue();
    assert_eq!(queue.usage().events, 1);
    assert_eq!(queue.run_due(&stage.play).await, 0);
    stage.clock.advance(Duration::from_secs(60));
    queue.run_due(&stage.play).await;
    assert_eq!((stage.runs(), queue.usage().events), (3, 0));
}

#[tokio::test]
async fn a_file_that_is_half_written_or_no_event_does_not_stop_the_queue() {
    let stage = Stage::new([]);
    let queue = stage.queue();
    queue.accept(event("one")).await.unwrap();
    drop(queue);
    let folder = stage.folder.path().join("queue");
    std::fs::write(folder.join("two.json.1-0.part"), "{").unwrap();
    std::fs::write(folder.join("three.json"), "{").unwrap();
    std::fs::copy(folder.join("one.json"), folder.join("four.json")).unwrap();
    let queue = stage.queue();
    assert_eq!(queue.usage().events, 1);
    assert!(!folder.join("two.json.1-0.part").exists());
    assert!(folder.join("three.json").exists() && folder.join("four.json").exists());
}

#[tokio::test]
async fn two_nodes_do_not_share_a_queue() {
    let stage = Stage::new([]);
    let _queue = stage.queue();
    let clock = Arc::new(stage.clock.clone());
    let second = Queue::open(&stage.folder.path().join("queue"), Bounds::default(), clock);
    assert!(matches!(second, Err(QueueError::InUse(_))));
}

#[tokio::test]
async fn the_queue_is_bounded_and_says_so() {
    let stage = Stage::new([]);
    let queue = stage.queue_of(Bounds { events: 2, bytes: ByteSize::kb(1) });
    let large = Accepted { payload: format!("\"{}\"", "x".repeat(2000)), ..event("large") };
    assert_eq!(queue.accept(large).await, Err(Refusal::QueueFull));
    for id in ["one", "two"] {
        queue.accept(event(id)).await.unwrap();
    }
    assert_eq!(queue.accept(event("three")).await, Err(Refusal::QueueFull));
    queue.run_due(&stage.play).await;
    assert_eq!(queue.accept(event("three")).await, Ok(()));
}

#[tokio::test]
async fn the_queue_handles_events_on_its_own() {
    let stage = Stage::new([]);
    let (queue, play) = (Arc::new(stage.queue()), Arc::new(Play::default()));
    let serving = tokio::spawn(queue.clone().serve(play.clone()));
    for n in 0..40 {
        queue.accept(event(&format!("event-{n}"))).await.unwrap();
    }
    while queue.usage().events > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(play.ran.lock().len(), 40);
    serving.abort();
}
