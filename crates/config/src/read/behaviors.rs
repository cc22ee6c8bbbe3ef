//! `[[distributions.behaviors]]`.

use super::functions::Functions;
use super::grpc::read_grpc;
use super::mutual_tls::TrustStores;
use super::names::report_unknown;
use super::origins::{Groups, Origins};
use super::policies::{Policies, read_forward};
use super::response_headers::ResponsePolicies;
use super::section::Section;
use crate::{
    Behavior, BehaviorHooks, CachePolicy, CodeKind, FunctionKind, LimitProfile, MethodSet, Origin, OriginFunction,
    OriginUrl, PathPattern, Profile, Target, ViewerProtocol,
};
use rimward_types::{ByteSize, Hook};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;

/// Behaviors besides the default one, origins and groups of a distribution (`cdn-behaviour.md` section 20).
const MOST_BEHAVIORS: usize = 75;
const MOST_ORIGINS: usize = 100;
const MOST_GROUPS: usize = 10;
/// Functions that one viewer event runs through.
const MOST_CHAINED: usize = 8;

const ON_ERRORS: &str = "viewer-response-on-errors";

const NO_DEFAULT_HINT: &str = "add a last `[[distributions.behaviors]]` without `path`, with `origin = \"…\"`";

/// What distributions and behaviors refer to.
pub(super) struct Known<'k> {
    pub(super) functions: &'k Functions,
    pub(super) origins: &'k Origins,
    pub(super) groups: &'k Groups,
    pub(super) policies: &'k Policies,
    pub(super) response_policies: &'k ResponsePolicies,
    pub(super) trust_stores: &'k TrustStores,
    /// Whether the node has listeners for HTTPS.
    pub(super) https: bool,
    /// Whether the node knows where viewers are.
    pub(super) geo: bool,
}

pub(super) fn read_behaviors(section: &Section<'_>, known: &Known<'_>) -> Vec<Arc<Behavior>> {
    let reader = section.reader;
    let missing = format!("`{}` has no behavior for all other paths", section.name);
    let mut behaviors: Vec<Behavior> = Vec::new();
    let Some(value) = section.get("behaviors") else {
        reader.report_hint(section.span.clone(), missing, NO_DEFAULT_HINT);
        return Vec::new();
    };
    let Some(list) = value.get_ref().as_array() else {
        let hint = "write `[[distributions.behaviors]]` with two brackets";
        reader.report_hint(value.span(), "`behaviors` must be a list of tables", hint);
        return Vec::new();
    };
    let keys = [
        "path",
        "origin",
        "viewer-protocol",
        "methods",
        "cache-policy",
        "forward",
        "compress",
        "response-headers-policy",
        "grpc",
        "viewer-request",
        "origin-request",
        "origin-response",
        "viewer-response",
        ON_ERRORS,
    ];
    for (place, item) in list.iter().enumerate() {
        let called = "[[distributions.behaviors]]".to_owned();
        let Some(behavior) = Section::of_value(reader, called, item, &keys) else { continue };
        let pattern = read_pattern(&behavior);
        if pattern.as_ref().is_some_and(PathPattern::is_any) && place + 1 < list.len() {
            let hint = "put it last";
            reader.report_hint(
                behavior.key_span("path"),
                "this behavior takes every path, so those after it are never used",
                hint,
            );
        }
        if let Some(pattern) = &pattern
            && behaviors.iter().any(|other| other.pattern == *pattern)
            && !pattern.is_any()
        {
            reader.report(behavior.key_span("path"), format!("a behavior for `{pattern}` is there already"));
        }
        behaviors.push(read_behavior(&behavior, pattern, known));
    }
    // One that was not read, or has a wrong pattern, might have been meant for the rest.
    if behaviors.len() == list.len() && !behaviors.iter().any(|behavior| behavior.pattern.is_any()) {
        reader.report_hint(section.span.clone(), missing, NO_DEFAULT_HINT);
    }
    if behaviors.len() > MOST_BEHAVIORS + 1 {
        let message = format!("a distribution has at most {MOST_BEHAVIORS} behaviors besides the default one");
        reader.report(section.key_span("behaviors"), message);
    }
    report_too_many_targets(section, &behaviors);
    behaviors.into_iter().map(Arc::new).collect()
}

fn report_too_many_targets(section: &Section<'_>, behaviors: &[Behavior]) {
    let (mut origins, mut groups) = (HashSet::new(), HashSet::new());
    for behavior in behaviors {
        match &behavior.origin {
            Target::Origin(origin) => {
                origins.insert(&origin.name);
            }
            Target::Group(group) => {
                groups.insert(&group.name);
                origins.extend([&group.primary.name, &group.secondary.name]);
            }
        }
    }
    if origins.len() > MOST_ORIGINS || groups.len() > MOST_GROUPS {
        let message = format!("a distribution uses at most {MOST_ORIGINS} origins and {MOST_GROUPS} origin groups");
        section.reader.report(section.key_span("behaviors"), message);
    }
}

