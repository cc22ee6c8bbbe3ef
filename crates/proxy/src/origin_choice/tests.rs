#![allow(clippy::unwrap_used)]
use super::*;
use http::{HeaderName, HeaderValue};
use rimward_config::CredentialsSource;
use std::time::Duration;

fn origin(name: &str, url: &str) -> Arc<Origin> {
    Arc::new(Origin {
        headers: vec![(HeaderName::from_static("x-key"), HeaderValue::from_static("1"))],
        host_header: Some("own.example".to_owned()),
        ..Origin::new(name, url.parse().unwrap())
    })
}

fn origins() -> Origins {
    let all = [origin("app", "http://app.example:9000/base"), origin("other", "https://other.example")];
    all.into_iter().map(|origin| (origin.name.clone(), origin)).collect()
}

fn assigned() -> Target {
    Target::Origin(origins()["app"].clone())
}

fn one(target: Target) -> Arc<Origin> {
    let Target::Origin(origin) = target else { panic!("{target:?}") };
    origin
}

fn update(update: OriginUpdate) -> Arc<Origin> {
    one(target(&assigned(), &origins(), &OriginRewrite::Update(Box::new(update))).unwrap())
}

/// cloudfront-functions.md section 11.3: omitted properties are inherited.
#[test]
fn an_update_inherits_what_it_does_not_name() {
    assert_eq!(*update(OriginUpdate::default()), *origins()["app"]);
    let moved = update(OriginUpdate { domain_name: Some("New.example".into()), ..OriginUpdate::default() });
    assert_eq!(moved.url, "http://new.example:9000/base".parse().unwrap());
    assert_eq!(moved.overrides.host.as_deref(), Some("new.example:9000"), "the default `Host` is the new name");
    assert_eq!(moved.headers, origins()["app"].headers);
    let cleared = update(OriginUpdate { custom_headers: Some(Vec::new()), ..OriginUpdate::default() });
    assert!(cleared.headers.is_empty());
    let based = update(OriginUpdate { path: Some(String::new()), ..OriginUpdate::default() });
    assert_eq!((based.url.clone(), based.overrides.host.clone()), ("http://app.example:9000".parse().unwrap(), None));
}

#[test]
fn host_header_and_sni_have_their_defaults() {
    let overrides = OriginOverrides { host_header: Some("a.example".into()), ..OriginOverrides::default() };
    let named = update(OriginUpdate { domain_name: Some("b.example".into()), overrides, ..OriginUpdate::default() });
    assert_eq!(named.overrides.host.as_deref(), Some("a.example"));
    assert_eq!(named.overrides.sni.as_deref(), Some("a.example"), "default: the host header");
    let overrides = OriginOverrides { sni: Some("c.example".into()), ..OriginOverrides::default() };
    let named = update(OriginUpdate { overrides, ..OriginUpdate::default() });
    assert_eq!((named.overrides.host.as_deref(), named.overrides.sni.as_deref()), (None, Some("c.example")));
}

#[test]
fn timeouts_that_do_not_go_with_inherited_ones_are_refused() {
    let short = OriginUpdate { completion_timeout: Some(Duration::from_secs(5)), ..OriginUpdate::default() };
    let refused = target(&assigned(), &origins(), &OriginRewrite::Update(Box::new(short)));
    assert!(refused.unwrap_err().to_string().starts_with("updateRequestOrigin.timeouts.responseCompletionTimeout "));
}

/// cloudfront-functions.md section 11.3: with an origin group only the primary is replaced.
#[test]
fn of_a_group_only_the_primary_is_updated() {
    let origins = origins();
    let failover = [500].into();
    let (primary, secondary) = (origins["app"].clone(), origins["other"].clone());
    let group = Target::Group(Arc::new(OriginGroup { name: "g".into(), primary, secondary, failover }));
    let moved = OriginUpdate { domain_name: Some("new.example".into()), ..OriginUpdate::default() };
    let Target::Group(group) = target(&group, &origins, &OriginRewrite::Update(Box::new(moved))).unwrap() else {
        panic!()
    };
    assert_eq!(&*group.primary.name, "new.example");
    assert_eq!(group.secondary, origins["other"]);
}

/// cloudfront-functions.md sections 11.4 and 11.5.
#[test]
fn configured_origins_are_chosen_by_name() {
    let choice = |id: &str| OriginChoice { id: id.to_owned(), ..OriginChoice::default() };
    let chosen = one(target(&assigned(), &origins(), &OriginRewrite::Select(choice("other"))).unwrap());
    assert_eq!(chosen, origins()["other"]);
    let unknown = target(&assigned(), &origins(), &OriginRewrite::Select(choice("gone"))).unwrap_err();
    assert_eq!(unknown.to_string(), "selectRequestOriginById: `gone` is not an origin of the configuration");
    let overrides = OriginOverrides { host_header: Some("h.example".into()), ..OriginOverrides::default() };
    let secondary = OriginChoice { overrides, ..choice("other") };
    let group = OriginRewrite::Group { primary: choice("app"), secondary, failover: [404].into() };
    let Target::Group(group) = target(&assigned(), &origins(), &group).unwrap() else { panic!() };
    assert_eq!((&*group.name, &group.failover), ("app,other", &[404].into()));
    assert_eq!(group.secondary.overrides.host.as_deref(), Some("h.example"));
}

