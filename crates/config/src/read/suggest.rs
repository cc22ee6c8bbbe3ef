//! The name that was meant.

/// The known name nearest to `name`, if one is near: at most a third of its characters differ.
pub(super) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let name: Vec<char> = name.chars().collect();
    // Longer than any name we know: comparing would cost time and find nothing.
    if name.len() > 128 {
        return None;
    }
    let near = |candidate: &&'n str| {
        let candidate: Vec<char> = candidate.chars().collect();
        distance(&name, &candidate)
    };
    let (best, far) = known.into_iter().map(|candidate| (candidate, near(&candidate))).min_by_key(|(_, far)| *far)?;
    (far <= (name.len().max(best.len()) / 3).max(1)).then_some(best)
}

/// Insertions, deletions, substitutions and swaps of neighbours from `a` to `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut rows = vec![0usize; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            let at = i * width + j;
            if i == 0 || j == 0 {
                rows[at] = i + j;
                continue;
            }
            let replaced = rows[at - width - 1] + usize::from(a[i - 1] != b[j - 1]);
            rows[at] = replaced.min(rows[at - width] + 1).min(rows[at - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                rows[at] = rows[at].min(rows[at - 2 * width - 2] + 1);
            }
        }
    }
    rows[a.len() * width + b.len()]
}

/// Other names of keys, without `-`, `_` and case: the vendor's API names and what people reach for.
const RENAMED: [(&str, &str); 58] = [
    ("acceptencodinggzip", "accept-encoding"),
    ("address", "listen"),
    ("advertisetruststorecanames", "advertise-names"),
    ("aliases", "domains"),
    ("allowedmethods", "methods"),
    ("bind", "listen"),
    ("ca", "authorities"),
    ("cachepolicyid", "cache-policy"),
    ("certificate", "cert"),
    ("connectionattempts", "attempts"),
    ("crl", "revocations"),
    ("connectionfunctionassociation", "connection-function"),
    ("connectiontimeout", "connect-timeout"),
    ("cookiesconfig", "cookies"),
    ("customheaders", "headers"),
    ("defaultcachebehavior", "behaviors"),
    ("cachebehaviors", "behaviors"),
    ("domain", "domains"),
    ("domainname", "url"),
    ("enableacceptencodingbrotli", "accept-encoding"),
    ("enableacceptencodinggzip", "accept-encoding"),
    ("env", "environment"),
    ("failovercriteria", "failover"),
    ("functionassociations", "viewer-request"),
    ("georestriction", "geo-restriction"),
    ("grpcconfig", "grpc"),
    ("grpcenabled", "grpc"),
    ("headersconfig", "headers"),
    ("host", "host-header"),
    ("http2", "h2c"),
    ("ignorecertificateexpiry", "ignore-expiry"),
    ("kv", "key-value-store"),
    ("kvs", "key-value-store"),
    ("keyvaluestorearn", "key-value-store"),
    ("lambdafunctionassociations", "origin-request"),
    ("memorysize", "memory"),
    ("module", "component"),
    ("mtls", "mutual-tls"),
    ("name", "domain-name"),
    ("origincustomheaders", "headers"),
    ("originid", "origin"),
    ("originkeepalivetimeout", "keepalive"),
    ("originreadtimeout", "read-timeout"),
    ("originrequestpolicy", "forward"),
    ("originrequestpolicyid", "forward"),
    ("pathpattern", "path"),
    ("pattern", "path"),
    ("querystring", "query"),
    ("querystrings", "query"),
    ("querystringsconfig", "query"),
    ("restrictions", "geo-restriction"),
    ("responsecompletiontimeout", "completion-timeout"),
    ("responseheaderspolicyid", "response-headers-policy"),
    ("store", "key-value-store"),
    ("targetoriginid", "origin"),
    ("truststoreid", "trust-store"),
    ("viewermtlsconfig", "mutual-tls"),
    ("viewerprotocolpolicy", "viewer-protocol"),
];

/// The key among `known` that has another name elsewhere, such as `cache_policy` or `CachePolicyId`.
pub(super) fn renamed<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let plain = |name: &str| -> String {
        name.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect()
    };
    let meant = plain(name);
    let same = known.iter().find(|key| plain(key) == meant);
    let other = || {
        let new = RENAMED.iter().filter(|(old, _)| *old == meant).map(|(_, new)| *new);
        new.filter_map(|new| known.iter().find(|key| **key == new)).next()
    };
    same.or_else(other).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["listen", "limits", "admin", "tls"];
        assert_eq!(nearest("lisen", known), Some("listen"));
        assert_eq!(nearest("amdin", known), Some("admin"));
        assert_eq!(nearest("xyz", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest(&"l".repeat(1000), known), None);
    }

    #[test]
    fn other_spellings_and_the_vendors_names_are_known() {
        let known = ["cache-policy", "path"];
        for (name, key) in
            [("cache_policy", "cache-policy"), ("CachePolicyId", "cache-policy"), ("PathPattern", "path")]
        {
            assert_eq!(renamed(name, &known), Some(key));
        }
        assert_eq!(renamed("Aliases", &known), None);
    }
}
