//! `grpc` of behaviors and `h2c` of origins (`cdn-behaviour.md` section 21).

use super::{parse, problems, shown};
use rimward_config::{Config, Severity};

/// One site whose behavior has `behavior`, an origin `app` at `url` with `origin`, and two functions.
fn site(url: &str, origin: &str, behavior: &str) -> String {
    format!(
        "[functions.own]\ncode = \"index.js\"\n[functions.lambda]\ncomponent = \"function.wasm\"\n\
         [origins.app]\nurl = \"{url}\"\n{origin}\n[[distributions]]\ndomains = [\"*\"]\n\
         [[distributions.behaviors]]\norigin = \"app\"\n{behavior}\n"
    )
}

const GRPC: &str = "grpc = true\nmethods = \"all\"";

fn read(text: &str) -> Config {
    parse(text).unwrap_or_else(|problems| panic!("{}", shown(&problems)))
}

/// Warnings as `line:column message` and `hint: ...`.
fn warnings(config: &Config) -> Vec<String> {
    let lines = config.warnings.iter().flat_map(|warning| {
        assert_eq!(warning.severity, Severity::Warning);
        let hint = warning.hint.as_deref().unwrap_or_default();
        [format!("{}:{} {}", warning.line, warning.column, warning.message), format!("hint: {hint}")]
    });
    lines.collect()
}

#[test]
fn a_behavior_has_grpc_where_it_says_so_and_the_origin_can_speak_it() {
    let config = read(&site("https://app.example.com", "", GRPC));
    assert!(config.distributions[0].behaviors[0].grpc);
    assert_eq!(warnings(&config), [""; 0]);
    let config = read(&site("http://127.0.0.1:50051", "h2c = true", GRPC));
    assert!(config.origins["app"].h2c && config.distributions[0].behaviors[0].grpc);
    // What the vendor lets nobody do without TLS is said by `rimward check --target cloudfront`.
    assert_eq!(warnings(&config), [""; 0]);
    for off in ["", "grpc = false"] {
        assert!(!read(&site("http://127.0.0.1:1", "", off)).distributions[0].behaviors[0].grpc);
    }
}

#[test]
fn what_grpc_needs_is_said() {
    for (url, origin, behavior, said) in [
        (
            "https://app.example.com",
            "",
            "grpc = true",
            ["12:1 `grpc` needs POST among the methods", "hint: write `methods = \"all\"`"],
        ),
        (
            "https://app.example.com",
            "",
            "grpc = true\nmethods = [\"GET\", \"HEAD\"]",
            ["13:1 `grpc` needs POST among the methods", "hint: write `methods = \"all\"`"],
        ),
        (
            "http://127.0.0.1:50051",
            "",
            GRPC,
            [
                "11:1 gRPC needs HTTP/2, which `app` is not asked for",
                "hint: give it an https:// URL, or `h2c = true` in [origins.app] where it speaks HTTP/2 without TLS",
            ],
        ),
        ("builtin:demo", "", GRPC, ["11:1 the demo origin does not speak gRPC", "hint: name an origin that does"]),
        (
            "https://b.s3.amazonaws.com",
            "s3 = {}",
            GRPC,
            ["11:1 `app` is a bucket, and buckets do not speak gRPC", "hint: name an origin that does"],
        ),
        (
            "https://app.example.com",
            "h2c = true",
            "",
            [
                "7:1 `h2c` is HTTP/2 without TLS, and the URL is https",
                "hint: leave `h2c` out: over TLS the two agree on HTTP/2 by themselves",
            ],
        ),
        ("builtin:demo", "h2c = true", "", ["7:1 the demo origin does not speak HTTP/2", "hint: leave `h2c` out"]),
        (
            "http://b.s3.amazonaws.com",
            "h2c = true\ns3 = {}",
            "",
            ["7:1 `h2c` is for gRPC, which buckets do not speak", "hint: leave `h2c` out"],
        ),
        (
            "https://app.example.com",
            "",
            "GrpcConfig = true",
            ["12:1 unknown key `GrpcConfig` in [[distributions.behaviors]]", "hint: it is called `grpc` here"],
        ),
    ] {
        assert_eq!(problems(&site(url, origin, behavior)), said, "{url} {origin} {behavior}");
    }
}

/// A primary that is wrong is said once, by the behavior that wants gRPC of it.
#[test]
fn of_a_group_the_primary_must_speak_it_and_the_missing_failover_is_told() {
    let group = |primary: &str, secondary: &str| {
        format!(
            "[origins.a]\nurl = \"{primary}\"\n[origins.b]\nurl = \"{secondary}\"\n\
             [origin-groups.g]\nprimary = \"a\"\nsecondary = \"b\"\n\
             [[distributions]]\ndomains = [\"*\"]\n[[distributions.behaviors]]\norigin = \"g\"\n{GRPC}\n"
        )
    };
    let config = read(&group("https://a.example.com", "http://b.example.com"));
    assert_eq!(
        warnings(&config),
        [
            "11:1 gRPC has no failover: of `g` only the primary `a` gets it",
            "hint: give gRPC a behavior of its own, with an origin, where that should be seen",
        ]
    );
    let said = problems(&group("http://a.example.com", "https://b.example.com"));
    assert_eq!(said[0], "11:1 gRPC needs HTTP/2, which `a` is not asked for");
    assert_eq!(said.len(), 2);
}

#[test]
fn functions_that_grpc_goes_past_are_told_and_others_are_not() {
    let hooks = "viewer-request = \"lambda\"\norigin-request = \"lambda\"\nviewer-response = \"lambda\"";
    let config = read(&site("https://app.example.com", "", &format!("{GRPC}\n{hooks}")));
    let hint = "hint: what must hold for gRPC too belongs in a viewer function, or give gRPC a behavior of its own";
    let passed_by =
        |line: u32| format!("{line}:1 gRPC requests go past `lambda`: origin functions do not run for them");
    assert_eq!(warnings(&config), [&passed_by(14), hint, &passed_by(15), hint, &passed_by(16), hint]);
    let shown = config.warnings[0].to_string();
    assert!(
        shown.starts_with("warning: gRPC requests") && shown.contains("14 | viewer-request = \"lambda\""),
        "{shown}"
    );
    let hooks = "viewer-request = \"own\"\nviewer-response = \"own\"";
    assert_eq!(warnings(&read(&site("https://app.example.com", "", &format!("{GRPC}\n{hooks}")))), [""; 0]);
}
