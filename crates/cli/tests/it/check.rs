//! `rimward check`.

use crate::support::{Folder, KEY_SET, PREFIX};

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
fn what_may_surprise_is_a_warning_and_no_failure() {
    let config = "[origins.a]\nurl = \"http://127.0.0.1:1\"\nh2c = true\n[origins.b]\nurl = \"http://127.0.0.1:2\"\n\
                  [origin-groups.g]\nprimary = \"a\"\nsecondary = \"b\"\n[[distributions]]\ndomains = [\"*\"]\n\
                  [[distributions.behaviors]]\norigin = \"g\"\nmethods = \"all\"\ngrpc = true\n";
    let folder = Folder::new().with("rimward.toml", config);
    folder
        .run(&["check"])
        .expect(0)
        .says("warning: gRPC has no failover")
        .says("--> rimward.toml:12:")
        .prints("ok: 0 checked");
    let report = folder.run(&["check", "--json"]).expect(0).json();
    assert_eq!((&report["ok"], &report["warnings"][0]["line"]), (&true.into(), &12.into()));
    let ran = folder.run(&["check", "--target", "cloudfront"]).expect(1);
    ran.says("gRPC goes to the origin without TLS; CloudFront speaks it over HTTPS alone").says("rimward.toml:3:1");
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
    // cloudfront-functions.md sections 1 and 2, cdn-behaviour.md section 4
    let config = CONFIG.replace(
        "viewer-request = \"prefix\"\n",
        "viewer-request = [\"prefix\", \"prefix\"]\nviewer-response-on-errors = true\nviewer-response = [\"after\"]\n\
         methods = \"any\"\n[functions.after]\ncode = \"after.js\"\n",
    );
    let folder = folder().with("after.js", "function handler(event) { return event.response; }");
    folder.write("rimward.toml", config);
    folder.run(&["check"]).expect(0);
    let ran = folder.run(&["check", "--target", "cloudfront"]).expect(1);
    let ran = ran.says("runs 2 functions at viewer-request; CloudFront runs at most one for each event");
    let ran = ran.says(" --> rimward.toml:9:1\n").says("hint: put what they do into one function");
    let ran = ran.says("runs viewer-response on errors").says(" --> rimward.toml:10:1\n");
    let ran = ran.says("hint: leave `viewer-response-on-errors` out");
    let ran = ran.says("lets every method through; CloudFront refuses all but seven").says(" --> rimward.toml:12:1\n");
    ran.says("hint: write `methods = \"all\"`").prints("FAILED: 1 of 3");
}

#[test]
fn the_target_cloudfront_names_every_setting_and_module_of_ours_with_its_place() {
    // cloudfront-functions.md sections 7, 10.4 and 12
    let settings = "code = \"index.js\"\ncode-limit = \"20 KB\"\nmemory = \"4 MB\"\ntimeout = \"5 ms\"\n\
                    environment = { A = \"b\" }\nsecrets = { s = { file = \"s.txt\" } }\njwks = { file = \"keys.json\" }\n";
    let code = "import rimward from 'rimward';\nfunction handler(event) { return event.request; }\n";
    let folder = Folder::new().with("index.js", code).with("s.txt", "secret").with("keys.json", KEY_SET);
    folder.write(
        "rimward.toml",
        format!("{}[key-value-stores.big]\nsize = \"6 MB\"\n", CONFIG.replace("code = \"index.js\"\n", settings)),
    );
    folder.write("f/function.toml", format!("name = \"f\"\nhooks = [\"viewer-request\"]\n{settings}"));
    for (name, content) in [("index.js", code), ("s.txt", "secret"), ("keys.json", KEY_SET)] {
        folder.write(&format!("f/{name}"), content);
    }
    folder.run(&["check"]).expect(0);
    let findings = |args: &[&str], name: &str| {
        let report = folder.run(args).expect(1).json();
        let items = report["functions"].as_array().unwrap().clone();
        let item = items.into_iter().find(|item| item["name"] == name).unwrap();
        let findings = item["findings"].as_array().unwrap().clone();
        findings
            .iter()
            .map(|f| format!("{}:{} {}", f["line"], f["column"], f["rule"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    let target = ["check", "--target", "cloudfront", "--json"];
    let rules = ["size", "time", "memory", "extension", "extension", "extension"];
    let lines = |first: usize| {
        let lines = [0, 2, 1, 3, 4, 5].map(|line| first + line);
        let settings = lines.iter().zip(rules).map(|(line, rule)| format!("{line}:1 {rule}"));
        settings.chain(["1:21 restricted".to_owned()]).collect::<Vec<_>>()
    };
    assert_eq!(findings(&target, "prefix"), lines(3));
    assert_eq!(findings(&target, "big"), ["17:1 store"]);
    assert_eq!(findings(&[&target[..], &["f"]].concat(), "f"), lines(4));
    let said = folder.run(&["check", "--target", "cloudfront", "f"]).expect(1);
    said.says("Error: Cannot find module \"rimward\"").says("hint: the module is this node's own");
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

#[test]
fn a_warning_is_told_with_its_place_and_fails_nothing() {
    let folder = folder();
    let behavior = "cache-policy = \"caching-optimized\"\nforward = \"all-viewer\"\n";
    folder.write("rimward.toml", format!("{CONFIG}{behavior}"));
    let ran =
        folder.run(&["check"]).expect(0).says("warning: `forward` lets cookies, `Authorization` and query parameters");
    ran.says("--> rimward.toml:11:1").says("hint: leave `forward` out").prints("ok: 1 checked");
    let report = folder.run(&["check", "--json"]).expect(0).json();
    assert_eq!((&report["ok"], &report["problems"]), (&true.into(), &serde_json::json!([])));
    assert_eq!((&report["warnings"][0]["line"], &report["warnings"][0]["column"]), (&11.into(), &1.into()));
}
