//! Functions and their stores.

use super::*;

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
    let config = parse_in(folder.path(), &format!("{text}{}", crate::REST)).unwrap();
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
                kind: CodeKind::Viewer,
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
