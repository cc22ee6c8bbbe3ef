//! Origins as functions at origin-request see and make them (`lambda-at-edge.md` sections 3.6 and 10).

use rimward_config::{Bucket, BucketAccess, Origin, OriginUrl, Overrides};
use rimward_hooks::{CustomOrigin, LambdaOrigin, Protocol, S3Auth, S3Origin, SslProtocol};
use std::sync::Arc;
use std::time::Duration;

/// A configured origin as functions see it. The demo origin goes by its own name.
pub fn shown(origin: &Origin) -> LambdaOrigin {
    let (protocol, domain_name, port, path) = match &origin.url {
        OriginUrl::Http { tls, host, port, path } => {
            let protocol = if *tls { Protocol::Https } else { Protocol::Http };
            (protocol, host.clone(), *port, path.clone())
        }
        OriginUrl::Demo => (Protocol::Http, origin.name.to_string(), 80, String::new()),
    };
    if let Some(bucket) = &origin.bucket {
        let auth = match bucket.access {
            BucketAccess::Identity(_) => S3Auth::OriginAccessIdentity,
            // An access control cannot be said in an event.
            BucketAccess::Public | BucketAccess::Control(..) => S3Auth::None,
        };
        return LambdaOrigin::S3(S3Origin {
            domain_name,
            path,
            custom_headers: origin.headers.clone(),
            auth,
            region: bucket.region.as_deref().map(str::to_owned),
            read_timeout: Some(origin.read_timeout),
            completion_timeout: origin.completion_timeout,
        });
    }
    LambdaOrigin::Custom(CustomOrigin {
        domain_name,
        path,
        custom_headers: origin.headers.clone(),
        port,
        protocol,
        keepalive_timeout: origin.keepalive,
        read_timeout: origin.read_timeout,
        completion_timeout: origin.completion_timeout,
        ssl_protocols: vec![SslProtocol::TlsV1_2],
    })
}

/// The origin that a function made up, for one request, out of `assigned`.
pub fn made(origin: &LambdaOrigin, assigned: &Origin) -> Origin {
    match origin {
        LambdaOrigin::Custom(custom) => Origin {
            connect_timeout: Duration::from_secs(10),
            read_timeout: custom.read_timeout,
            completion_timeout: custom.completion_timeout,
            keepalive: custom.keepalive_timeout,
            headers: custom.custom_headers.clone(),
            ..Origin::new(
                custom.domain_name.as_str(),
                OriginUrl::Http {
                    tls: custom.protocol == Protocol::Https,
                    host: custom.domain_name.clone(),
                    port: custom.port,
                    path: custom.path.clone(),
                },
            )
        },
        LambdaOrigin::S3(chosen) => made_bucket(chosen, assigned),
    }
}

