//! Empty file, smallest file, every setting.

use super::{folder, parse, parse_in, problems, right, shown};
use http::{HeaderName, HeaderValue};
use rimward_config::*;
use rimward_types::ByteSize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

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
    let images = config.distributions[0].behavior_for("/images/a.png");
    assert_eq!(images.functions(rimward_types::Hook::ViewerRequest), ["ab-test".into()]);
    assert_eq!(images.hooks.origin_response.as_deref(), Some("resize"));
    assert!(config.functions["ab-test"].viewer().is_some() && config.functions["resize"].origin().is_some());
}

fn networks(texts: &[&str]) -> Networks {
    let mut networks = Networks::default();
    texts.iter().for_each(|text| networks.add(text).unwrap());
    networks
}

#[test]
fn every_setting_of_the_node() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let text = r#"
        [node]
        listen = ["127.0.0.1:80", "[::1]:80"]
        admin = "127.0.0.1:81"
        workers = 3
        state = "state"
        access-log = "access.log"
        location = { name = "FRA", region = "eu-central-1" }
        compile = { memory = "1 GB", time = "1 min" }
        [node.tls]
        listen = ["127.0.0.1:443"]
        certificates = [{ cert = "site.pem", key = "site.key" }]
        [node.limits]
        url = "4 KB"
        head = "16 KB"
        headers = 64
        connections = 500
        requests-per-connection = 1_000
        idle = "2 min"
        head-timeout = "5 s"
        body-idle = "7 s"
        request-body = "1 MB"
        websockets = 100
        websocket-idle = "1 h"
        drain = "0 s"
        [node.acl]
        purge = ["127.0.0.1", "10.0.0.0/8"]
        explain = ["::1"]
        [cache]
        memory = "1 GB"
        max-object = "256 MB"
        tag-headers = ["XKey"]
        disk = { path = "cache", size = "20 GB" }
    "#;
    let config = parse_in(folder.path(), &format!("{text}{}", super::REST)).unwrap();
    assert_eq!(
        config.node,
        Node {
            listen: vec!["127.0.0.1:80".parse().unwrap(), "[::1]:80".parse().unwrap()],
            admin: Some("127.0.0.1:81".parse().unwrap()),
            workers: std::num::NonZeroUsize::new(3),
            state: Some(path("state")),
            location: Location { name: "FRA".to_owned(), region: "eu-central-1".to_owned() },
            compile: Compile { memory: ByteSize::mb(1024), time: Duration::from_secs(60) },
            tls: Some(TlsListen {
                listen: vec!["127.0.0.1:443".parse().unwrap()],
                certificates: vec![Certificate { cert: path("site.pem"), key: path("site.key") }],
            }),
            limits: Limits {
                url: ByteSize::kb(4),
                head: ByteSize::kb(16),
                headers: 64,
                connections: 500,
                requests_per_connection: Some(1000),
                idle: Duration::from_secs(120),
                head_timeout: Duration::from_secs(5),
                body_idle: Duration::from_secs(7),
                request_body: ByteSize::mb(1),
                websockets: Some(100),
                websocket_idle: Duration::from_secs(3600),
                drain: Duration::ZERO,
            },
            acl: Acl { purge: networks(&["127.0.0.1", "10.0.0.0/8"]), explain: networks(&["::1"]) },
            access_log: AccessLog::File(path("access.log")),
        }
    );
    assert_eq!(
        config.cache,
        Cache {
            memory: ByteSize::mb(1024),
            max_object: ByteSize::mb(256),
            disk: Some(Disk { path: path("cache"), size: ByteSize::mb(20 << 10) }),
            tag_headers: vec![HeaderName::from_static("xkey")]
        }
    );
}

#[test]
fn with_tls_alone_there_is_no_listener_without_it() {
    let tls =
        "[node.tls]\nlisten = [\"127.0.0.1:8443\"]\ncertificates = [{ cert = \"site.pem\", key = \"site.key\" }]\n";
    assert!(right(tls).node.listen.is_empty());
    assert_eq!(right(&format!("[node]\nlisten = [\"127.0.0.1:80\"]\n{tls}")).node.listen.len(), 1);
}

