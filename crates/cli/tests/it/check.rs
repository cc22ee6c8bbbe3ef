//! `rimward check`.

use crate::support::{Folder, PREFIX};

const CONFIG: &str = "[functions.prefix]\ncode = \"index.js\"\n[origins.a]\nurl = \"builtin:demo\"\n[[distributions]]\n\
                      domains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"a\"\nviewer-request = \"prefix\"\n";

fn folder() -> Folder {
    Folder::new().with("rimward.toml", CONFIG).with("index.js", PREFIX)
}

#[test]
fn a_sound_configuration_is_summed_up() {
    let ran = folder().run(&["check"]).expect(0);
    let ran =
        ran.prints("1 distribution, 1 behavior, 1 origin, 1 function").prints("function prefix").prints("resident");
    ran.prints("ok: 1 checked");
}

#[test]
fn a_wrong_configuration_shows_every_error_in_its_place() {
    let folder = folder();
    folder.write("rimward.toml", CONFIG.replace("domains", "domain").replace("origin = \"a\"", "origin = \"b\""));
    let ran = folder.run(&["check"]).expect(1).says("--> rimward.toml:6:").says("^").says("hint: ");
    assert!(ran.stderr.matches("error: ").count() >= 2, "{}", ran.stderr);
    let report = folder.run(&["check", "--json"]).expect(1).json();
    assert_eq!(report["ok"], false);
    let lines: Vec<_> = report["problems"].as_array().unwrap().iter().map(|problem| &problem["line"]).collect();
    assert!(lines.contains(&&6.into()), "{report}");
}

#[test]
fn a_configuration_that_is_not_there_ends_with_2() {
    Folder::new().run(&["check"]).expect(2).says("rimward.toml");
    folder().run(&["check", "nothing.toml"]).expect(2).says("nothing.toml");
    folder().with("a.txt", "").run(&["check", "a.txt"]).expect(2).says("not a .toml, .js or .wasm file");
}

#[test]
fn a_function_that_does_not_compile_fails_the_check() {
    let folder = folder();
    folder.write("index.js", "function handler(event) {\n  let 5 = a;\n}\n");
    folder.run(&["check"]).expect(1).says("index.js:2:").says("2 |   let 5 = a;").prints("FAILED: 1 of 1");
    folder.run(&["check", "index.js"]).expect(1).says("index.js:2:");
    let report = folder.run(&["check", "--json"]).expect(1).json();
    assert_eq!(report["functions"][0]["state"], "refused");
}

#[test]
fn a_store_that_cannot_be_read_fails_the_check() {
    let config = CONFIG.replace("code = \"index.js\"", "code = \"index.js\"\nkey-value-store = \"k\"");
    let folder = folder().with("k.json", "{");
    folder.write("rimward.toml", format!("[key-value-stores.k]\nfile = \"k.json\"\n{config}"));
    folder.run(&["check"]).expect(1).says("key value store").says("k.json");
}

#[test]
fn a_function_or_a_folder_can_be_checked_alone() {
    let folder = folder()
        .with("f/one/function.toml", "name = \"one\"\nhooks = [\"viewer-request\"]\ncode = \"index.js\"")
        .with("f/one/index.js", PREFIX)
        .with("f/two/function.toml", "name = \"two\"\nhooks = [\"origin-request\"]\ncomponent = \"function.wasm\"");
    folder.run(&["check", "index.js"]).expect(0).prints("ok: 1 checked");
    folder.run(&["check", "f"]).expect(0).prints("function one").prints("skip").prints("1 not built");
}

#[test]
fn the_target_cloudfront_takes_no_more_than_10240_bytes() {
    // cloudfront-functions.md section 7
    let folder = folder();
    folder.write("index.js", format!("{PREFIX}{}", "//".repeat(6000)));
    folder.write("rimward.toml", CONFIG.replace("code = \"index.js\"", "code = \"index.js\"\ncode-limit = \"20 KB\""));
    folder.run(&["check"]).expect(0);
    folder.run(&["check", "--target", "cloudfront"]).expect(1).says("FunctionSizeLimitExceeded");
    let report = folder.run(&["check", "--target", "cloudfront", "--json"]).expect(1).json();
    assert_eq!(report["functions"][0]["findings"][0]["rule"], "size");
}

#[test]
fn the_target_cloudfront_names_extensions_of_behaviors() {
    // cloudfront-functions.md section 2
    let config = CONFIG.replace("viewer-request", "viewer-response-on-errors = true\nviewer-response");
    let folder = Folder::new().with("rimward.toml", config);
    folder.write("index.js", "function handler(event) { return event.response; }");
    folder.run(&["check"]).expect(0);
    let ran = folder.run(&["check", "--target", "cloudfront"]).expect(1);
    ran.says("runs viewer-response on errors").says("hint: leave `viewer-response-on-errors` out");
}

#[test]
fn the_target_cloudfront_refuses_what_the_vendor_does_with_its_place() {
    // cloudfront-functions.md sections 5, 10.2 and 10.3
    let folder = folder();
    let code = "function handler(event) {\n  const seen = new Map();\n  event.request.headers['X-Seen'] = { value: `${seen?.size}` };\n  \
                return event.request;\n}\n";
    folder.write("index.js", code);
    folder.run(&["check"]).expect(0);
    let ran = folder.run(&["check", "--target", "cloudfront"]).expect(1).prints("FAILED: 1 of 1");
    let ran = ran.says("error: ReferenceError: \"Map\" is not defined\n --> ").says("index.js:2:20\n").says("hint: ");
    ran.says("request.headers must have header names in lower case").says("Unexpected token \".\" in 3");
    let report = folder.run(&["check", "--target", "cloudfront", "--json"]).expect(1).json();
    let findings = report["functions"][0]["findings"].as_array().unwrap();
    let sections: Vec<_> = findings.iter().map(|finding| finding["section"].as_str().unwrap()).collect();
    assert_eq!(sections, ["10.3", "5", "10.2"]);
    assert_eq!((&findings[0]["line"], &findings[0]["column"]), (&2.into(), &20.into()));
}
