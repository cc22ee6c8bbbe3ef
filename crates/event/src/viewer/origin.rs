//! Origins that a viewer-request function chose with the helpers of module `cloudfront`
//! (`cloudfront-functions.md` sections 11.2 to 11.5).
//!
//! Properties that are not named here are passed over, as the vendor does with the `region` of an access control.

mod properties;

use crate::headers::is_denied_at_origin;
use crate::invalid::Invalid;
use crate::lambda::{Protocol, SslProtocol};
use http::{HeaderMap, HeaderName, HeaderValue};
use properties::Properties;
use rimward_wire::reply::{Origin, OriginCall};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

const TO_120: &str = "must be a whole number of seconds from 1 to 120";
const PORT: &str = "must be 80, 443 or from 1024 to 65535";

/// What became of the origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginRewrite {
    /// `updateRequestOrigin`: the assigned origin, or a group's primary, with other properties.
    Update(Box<OriginUpdate>),
    /// `selectRequestOriginById`: an origin of the configuration.
    Select(OriginChoice),
    /// `createRequestOriginGroup`: two origins of the configuration.
    Group {
        /// Asked first.
        primary: OriginChoice,
        /// Asked when the first fails.
        secondary: OriginChoice,
        /// Statuses that count as failures.
        failover: BTreeSet<u16>,
    },
}

/// An origin of the configuration, with what the function overrides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OriginChoice {
    /// Its name.
    pub id: String,
    /// What is different for this request.
    pub overrides: OriginOverrides,
}

/// Properties that every helper takes. `None`: as the origin has them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OriginOverrides {
    /// `hostHeader`: wins over the viewer's `Host`, forwarded or not.
    pub host_header: Option<String>,
    /// `sni`: name of the TLS handshake.
    pub sni: Option<String>,
    /// `allowedCertificateNames`: the certificate must be for one of these.
    pub certificate_names: Option<Vec<String>>,
}

/// Properties of `updateRequestOrigin`. `None`: as the assigned origin has them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OriginUpdate {
    /// `domainName`
    pub domain_name: Option<String>,
    /// `originPath`; empty, or `/x` without a slash at its end.
    pub path: Option<String>,
    /// `customHeaders`, all of them.
    pub custom_headers: Option<Vec<(HeaderName, HeaderValue)>>,
    /// `connectionAttempts`, 1 to 3.
    pub attempts: Option<u8>,
    /// `timeouts.connectionTimeout`, 1 to 10 s.
    pub connect_timeout: Option<Duration>,
    /// `timeouts.readTimeout`, 1 to 120 s.
    pub read_timeout: Option<Duration>,
    /// `timeouts.responseCompletionTimeout`, at least the read timeout.
    pub completion_timeout: Option<Duration>,
    /// `timeouts.keepAliveTimeout`, 1 to 120 s.
    pub keepalive_timeout: Option<Duration>,
    /// `customOriginConfig`
    pub endpoint: Option<Endpoint>,
    /// `originAccessControlConfig`
    pub access_control: Option<AccessControl>,
    /// `hostHeader`, `sni`, `allowedCertificateNames`
    pub overrides: OriginOverrides,
}

/// `customOriginConfig`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `port`
    pub port: u16,
    /// `protocol`
    pub protocol: Protocol,
    /// `sslProtocols`; TLS 1.2 and 1.3 are spoken whatever it says.
    pub ssl_protocols: Vec<SslProtocol>,
}

/// `originAccessControlConfig`: whether requests to the bucket are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessControl {
    /// `enabled: false`, or `signingBehavior: "never"`.
    Off,
    /// With the keys that the configuration has for the bucket.
    Sign {
        /// `signingBehavior: "no-override"`: a request that carries `Authorization` is left alone.
        no_override: bool,
        /// `region`, undocumented. `None`: what the host says, or the configuration.
        region: Option<String>,
    },
}

