//! `cloudfront-functions.md` section 15, `lambda-at-edge.md` section 13.

#![allow(clippy::unwrap_used)]

use super::*;

fn version(n: u8) -> Version {
    Version::of(&[n])
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

fn live(stages: &Stages) -> Option<Version> {
    stages.at(Stage::Live).map(|kept| kept.version.clone())
}

/// With these published one after the other.
fn published(versions: &[u8]) -> Stages {
    let mut stages = Stages::default();
    for n in versions {
        stages.update(version(*n), at(1));
        stages.publish(version(*n), at(2));
    }
    stages
}

#[test]
fn an_update_changes_development_alone() {
    let mut stages = published(&[1]);
    stages.update(version(2), at(3));
    assert_eq!(stages.at(Stage::Development).unwrap().version, version(2));
    assert_eq!(live(&stages), Some(version(1)));
}

#[test]
fn a_publish_makes_live_what_development_is_and_a_rollback_what_it_was() {
    let mut stages = published(&[1, 2]);
    assert_eq!(live(&stages), Some(version(2)));
    stages.roll_back(&Back::Previous).unwrap();
    assert_eq!(live(&stages), Some(version(1)));
    assert_eq!(stages.at(Stage::Development).unwrap().version, version(2), "to be mended");
    stages.roll_back(&Back::Previous).unwrap();
    assert_eq!(live(&stages), None, "the file");
    assert_eq!(stages.roll_back(&Back::Previous), Err(NoWayBack::AtTheFile));
}

#[test]
fn publishing_the_same_again_leaves_nothing_behind() {
    let mut stages = published(&[1]);
    let before = stages.clone();
    stages.publish(version(1), at(9));
    assert_eq!(stages, before);
}

#[test]
fn a_rollback_can_name_the_file_or_a_version() {
    let mut stages = published(&[1, 2, 3]);
    let first = version(1);
    stages.roll_back(&Back::To(first.as_str()[..10].to_owned())).unwrap();
    assert_eq!(live(&stages), Some(first));
    let mut stages = published(&[1, 2, 3]);
    assert_eq!(stages.roll_back(&Back::To("x".to_owned())), Err(NoWayBack::Unknown("x".to_owned())));
    assert_eq!(stages.roll_back(&Back::To(String::new())), Err(NoWayBack::Ambiguous(String::new())));
    stages.roll_back(&Back::File).unwrap();
    assert_eq!((live(&stages), stages.earlier().count()), (None, 0));
}

#[test]
fn the_number_of_versions_is_bounded() {
    let stages = published(&(0..100).collect::<Vec<_>>());
    assert_eq!(stages.earlier().count(), MAX_EARLIER);
    assert_eq!(stages.earlier().next().unwrap().unwrap().version, version(98));
}

#[test]
fn each_stage_and_each_change_has_an_etag_of_its_own() {
    let tag = |stage, n, since| version(n).etag(stage, since);
    let tags = [
        tag(Stage::Live, 1, None),
        tag(Stage::Development, 1, None),
        tag(Stage::Live, 2, None),
        tag(Stage::Live, 1, Some(at(1))),
        tag(Stage::Live, 1, Some(at(2))),
    ];
    for (i, one) in tags.iter().enumerate() {
        assert!(tags[i + 1..].iter().all(|other| other != one), "{tags:?}");
        assert!(one.len() == 17 && one.starts_with('E'), "{one}");
    }
}

#[test]
fn a_version_that_is_no_digest_is_refused_as_it_becomes_a_path() {
    for text in ["\"../../etc/passwd\"", "\"\"", "\"ABC\""] {
        assert!(serde_json::from_str::<Version>(text).is_err(), "{text}");
    }
}

fn numbers(stages: &Stages) -> Vec<Option<u64>> {
    stages.numbered().map(Kept::number).collect()
}

/// lambda-at-edge.md 13.
#[test]
fn each_publish_has_the_next_number_and_one_without_a_change_the_last() {
    let mut stages = published(&[1, 2]);
    assert_eq!(numbers(&stages), [Some(2), Some(1)]);
    stages.publish(version(2), at(9));
    assert_eq!(numbers(&stages), [Some(2), Some(1)]);
    stages.roll_back(&Back::Previous).unwrap();
    assert_eq!(stages.at(Stage::Live).unwrap().number(), Some(1));
    // DEVELOPMENT is still what was published last.
    stages.publish(version(2), at(10));
    assert_eq!((stages.at(Stage::Live).unwrap().number(), numbers(&stages).len()), (Some(2), 2));
    // The same content later is a version of its own.
    stages.publish(version(1), at(11));
    assert_eq!(numbers(&stages), [Some(3), Some(2), Some(1)]);
}

/// lambda-at-edge.md 13: never reused.
#[test]
fn numbers_go_on_after_the_way_back_to_the_file() {
    let mut stages = published(&[1, 2]);
    stages.roll_back(&Back::File).unwrap();
    assert_eq!(numbers(&stages), [Some(2), Some(1)], "they can still be called by number");
    stages.publish(version(7), at(3));
    assert_eq!(stages.at(Stage::Live).unwrap().number(), Some(3));
    let mut many = published(&(0..100).collect::<Vec<_>>());
    assert_eq!(numbers(&many).len(), MAX_NUMBERED);
    many.publish(version(200), at(4));
    assert_eq!(many.at(Stage::Live).unwrap().number(), Some(101));
}

#[test]
fn a_rollback_by_number_goes_back_and_forth() {
    let mut stages = published(&[1, 2, 3]);
    let live = |stages: &Stages| stages.at(Stage::Live).unwrap().number();
    stages.roll_back(&Back::To("1".to_owned())).unwrap();
    assert_eq!((live(&stages), stages.earlier().count()), (Some(1), 1));
    stages.roll_back(&Back::To("3".to_owned())).unwrap();
    assert_eq!(live(&stages), Some(3));
    stages.roll_back(&Back::Previous).unwrap();
    assert_eq!(live(&stages), Some(1));
    let before = stages.clone();
    stages.roll_back(&Back::To("1".to_owned())).unwrap();
    assert_eq!(stages, before);
    assert_eq!(stages.roll_back(&Back::To("9".to_owned())), Err(NoWayBack::Unknown("9".to_owned())));
    // What was rolled back from has a name too.
    stages.roll_back(&Back::To(version(3).to_string())).unwrap();
    assert_eq!(live(&stages), Some(3));
}

#[test]
fn what_was_kept_before_there_were_numbers_can_be_read() {
    let old = format!(r#"{{"development":null,"live":{{"version":"{}","at":5}},"earlier":[null]}}"#, version(1));
    let mut stages: Stages = serde_json::from_str(&old).unwrap();
    assert_eq!(stages.at(Stage::Live).unwrap().number(), None);
    stages.publish(version(2), at(6));
    assert_eq!(stages.at(Stage::Live).unwrap().number(), Some(1));
    stages.roll_back(&Back::Previous).unwrap();
    assert_eq!(live(&stages), Some(version(1)));
}
