//! What the vendor's services would refuse or cut off: limits and settings of the configuration, and, for viewer functions,
//! what [`rimward_portability`] finds in the source.

use crate::print;
use crate::source::{Refused, Viewer};
use http::header::CONTENT_SECURITY_POLICY;
use rimward_config::{
    Behavior, CachePolicy, CodeKind, HeaderRules, KeyValueStore, LimitProfile, MethodSet, Origin, OriginFunction,
    Places, ResponseHeadersPolicy, Step, TrustStore, Validation, ViewerFunction,
};
use rimward_kv::pairs::MAX_STORE;
use rimward_types::Hook;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// One thing that CloudFront would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule, for programs.
    pub rule: &'static str,
    /// The section of `cloudfront-functions.md` that has it, for origin functions of `lambda-at-edge.md`; of
    /// `cdn-behaviour.md` with that name in front.
    pub section: &'static str,
    /// What, where, and how to mend it.
    pub refused: Refused,
}

impl Finding {
    /// For programs.
    pub fn to_json(&self) -> Value {
        let (line, column) = self.refused.place.unzip();
        json!({
            "rule": self.rule, "section": self.section, "file": self.refused.file, "line": line, "column": column,
            "message": self.refused.message, "hint": self.refused.hint,
        })
    }
}

/// Where settings are written.
pub struct Written<'a> {
    file: &'a Path,
    places: &'a Places<'a>,
    at: Vec<Step>,
}

impl<'a> Written<'a> {
    /// Those of the table that `at` leads to.
    pub fn new(file: &'a Path, places: &'a Places<'a>, at: Vec<Step>) -> Self {
        Self { file, places, at }
    }

    /// Something that CloudFront does not have, at `key`.
    fn finding(&self, rule: &'static str, section: &'static str, key: &str, message: String, hint: &str) -> Finding {
        let mut steps = self.at.clone();
        steps.push(key.into());
        let (line, column) = self.places.find(&steps).unwrap_or_default();
        let refused = Refused::at(self.file, self.places.text(), line, column, message).hint(Some(hint));
        Finding { rule, section, refused }
    }
}

/// What is wrong with a viewer function. `written` is where its settings stand; `None` for code alone.
pub fn viewer(viewer: &Viewer, written: Option<&Written<'_>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(size(viewer));
    if let Some(written) = written {
        findings.extend(settings(&viewer.settings, written));
    }
    let code = viewer.text();
    findings.extend(rimward_portability::check(&code, viewer.settings.runtime).into_iter().map(|found| {
        let refused = Refused::at(&viewer.settings.code, &code, found.line, found.column, &found.message);
        Finding { rule: found.rule.as_str(), section: found.rule.section(), refused: refused.hint(found.hint) }
    }));
    findings
}

/// What an origin function asks for that Lambda@Edge does not have. `written` is where its settings stand.
pub fn origin(settings: &OriginFunction, written: &Written<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |rule, section, key, message: &str, hint| {
        findings.push(written.finding(rule, section, key, message.to_owned(), hint));
    };
    if !settings.environment.is_empty() {
        let text = "the function has environment variables; Lambda@Edge allows none of one's own";
        let hint = "write the values into the code, or take them from custom headers of the origin";
        add("environment", "12", "environment", text, hint);
    }
    if !settings.secrets.is_empty() {
        let text = "the function has secrets; Lambda@Edge has no such setting, and no module `rimward`";
        let hint = "there, read them from a service at run time instead of `require('rimward')`";
        add("secrets", "12", "secrets", text, hint);
    }
    if settings.profile == LimitProfile::Custom {
        let text = "the limits are the node's own; Lambda@Edge ends a call after 30 s at the latest";
        add("limits", "8", "limits", text, "leave `limits = \"custom\"` out");
    }
    if settings.validation == Validation::Warn {
        let text = "results that break a header rule are mended here; Lambda@Edge answers 502";
        add("header", "15", "validation", text, "leave `validation` out and mend what the log names");
    }
    findings
}