/// The pattern; `None` when it was reported.
fn read_pattern(behavior: &Section<'_>) -> Option<PathPattern> {
    if behavior.get("path").is_none() {
        return Some(PathPattern::any());
    }
    let text = behavior.text("path")?;
    match text.get_ref().parse() {
        Ok(pattern) => Some(pattern),
        Err(why) => {
            let hint = "a pattern has letters, digits, `_-.$/~\"'@:+&`, `*` for any characters and `?` for one";
            behavior.reader.report_hint(text.span(), format!("{why}"), hint);
            None
        }
    }
}

fn read_behavior(behavior: &Section<'_>, pattern: Option<PathPattern>, known: &Known<'_>) -> Behavior {
    let protocols = [
        ("allow-all", ViewerProtocol::AllowAll),
        ("redirect-to-https", ViewerProtocol::RedirectToHttps),
        ("https-only", ViewerProtocol::HttpsOnly),
    ];
    let default_policy = || known.policies.get(CachePolicy::DEFAULT).cloned();
    let managed = behavior.get("cache-policy").and_then(|id| CachePolicy::name_of_managed(id.get_ref().as_str()?));
    let cache_policy = managed
        .and_then(|name| known.policies.get(name).cloned())
        .or_else(|| read_named(behavior, "cache-policy", "cache policy", "cache-policies", known.policies))
        .or_else(default_policy)
        .unwrap_or_else(|| Arc::new(CachePolicy::new(CachePolicy::DEFAULT, Profile::Rfc)));
    let mut read = Behavior {
        pattern: pattern.unwrap_or_else(PathPattern::any),
        origin: read_target(behavior, known),
        viewer_protocol: behavior.choice("viewer-protocol", &protocols).unwrap_or_default(),
        methods: read_methods(behavior),
        forward: read_forward(behavior, &cache_policy),
        compress: read_compress(behavior, &cache_policy),
        cache_policy,
        response_headers_policy: read_named(
            behavior,
            "response-headers-policy",
            "response headers policy",
            "response-headers-policies",
            known.response_policies,
        ),
        grpc: false,
        hooks: read_hooks(behavior, known),
    };
    read.grpc = read_grpc(behavior, &read, known.functions);
    read
}

/// What the name under `key` stands for in `[table.NAME]`; reported when there is no such `kind`.
fn read_named<T>(
    behavior: &Section<'_>,
    key: &str,
    kind: &str,
    table: &str,
    known: &BTreeMap<Arc<str>, Arc<T>>,
) -> Option<Arc<T>> {
    let name = behavior.text(key)?;
    let found = known.get(*name.get_ref()).cloned();
    if found.is_none() {
        report_unknown(behavior.reader, kind, table, &name, known.keys().map(AsRef::as_ref));
    }
    found
}

fn read_target(behavior: &Section<'_>, known: &Known<'_>) -> Target {
    let placeholder = || Target::Origin(Arc::new(Origin::new("", OriginUrl::Demo)));
    let Some(name) = behavior.required_text("origin", "\"app\"") else { return placeholder() };
    if let Some(origin) = known.origins.get(*name.get_ref()) {
        return Target::Origin(Arc::clone(origin));
    }
    if let Some(group) = known.groups.get(*name.get_ref()) {
        return Target::Group(Arc::clone(group));
    }
    let names = known.origins.keys().chain(known.groups.keys()).map(AsRef::as_ref);
    report_unknown(behavior.reader, "origin", "origins", &name, names);
    placeholder()
}

/// With a policy of CloudFront's kind, answers are coded only where the coding is in the key (section 13).
fn read_compress(behavior: &Section<'_>, policy: &CachePolicy) -> bool {
    let compress = behavior.flag("compress").unwrap_or_default();
    if compress && policy.profile == Profile::CloudFront && !(policy.enabled && policy.accept_encoding) {
        let message = format!("`compress` does nothing with the cache policy `{}`", policy.name);
        let hint = match policy.enabled {
            true => "set `accept-encoding = true` in the policy, so that each coding is stored by itself",
            false => "the policy stores nothing; only what is stored is compressed",
        };
        behavior.reader.report_hint(behavior.key_span("compress"), message, hint);
    }
    compress
}

/// One of the vendor's three sets (section 4), in any order, or `"all"`, or beyond them `"any"`.
fn read_methods(behavior: &Section<'_>) -> MethodSet {
    let hint = "write [\"GET\", \"HEAD\"], [\"GET\", \"HEAD\", \"OPTIONS\"], \"all\" or \"any\"";
    let Some(value) = behavior.get("methods") else { return MethodSet::default() };
    let named = match value.get_ref() {
        DeValue::String(text) if text.as_ref() == "all" => return MethodSet::All,
        DeValue::String(text) if text.as_ref() == "any" => return MethodSet::Any,
        DeValue::Array(_) => behavior.texts_of("methods", value),
        _ => {
            behavior.reader.report_hint(value.span(), "`methods` must be a list of methods, \"all\" or \"any\"", hint);
            return MethodSet::default();
        }
    };
    let Some(named) = named else { return MethodSet::default() };
    let named: HashSet<&str> = named.iter().map(|name| *name.get_ref()).collect();
    let same = |set: &MethodSet| set.as_str().split(", ").collect::<HashSet<_>>() == named;
    let sets = [MethodSet::Read, MethodSet::ReadAndOptions, MethodSet::All];
    sets.into_iter().find(same).unwrap_or_else(|| {
        behavior.reader.report_hint(value.span(), "not a set of methods that a behavior can have", hint);
        MethodSet::default()
    })
}

