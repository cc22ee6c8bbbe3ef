//! A bucket that computes each signature anew, by the vendor's text.

use rimward_testkit::{Answer, Origin, Received};
use ring::{digest, hmac};

const SECRET: &str = "s/e+c=ret";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let number = more.get(..2).filter(|_| *first == b'%').map(|digits| std::str::from_utf8(digits).unwrap());
        let (byte, more) = match number {
            Some(digits) => (u8::from_str_radix(digits, 16).unwrap(), &more[2..]),
            None => (*first, more),
        };
        out.push(byte);
        rest = more;
    }
    out
}

fn spelled(bytes: &[u8], kept: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || "-._~".contains(byte as char) || kept.contains(byte as char);
    bytes.iter().map(|b| if plain(*b) { (*b as char).to_string() } else { format!("%{b:02X}") }).collect()
}

fn signature(scope: &str, time: &str, canonical: &str) -> String {
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let key = scope.split('/').fold(format!("AWS4{SECRET}").into_bytes(), |key, part| mac(&key, part));
    hex(&mac(&key, &text))
}

/// What S3 does with a request: its own reading of the target, the headers that are named, and the keys it knows.
fn check(request: &Received) -> Result<(), String> {
    let missing = |what: &str| format!("no {what}");
    let authorization = request.header("authorization").ok_or(missing("Authorization"))?;
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or(missing("algorithm"))?;
    let field = |name: &str| {
        let of = |part: &'_ str| part.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).map(str::to_owned);
        fields.split(", ").find_map(of).ok_or(missing(name))
    };
    let (credential, names, signature) = (field("Credential")?, field("SignedHeaders")?, field("Signature")?);
    let (id, scope) = credential.split_once('/').ok_or(missing("scope"))?;
    if id != "AKIDCDN" {
        return Err(format!("unknown key {id}"));
    }
    let signed: Vec<&str> = names.split(';').collect();
    if let Some((name, _)) = request.headers.iter().find(|(name, _)| {
        let name = name.to_ascii_lowercase();
        (name.starts_with("x-amz-") || name == "host") && !signed.contains(&&*name)
    }) {
        return Err(format!("{name} is not signed"));
    }
    let payload = request.header("x-amz-content-sha256").ok_or(missing("payload"))?;
    if payload != "UNSIGNED-PAYLOAD" && payload != sha256(&request.body) {
        return Err("the body is another".to_owned());
    }
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let path = spelled(&decoded(path), "/");
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (spelled(&decoded(name), ""), spelled(&decoded(value), "")))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let lines: String = signed.iter().map(|name| format!("{name}:{}\n", request.all(name).join(","))).collect();
    let canonical = format!("{}\n{path}\n{}\n{lines}\n{names}\n{payload}", request.method, pairs.join("&"));
    let time = request.header("x-amz-date").ok_or(missing("date"))?;
    if self::signature(scope, time, &canonical) == signature {
        Ok(())
    } else {
        Err(format!("wrong signature of\n{canonical}"))
    }
}

/// A bucket that nobody reads without a right signature.
pub(super) async fn bucket() -> Origin {
    Origin::new(|request| match check(request) {
        Ok(()) => Answer::ok(format!("signed for {}", request.header("host").unwrap_or_default())),
        Err(why) => Answer::new(403, why),
    })
    .await
}

/// A viewer's own SigV4 request, with the headers that it signed.
pub(super) fn viewers_own(host: &str) -> Vec<(&'static str, String)> {
    let (time, payload) = ("20270115T080000Z", sha256(b""));
    let names = "host;x-amz-content-sha256;x-amz-date";
    let canonical =
        format!("GET\n/page\n\nhost:{host}\nx-amz-content-sha256:{payload}\nx-amz-date:{time}\n\n{names}\n{payload}");
    let scope = "20270115/eu-central-1/s3/aws4_request";
    let signature = signature(scope, time, &canonical);
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential=AKIDCDN/{scope}, SignedHeaders={names}, Signature={signature}");
    vec![("authorization", authorization), ("x-amz-date", time.to_owned()), ("x-amz-content-sha256", payload)]
}
