//! What people read when a node starts: where it listens and what it serves.

use crate::print;
use rimward_config::{Behavior, Config, OriginUrl, Target};
use rimward_types::Hook;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

/// Where the node listens.
pub struct Addresses<'a> {
    /// Without TLS.
    pub http: &'a [SocketAddr],
    /// With TLS.
    pub https: &'a [SocketAddr],
    /// The admin API.
    pub admin: Option<SocketAddr>,
}

/// The text.
pub fn banner(file: &Path, config: &Config, addresses: &Addresses<'_>) -> String {
    let paint = print::stderr();
    let mut out = format!("{} serves {}\n", paint.bold(concat!("rimward ", env!("CARGO_PKG_VERSION"))), file.display());
    let mut line = |what: &str, text: String| {
        // Writing to a text cannot fail.
        let _ = writeln!(out, "  {what:<9} {text}");
    };
    for address in addresses.http {
        line("http", paint.cyan(&format!("http://{address}")));
    }
    for address in addresses.https {
        line("https", paint.cyan(&format!("https://{address}")));
    }
    if let Some(address) = addresses.admin {
        line("admin", paint.cyan(&format!("http://{address}")));
    }
    for origin in config.origins.values() {
        let at = match &origin.url {
            OriginUrl::Demo => "builtin:demo".to_owned(),
            OriginUrl::Http { tls, path, .. } => {
                format!("{}://{}{path}", if *tls { "https" } else { "http" }, origin.url.authority())
            }
        };
        line("origin", format!("{}  {at}", origin.name));
    }
    for distribution in &config.distributions {
        line("site", format!("{}  {}", distribution.domains.join(", "), paint.dim(&distribution.id)));
        let width = distribution.behaviors.iter().map(|b| b.pattern.as_str().len()).max().unwrap_or_default();
        for behavior in &distribution.behaviors {
            line("", format!("{:width$}  {}", behavior.pattern.as_str(), describe(behavior)));
        }
    }
    out.trim_end().to_owned()
}

/// `app, cache by-group, viewer-request ab-test`.
fn describe(behavior: &Behavior) -> String {
    let target = match &behavior.origin {
        Target::Origin(origin) => &origin.name,
        Target::Group(group) => &group.name,
    };
    let mut parts = vec![format!("-> {target}"), format!("cache {}", behavior.cache_policy.name)];
    for hook in Hook::ALL {
        for function in behavior.functions(hook) {
            parts.push(format!("{hook} {function}"));
        }
    }
    parts.join(", ")
}