#[test]
fn the_largest_object_follows_a_disk() {
    let with = |memory: &str, disk: &str| {
        let disk = format!("[cache]\nmemory = \"{memory}\"\ndisk = {{ path = \"c\", size = \"{disk}\" }}\n");
        right(&disk).cache.max_object
    };
    assert_eq!(with("8 MB", "1 GB"), ByteSize::mb(256));
    assert_eq!(with("8 MB", "1000 GB"), ByteSize::mb(1024));
    assert_eq!(with("1 GB", "16 MB"), ByteSize::mb(64));
}

#[test]
fn the_largest_object_follows_a_small_cache() {
    assert_eq!(right("[cache]\nmemory = \"8 MB\"").cache.max_object, ByteSize::mb(2));
    assert_eq!(right("[cache]\nmemory = \"8 GB\"").cache.max_object, ByteSize::mb(64));
}

#[test]
fn every_setting_of_functions_and_stores() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let text = r#"
        [key-value-stores.keys]
        file = "pairs.json"
        [functions.viewer]
        code = "index.js"
        runtime = "cloudfront-js-1.0"
        key-value-store = "keys"
        timeout = "5 ms"
        memory = "4 MB"
        code-limit = "20 KB"
        header-rules = "open"
        environment = { STAGE = "test" }
        secrets = { key = { file = "key.txt" }, other = { env = "OTHER" } }
        jwks = { url = "https://id.example.com/keys?v=1", ca = "roots.pem", refresh = "1 min" }
        [functions.origin]
        component = "function.wasm"
        limits = "custom"
        memory = "1 GB"
        timeout = "1 min"
        network = ["API.example.com:443", "*.example.org:80", "[::1]:9000"]
        network-limits = { calls = 3, bytes = "1 MB", time = "2 s" }
        network-ca = "site.pem"
        secrets = { TOKEN = { env = "TOKEN" }, KEY = { file = "site.key" } }
        environment = { QUALITY = "80", _x = "" }
        tmp = "1 MB"
        include-body = true
        concurrency = 7
        fresh = true
        validation = "warn"
        aliases = { stable = 3 }
        log-format = "json"
        log-level = "TRACE"
        system-log-level = "WARN"
        [functions.origin.async]
        retries = 1
        max-age = "1 h"
        on-success = { folder = "records" }
        on-failure = { function = "origin" }
    "#;
    let config = parse_in(folder.path(), &format!("{text}{}", super::REST)).unwrap();
    let grant = |host: &str, port| Grant { host: host.to_owned(), port };
    assert_eq!(
        config.key_value_stores["keys"],
        KeyValueStore { name: "keys".into(), file: Some(path("pairs.json")), size: ByteSize::mb(5) }
    );
    assert_eq!(
        config.functions["viewer"],
        Function {
            name: "viewer".into(),
            kind: FunctionKind::Viewer(ViewerFunction {
                code: path("index.js"),
                runtime: Runtime::V1,
                key_value_store: Some("keys".into()),
                timeout: Duration::from_millis(5),
                memory: ByteSize::mb(4),
                code_limit: ByteSize::kb(20),
                header_rules: HeaderRules::Open,
                environment: [("STAGE".to_owned(), "test".to_owned())].into(),
                secrets: [
                    ("key".to_owned(), SecretSource::File(path("key.txt"))),
                    ("other".to_owned(), SecretSource::Environment("OTHER".to_owned())),
                ]
                .into(),
                jwks: Some(KeySetSource {
                    place: KeySetPlace::Url {
                        url: "https://id.example.com/keys?v=1".to_owned(),
                        ca: Some(path("roots.pem")),
                    },
                    refresh: Duration::from_secs(60),
                }),
            }),
        }
    );
    assert_eq!(
        config.functions["origin"],
        Function {
            name: "origin".into(),
            kind: FunctionKind::Origin(OriginFunction {
                component: path("function.wasm"),
                profile: LimitProfile::Custom,
                memory: ByteSize::mb(1024),
                timeout: Some(Duration::from_secs(60)),
                network: vec![grant("api.example.com", 443), grant("*.example.org", 80), grant("::1", 9000)],
                network_limits: NetworkLimits { calls: 3, bytes: ByteSize::mb(1), time: Duration::from_secs(2) },
                network_ca: Some(path("site.pem")),
                secrets: [
                    ("TOKEN", SecretSource::Environment("TOKEN".to_owned())),
                    ("KEY", SecretSource::File(path("site.key")))
                ]
                .map(|(name, source)| (name.to_owned(), source))
                .into(),
                environment: [("QUALITY", "80"), ("_x", "")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
                tmp: ByteSize::mb(1),
                include_body: true,
                concurrency: 7,
                fresh: true,
                validation: Validation::Warn,
                aliases: [("stable".to_owned(), 3)].into(),
                log_format: LogFormat::Json,
                log_level: LogLevel::Trace,
                system_log_level: LogLevel::Warn,
                asynchronous: Asynchronous {
                    retries: 1,
                    max_age: Duration::from_secs(3600),
                    on_success: Some(Destination::Folder(path("records"))),
                    on_failure: Some(Destination::Function("origin".into())),
                },
            }),
        }
    );
}

