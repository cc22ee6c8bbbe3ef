#![allow(clippy::unwrap_used)]
use super::*;
use bytes::Bytes;
use http_body_util::BodyExt as _;

/// The keys and the moment of the vendor's published examples.
fn signer(token: Option<&str>) -> Signer {
    Signer {
        credentials: Arc::new(Credentials {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: token.map(str::to_owned),
        }),
        region: "us-east-1".into(),
        behavior: SigningBehavior::Always,
        now: Timestamp::from_secs(1_369_353_600),
    }
}

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let line = |(name, value): &(&'static str, &'static str)| (HeaderName::from_static(name), value.parse().unwrap());
    lines.iter().map(line).collect()
}

fn authorization(headers: &HeaderMap) -> &str {
    headers["authorization"].to_str().unwrap()
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>, all four examples.
#[test]
fn the_vendors_examples_have_the_vendors_signatures() {
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let hello = sha256(b"Welcome to Amazon S3.");
    for (method, target, payload, more, expected) in [
        (
            Method::GET,
            spell("/test.txt", None),
            EMPTY,
            &[("range", "bytes=0-9")][..],
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            Method::PUT,
            spell("/test$file.text", None),
            &hello,
            &[("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            Method::GET,
            spell("/", Some("lifecycle")),
            EMPTY,
            &[],
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            Method::GET,
            spell("/", Some("prefix=J&max-keys=2")),
            EMPTY,
            &[],
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ] {
        let signer = signer(None);
        let time = compact(signer.now);
        assert_eq!(time, "20130524T000000Z");
        let mut signed = headers(&[("host", "examplebucket.s3.amazonaws.com")]);
        signed.extend(headers(more));
        set(&mut signed, X_AMZ_CONTENT_SHA256, payload).unwrap();
        set(&mut signed, X_AMZ_DATE, &time).unwrap();
        let mut names: Vec<_> = signed.keys().collect();
        names.sort_unstable_by_key(|name| name.as_str());
        let uri = target.parse().unwrap();
        let (signature, _) = signer.signature(&method, &uri, &signed, &names, payload, &time);
        assert_eq!(signature, expected, "{method} {target}");
    }
}

#[test]
fn a_signed_request_names_its_keys_scope_and_headers() {
    let mut signed = headers(&[
        ("host", "examplebucket.s3.amazonaws.com"),
        ("range", "bytes=0-9"),
        ("user-agent", "Rimward"),
        ("content-type", "text/plain"),
        ("authorization", "Bearer viewer"),
        ("x-amz-security-token", "viewer"),
        ("x-amz-cf-id", "abc"),
    ]);
    let uri = "/test.txt".parse().unwrap();
    signer(Some("token")).sign(&Method::GET, &uri, &mut signed, &Body::Empty).unwrap();
    let expected = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
        SignedHeaders=content-type;host;x-amz-cf-id;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=";
    let value = authorization(&signed);
    assert!(value.starts_with(expected) && value.len() == expected.len() + 64, "{value}");
    assert_eq!(signed["x-amz-security-token"], "token");
    assert!(signed["authorization"].is_sensitive() && signed["x-amz-security-token"].is_sensitive());
    assert_eq!(signed["range"], "bytes=0-9");
}

#[test]
fn the_payload_is_hashed_where_it_is_known() {
    let known = "0".repeat(63) + "f";
    let stream = || Body::stream(http_body_util::Full::new(Bytes::from_static(b"x")).map_err(|never| match never {}));
    for (told, body, expected) in [
        (None, Body::Empty, sha256(b"")),
        (Some(&known), Body::Empty, sha256(b"")),
        (None, Body::from("abc"), sha256(b"abc")),
        (None, Body::from("x".repeat(HASHED + 1)), UNSIGNED.to_owned()),
        (None, stream(), UNSIGNED.to_owned()),
        (Some(&known), stream(), known.clone()),
        (Some(&"STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_owned()), stream(), UNSIGNED.to_owned()),
    ] {
        let mut signed = headers(&[("host", "b.example")]);
        if let Some(told) = told {
            set(&mut signed, X_AMZ_CONTENT_SHA256, told).unwrap();
        }
        signer(None).sign(&Method::PUT, &"/a".parse().unwrap(), &mut signed, &body).unwrap();
        assert_eq!(signed["x-amz-content-sha256"], *expected, "{told:?} {body:?}");
    }
}

#[test]
fn what_is_sent_is_spelled_as_s3_spells_it() {
    for (path, query, spelled) in [
        ("/a b+c/%7Eé.txt", None, "/a%20b%2Bc/~%C3%A9.txt"),
        ("/a%2fb%2F%zz%", None, "/a/b/%25zz%25"),
        ("/a//b/../c", None, "/a//b/../c"),
        ("/%ff", None, "/%FF"),
        ("/", Some("versionId=a+b%2B/&acl&&x=%ff"), "/?versionId=a%20b%2B%2F&acl&x=%FF"),
        ("/", Some("="), "/?="),
    ] {
        assert_eq!(spell(path, query), spelled);
        let (again, more) = spelled.split_once('?').map_or((spelled, None), |(path, query)| (path, Some(query)));
        assert_eq!(spell(again, more), spelled, "once spelled, it stays");
    }
}

/// cloudfront-functions.md section 11.3.
#[test]
fn no_override_leaves_a_request_with_its_own_authorization_alone() {
    let own = headers(&[("authorization", "Bearer viewer")]);
    for (behavior, with_own, without) in [
        (SigningBehavior::Always, true, true),
        (SigningBehavior::Never, false, false),
        (SigningBehavior::NoOverride, false, true),
    ] {
        let signer = Signer { behavior, ..signer(None) };
        assert_eq!((signer.applies(&own), signer.applies(&HeaderMap::new())), (with_own, without), "{behavior:?}");
    }
}

#[test]
fn values_of_one_header_are_joined_and_spaces_are_one() {
    let mut out = Vec::new();
    one_spaced(b"  a   b ", &mut out);
    assert_eq!(out, b"a b");
    let signature = |lines: &[(&'static str, &'static str)]| {
        let mut signed = HeaderMap::new();
        for (name, value) in lines {
            signed.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        signer(None).sign(&Method::GET, &"/".parse().unwrap(), &mut signed, &Body::Empty).unwrap();
        authorization(&signed).to_owned()
    };
    let joined = signature(&[("host", "h"), ("x-amz-meta-a", "1,2 3")]);
    assert_eq!(signature(&[("host", "h"), ("x-amz-meta-a", "1"), ("x-amz-meta-a", " 2  3")]), joined);
}

#[test]
fn a_path_with_two_readings_is_told() {
    for (path, in_path, ambiguous) in [
        ("/a/b%20c", true, false),
        ("/private%2Freport", false, true),
        ("/private%2freport", true, true),
        ("/%2e%2e/other", true, true),
        ("/a/./b", true, true),
        ("/a/../b", false, false),
        ("/..a/b..", true, false),
    ] {
        assert_eq!(is_ambiguous(path, in_path), ambiguous, "{path}");
    }
}

#[test]
fn nothing_goes_out_unsigned() {
    let mut signed = headers(&[("host", "h")]);
    let wrong = signer(Some("token\n")).sign(&Method::GET, &"/".parse().unwrap(), &mut signed, &Body::Empty);
    assert_eq!(wrong.unwrap_err(), "`x-amz-security-token` cannot have the value that signing asks for");
}
