//! Module `crypto` (`cloudfront-functions.md` section 10.5).

use crate::harness::eval_with;

fn eval(expression: &str) -> String {
    eval_with("const crypto = require('crypto');", expression)
}

#[test]
fn digests_meet_known_values() {
    for (algorithm, digest) in [
        ("md5", "900150983cd24fb0d6963f7d28e17f72"),
        ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ] {
        assert_eq!(eval(&format!("crypto.createHash('{algorithm}').update('a').update('bc').digest('hex')")), digest);
    }
}

/// RFC 4231 test case 2, RFC 2202 test case 2.
#[test]
fn keyed_digests_meet_known_values() {
    let data = "what do ya want for nothing?";
    for (algorithm, digest) in [
        ("md5", "750c783e6ab0b503eaa86e310a5db738"),
        ("sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ("sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    ] {
        for key in ["'Jefe'", "Buffer.from('Jefe')", "new TextEncoder().encode('Jefe')"] {
            let expression = format!("crypto.createHmac('{algorithm}', {key}).update('{data}').digest('hex')");
            assert_eq!(eval(&expression), digest);
        }
    }
}

#[test]
fn a_digest_has_three_encodings_and_is_a_buffer_without() {
    let hash = "crypto.createHash('md5').update(Buffer.from('616263', 'hex'))";
    assert_eq!(eval(&format!("{hash}.digest('base64')")), "kAFQmDzST7DWlj99KOF/cg==");
    assert_eq!(eval(&format!("{hash}.digest('base64url')")), "kAFQmDzST7DWlj99KOF_cg");
    assert_eq!(eval(&format!("Buffer.isBuffer({hash}.digest()) && {hash}.digest().length")), "16");
}

#[test]
fn errors_have_the_documented_texts() {
    for (expression, text) in [
        ("crypto.createHash('sha512')", "TypeError: not supported algorithm: \"sha512\""),
        ("crypto.createHash('SHA256')", "TypeError: not supported algorithm: \"SHA256\""),
        ("crypto.createHash('md5').digest('latin1')", "TypeError: Unknown digest encoding: \"latin1\""),
        ("(() => { const h = crypto.createHash('md5'); h.digest(); h.digest() })()", "Error: Digest already called"),
        ("(() => { const h = crypto.createHash('md5'); h.digest(); h.update('') })()", "Error: Digest already called"),
        ("crypto.createHash('md5').update(1)", "TypeError: data is not a string or Buffer-like object"),
        ("crypto.createHmac('md5')", "TypeError: key is not a string or Buffer-like object"),
    ] {
        assert_eq!(eval(expression), text, "{expression}");
    }
}