/// What a behavior of the configuration asks for that CloudFront does not have.
pub fn behavior(behavior: &Behavior, written: &Written<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for hook in [Hook::ViewerRequest, Hook::ViewerResponse] {
        let count = behavior.functions(hook).len();
        if count > 1 {
            let text = format!(
                "behavior `{}` runs {count} functions at {hook}; CloudFront runs at most one for each event",
                behavior.pattern
            );
            let hint = "put what they do into one function";
            findings.push(written.finding("behavior", "1", hook.as_str(), text, hint));
        }
    }
    if behavior.hooks.viewer_response_on_errors {
        let text = format!(
            "behavior `{}` runs viewer-response on errors; CloudFront does not run it for 400 and above",
            behavior.pattern
        );
        let key = "viewer-response-on-errors";
        findings.push(written.finding("behavior", "2", key, text, "leave `viewer-response-on-errors` out"));
    }
    if behavior.methods == MethodSet::Any {
        let text =
            format!("behavior `{}` lets every method through; CloudFront refuses all but seven", behavior.pattern);
        findings.push(written.finding("extension", CDN_4, "methods", text, "write `methods = \"all\"`"));
    }
    findings
}

/// What a trust store asks for that CloudFront does not have (`cloudfront-functions.md` section 13).
pub fn trust_store(store: &TrustStore, written: &Written<'_>) -> Option<Finding> {
    (!store.revocations.is_empty()).then(|| {
        let text = "certificates are looked up in revocation lists; CloudFront's trust stores have none".to_owned();
        let hint = "there, keep the revoked serial numbers in a key value store that a Connection Function reads";
        written.finding("extension", "13", "revocations", text, hint)
    })
}

/// gRPC without TLS (`cdn-behaviour.md` section 21).
pub fn plain_grpc(origin: &Origin, written: &Written<'_>) -> Option<Finding> {
    origin.h2c.then(|| {
        let text = "gRPC goes to the origin without TLS; CloudFront speaks it over HTTPS alone".to_owned();
        written.finding("extension", CDN_21, "h2c", text, "leave `h2c` out, and give the origin an https:// URL")
    })
}

/// What is more than a store has there.
pub fn store(store: &KeyValueStore, written: &Written<'_>) -> Option<Finding> {
    (store.size > MAX_STORE).then(|| {
        let text = format!("the store may have {} here; CloudFront takes {MAX_STORE}", store.size);
        written.finding("store", "12", "size", text, "leave `size` out, and split the pairs among stores")
    })
}

/// What a cache policy asks for that CloudFront does not have (`cdn-behaviour.md` section 6).
pub fn cache(policy: &CachePolicy, written: &Written<'_>) -> Option<Finding> {
    policy.slice.map(|size| {
        let text = format!("ranges are answered from slices of {size}; CloudFront has no such setting");
        let hint = "leave `slice` out: there, the origin is asked for the viewer's range, or more";
        written.finding("extension", CDN_6, "slice", text, hint)
    })
}

/// What is more than a response headers policy has there (`cdn-behaviour.md` section 14).
pub fn response_headers(policy: &ResponseHeadersPolicy, written: &Written<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (key, count) in [("headers", policy.headers.len()), ("remove", policy.remove.len())] {
        if count > MOST_POLICY_HEADERS {
            let text = format!("the policy has {count} headers in `{key}`; CloudFront takes {MOST_POLICY_HEADERS}");
            findings.push(written.finding(
                "response-headers",
                CDN_14,
                key,
                text,
                "leave out what browsers do not need",
            ));
        }
    }
    let csp = policy.security.iter().find(|header| header.name == CONTENT_SECURITY_POLICY);
    if let Some(length) = csp.map(|header| header.value.len()).filter(|length| *length > LONGEST_CSP) {
        let (length, most) = (print::grouped(length as u64), print::grouped(LONGEST_CSP as u64));
        let text = format!("the content security policy has {length} characters; CloudFront takes {most}");
        findings.push(written.finding(
            "response-headers",
            CDN_14,
            "security",
            text,
            "shorten it, or set it in a function",
        ));
    }
    findings
}

const MOST_POLICY_HEADERS: usize = 10;
const LONGEST_CSP: usize = 1783;
const CDN_4: &str = "cdn-behaviour 4";
const CDN_6: &str = "cdn-behaviour 6";
const CDN_14: &str = "cdn-behaviour 14";
const CDN_21: &str = "cdn-behaviour 21";