fn bucket_at(name: &str, url: &str, file: &str) -> Arc<Origin> {
    let source = CredentialsSource::File { path: file.into(), profile: "default".to_owned() };
    let access = BucketAccess::Control(source, SigningBehavior::Always);
    let bucket = Some(Bucket { region: Some("eu-central-1".into()), access });
    Arc::new(Origin { bucket, ..Origin::new(name, url.parse().unwrap()) })
}

/// Whose keys an updated origin is signed with: the file's name.
fn signed_with(assigned: &str, update: OriginUpdate) -> Result<Option<String>, String> {
    let mut all = origins();
    for (name, url, file) in [
        ("one", "https://minio.example:9000/one", "one"),
        ("two", "https://minio.example:9000/two", "two"),
        ("vendors", "https://b.s3.eu-central-1.amazonaws.com", "vendors"),
        ("twin-a", "https://twin.example", "a"),
        ("twin-b", "https://twin.example", "b"),
    ] {
        all.insert(name.into(), bucket_at(name, url, file));
    }
    let assigned = Target::Origin(all[assigned].clone());
    let updated = target(&assigned, &all, &OriginRewrite::Update(Box::new(update))).map_err(|why| why.to_string())?;
    Ok(one(updated).bucket.as_ref().and_then(Bucket::signer).map(|(source, _)| match source {
        CredentialsSource::File { path, .. } => path.display().to_string(),
        CredentialsSource::Environment => "environment".to_owned(),
    }))
}

fn to(name: &str, path: Option<&str>, sign: bool) -> OriginUpdate {
    OriginUpdate {
        domain_name: Some(name.to_owned()),
        path: path.map(str::to_owned),
        access_control: sign.then_some(AccessControl::Sign { no_override: false, region: None }),
        ..OriginUpdate::default()
    }
}

/// cloudfront-functions.md section 11.3: access control is inherited; no keys are lent to a host that the configuration does not
/// know.
#[test]
fn keys_are_those_of_the_bucket_that_is_meant_and_nobody_elses() {
    let no_keys = "updateRequestOrigin.originAccessControlConfig.enabled must be false: the configuration has no keys for this bucket";
    for (assigned, update, expected) in [
        ("one", OriginUpdate::default(), Ok(Some("one"))),
        ("one", to("api.example.com", None, false), Ok(None)),
        ("one", to("api.example.com", None, true), Err(no_keys)),
        ("one", to("minio.example", Some("/two/sub"), true), Ok(Some("two"))),
        ("one", to("minio.example", Some("/twofold"), true), Ok(Some("one"))),
        ("vendors", to("c.s3.ap-south-1.amazonaws.com", None, false), Ok(Some("vendors"))),
        ("vendors", to("c.s3.ap-south-1.amazonaws.com", None, true), Ok(Some("vendors"))),
        ("app", to("c.s3.ap-south-1.amazonaws.com", None, true), Err(no_keys)),
        ("other", to("twin.example", None, true), Err(no_keys)),
    ] {
        let found = signed_with(assigned, update.clone());
        let found = found.as_ref().map(Option::as_deref).map_err(String::as_str);
        assert_eq!(found, expected, "{assigned} {update:?}");
    }
}

/// cloudfront-functions.md section 11.3: `hostHeader` is for custom origins.
#[test]
fn no_helper_gives_a_bucket_another_host() {
    let mut all = origins();
    all.insert("one".into(), bucket_at("one", "https://minio.example:9000/one", "one"));
    let overrides = OriginOverrides { host_header: Some("h.example".into()), ..OriginOverrides::default() };
    let choice = OriginChoice { id: "one".to_owned(), overrides: overrides.clone() };
    let member = OriginChoice { id: "app".to_owned(), ..OriginChoice::default() };
    let assigned = Target::Origin(all["one"].clone());
    for rewrite in [
        OriginRewrite::Update(Box::new(OriginUpdate { overrides, ..OriginUpdate::default() })),
        OriginRewrite::Select(choice.clone()),
        OriginRewrite::Group { primary: member, secondary: choice, failover: [404].into() },
    ] {
        let refused = target(&assigned, &all, &rewrite).unwrap_err().to_string();
        assert!(refused.ends_with("are for custom origins, not for buckets"), "{refused}");
    }
}
