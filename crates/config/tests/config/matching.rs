//! Which distribution and which behavior a request belongs to (`cdn-behaviour.md` sections 2 and 3).

use super::{parse, right};
use rimward_config::{AmbiguousPath, CachePolicy, Config, Forward, ForwardHeaders, Grant, MethodSet, NameSet, Profile};

fn config() -> Config {
    let text = r#"
        origins.app.url = "builtin:demo"
        [[distributions]]
        id = "FIRST"
        domains = ["www.example.com"]
        behaviors = [
            { path = "/a/b*", origin = "app" },
            { path = "/a*", origin = "app" },
            { path = "*.jpg", origin = "app" },
            { origin = "app" },
        ]
        [[distributions]]
        id = "SECOND"
        domains = ["*.example.com", "127.0.0.1"]
        behaviors = [{ origin = "app" }]
    "#;
    parse(text).unwrap()
}

#[test]
fn a_host_leads_to_its_distribution() {
    let config = config();
    let id = |host: &str| config.distribution_for(host).map(|site| site.id.to_string());
    assert_eq!(id("www.example.com").as_deref(), Some("FIRST"));
    assert_eq!(id("api.example.com").as_deref(), Some("SECOND"));
    assert_eq!(id("127.0.0.1").as_deref(), Some("SECOND"));
    assert_eq!(id("example.com"), None);
    // A distribution answers to its own name.
    assert_eq!(id("first.rimward.local").as_deref(), Some("FIRST"));
}

#[test]
fn the_first_behavior_that_matches_the_normal_path_is_taken() {
    let config = config();
    let site = &config.distributions[0];
    for (path, pattern) in [
        ("/a/b", "/a/b*"),
        ("/a/b/c.jpg", "/a/b*"),
        ("/a/b/..", "/a*"),
        ("/a/x.jpg", "/a*"),
        ("/x.jpg", "*.jpg"),
        ("//a//b", "/a/b*"),
        ("/%61/b", "/a/b*"),
        ("/A", "*"),
        ("/", "*"),
        ("", "*"),
    ] {
        assert_eq!(site.behavior_for(path).unwrap().pattern.as_str(), pattern, "{path}");
    }
}

#[test]
fn a_path_that_falls_under_another_behavior_as_origins_read_it_has_none() {
    let text = r#"
        origins.app.url = "builtin:demo"
        [[distributions]]
        domains = ["*"]
        behaviors = [
            { path = "/private/*", origin = "app" },
            { path = "/@admin/*", origin = "app" },
            { path = "*.php", origin = "app" },
            { origin = "app" },
        ]
    "#;
    let config = parse(text).unwrap();
    let found = |path| config.distributions[0].behavior_for(path).map(|behavior| behavior.pattern.as_str());
    for path in [
        "/private%2freport.txt",
        "/%2fprivate/report.txt",
        "/%2Fprivate%2Freport.txt",
        "/private%5creport.txt",
        "/private\\report.txt",
        "\\private/report.txt",
        "/private;v=1/report.txt",
        "/private%3bv=1/report.txt",
        "/;/private/report.txt",
        "/;a%2fb/private/report.txt",
        "/%40admin/x",
        "/x.php;.css",
        "/x.php%3b.css",
        // Guarded as sent, open as read: which of the two is meant to guard is not known.
        "/private/%2500/..%2f",
        "/a%2fb.php/x;y.php",
    ] {
        assert!(found(path).is_err(), "{path}: {:?}", found(path));
    }
    assert_eq!(found("/private%2freport.txt"), Err(AmbiguousPath::AnotherBehavior));
    for path in
        ["/static/..%2fprivate/x", "/x/..;/private/x", "/a//../private/x", "/a/b%5cc/%2f/../../private/x", "/..;/x"]
    {
        assert_eq!(found(path), Err(AmbiguousPath::HiddenDotSegment), "{path}");
    }
    for (path, pattern) in [
        ("/private/a%2fb", "/private/*"),
        ("/private/a;v=1", "/private/*"),
        ("/a%2fb", "*"),
        ("/a;v=1/b;w=2", "*"),
        ("/a%3bb%5cc", "*"),
        ("/caf%C3%A9%20%25", "*"),
        ("/privat%65/x", "/private/*"),
        ("/x/%2e%2e/private/x", "/private/*"),
        ("//private//x", "/private/*"),
        ("/x%2fy.php", "*.php"),
    ] {
        assert_eq!(found(path), Ok(pattern), "{path}");
    }
}

#[test]
fn sets_of_methods_are_the_vendors_and_one_takes_any() {
    let method = |name: &str| http::Method::from_bytes(name.as_bytes()).unwrap();
    assert!(MethodSet::Read.contains(&method("HEAD")) && !MethodSet::Read.contains(&method("OPTIONS")));
    assert!(MethodSet::ReadAndOptions.contains(&method("OPTIONS")));
    assert!(!MethodSet::ReadAndOptions.contains(&method("POST")));
    assert!(MethodSet::All.contains(&method("PATCH")));
    for name in ["TRACE", "CONNECT", "PURGE", "get"] {
        assert!(!MethodSet::All.contains(&method(name)), "{name}");
    }
    for name in ["GET", "DELETE", "PURGE", "M-SEARCH", "get"] {
        assert!(MethodSet::Any.contains(&method(name)), "{name}");
    }
    for name in ["TRACE", "CONNECT"] {
        assert!(!MethodSet::Any.contains(&method(name)), "{name}");
    }
}

#[test]
fn sets_of_names_say_what_is_in_them() {
    let names = || vec!["a".to_owned()];
    for (set, a, b) in [
        (NameSet::None, false, false),
        (NameSet::All, true, true),
        (NameSet::Only(names()), true, false),
        (NameSet::Except(names()), false, true),
    ] {
        assert_eq!((set.contains("a"), set.contains("b")), (a, b), "{set:?}");
    }
    let forward = &right("").distributions[0].behaviors[0].forward;
    for policy in CachePolicy::built_in() {
        let stores_by_key = policy.profile == Profile::CloudFront && policy.enabled;
        let forward = Forward::default_of(&policy);
        assert_eq!(forward == Forward::none(), stores_by_key, "{}", policy.name);
        assert!(!stores_by_key || !forward.beyond(&policy).any());
    }
    assert!(!forward.forwards_host() && forward.headers.contains(&http::header::ACCEPT));
    assert!(ForwardHeaders::All.contains(&http::header::HOST) && !ForwardHeaders::None.contains(&http::header::HOST));
}

#[test]
fn a_grant_covers_its_host_and_port_alone() {
    let grant = |host: &str| Grant { host: host.to_owned(), port: 443 };
    assert!(grant("a.com").covers("a.com", 443));
    assert!(!grant("a.com").covers("a.com", 80));
    assert!(!grant("a.com").covers("b.a.com", 443));
    assert!(grant("*.a.com").covers("b.a.com", 443) && grant("*.a.com").covers("c.b.a.com", 443));
    for host in ["a.com", ".a.com", "xa.com"] {
        assert!(!grant("*.a.com").covers(host, 443), "{host}");
    }
}