/// Code over the limit of section 7.
fn size(viewer: &Viewer) -> Option<Finding> {
    let most = ViewerFunction::new(PathBuf::new()).code_limit.as_u64();
    let size = viewer.code.len() as u64;
    (size > most).then(|| {
        let (size, most) = (print::grouped(size), print::grouped(most));
        let text = format!("FunctionSizeLimitExceeded: the code has {size} bytes, CloudFront takes {most}");
        let hint = "comments count: minify the code, or move data to a key value store";
        Finding { rule: "size", section: "7", refused: Refused::of_file(&viewer.settings.code, text).hint(Some(hint)) }
    })
}

/// Limits above those of section 7, and settings that are not there.
fn settings(settings: &ViewerFunction, written: &Written<'_>) -> Vec<Finding> {
    let service = match settings.kind {
        CodeKind::Viewer => ViewerFunction::new(settings.code.clone()),
        CodeKind::Connection => ViewerFunction::for_connections(settings.code.clone()),
    };
    let mut findings = Vec::new();
    let mut add = |rule, section, key: &str, message: String, hint: &str| {
        findings.push(written.finding(rule, section, key, message, hint));
    };
    if settings.code_limit > service.code_limit {
        let text = format!("the code may have {} here; CloudFront takes {}", settings.code_limit, service.code_limit);
        add("size", "7", "code-limit", text, "leave `code-limit` out");
    }
    if settings.timeout > service.timeout {
        let (own, most) = (print::time(settings.timeout), print::time(service.timeout));
        let text = format!("the time limit here is {own}; CloudFront ends functions at about {most}");
        let hint = "leave `timeout` out and see `rimward test` for what the function needs";
        add("time", "7", "timeout", text, hint);
    }
    if settings.memory > service.memory {
        let text = format!("the memory limit here is {}, CloudFront's is {}", settings.memory, service.memory);
        add("memory", "7", "memory", text, "leave `memory` out");
    }
    if settings.header_rules == HeaderRules::Open {
        let text = "the header rules are open here; CloudFront answers 502 when a restricted header is written";
        add("header", "5", "header-rules", text.to_owned(), "leave `header-rules` out");
    }
    let no_module = |what: &str| format!("{what} for module `rimward`, which CloudFront does not have");
    if !settings.environment.is_empty() {
        let hint = "write the values into the code, or into a key value store";
        add("extension", "10.4", "environment", no_module("variables are"), hint);
    }
    if !settings.secrets.is_empty() {
        let hint = "keep them in a key value store, or use a Lambda@Edge function";
        add("extension", "10.4", "secrets", no_module("secrets are"), hint);
    }
    if settings.jwks.is_some() {
        let hint = "verify HS256 tokens with `crypto`, or use a Lambda@Edge function";
        add("extension", "10.5", "jwks", no_module("a key set is"), hint);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use rimward_config::{KeySetPlace, KeySetSource, OriginUrl, PolicyHeader, SecretSource};
    use rimward_types::ByteSize;
    use std::time::Duration;

    /// `line:column rule section message`.
    fn found(text: &str, function: &ViewerFunction) -> Vec<String> {
        let places = Places::of(text);
        let written = Written::new(Path::new("rimward.toml"), &places, vec!["functions".into(), "f".into()]);
        let shown = |finding: Finding| {
            let (line, column) = finding.refused.place.unwrap_or_default();
            format!("{line}:{column} {} {} {}", finding.rule, finding.section, finding.refused.message)
        };
        settings(function, &written).into_iter().map(shown).collect()
    }

    #[test]
    fn a_function_within_the_limits_of_section_7_has_no_findings() {
        assert!(found("", &ViewerFunction::new(PathBuf::new())).is_empty());
    }

    /// cdn-behaviour.md section 21.
    #[test]
    fn grpc_without_tls_is_found_at_its_key() {
        let places = Places::of("[origins.a]\nurl = \"\"\nh2c = true\n");
        let written = Written::new(Path::new("rimward.toml"), &places, vec!["origins".into(), "a".into()]);
        let mut origin = Origin::new("a", OriginUrl::Demo);
        assert_eq!(plain_grpc(&origin, &written), None);
        origin.h2c = true;
        let found = plain_grpc(&origin, &written).unwrap();
        assert_eq!((found.rule, found.section, found.refused.place), ("extension", "cdn-behaviour 21", Some((3, 1))));
    }

    /// cdn-behaviour.md section 14.
    #[test]
    fn a_response_headers_policy_over_the_vendors_limits_is_found() {
        let name = |n: usize| http::HeaderName::from_bytes(format!("x-{n}").as_bytes()).unwrap();
        let header = |name, value: String| PolicyHeader { name, value: value.try_into().unwrap(), overrides: true };
        let policy = |count, length| ResponseHeadersPolicy {
            remove: (0..count).map(name).collect(),
            headers: (0..count).map(|n| header(name(n), String::new())).collect(),
            security: vec![header(CONTENT_SECURITY_POLICY, "x".repeat(length))],
            ..ResponseHeadersPolicy::new("p")
        };
        let text = "[response-headers-policies.p]\nremove = []\n[response-headers-policies.p.headers]\n\
                    [response-headers-policies.p.security]\n";
        let places = Places::of(text);
        let at = vec!["response-headers-policies".into(), "p".into()];
        let written = Written::new(Path::new("rimward.toml"), &places, at);
        assert_eq!(response_headers(&policy(10, 1783), &written), []);
        let found = response_headers(&policy(11, 1784), &written);
        let shown: Vec<_> = found.iter().map(|f| (f.refused.place, f.refused.message.as_str())).collect();
        let expected = [
            (Some((3, 30)), "the policy has 11 headers in `headers`; CloudFront takes 10"),
            (Some((2, 1)), "the policy has 11 headers in `remove`; CloudFront takes 10"),
            (Some((4, 30)), "the content security policy has 1,784 characters; CloudFront takes 1,783"),
        ];
        assert_eq!(shown, expected);
    }

    /// cloudfront-functions.md section 13.
    #[test]
    fn revocation_lists_of_a_trust_store_are_found_at_their_key() {
        let places = Places::of("[trust-stores.t]\nauthorities = \"ca.pem\"\nrevocations = [\"crl.pem\"]\n");
        let at = vec!["trust-stores".into(), "t".into()];
        let written = Written::new(Path::new("rimward.toml"), &places, at);
        let store = |revocations| TrustStore { name: "t".into(), authorities: "ca.pem".into(), revocations };
        assert_eq!(trust_store(&store(Vec::new()), &written), None);
        let found = trust_store(&store(vec!["crl.pem".into()]), &written).unwrap();
        assert_eq!((found.rule, found.section, found.refused.place), ("extension", "13", Some((3, 1))));
    }

    #[test]
    fn every_setting_that_cloudfront_does_not_have_is_found_at_its_key() {
        let function = ViewerFunction {
            code_limit: ByteSize::kb(20),
            timeout: Duration::from_millis(5),
            memory: ByteSize::mb(4),
            header_rules: HeaderRules::Open,
            environment: [("A".to_owned(), "b".to_owned())].into(),
            secrets: [("a".to_owned(), SecretSource::Environment("A".to_owned()))].into(),
            jwks: Some(KeySetSource::new(KeySetPlace::File(PathBuf::new()))),
            ..ViewerFunction::new(PathBuf::new())
        };
        let text = "[functions.f]\ncode-limit = \"\"\ntimeout = \"\"\nmemory = \"\"\nheader-rules = \"\"\n\
                    environment = {}\nsecrets = {}\n jwks = {}";
        let expected = [
            "2:1 size 7 the code may have 20 KB here; CloudFront takes 10 KB",
            "3:1 time 7 the time limit here is 5.00 ms; CloudFront ends functions at about 1.00 ms",
            "4:1 memory 7 the memory limit here is 4 MB, CloudFront's is 2 MB",
            "5:1 header 5 the header rules are open here; CloudFront answers 502 when a restricted header is written",
            "6:1 extension 10.4 variables are for module `rimward`, which CloudFront does not have",
            "7:1 extension 10.4 secrets are for module `rimward`, which CloudFront does not have",
            "8:2 extension 10.5 a key set is for module `rimward`, which CloudFront does not have",
        ];
        assert_eq!(found(text, &function), expected);
    }
}