/// Reads a call and checks all that can be checked without the configuration. `headers` are those of the returned request.
///
/// # Errors
/// The first rule that an argument breaks.
pub(super) fn decode(call: &Origin<'_>, headers: &HeaderMap) -> Result<OriginRewrite, Invalid> {
    // The guest writes JSON; a hostile one fails like a function without arguments.
    let arguments: Vec<Value> = serde_json::from_str(call.arguments).unwrap_or_default();
    let argument = |i: usize| arguments.get(i).unwrap_or(&Value::Null);
    match call.call {
        OriginCall::Update => {
            let properties = Properties::of(argument(0), "updateRequestOrigin")?;
            update(&properties, headers).map(|update| OriginRewrite::Update(Box::new(update)))
        }
        OriginCall::Select => {
            let whole = "selectRequestOriginById";
            let id = argument(0).as_str().ok_or_else(|| properties::fault(whole, "needs an origin's id"))?;
            choice(id, argument(1), &format!("{whole}.overrides")).map(OriginRewrite::Select)
        }
        OriginCall::Group => group(&Properties::of(argument(0), "createRequestOriginGroup")?),
    }
}

/// Section 11.3.
fn update(of: &Properties<'_>, headers: &HeaderMap) -> Result<OriginUpdate, Invalid> {
    let domain_name = of.host("domainName")?;
    let bucket = domain_name.as_deref().is_some_and(is_bucket);
    if bucket && domain_name.as_deref().is_some_and(|name| name.len() > 128 || name != name.to_lowercase()) {
        return of.fault("domainName", "must be a bucket's host name in lower case, of at most 128 characters");
    }
    let path = of.text("originPath")?.map(str::to_owned);
    if path.as_deref().is_some_and(|path| !is_path(path)) {
        let fault = "must start with `/`, not end with `/`, be URL-encoded and have at most 255 characters";
        return of.fault("originPath", fault);
    }
    let overrides = overrides(of)?;
    if bucket && overrides != OriginOverrides::default() {
        return of
            .fault("hostHeader", "and `sni` and `allowedCertificateNames` are for custom origins, not for buckets");
    }
    let second = |n: u64| Duration::from_secs(n);
    let mut update = OriginUpdate {
        custom_headers: custom_headers(of, headers)?,
        attempts: of.number("connectionAttempts", 1..=3, "must be a whole number from 1 to 3")?.map(|n| n as u8),
        endpoint: endpoint(of, domain_name.is_some())?,
        domain_name,
        path,
        overrides,
        ..OriginUpdate::default()
    };
    if let Some(timeouts) = of.object("timeouts")? {
        update.connect_timeout =
            timeouts.number("connectionTimeout", 1..=10, "must be a whole number of seconds from 1 to 10")?.map(second);
        update.read_timeout = timeouts.number("readTimeout", 1..=120, TO_120)?.map(second);
        update.keepalive_timeout = timeouts.number("keepAliveTimeout", 1..=120, TO_120)?.map(second);
        if bucket && update.keepalive_timeout.is_some() {
            return timeouts.fault("keepAliveTimeout", "is for custom origins, not for buckets");
        }
        update.completion_timeout = timeouts
            .number("responseCompletionTimeout", 1..=86_400, "must be a whole number of seconds from 1 to 86400")?
            .map(second);
        if update.completion_timeout.is_some_and(|limit| update.read_timeout.is_some_and(|read| limit < read)) {
            return timeouts.fault("responseCompletionTimeout", "must be at least `readTimeout`");
        }
    }
    check_shield(of)?;
    update.access_control = access_control(of, &update)?;
    if of.text("mTLSConfig")?.is_some_and(|text| text != "off") {
        return of.fault("mTLSConfig", "must be \"off\"");
    }
    Ok(update)
}

