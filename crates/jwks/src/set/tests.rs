use super::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn set(keys: &str) -> KeySet {
    KeySet::parse(format!(r#"{{"keys":[{keys}]}}"#).as_bytes()).unwrap()
}

/// RFC 8037 appendix A.4 and A.5.
#[test]
fn eddsa_meets_the_example_of_the_rfc() {
    let set = set(r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a"}"#);
    let data = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = URL_SAFE_NO_PAD
        .decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
        .unwrap();
    assert_eq!(set.verify(Signature::EdDsa, b"a", data, &signature), Verified::Yes);
    assert_eq!(set.verify(Signature::EdDsa, b"", data, &signature), Verified::Yes, "no id: any key");
    assert_eq!(set.verify(Signature::EdDsa, b"a", b"other", &signature), Verified::No);
    assert_eq!(set.verify(Signature::EdDsa, b"b", data, &signature), Verified::NoKey);
    assert_eq!(
        set.verify(Signature::Es256, b"a", data, &signature),
        Verified::NoKey,
        "a key serves its algorithm alone"
    );
}

/// RFC 7515 appendix A.2: RS256.
#[test]
fn rs256_meets_the_example_of_the_rfc() {
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let set = set(&format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB","kid":"r","alg":"RS256","use":"sig"}}"#));
    let data = b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert_eq!(set.verify(Signature::Rs256, b"r", data, &signature), Verified::Yes);
    assert_eq!(set.verify(Signature::Rs256, b"r", &data[1..], &signature), Verified::No);
}

#[test]
fn es256_signatures_are_verified_in_their_fixed_form() {
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pair.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let (x, y) = (encoded(&point[1..33]), encoded(&point[33..]));
    let set = set(&format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","kid":"e"}}"#));
    let signature = pair.sign(&random, b"a.b").unwrap();
    assert_eq!(set.verify(Signature::Es256, b"e", b"a.b", signature.as_ref()), Verified::Yes);
    assert_eq!(set.verify(Signature::Es256, b"e", b"a.c", signature.as_ref()), Verified::No);
    assert_eq!(set.verify(Signature::Es256, b"e", b"a.b", &[0; 64]), Verified::No);
}

/// RFC 7517 section 5: what is not understood is passed over.
#[test]
fn keys_of_other_kinds_and_purposes_are_passed_over() {
    let random = SystemRandom::new();
    let pair = Ed25519KeyPair::from_pkcs8(Ed25519KeyPair::generate_pkcs8(&random).unwrap().as_ref()).unwrap();
    let x = encoded(pair.public_key().as_ref());
    let set = set(&format!(
        r#"{{"kty":"oct","k":"AAAA","kid":"a"}}, {{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}}, "text",
           {{"kty":"OKP","crv":"Ed25519","x":"{x}","use":"enc"}}, {{"kty":"OKP","crv":"Ed25519","x":"{x}","alg":"ES256"}},
           {{"kty":"RSA","n":"AQAB","e":"AQAB"}}, {{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"good"}}"#
    ));
    assert_eq!(set.count(), 1);
    let signature = pair.sign(b"data");
    assert_eq!(set.verify(Signature::EdDsa, b"good", b"data", signature.as_ref()), Verified::Yes);
}

#[test]
fn texts_that_could_verify_nothing_are_refused() {
    for (text, what) in [
        ("", "it is no JSON web key set"),
        ("[]", "it is no JSON web key set"),
        (r#"{"keys":[]}"#, "it has no public key"),
        (r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#, "it has no public key"),
    ] {
        assert!(KeySet::parse(text.as_bytes()).unwrap_err().to_string().starts_with(what), "{text}");
    }
    assert!(matches!(KeySet::parse(&[b' '; MAX_TEXT + 1]), Err(InvalidKeySet::TooLarge(_))));
    let one = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let many = format!(r#"{{"keys":[{}]}}"#, [one; MAX_KEYS + 1].join(","));
    assert!(matches!(KeySet::parse(many.as_bytes()), Err(InvalidKeySet::TooMany)));
}
