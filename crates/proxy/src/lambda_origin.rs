//! Origins as functions at origin-request see and make them (`lambda-at-edge.md` sections 3.6 and 10).

use rimward_config::{Bucket, BucketAccess, Origin, OriginUrl};
use rimward_hooks::{CustomOrigin, LambdaOrigin, Protocol, S3Auth, S3Origin, SslProtocol};
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

/// From bucket to bucket, all that an event cannot say stays: keys, access control, and where the server is not the
/// vendor's, scheme and port. Out of a custom origin comes a public bucket.
fn made_bucket(chosen: &S3Origin, assigned: &Origin) -> Origin {
    let region = chosen.region.as_deref().map(Into::into).or_else(|| Bucket::region_of(&chosen.domain_name));
    let at = |tls, port| OriginUrl::Http { tls, host: chosen.domain_name.clone(), port, path: chosen.path.clone() };
    let (base, url, bucket) = match (&assigned.bucket, &assigned.url) {
        (Some(was), OriginUrl::Http { tls, host, port, .. }) => {
            let vendors = *host != chosen.domain_name && chosen.domain_name.ends_with(".amazonaws.com");
            let access = match (&was.access, chosen.auth) {
                (BucketAccess::Identity(_), S3Auth::None) => BucketAccess::Public,
                (access, _) => access.clone(),
            };
            let bucket = Bucket { region: region.or_else(|| was.region.clone()), access };
            (assigned.clone(), if vendors { at(true, 443) } else { at(*tls, *port) }, bucket)
        }
        _ => {
            let url = at(true, 443);
            (Origin::new("", url.clone()), url, Bucket { region, access: BucketAccess::Public })
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
        let moved = edited(&assigned, |origin| {
            origin.domain_name = "b.s3.ap-south-1.amazonaws.com".to_owned();
            origin.region = None;
        });
        assert_eq!(moved.url, "https://b.s3.ap-south-1.amazonaws.com/b".parse().unwrap());
        assert_eq!(moved.bucket, Some(Bucket { region: Some("ap-south-1".into()), access: CONTROL }));
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
