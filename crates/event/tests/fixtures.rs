//! The events of the sample functions are events, and what they expect can be read.

#![allow(clippy::unwrap_used)]

use rimward_event::connection::OwnedConnection;
use rimward_event::expect::Expectation;
use rimward_event::{lambda, viewer};
use std::fs;
use std::path::{Path, PathBuf};

fn events(tier: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../edge-functions").join(tier);
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path().join("events"));
    let files = folders.filter(|folder| folder.is_dir()).flat_map(|folder| fs::read_dir(folder).unwrap());
    let paths = files.map(|file| file.unwrap().path()).filter(|path| !path.to_string_lossy().contains(".expect."));
    paths.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

fn expectation_beside(path: &Path) {
    let text = fs::read_to_string(path.with_extension("expect.json")).unwrap();
    Expectation::from_json(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

#[test]
fn viewer_events_can_be_given_to_a_function() {
    let events = events("viewer");
    assert!(events.len() > 20);
    for (path, text) in events {
        let event = viewer::json::event_from_json(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut bytes = Vec::new();
        event.encode(&mut bytes);
        rimward_wire::event::Event::read(&bytes).unwrap();
        expectation_beside(&path);
    }
}

#[test]
fn origin_events_can_be_given_to_a_function() {
    let events = events("origin");
    assert!(events.len() > 5);
    for (path, text) in events {
        let event = lambda::json::event_from_json(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(event.as_event().to_json().starts_with("{\"Records\""));
        expectation_beside(&path);
    }
}

#[test]
fn events_of_connections_can_be_given_to_a_function() {
    let events = events("connection");
    assert!(events.len() > 2);
    for (path, text) in events {
        let event = OwnedConnection::from_json(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut bytes = Vec::new();
        event.encode(&mut bytes);
        rimward_wire::connection::ConnectionEvent::read(&bytes).unwrap();
        expectation_beside(&path);
    }
}
