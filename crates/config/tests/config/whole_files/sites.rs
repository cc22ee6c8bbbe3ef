//! Cache policies, distributions and behaviors.

use super::*;

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
            "amplify",
            "caching-disabled",
            "caching-optimized",
            "caching-optimized-for-uncompressed-objects",
            "elemental-mediapackage",
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
fn the_vendors_ids_name_policies_too() {
    // cdn-behaviour.md sections 6 and 7.1
    let behavior = |text: &str| {
        let config = right(&format!(
            "[origins.a]\nurl = \"builtin:demo\"\n[[distributions]]\ndomains = [\"*\"]\n\
             [[distributions.behaviors]]\norigin = \"a\"\n{text}\n"
        ));
        config.distributions[0].behaviors[0].clone()
    };
    let by_id = behavior("cache-policy = \"2e54312d-136d-493c-8eb9-b001f22f67d2\"");
    assert_eq!(by_id.cache_policy, behavior("cache-policy = \"amplify\"").cache_policy);
    assert_eq!(&*by_id.cache_policy.name, "amplify");
    let forward = |name: &str| behavior(&format!("forward = \"{name}\"")).forward.clone();
    for (name, id) in [
        ("all-viewer", "216adef6-5c7f-47e4-b989-5492eafa07d3"),
        ("all-viewer-except-host", "all-viewer-except-host-header"),
        ("cors-s3-origin", "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf"),
        ("user-agent-referer-headers", "acba4595-bd28-49b8-b9fe-13317c0390fa"),
    ] {
        assert_eq!(forward(name), forward(id), "{name}");
    }
    assert!(forward("host-header-only").forwards_host());
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
            grpc: false,
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