#[test]
fn every_setting_of_origins_and_groups() {
    let folder = folder();
    let text = r#"
        [origins.main]
        url = "https://main.example.com:8443/base/"
        host-header = "www.example.com"
        connect-timeout = "1500 ms"
        read-timeout = "20 s"
        completion-timeout = "1 min"
        keepalive = "60 s"
        attempts = 2
        headers = { x-second = "2", X-First = "1" }
        max-connections = 9
        ca = "roots.pem"
        [origins.demo]
        url = "builtin:demo"
        [origin-groups.both]
        primary = "main"
        secondary = "demo"
        failover = [404, 500, 504]
    "#;
    let config = parse_in(folder.path(), &format!("{text}{}", super::REST)).unwrap();
    let header = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    assert_eq!(
        *config.origins["main"],
        Origin {
            name: "main".into(),
            url: OriginUrl::Http {
                tls: true,
                host: "main.example.com".to_owned(),
                port: 8443,
                path: "/base".to_owned()
            },
            host_header: Some("www.example.com".to_owned()),
            connect_timeout: Duration::from_millis(1500),
            read_timeout: Duration::from_secs(20),
            completion_timeout: Some(Duration::from_secs(60)),
            keepalive: Duration::from_secs(60),
            attempts: 2,
            headers: vec![header("x-first", "1"), header("x-second", "2")],
            max_connections: 9,
            ca: Some(folder.path().join("roots.pem")),
            bucket: None,
            overrides: Overrides::default(),
        }
    );
    assert_eq!(
        *config.origin_groups["both"],
        OriginGroup {
            name: "both".into(),
            primary: Arc::clone(&config.origins["main"]),
            secondary: Arc::clone(&config.origins["demo"]),
            failover: BTreeSet::from([404, 500, 504]),
        }
    );
}

