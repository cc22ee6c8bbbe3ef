#![allow(clippy::unwrap_used)]
use super::*;
use http::{HeaderName, HeaderValue};
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