fn read_hooks(behavior: &Section<'_>, known: &Known<'_>) -> BehaviorHooks {
    let on_errors = behavior.flag(ON_ERRORS).unwrap_or(false);
    if on_errors && behavior.get(Hook::ViewerResponse.as_str()).is_none() {
        let hint = "name the function in `viewer-response`, or leave this out";
        behavior.reader.report_hint(
            behavior.key_span(ON_ERRORS),
            format!("`{ON_ERRORS}` has no function to run"),
            hint,
        );
    }
    let mut hooks = BehaviorHooks { viewer_response_on_errors: on_errors, ..BehaviorHooks::default() };
    // Names and places of viewer functions and components at viewer hooks.
    let (mut isolates, mut components) = (Vec::new(), Vec::new());
    for hook in Hook::ALL {
        for name in read_names(behavior, hook) {
            let Some((key, function)) = known.functions.get_key_value(*name.get_ref()) else {
                let names = known.functions.keys().map(AsRef::as_ref);
                report_unknown(behavior.reader, "function", "functions", &name, names);
                continue;
            };
            match function.as_ref().map(|function| &function.kind) {
                Some(FunctionKind::Viewer(function)) if function.kind == CodeKind::Connection => {
                    let message = format!("`{key}` is a function of connections and cannot run at {hook}");
                    let hint = "name it in `connection-function` of the distribution";
                    behavior.reader.report_hint(name.span(), message, hint);
                }
                Some(FunctionKind::Viewer(_)) if hook.is_viewer() => isolates.push(name),
                Some(FunctionKind::Viewer(_)) => {
                    let message = format!("`{key}` is a viewer function and cannot run at {hook}");
                    let hint = "functions at origin hooks are those with `component`";
                    behavior.reader.report_hint(name.span(), message, hint);
                }
                Some(FunctionKind::Origin(function)) if hook.is_viewer() => {
                    check_classic(behavior, &name, hook, function);
                    components.push(name);
                }
                Some(FunctionKind::Origin(_)) | None => {}
            }
            match hook {
                Hook::ViewerRequest => hooks.viewer_request.push(Arc::clone(key)),
                Hook::OriginRequest => hooks.origin_request = Some(Arc::clone(key)),
                Hook::OriginResponse => hooks.origin_response = Some(Arc::clone(key)),
                Hook::ViewerResponse => hooks.viewer_response.push(Arc::clone(key)),
            }
        }
    }
    // `lambda-at-edge.md` section 1: a component at either viewer hook excludes viewer functions at both.
    if let (Some(isolate), Some(component)) = (isolates.first(), components.first()) {
        let message = format!(
            "`{}` is a viewer function and `{}` a component; the viewer hooks of a behavior have one kind only",
            isolate.get_ref(),
            component.get_ref()
        );
        let later = if isolate.span().start > component.span().start { isolate } else { component };
        behavior.reader.report_hint(later.span(), message, "move the component to an origin hook");
    }
    hooks
}

/// The names at a hook: one, or at a viewer hook a list.
fn read_names<'s>(behavior: &Section<'s>, hook: Hook) -> Vec<Spanned<&'s str>> {
    let key = hook.as_str();
    let Some(value) = behavior.get(key) else { return Vec::new() };
    if !hook.is_viewer() || !value.get_ref().is_array() {
        return behavior.text(key).into_iter().collect();
    }
    let names = behavior.texts_of(key, value).unwrap_or_default();
    if names.is_empty() || names.len() > MOST_CHAINED {
        let message = format!("`{key}` has {} functions; a list has 1 to {MOST_CHAINED}", names.len());
        behavior.reader.report_hint(value.span(), message, "leave the key out where nothing runs");
    }
    names
}

/// Reports a component at a viewer hook that asks for more than the classic limits (`lambda-at-edge.md` section 8).
fn check_classic(behavior: &Section<'_>, name: &Spanned<&str>, hook: Hook, function: &OriginFunction) {
    if function.profile != LimitProfile::Classic {
        return;
    }
    let (memory, timeout) = (ByteSize::mb(128), Duration::from_secs(5));
    let hint = "set `limits = \"2026\"` in the function to go beyond";
    if function.memory > memory {
        let message = format!("`{}` has {} of memory; at {hook} it may have {memory}", name.get_ref(), function.memory);
        behavior.reader.report_hint(name.span(), message, hint);
    }
    if let Some(longer) = function.timeout.filter(|time| *time > timeout) {
        let longer = crate::duration::format(longer);
        let message = format!("`{}` has a timeout of {longer}; at {hook} it may have 5 s", name.get_ref());
        behavior.reader.report_hint(name.span(), message, hint);
    }
}