fn endpoint(of: &Properties<'_>, named: bool) -> Result<Option<Endpoint>, Invalid> {
    let Some(config) = of.object("customOriginConfig")? else { return Ok(None) };
    let Some(port) = config.number("port", 1..=65_535, PORT)? else {
        return config.fault("port", "must be there, and `protocol` and `sslProtocols` too");
    };
    if !matches!(port, 80 | 443 | 1024..) {
        return config.fault("port", PORT);
    }
    let protocol = match config.text("protocol")? {
        Some("http") => Protocol::Http,
        Some("https") => Protocol::Https,
        _ => return config.fault("protocol", "must be \"http\" or \"https\""),
    };
    let known = |name: &String| SslProtocol::ALL.into_iter().find(|protocol| protocol.as_str() == name);
    let names = config.texts("sslProtocols")?.filter(|names| !names.is_empty());
    let ssl_protocols: Option<Vec<_>> = names.and_then(|names| names.iter().map(known).collect());
    let Some(ssl_protocols) = ssl_protocols else {
        return config.fault("sslProtocols", "must be a list of \"TLSv1.2\", \"TLSv1.1\", \"TLSv1\", \"SSLv3\"");
    };
    match config.text("ipAddressType")? {
        None => {}
        Some(_) if !named => return config.fault("ipAddressType", "can be set together with `domainName` only"),
        Some("ipv4" | "ipv6" | "dualstack") => {}
        Some(_) => return config.fault("ipAddressType", "must be \"ipv4\", \"ipv6\" or \"dualstack\""),
    }
    Ok(Some(Endpoint { port: port as u16, protocol, ssl_protocols }))
}

fn overrides(of: &Properties<'_>) -> Result<OriginOverrides, Invalid> {
    let certificate_names = of.texts("allowedCertificateNames")?;
    if certificate_names.as_ref().is_some_and(|names| {
        names.len() > 20 || names.iter().any(|name| name.is_empty() || name.len() > 64 || !name.is_ascii())
    }) {
        return of.fault("allowedCertificateNames", "must have at most 20 names of 1 to 64 characters");
    }
    Ok(OriginOverrides { host_header: of.host("hostHeader")?, sni: of.host("sni")?, certificate_names })
}

/// The names' own rules: section 5.
fn custom_headers(of: &Properties<'_>, headers: &HeaderMap) -> Result<Option<Vec<(HeaderName, HeaderValue)>>, Invalid> {
    let Some(given) = of.object("customHeaders")? else { return Ok(None) };
    let mut lines = Vec::new();
    for name in given.names() {
        let fault = |fault| given.fault(name, fault);
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            return fault("must have its name in lower case");
        }
        let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else { return fault("is not a header name") };
        if is_denied_at_origin(name) {
            return fault("cannot be a custom header");
        }
        if headers.contains_key(&parsed) {
            return fault("is a header of the request already");
        }
        let Some(text) = given.text(name)? else { return fault("must be a string") };
        let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { return fault("has control characters") };
        lines.push((parsed, value));
    }
    Ok(Some(lines))
}

/// A single node has no shield in front of its origins: what is asked is checked, and is so already.
fn check_shield(of: &Properties<'_>) -> Result<(), Invalid> {
    let Some(shield) = of.object("originShield")? else { return Ok(()) };
    let Some(enabled) = shield.flag("enabled")? else { return shield.fault("enabled", "must be true or false") };
    if enabled && shield.text("region")?.is_none_or(str::is_empty) {
        return shield.fault("region", "must be there when the shield is enabled");
    }
    Ok(())
}

