//! `[origins.NAME.s3]`.

use super::section::Section;
use crate::{Bucket, BucketAccess, CredentialsSource, OriginUrl, SigningBehavior};
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq)]
enum Method {
    None,
    Identity,
    Control,
}

/// The bucket that the origin at `url` is, if it is one.
pub(super) fn read(origin: &Section<'_>, url: Option<&OriginUrl>) -> Option<Bucket> {
    let keys = ["region", "auth-method", "signing-behavior", "credentials-file", "profile"];
    let section = origin.section("s3", "s3", &keys)?;
    let reader = section.reader;
    if url == Some(&OriginUrl::Demo) {
        reader.report_hint(section.span.clone(), "the demo origin is no bucket", "give `url` a bucket's address");
        return None;
    }
    let methods = [
        ("none", Method::None),
        ("origin-access-identity", Method::Identity),
        ("origin-access-control", Method::Control),
    ];
    let method = section.choice("auth-method", &methods).unwrap_or(Method::None);
    let behaviors = [
        ("always", SigningBehavior::Always),
        ("never", SigningBehavior::Never),
        ("no-override", SigningBehavior::NoOverride),
    ];
    let behavior = section.choice("signing-behavior", &behaviors);
    if behavior.is_some() && method != Method::Control {
        let hint = "add `auth-method = \"origin-access-control\"`, or leave it out";
        reader.report_hint(section.key_span("signing-behavior"), "`signing-behavior` is for an access control", hint);
    }
    for key in ["credentials-file", "profile"] {
        if section.get(key).is_some() && method == Method::None {
            let hint = "add `auth-method = \"origin-access-control\"`, or leave it out";
            reader.report_hint(section.key_span(key), format!("`{key}` is for requests that are signed"), hint);
        }
    }
    let region = read_region(&section).or_else(|| match url {
        Some(OriginUrl::Http { host, .. }) => Bucket::region_of(host),
        _ => None,
    });
    if region.is_none() && method != Method::None && section.get("region").is_none() && url.is_some() {
        section.report_missing("region", "\"us-east-1\"");
    }
    let source = read_source(&section);
    let access = match method {
        Method::None => BucketAccess::Public,
        Method::Identity => BucketAccess::Identity(source),
        Method::Control => BucketAccess::Control(source, behavior.unwrap_or_default()),
    };
    Some(Bucket { region, access })
}

fn read_region(section: &Section<'_>) -> Option<Arc<str>> {
    let text = section.text("region")?;
    if !Bucket::is_region(text.get_ref()) {
        let message = format!("`{}` is no region", text.get_ref().escape_debug());
        let hint = "a region is lower-case letters, digits and `-`, such as \"eu-central-1\"";
        section.reader.report_hint(text.span(), message, hint);
        return None;
    }
    Some((*text.get_ref()).into())
}

fn read_source(section: &Section<'_>) -> CredentialsSource {
    let profile = section.text("profile");
    match section.file("credentials-file") {
        Some(path) => {
            let profile = profile.map_or("default", |profile| profile.into_inner()).to_owned();
            CredentialsSource::File { path, profile }
        }
        None => {
            if let Some(profile) = profile
                && section.get("credentials-file").is_none()
            {
                section.reader.report_hint(
                    profile.span(),
                    "`profile` is a section of `credentials-file`",
                    "add `credentials-file`, or leave it out: the node's environment has one set of keys",
                );
            }
            CredentialsSource::Environment
        }
    }
}