/// From bucket to bucket, all that an event cannot say stays: scheme and port where the server is not the vendor's, and
/// keys and access control on the same server and among the vendor's own. To no other host a signature is shown. Out of a
/// custom origin comes a public bucket.
fn made_bucket(chosen: &S3Origin, assigned: &Origin) -> Origin {
    let vendors = Bucket::region_of(&chosen.domain_name);
    let asked: Option<Arc<str>> = chosen.region.as_deref().map(Into::into);
    let at = |tls, port| OriginUrl::Http { tls, host: chosen.domain_name.clone(), port, path: chosen.path.clone() };
    let (base, url, bucket) = match (&assigned.bucket, &assigned.url) {
        (Some(was), OriginUrl::Http { tls, host, port, .. }) => {
            let moved = *host != chosen.domain_name;
            let access = match (&was.access, chosen.auth) {
                (BucketAccess::Identity(_), S3Auth::None) => BucketAccess::Public,
                _ if moved && vendors.is_none() => BucketAccess::Public,
                (access, _) => access.clone(),
            };
            // A function that changes the name alone leaves the region of the bucket that it came from.
            let left = moved && asked == was.region;
            let region = if left { vendors.clone().or(asked) } else { asked.or_else(|| vendors.clone()) };
            let bucket = Bucket { region: region.or_else(|| was.region.clone()), access };
            let url = if moved && vendors.is_some() { at(true, 443) } else { at(*tls, *port) };
            let mut base = assigned.clone();
            if moved {
                // They were for the other host.
                (base.ca, base.host_header, base.overrides) = (None, None, Overrides::default());
            }
            (base, url, bucket)
        }
        _ => {
            let url = at(true, 443);
            let bucket = Bucket { region: asked.or(vendors), access: BucketAccess::Public };
            (Origin::new("", url.clone()), url, bucket)
        }
    };
    Origin {
        name: chosen.domain_name.as_str().into(),
        url,
        headers: chosen.custom_headers.clone(),
        read_timeout: chosen.read_timeout.unwrap_or(base.read_timeout),
        completion_timeout: chosen.completion_timeout,
        bucket: Some(bucket),
        ..base
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rimward_config::{CredentialsSource, SigningBehavior};

    const CONTROL: BucketAccess = BucketAccess::Control(CredentialsSource::Environment, SigningBehavior::Always);
    const IDENTITY: BucketAccess = BucketAccess::Identity(CredentialsSource::Environment);

    fn bucket(url: &str, access: BucketAccess) -> Origin {
        let bucket = Some(Bucket { region: Some("eu-central-1".into()), access });
        Origin { bucket, connect_timeout: Duration::from_secs(2), ..Origin::new("assets", url.parse().unwrap()) }
    }

    fn edited(assigned: &Origin, edit: impl FnOnce(&mut S3Origin)) -> Origin {
        let LambdaOrigin::S3(mut origin) = shown(assigned) else { panic!("no bucket") };
        edit(&mut origin);
        made(&LambdaOrigin::S3(origin), assigned)
    }

    /// lambda-at-edge.md section 3.6: an access control is not expressible.
    #[test]
    fn a_bucket_is_shown_with_its_method_and_region() {
        for (access, auth) in
            [(BucketAccess::Public, S3Auth::None), (IDENTITY, S3Auth::OriginAccessIdentity), (CONTROL, S3Auth::None)]
        {
            let LambdaOrigin::S3(shown) = shown(&bucket("https://b.s3.eu-central-1.amazonaws.com/v1", access)) else {
                panic!("no bucket")
            };
            assert_eq!((shown.auth, shown.region.as_deref()), (auth, Some("eu-central-1")));
            assert_eq!((&*shown.domain_name, &*shown.path), ("b.s3.eu-central-1.amazonaws.com", "/v1"));
        }
    }

    #[test]
    fn a_changed_bucket_keeps_what_events_cannot_say() {
        let assigned = bucket("http://minio.example:9000/b", CONTROL);
        let moved = edited(&assigned, |origin| origin.path = "/other".to_owned());
        assert_eq!(moved.url, "http://minio.example:9000/other".parse().unwrap());
        assert_eq!((&moved.bucket, moved.connect_timeout), (&assigned.bucket, assigned.connect_timeout));
        let moved = edited(&assigned, |origin| origin.domain_name = "second.example".to_owned());
        assert_eq!(moved.url, "http://second.example:9000/b".parse().unwrap());
        assert_eq!(moved.bucket.map(|bucket| bucket.access), Some(BucketAccess::Public), "no keys for strangers");
        let moved = edited(&assigned, |origin| {
            origin.domain_name = "b.s3.ap-south-1.amazonaws.com".to_owned();
            origin.region = None;
        });
        assert_eq!(moved.url, "https://b.s3.ap-south-1.amazonaws.com/b".parse().unwrap());
        assert_eq!(moved.bucket, Some(Bucket { region: Some("ap-south-1".into()), access: CONTROL }));
    }

    #[test]
    fn the_region_is_that_of_the_new_bucket_where_the_function_left_the_old_ones() {
        let assigned = bucket("https://b.s3.eu-central-1.amazonaws.com", CONTROL);
        let region = |name: &str, region: Option<&str>| {
            let moved = edited(&assigned, |origin| {
                origin.domain_name = name.to_owned();
                origin.region = region.map(str::to_owned).or(origin.region.take());
            });
            moved.bucket.and_then(|bucket| bucket.region).map(|region| region.to_string())
        };
        assert_eq!(region("c.s3.ap-south-1.amazonaws.com", None).as_deref(), Some("ap-south-1"));
        assert_eq!(region("c.s3.cn-north-1.amazonaws.com.cn", None).as_deref(), Some("cn-north-1"));
        assert_eq!(region("c.s3.ap-south-1.amazonaws.com", Some("us-west-2")).as_deref(), Some("us-west-2"));
    }

    /// lambda-at-edge.md section 3.6: an identity may be left, and stays where it is kept.
    #[test]
    fn an_identity_is_kept_or_left() {
        let assigned = bucket("https://b.s3.eu-central-1.amazonaws.com", IDENTITY);
        let kept = edited(&assigned, |origin| origin.domain_name = "c.s3.eu-central-1.amazonaws.com".to_owned());
        assert_eq!(kept.bucket.map(|bucket| bucket.access), Some(IDENTITY));
        let left = edited(&assigned, |origin| origin.auth = S3Auth::None);
        assert_eq!(left.bucket.map(|bucket| bucket.access), Some(BucketAccess::Public));
    }

    /// lambda-at-edge.md section 16: s3 to custom and back.
    #[test]
    fn a_custom_origin_becomes_a_public_bucket_and_a_bucket_a_custom_origin() {
        let custom = Origin::new("app", "http://app.example:9000".parse().unwrap());
        let LambdaOrigin::S3(chosen) = shown(&bucket("https://b.s3.eu-central-1.amazonaws.com", CONTROL)) else {
            panic!("no bucket")
        };
        let made_of = made(&LambdaOrigin::S3(chosen), &custom);
        assert_eq!(made_of.url, "https://b.s3.eu-central-1.amazonaws.com".parse().unwrap());
        assert_eq!(made_of.bucket.map(|bucket| bucket.access), Some(BucketAccess::Public));
        let back = made(&shown(&custom), &bucket("https://b.s3.eu-central-1.amazonaws.com", CONTROL));
        assert_eq!((back.url, back.bucket), (custom.url, None));
    }
}