/// lambda-at-edge.md section 3.6; cloudfront-functions.md section 11.3.
#[test]
fn every_setting_of_buckets() {
    let folder = folder();
    let text = r#"
        [origins.public]
        url = "https://b.s3.eu-central-1.amazonaws.com"
        s3 = {}
        [origins.identity]
        url = "http://127.0.0.1:9000/b"
        s3 = { auth-method = "origin-access-identity", region = "auto" }
        [origins.control]
        url = "https://b.s3.amazonaws.com"
        [origins.control.s3]
        auth-method = "origin-access-control"
        signing-behavior = "no-override"
        credentials-file = "roots.pem"
        profile = "cdn"
    "#;
    let config = parse_in(folder.path(), &format!("{text}{}", super::REST)).unwrap();
    let bucket = |name: &str| config.origins[name].bucket.clone().unwrap();
    let (public, identity, control) = (bucket("public"), bucket("identity"), bucket("control"));
    assert_eq!(public, Bucket { region: Some("eu-central-1".into()), access: BucketAccess::Public });
    let access = BucketAccess::Identity(CredentialsSource::Environment);
    assert_eq!(identity, Bucket { region: Some("auto".into()), access });
    let source = CredentialsSource::File { path: folder.path().join("roots.pem"), profile: "cdn".to_owned() };
    let access = BucketAccess::Control(source, SigningBehavior::NoOverride);
    assert_eq!(control, Bucket { region: Some("us-east-1".into()), access });
}

#[test]
fn every_setting_of_cache_policies() {
    let text = r#"
        [cache-policies.mine]
        profile = "cloudfront"
        min-ttl = "1 s"
        default-ttl = "2 s"
        max-ttl = "3 s"
        error-ttl = { default = "4 s", 404 = "1 min" }
        headers = ["Accept-Language"]
        cookies = ["a", "A"]
        query = { except = ["utm_source"] }
        accept-encoding = true
        slice = "1 MB"
        enabled = false
    "#;
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(
        *right(text).cache_policies["mine"],
        CachePolicy {
            name: "mine".into(),
            profile: Profile::CloudFront,
            min_ttl: Duration::from_secs(1),
            default_ttl: Some(Duration::from_secs(2)),
            max_ttl: Duration::from_secs(3),
            error_ttl: Duration::from_secs(4),
            error_ttls: BTreeMap::from([(404, Duration::from_secs(60))]),
            headers: vec![http::header::ACCEPT_LANGUAGE],
            cookies: NameSet::Only(names(&["a", "A"])),
            query: NameSet::Except(names(&["utm_source"])),
            accept_encoding: true,
            slice: Some(ByteSize::mb(1)),
            enabled: false,
        }
    );
}

// `cdn-behaviour.md` section 6: defaults are raised to what is written.
#[test]
fn times_that_are_not_written_give_way_to_those_that_are() {
    let ttls = |text: &str| {
        let config = right(&format!("[cache-policies.mine]\n{text}\n"));
        let policy = &config.cache_policies["mine"];
        (
            policy.min_ttl.as_secs(),
            policy.default_ttl.map(|ttl| ttl.as_secs()),
            policy.max_ttl.as_secs(),
            policy.enabled,
        )
    };
    let (day, year) = (86_400, 31_536_000);
    assert_eq!(ttls(""), (0, None, year, true));
    assert_eq!(ttls("profile = \"cloudfront\""), (0, Some(day), year, true));
    assert_eq!(ttls("profile = \"cloudfront\"\nmin-ttl = \"2 d\""), (2 * day, Some(2 * day), year, true));
    assert_eq!(ttls("profile = \"cloudfront\"\nmin-ttl = \"2 y\""), (2 * year, Some(2 * year), 2 * year, true));
    assert_eq!(ttls("profile = \"cloudfront\"\nmax-ttl = \"5 s\""), (0, Some(5), 5, true));
    assert_eq!(ttls("default-ttl = \"2 y\""), (0, Some(2 * year), 2 * year, true));
    assert_eq!(ttls("min-ttl = \"0 s\"\ndefault-ttl = \"0 s\"\nmax-ttl = \"0 s\""), (0, Some(0), 0, false));
}

#[test]
fn built_in_policies_are_there_by_name() {
    let config = right("");
    let names: Vec<&str> = config.cache_policies.keys().map(AsRef::as_ref).collect();
    assert_eq!(
        names,
        [
            "caching-disabled",
            "caching-optimized",
            "origin-cache-control",
            "use-origin-cache-control-headers",
            "use-origin-cache-control-headers-query-strings",
        ]
    );
    let default = &config.cache_policies["origin-cache-control"];
    assert_eq!((default.profile, default.default_ttl, &default.query), (Profile::Rfc, None, &NameSet::All));
    assert!(!config.cache_policies["caching-disabled"].enabled);
}

