//! The origin that a viewer-request function chose, made of those that are configured
//! (`cloudfront-functions.md` sections 11.2 to 11.5). The cache key and the behavior do not change with it.

use crate::live::Origins;
use rimward_config::{Bucket, BucketAccess, Origin, OriginGroup, OriginUrl, Overrides, SigningBehavior, Target};
use rimward_hooks::{AccessControl, Invalid, OriginChoice, OriginOverrides, OriginRewrite, OriginUpdate, Protocol};
use std::sync::Arc;

/// Where a request goes instead of `assigned`.
///
/// # Errors
/// When an origin is not configured, or an inherited property does not go with a new one.
pub fn target(assigned: &Target, origins: &Origins, rewrite: &OriginRewrite) -> Result<Target, Invalid> {
    match rewrite {
        OriginRewrite::Update(update) => Ok(match assigned {
            Target::Origin(origin) => Target::Origin(Arc::new(updated(origin, origins, update)?)),
            // Only the primary is replaced.
            Target::Group(group) => {
                let primary = Arc::new(updated(&group.primary, origins, update)?);
                Target::Group(Arc::new(OriginGroup { primary, ..OriginGroup::clone(group) }))
            }
        }),
        OriginRewrite::Select(choice) => Ok(Target::Origin(selected(origins, choice, "selectRequestOriginById")?)),
        OriginRewrite::Group { primary, secondary, failover } => {
            let member = |choice| selected(origins, choice, "createRequestOriginGroup.originIds");
            let (primary, secondary) = (member(primary)?, member(secondary)?);
            let name = format!("{},{}", primary.name, secondary.name).into();
            Ok(Target::Group(Arc::new(OriginGroup { name, primary, secondary, failover: failover.clone() })))
        }
    }
}

fn invalid(property: &str, fault: &'static str) -> Invalid {
    Invalid::OriginRewrite { property: property.to_owned(), fault }
}

fn selected(origins: &Origins, choice: &OriginChoice, property: &str) -> Result<Arc<Origin>, Invalid> {
    let Some(origin) = origins.get(&*choice.id) else {
        let property = format!("{property}: `{}`", choice.id.escape_debug());
        return Err(Invalid::OriginRewrite { property, fault: "is not an origin of the configuration" });
    };
    if choice.overrides == OriginOverrides::default() {
        return Ok(origin.clone());
    }
    if origin.bucket.is_some() {
        return Err(for_custom_origins(property));
    }
    let mut origin = Origin::clone(origin);
    override_origin(&mut origin, &choice.overrides);
    Ok(Arc::new(origin))
}

fn updated(assigned: &Origin, origins: &Origins, update: &OriginUpdate) -> Result<Origin, Invalid> {
    let mut origin = Origin { url: url(&assigned.url, update), ..assigned.clone() };
    if let Some(name) = &update.domain_name {
        origin.name = name.as_str().into();
        // The other host's own name and certificates mean nothing to this one.
        origin.overrides.host = Some(origin.url.authority());
        origin.host_header = None;
    }
    override_origin(&mut origin, &update.overrides);
    origin.bucket = bucket(assigned, &origin.url, origins, update)?;
    if let Some(headers) = &update.custom_headers {
        origin.headers.clone_from(headers);
    }
    origin.attempts = update.attempts.unwrap_or(origin.attempts);
    origin.connect_timeout = update.connect_timeout.unwrap_or(origin.connect_timeout);
    origin.read_timeout = update.read_timeout.unwrap_or(origin.read_timeout);
    origin.keepalive = update.keepalive_timeout.unwrap_or(origin.keepalive);
    origin.completion_timeout = update.completion_timeout.or(origin.completion_timeout);
    if origin.completion_timeout.is_some_and(|limit| limit < origin.read_timeout) {
        let property = "updateRequestOrigin.timeouts.responseCompletionTimeout";
        return Err(invalid(property, "must be at least the read timeout, the origin's own if no other is given"));
    }
    Ok(origin)
}

