//! `rimward test`.

use crate::support::{Folder, KEY_SET, PREFIX, viewer_request};

const MANIFEST: &str = "name = \"prefix\"\nhooks = [\"viewer-request\"]\ncode = \"index.js\"\n";

fn folder() -> Folder {
    Folder::new()
        .with("edge-functions/viewer/prefix/function.toml", MANIFEST)
        .with("edge-functions/viewer/prefix/index.js", PREFIX)
        .with("edge-functions/viewer/prefix/events/page.json", viewer_request("/page"))
}

fn expect(folder: &Folder, expectation: &str) {
    folder.write("edge-functions/viewer/prefix/events/page.expect.json", expectation);
}

#[test]
fn an_event_that_gives_what_is_expected_passes() {
    let folder = folder();
    expect(&folder, r#"{"request":{"uri":"/x/page","headers":{"x-other":null}}}"#);
    let ran = folder.run(&["test"]).expect(0).prints("prefix").prints("ok    page").prints("ok: 1 passed");
    assert!(ran.stdout.contains("fuel") && ran.stdout.contains(" %") && ran.stdout.contains("pages"), "{}", ran.stdout);
}

#[test]
fn a_difference_is_told_with_its_place_and_ends_with_1() {
    let folder = folder();
    expect(&folder, r#"{"request":{"uri":"/y/page"}}"#);
    let ran = folder.run(&["test", "edge-functions/viewer/prefix"]).expect(1);
    let ran = ran.prints("FAIL  page").prints(r#"request.uri: expected "/y/page", got "/x/page""#);
    ran.prints("log: at /page").prints("FAILED: 0 passed, 1 failed");
}

#[test]
fn an_event_without_expectation_has_to_run() {
    let folder = folder();
    folder.run(&["test"]).expect(0).prints("ran   page").prints("1 ran without expectation");
    folder.write("edge-functions/viewer/prefix/index.js", "function handler(event) {\n  throw new Error('no');\n}\n");
    folder.run(&["test"]).expect(1).prints("FunctionExecutionError").prints("index.js:2:").prints("^");
}

#[test]
fn an_expected_error_passes() {
    let folder = folder();
    folder.write("edge-functions/viewer/prefix/index.js", "function handler() { return 5; }");
    expect(&folder, r#"{"error":"validation"}"#);
    folder.run(&["test"]).expect(0).prints("1 passed");
    expect(&folder, r#"{"error":"execution"}"#);
    folder.run(&["test"]).expect(1).prints("expected execution error, got validation error");
}

#[test]
fn fuel_over_the_budget_fails_and_is_the_same_each_time() {
    let folder = folder();
    let fuel = |folder: &Folder| {
        let report = folder.run(&["test", "--json"]).json();
        report["functions"][0]["events"][0]["cost"]["fuel"].as_u64().unwrap()
    };
    let cost = fuel(&folder);
    assert!(cost > 0);
    assert_eq!(fuel(&folder), cost);
    let file = "edge-functions/viewer/prefix/function.toml";
    folder.write(file, format!("{MANIFEST}[budget]\nfuel = {}\n", cost - 1));
    folder.run(&["test"]).expect(1).prints("over budget");
    folder.write(file, format!("{MANIFEST}[budget]\nfuel = {cost}\n"));
    folder.run(&["test"]).expect(0);
}

#[test]
fn a_component_that_is_not_built_is_skipped_with_how_to_build_it() {
    let manifest = "name = \"later\"\nhooks = [\"origin-request\"]\ncomponent = \"function.wasm\"\n";
    let folder = folder().with("edge-functions/origin/later/function.toml", manifest);
    folder.run(&["test"]).expect(0).prints("skip  not built; to build it: ").prints("1 function skipped (not built)");
}

#[test]
fn a_function_that_cannot_be_published_fails_the_test() {
    let folder = folder();
    folder.write("edge-functions/viewer/prefix/index.js", "function handler(event) {");
    folder.run(&["test"]).expect(1).prints("error: SyntaxError").prints("1 function refused");
    folder.write("edge-functions/viewer/prefix/function.toml", "name = 5");
    folder.run(&["test"]).expect(1).prints("function.toml");
}

#[test]
fn json_tells_the_same() {
    let folder = folder();
    expect(&folder, r#"{"request":{"uri":"/y/page"}}"#);
    let report = folder.run(&["test", "--json"]).expect(1).json();
    assert_eq!((&report["passed"], &report["failed"]), (&0.into(), &1.into()));
    let event = &report["functions"][0]["events"][0];
    assert_eq!(event["name"], "page");
    assert_eq!(event["verdict"], "failed");
    assert_eq!(event["logs"][0], "at /page");
    assert!(event["cost"]["utilization"].as_u64().unwrap() <= 100);
}

#[test]
fn nothing_to_test_is_no_success() {
    Folder::new().run(&["test"]).expect(2).says("there is no function.toml");
    Folder::new().run(&["test", "nowhere"]).expect(2).says("nowhere");
}

#[test]
fn a_folders_function_has_its_environment_secrets_and_key_set() {
    // Signed with the key of RFC 8037, appendix A.1.
    let token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.\
                 eFTpuxd5oo38-eZyGVq9scoNkxAqvbc-sDJt27w46VWKPwLPHyUnUvvw3A2jBpmW3-qynlegeDc8tXCZrv_YAw";
    let manifest = "name = \"own\"\nhooks = [\"viewer-request\"]\ncode = \"index.js\"\nenvironment = { STAGE = \"test\" }\n\
                    secrets = { key = { file = \"key.txt\" } }\njwks = { file = \"keys.json\" }\n";
    let code = format!(
        "import rimward from 'rimward';\nfunction handler(event) {{\n  const who = rimward.verifyJwt('{token}').claims.sub;\n  \
         return {{ statusCode: 200, body: rimward.environment.STAGE + ' ' + rimward.secret('key') + ' ' + who }};\n}}\n"
    );
    let folder = Folder::new()
        .with("own/function.toml", manifest)
        .with("own/index.js", code)
        .with("own/key.txt", "s3cret\n")
        .with("own/keys.json", KEY_SET)
        .with("own/events/page.json", viewer_request("/page"))
        .with("own/events/page.expect.json", r#"{"response":{"statusCode":200,"body":{"data":"test s3cret alice"}}}"#);
    folder.run(&["test", "own"]).expect(0).prints("ok: 1 passed");
    folder.write("own/keys.json", "{}");
    folder.run(&["test", "own"]).expect(1).prints("its key set").prints("cannot be used").prints("1 function refused");
}