/// Whether there are keys to sign with is for who knows the configuration.
fn access_control(of: &Properties<'_>, update: &OriginUpdate) -> Result<Option<AccessControl>, Invalid> {
    let Some(control) = of.object("originAccessControlConfig")? else { return Ok(None) };
    let Some(enabled) = control.flag("enabled")? else { return control.fault("enabled", "must be true or false") };
    if !enabled {
        return Ok(Some(AccessControl::Off));
    }
    for (name, known) in [
        ("signingBehavior", &["always", "never", "no-override"][..]),
        ("signingProtocol", &["sigv4"]),
        ("originType", &["s3", "mediapackagev2", "mediastore", "lambda"]),
    ] {
        if !control.text(name)?.is_some_and(|text| known.contains(&text)) {
            return control.fault(name, "must be one of the documented values when access control is enabled");
        }
    }
    if update.overrides.host_header.is_some() {
        return of.fault("hostHeader", "cannot be set together with access control");
    }
    let behavior = control.text("signingBehavior")?;
    if behavior == Some("never") {
        return Ok(Some(AccessControl::Off));
    }
    if control.text("originType")? != Some("s3") {
        return control.fault("originType", "must be \"s3\": this node signs requests to buckets alone");
    }
    let region = control.text("region")?.filter(|region| !region.is_empty()).map(str::to_owned);
    if region.as_deref().is_some_and(|region| !crate::lambda::is_region(region)) {
        return control.fault("region", "must be lower-case letters, digits and `-`");
    }
    Ok(Some(AccessControl::Sign { no_override: behavior == Some("no-override"), region }))
}

/// Section 11.5.
fn group(of: &Properties<'_>) -> Result<OriginRewrite, Invalid> {
    let members = of.list("originIds")?.unwrap_or_default();
    let [primary, secondary] = members else { return of.fault("originIds", "must have exactly two origins") };
    let member = |value: &Value, place: &str| match value.as_str() {
        Some(id) => choice(id, &Value::Null, place),
        None => {
            let member = Properties::of(value, place)?;
            let Some(id) = member.text("originId")? else { return member.fault("originId", "must be an origin's id") };
            let overrides = value.get("originOverrides").unwrap_or(&Value::Null);
            choice(id, overrides, &format!("{place}.originOverrides"))
        }
    };
    let place = |i: u8| format!("createRequestOriginGroup.originIds[{i}]");
    let (primary, secondary) = (member(primary, &place(0))?, member(secondary, &place(1))?);
    if primary.id == secondary.id {
        return of.fault("originIds", "must name two different origins");
    }
    match of.text("selectionCriteria")? {
        None | Some("default" | "media-quality-score") => {}
        Some(_) => return of.fault("selectionCriteria", "must be \"default\" or \"media-quality-score\""),
    }
    let criteria = of.object("failoverCriteria")?;
    let codes = criteria.as_ref().map(|criteria| criteria.list("statusCodes")).transpose()?.flatten();
    let allowed = [400, 403, 404, 416, 429, 500, 502, 503, 504];
    let codes: Option<BTreeSet<u16>> = codes.and_then(|codes| {
        codes.iter().map(|code| allowed.into_iter().find(|known| code.as_u64() == Some(u64::from(*known)))).collect()
    });
    match codes.filter(|codes| !codes.is_empty()) {
        Some(failover) => Ok(OriginRewrite::Group { primary, secondary, failover }),
        None => of.fault(
            "failoverCriteria.statusCodes",
            "must be a list of statuses of 400, 403, 404, 416, 429, 500, 502, 503, 504",
        ),
    }
}

fn choice(id: &str, overridden: &Value, place: &str) -> Result<OriginChoice, Invalid> {
    let overrides = match overridden {
        Value::Null => OriginOverrides::default(),
        given => overrides(&Properties::of(given, place)?)?,
    };
    Ok(OriginChoice { id: id.to_owned(), overrides })
}

/// Whether the host is one of the vendor's storage service.
fn is_bucket(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".amazonaws.com") && (name.contains(".s3.") || name.contains(".s3-")) && !name.contains("s3-website")
}

fn is_path(path: &str) -> bool {
    let plain = path.bytes().all(|b| (b'!'..=b'~').contains(&b) && !matches!(b, b'?' | b'#'));
    path.is_empty() || (path.starts_with('/') && !path.ends_with('/') && plain && path.len() <= 255)
}

#[cfg(test)]
mod tests;