#[test]
fn every_setting_of_distributions_and_behaviors() {
    let text = r#"
        [functions.viewer]
        code = "index.js"
        [functions.origin]
        component = "function.wasm"
        [origins.app]
        url = "builtin:demo"
        [origins.other]
        url = "http://127.0.0.1:1"
        [origin-groups.both]
        primary = "app"
        secondary = "other"
        [[distributions]]
        id = "E1"
        domain-name = "d1.example.net"
        domains = ["WWW.example.com", "*.example.org"]
        default-root-object = "index.html"
        error-pages = [{ status = 404, page = "/e.html", answer-status = 200 }, { status = 502, page = "/e.html" }]
        [[distributions.behaviors]]
        path = "images/*"
        origin = "both"
        viewer-protocol = "redirect-to-https"
        methods = ["HEAD", "OPTIONS", "GET"]
        cache-policy = "caching-optimized"
        forward = { headers = ["Accept"], cookies = "all", query = { except = ["x"] } }
        compress = true
        viewer-request = "viewer"
        viewer-response = ["viewer", "viewer"]
        viewer-response-on-errors = true
        origin-request = "origin"
        origin-response = "origin"
        [[distributions.behaviors]]
        path = "*"
        origin = "app"
        viewer-protocol = "https-only"
        methods = "all"
        forward = "none"
        [[distributions]]
        domains = ["*"]
        [[distributions.behaviors]]
        origin = "app"
        forward = "all-viewer"
        methods = ["GET", "HEAD"]
        viewer-protocol = "allow-all"
    "#;
    let config = parse(text).unwrap_or_else(|problems| panic!("{}", shown(&problems)));
    let [site, rest] = &config.distributions[..] else { panic!("two distributions") };
    assert_eq!((&*site.id, &*site.domain_name), ("E1", "d1.example.net"));
    assert_eq!(site.domains, ["www.example.com", "*.example.org"]);
    assert_eq!(site.default_root_object.as_deref(), Some("index.html"));
    let pages: Vec<_> =
        site.error_pages.iter().map(|p| (p.status.as_u16(), &*p.page, p.answer_status.as_u16())).collect();
    assert_eq!(pages, [(404, "/e.html", 200), (502, "/e.html", 502)]);
    let [images, default] = &site.behaviors[..] else { panic!("two behaviors") };
    assert_eq!(
        **images,
        Behavior {
            pattern: "images/*".parse().unwrap(),
            origin: Target::Group(Arc::clone(&config.origin_groups["both"])),
            viewer_protocol: ViewerProtocol::RedirectToHttps,
            methods: MethodSet::ReadAndOptions,
            cache_policy: Arc::clone(&config.cache_policies["caching-optimized"]),
            forward: Forward {
                headers: ForwardHeaders::Only(vec![http::header::ACCEPT]),
                cookies: NameSet::All,
                query: NameSet::Except(vec!["x".to_owned()]),
            },
            compress: true,
            response_headers_policy: None,
            hooks: BehaviorHooks {
                viewer_request: vec!["viewer".into()],
                origin_request: Some("origin".into()),
                origin_response: Some("origin".into()),
                viewer_response: vec!["viewer".into(), "viewer".into()],
                viewer_response_on_errors: true,
            },
        }
    );
    assert_eq!((default.viewer_protocol, default.methods), (ViewerProtocol::HttpsOnly, MethodSet::All));
    assert_eq!(default.forward, Forward::none());
    assert_eq!(rest.behaviors[0].forward, Forward::all_viewer());
    assert_eq!(config.origin_groups["both"].failover, BTreeSet::from([500, 502, 503, 504]));
}

#[test]
fn an_id_is_the_same_for_the_same_domain() {
    assert_eq!(right("").distributions[0].id, right("[cache]").distributions[0].id);
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
