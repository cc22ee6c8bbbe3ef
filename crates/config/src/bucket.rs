//! `[origins.NAME.s3]`: an origin that is a bucket (`lambda-at-edge.md` section 3.6, `cloudfront-functions.md` section 11.3).

use std::path::PathBuf;
use std::sync::Arc;

/// `s3`: the origin is a bucket of S3, or of a server that speaks its protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// `region`: for signatures and events. Default: the one in an `amazonaws.com` host; else needed to sign.
    pub region: Option<Arc<str>>,
    /// `auth-method`: whether requests are signed, and as whom. Default: `"none"`.
    pub access: BucketAccess,
}

/// How the node proves to a bucket who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BucketAccess {
    /// `"none"`: not at all.
    Public,
    /// `"origin-access-identity"`: every request is signed. Functions at origin-request see this word.
    Identity(CredentialsSource),
    /// `"origin-access-control"`: as `signing-behavior` says. Functions at origin-request see `none`, as with the vendor.
    Control(CredentialsSource, SigningBehavior),
}

/// `signing-behavior` of an origin access control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SigningBehavior {
    /// `"always"`: the node's signature takes the place of the viewer's `Authorization`.
    #[default]
    Always,
    /// `"never"`: as if there were no access control.
    Never,
    /// `"no-override"`: a request that carries `Authorization` is left alone.
    NoOverride,
}

/// Where access keys come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CredentialsSource {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` of the node's own environment.
    Environment,
    /// `credentials-file` and `profile`: a section of a file as the AWS tools have it.
    File {
        /// The file.
        path: PathBuf,
        /// The section. Default: `"default"`.
        profile: String,
    },
}

impl Bucket {
    /// The keys to sign with, and whether a request's own `Authorization` goes before them. `None`: nothing is signed.
    pub fn signer(&self) -> Option<(&CredentialsSource, SigningBehavior)> {
        match &self.access {
            BucketAccess::Public | BucketAccess::Control(_, SigningBehavior::Never) => None,
            BucketAccess::Identity(source) => Some((source, SigningBehavior::Always)),
            BucketAccess::Control(source, behavior) => Some((source, *behavior)),
        }
    }

    /// Keys that it has, be they in use or not.
    pub fn credentials(&self) -> Option<&CredentialsSource> {
        match &self.access {
            BucketAccess::Public => None,
            BucketAccess::Identity(source) | BucketAccess::Control(source, _) => Some(source),
        }
    }

    /// The region that a bucket's host of the vendor's names: `bucket.s3.eu-central-1.amazonaws.com`, and older spellings.
    /// The global endpoint is in us-east-1. `None` for everything else, also for what only looks like it: websites, which
    /// take no signatures, accelerated endpoints, whose region is not in their name, and other services.
    pub fn region_of(host: &str) -> Option<Arc<str>> {
        let name = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
        let labels: Vec<&str> = name.split('.').collect();
        // A bucket's name may have dots, and labels that look like the service.
        (0..labels.len()).rev().find_map(|at| {
            let (service, rest) = labels[at..].split_first()?;
            let rest = rest.strip_prefix(&["dualstack"]).unwrap_or(rest);
            match (*service, rest) {
                ("s3" | "s3-fips" | "s3-accesspoint" | "s3-accesspoint-fips", [region])
                    if is_vendors_region(region) =>
                {
                    Some((*region).into())
                }
                ("s3" | "s3-external-1", []) => Some("us-east-1".into()),
                (older, []) => older.strip_prefix("s3-").filter(|region| is_vendors_region(region)).map(Into::into),
                _ => None,
            }
        })
    }

    /// Whether a text may be a region: of the vendor's, or a word such as `auto` that other servers have.
    pub fn is_region(text: &str) -> bool {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=64).contains(&text.len()) && text.bytes().all(plain)
    }
}

/// `eu-central-1`, `us-gov-west-1`: words and a number.
fn is_vendors_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., number] = words.as_slice() else { return false };
    let letters = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    first.len() == 2
        && letters(first)
        && !middle.is_empty()
        && middle.iter().all(letters)
        && number.len() == 1
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_in_the_vendors_host_names() {
        for (host, region) in [
            ("b.s3.eu-central-1.amazonaws.com", Some("eu-central-1")),
            ("s3.eu-central-1.amazonaws.com", Some("eu-central-1")),
            ("b.s3.dualstack.eu-west-2.amazonaws.com", Some("eu-west-2")),
            ("b.s3-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("b.s3-eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("b.s3.amazonaws.com", Some("us-east-1")),
            ("b.s3-external-1.amazonaws.com", Some("us-east-1")),
            ("b.s3.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("my.s3.bucket.s3.ap-south-1.amazonaws.com", Some("ap-south-1")),
            ("b.s3-website-us-east-1.amazonaws.com", None),
            ("b.s3-website.eu-central-1.amazonaws.com", None),
            ("app.elb.amazonaws.com", None),
            ("b.s3-accelerate.amazonaws.com", None),
            ("b.s3-accelerate.dualstack.amazonaws.com", None),
            ("s3-proxy-1.eu-west-1.elb.amazonaws.com", None),
            ("b.s3-object-lambda.eu-west-1.amazonaws.com", None),
            ("b.op.s3-outposts.eu-west-1.amazonaws.com", None),
            ("p-1.s3-accesspoint.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("s3.example.com", None),
        ] {
            assert_eq!(Bucket::region_of(host).as_deref(), region, "{host}");
        }
    }
}