/// The bucket that `url` is then, with the access control that is inherited or asked for. Elsewhere than at the assigned bucket,
/// at a configured one and at the vendor's own, nothing is signed.
fn bucket(
    assigned: &Origin,
    url: &OriginUrl,
    origins: &Origins,
    update: &OriginUpdate,
) -> Result<Option<Bucket>, Invalid> {
    let OriginUrl::Http { host, .. } = url else { return Ok(None) };
    let inherited = assigned.bucket.as_ref();
    let vendors = Bucket::region_of(host);
    let stays = is_same_server(&assigned.url, url);
    let region = vendors.clone().or_else(|| inherited.and_then(|bucket| bucket.region.clone()));
    let bucket = match &update.access_control {
        // The region that the configuration names goes before that of a host that has not changed.
        None if stays => inherited.cloned(),
        None if vendors.is_some() => inherited.map(|bucket| Bucket { region, access: bucket.access.clone() }),
        None => None,
        Some(AccessControl::Off) => inherited.map(|_| Bucket { region, access: BucketAccess::Public }),
        Some(AccessControl::Sign { no_override, region: asked }) => {
            let configured = configured_bucket(url, origins);
            let own = inherited.filter(|_| stays || vendors.is_some());
            let of = configured.or(own).and_then(|bucket| Some((bucket, bucket.credentials()?)));
            let Some((keys, source)) = of else {
                let property = "updateRequestOrigin.originAccessControlConfig.enabled";
                return Err(invalid(property, "must be false: the configuration has no keys for this bucket"));
            };
            let behavior = if *no_override { SigningBehavior::NoOverride } else { SigningBehavior::Always };
            let known = if configured.is_some() || stays { keys.region.clone() } else { vendors };
            let region = asked.as_deref().map(Into::into).or(known).or(region);
            Some(Bucket { region, access: BucketAccess::Control(source.clone(), behavior) })
        }
    };
    if bucket.is_some() && update.overrides != OriginOverrides::default() {
        return Err(for_custom_origins("updateRequestOrigin"));
    }
    Ok(bucket)
}

/// Whether scheme, host and port are the same: what listens at another port of a host is another server.
fn is_same_server(one: &OriginUrl, other: &OriginUrl) -> bool {
    let server = |url: &OriginUrl| match url {
        OriginUrl::Http { tls, host, port, .. } => Some((*tls, host.clone(), *port)),
        OriginUrl::Demo => None,
    };
    server(one) == server(other)
}

fn for_custom_origins(call: &str) -> Invalid {
    let property = format!("{call}.hostHeader");
    let fault = "and `sni` and `allowedCertificateNames` are for custom origins, not for buckets";
    Invalid::OriginRewrite { property, fault }
}

/// The bucket of the configuration that `url` is in: the same server, and the longest path. `None` also where two are equally
/// near.
fn configured_bucket<'a>(url: &OriginUrl, origins: &'a Origins) -> Option<&'a Bucket> {
    let OriginUrl::Http { tls, host, port, path } = url else { return None };
    let near = |origin: &'a Arc<Origin>| match &origin.url {
        OriginUrl::Http { tls: t, host: h, port: p, path: base }
            if (t, h, p) == (tls, host, port)
                && path.strip_prefix(base.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) =>
        {
            Some((base.len(), origin.bucket.as_ref()?))
        }
        _ => None,
    };
    let (length, bucket) = origins.values().filter_map(near).max_by_key(|(length, _)| *length)?;
    let alone = origins.values().filter_map(near).all(|(other, found)| other != length || found == bucket);
    alone.then_some(bucket)
}

/// The demo inside the node has no port of its own; changed, it becomes a plain origin.
fn url(assigned: &OriginUrl, update: &OriginUpdate) -> OriginUrl {
    let (mut tls, mut host, mut port, mut path) = match assigned {
        OriginUrl::Http { tls, host, port, path } => (*tls, host.clone(), *port, path.clone()),
        OriginUrl::Demo if update.domain_name.is_none() => return OriginUrl::Demo,
        OriginUrl::Demo => (false, String::new(), 80, String::new()),
    };
    if let Some(name) = &update.domain_name {
        host = name.to_ascii_lowercase();
    }
    if let Some(endpoint) = &update.endpoint {
        tls = endpoint.protocol == Protocol::Https;
        port = endpoint.port;
    }
    if let Some(new) = &update.path {
        path.clone_from(new);
    }
    OriginUrl::Http { tls, host, port, path }
}

fn override_origin(origin: &mut Origin, by: &OriginOverrides) {
    let Overrides { host, sni, certificate_names } = &mut origin.overrides;
    if by.host_header.is_some() {
        host.clone_from(&by.host_header);
    }
    // The handshake's name is the host header's, unless another is given; else that of the host connected to.
    if by.sni.is_some() || by.host_header.is_some() {
        sni.clone_from(if by.sni.is_some() { &by.sni } else { &by.host_header });
    }
    if let Some(names) = &by.certificate_names {
        certificate_names.clone_from(names);
    }
}

#[cfg(test)]
mod tests;
