//! Origins, groups and buckets.

use super::*;

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
    let config = parse_in(folder.path(), &format!("{text}{}", crate::REST)).unwrap();
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
            h2c: false,
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
    let config = parse_in(folder.path(), &format!("{text}{}", crate::REST)).unwrap();
    let bucket = |name: &str| config.origins[name].bucket.clone().unwrap();
    let (public, identity, control) = (bucket("public"), bucket("identity"), bucket("control"));
    assert_eq!(public, Bucket { region: Some("eu-central-1".into()), access: BucketAccess::Public });
    let access = BucketAccess::Identity(CredentialsSource::Environment);
    assert_eq!(identity, Bucket { region: Some("auto".into()), access });
    let source = CredentialsSource::File { path: folder.path().join("roots.pem"), profile: "cdn".to_owned() };
    let access = BucketAccess::Control(source, SigningBehavior::NoOverride);
    assert_eq!(control, Bucket { region: Some("us-east-1".into()), access });
}
