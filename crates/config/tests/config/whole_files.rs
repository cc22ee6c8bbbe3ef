//! Empty file, smallest file, every setting.

use super::{folder, parse, parse_in, problems, right, shown};
use http::{HeaderName, HeaderValue};
use rimward_config::*;
use rimward_types::ByteSize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

mod functions;
mod node;
mod origins;
mod sites;

#[test]
fn an_empty_file_is_told_what_the_smallest_one_is() {
    let hint = "hint: the smallest file is\n\n  [origins.app]\n  url = \"http://127.0.0.1:9000\"\n\n  [[distributions]]\n  domains = [\"*\"]\n  behaviors = [{ origin = \"app\" }]\n";
    assert_eq!(problems(""), ["1:1 there is no distribution, so the node would serve nothing", hint]);
    let smallest = hint.split_once("\n\n").unwrap().1;
    assert!(parse(smallest).is_ok());
}

#[test]
fn the_smallest_file_has_defaults_for_the_rest() {
    let config = right("");
    assert_eq!(config.node, Node::default());
    assert_eq!(config.cache, Cache::default());
    assert_eq!(config.node.listen, ["127.0.0.1:8080".parse().unwrap()]);
    assert_eq!(config.node.limits.request_body, "64 GB".parse().unwrap());
    let site = &config.distributions[0];
    assert_eq!(site.id.len(), 14);
    assert!(site.id.starts_with('E'));
    assert_eq!(*site.domain_name, format!("{}.rimward.local", site.id.to_lowercase()));
    let behavior = &site.behaviors[0];
    let app = &config.origins["app"];
    assert_eq!(
        **behavior,
        Behavior {
            pattern: PathPattern::any(),
            origin: Target::Origin(Arc::clone(app)),
            viewer_protocol: ViewerProtocol::AllowAll,
            methods: MethodSet::Read,
            cache_policy: Arc::clone(&config.cache_policies["origin-cache-control"]),
            forward: Forward::all_viewer_except_host(),
            compress: false,
            response_headers_policy: None,
            grpc: false,
            hooks: BehaviorHooks::default(),
        }
    );
    assert_eq!(**app, Origin::new("app", "http://127.0.0.1:9000".parse().unwrap()));
}

/// The file of the design, with what it leaves to the reader.
#[test]
fn a_file_with_every_table_is_read() {
    let text = r#"
        [node]
        listen = ["127.0.0.1:8080"]
        admin  = "127.0.0.1:8081"
        [cache]
        memory = "256 MB"
        [key-value-stores.experiments]
        file = "pairs.json"
        [functions.ab-test]
        code = "index.js"
        runtime = "cloudfront-js-2.0"
        key-value-store = "experiments"
        [functions.resize]
        component = "function.wasm"
        memory = "256 MB"
        timeout = "5 s"
        network = ["images.example.com:443"]
        environment = { QUALITY = "80" }
        [origins.app]
        url = "http://127.0.0.1:9000"
        [cache-policies.images]
        default-ttl = "1 d"
        [[distributions]]
        domains = ["www.example.com"]
        [[distributions.behaviors]]
        path = "/images/*"
        origin = "app"
        cache-policy = "images"
        viewer-request = "ab-test"
        origin-response = "resize"
        [[distributions.behaviors]]
        origin = "app"
    "#;
    let config = parse(text).unwrap_or_else(|problems| panic!("{}", shown(&problems)));
    let images = config.distributions[0].behavior_for("/images/a.png").unwrap();
    assert_eq!(images.functions(rimward_types::Hook::ViewerRequest), ["ab-test".into()]);
    assert_eq!(images.hooks.origin_response.as_deref(), Some("resize"));
    assert!(config.functions["ab-test"].viewer().is_some() && config.functions["resize"].origin().is_some());
}

#[test]
fn relative_paths_begin_at_the_files_folder() {
    let folder = folder();
    let path = folder.path().join("rimward.toml");
    std::fs::write(&path, format!("[functions.f]\ncode = \"index.js\"\n{}", super::REST)).unwrap();
    let config = load(&path).unwrap();
    assert_eq!(config.functions["f"].viewer().unwrap().code, folder.path().join("index.js"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let problem = &load("nowhere/rimward.toml").unwrap_err()[0];
    let text = problem.to_string();
    assert!(text.starts_with("error: cannot read the file: ") && text.ends_with("--> nowhere/rimward.toml"), "{text}");
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    let folder = folder();
    let path = folder.path().join("rimward.toml");
    std::fs::write(&path, b"\xff\xfe").unwrap();
    assert!(load(&path).unwrap_err()[0].message.contains("valid UTF-8"));
}
