//! `/tmp`.

use rimward_sandbox::{Failure, Options, Sandbox};
use rimward_types::ByteSize;

use crate::support::{body, failure, options, probe, probe_with, publish};

/// lambda-at-edge.md 11.1: `/tmp` is kept between events of an instance.
#[tokio::test]
async fn files_last_as_long_as_the_instance() {
    let scratch = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Options { scratch: scratch.path().to_owned(), ..options() }).unwrap();
    let function = publish(&sandbox, probe()).await;
    assert_eq!(body(&function, "/write~1000").await, "written");
    assert_eq!(body(&function, "/read").await, "1000");
    failure(&function, "/trap").await;
    assert_eq!(body(&function, "/read").await, "no-entry");
    drop((function, sandbox));
    while std::fs::read_dir(scratch.path()).unwrap().count() > 0 {
        tokio::task::yield_now().await;
    }
}

/// lambda-at-edge.md 11.1.
#[tokio::test]
async fn instances_do_not_see_each_others_files() {
    let function = probe_with(|spec| spec.fresh = true).await;
    assert_eq!(body(&function, "/write~1000").await, "written");
    assert_eq!(body(&function, "/read").await, "no-entry");
}

/// lambda-at-edge.md 8: 512 MB.
#[tokio::test]
async fn the_folder_has_a_bound_that_no_way_of_writing_passes() {
    for (path, expected) in [
        ("/write~900000", "written"),
        ("/write~1100000", "insufficient-space"),
        ("/rewrite~700000", "written"),
        ("/hidden~300000", "insufficient-space"),
        ("/stream~900000", "written"),
        ("/stream~1100000", "LastOperationFailed"),
        ("/entries~100", "made"),
        ("/entries~300", "insufficient-space"),
    ] {
        let function = probe_with(|spec| spec.tmp = ByteSize::mb(1)).await;
        let told = body(&function, path).await;
        assert!(told.contains(expected), "{path}: {told}");
    }
}

#[tokio::test]
async fn nothing_outside_the_folder_can_be_opened() {
    let function = probe_with(|_| {}).await;
    let told = body(&function, "/outside").await;
    assert!(!told.contains("opened"), "{told}");
    assert_eq!(told.split(' ').count(), 3);
}

#[tokio::test]
async fn no_link_and_no_rename_leads_out_of_the_folder() {
    let scratch = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Options { scratch: scratch.path().to_owned(), ..options() }).unwrap();
    let function = publish(&sandbox, probe()).await;
    let told = body(&function, "/links").await;
    assert!(!told.contains("opened") && !told.contains("hard: made") && !told.contains("moved"), "{told}");
    let outside = scratch.path().read_dir().unwrap().next().unwrap().unwrap().path().join("outside");
    assert!(!outside.exists());
}

/// lambda-at-edge.md 8: file descriptors.
#[tokio::test]
async fn handles_are_bounded() {
    let function = probe_with(|_| {}).await;
    assert_eq!(body(&function, "/handles~500").await, "opened");
    let failed = failure(&function, "/handles~2000").await;
    assert!(matches!(failed, Failure::Trap(_)), "{failed}");
}
