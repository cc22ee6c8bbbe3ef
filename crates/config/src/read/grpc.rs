//! `grpc` of a behavior and `h2c` of an origin: what else they need, and what does not count then (`cdn-behaviour.md`
//! section 21).

use super::functions::Functions;
use super::section::Section;
use crate::{Behavior, FunctionKind, Origin, OriginUrl, Target};
use http::Method;
use rimward_types::Hook;

const GRPC: &str = "grpc";
const H2C: &str = "h2c";

/// Whether `behavior`, of which the rest is read, has gRPC. What it lacks is reported; what gRPC goes past is told.
pub(super) fn read_grpc(section: &Section<'_>, behavior: &Behavior, functions: &Functions) -> bool {
    let grpc = section.flag(GRPC).unwrap_or(false);
    if !grpc {
        return false;
    }
    if !behavior.methods.contains(&Method::POST) {
        let key = if section.get("methods").is_some() { "methods" } else { GRPC };
        section.reader.report_hint(
            section.key_span(key),
            "`grpc` needs POST among the methods",
            "write `methods = \"all\"`",
        );
    }
    match &behavior.origin {
        Target::Origin(origin) => report_silent(section, origin),
        Target::Group(group) => {
            report_silent(section, &group.primary);
            let message =
                format!("gRPC has no failover: of `{}` only the primary `{}` gets it", group.name, group.primary.name);
            let hint = "give gRPC a behavior of its own, with an origin, where that should be seen";
            section.reader.warn(section.key_span("origin"), message, hint);
        }
    }
    warn_of_functions(section, behavior, functions);
    true
}

/// Reports an origin that gRPC cannot be spoken with.
fn report_silent(section: &Section<'_>, origin: &Origin) {
    // One without a name was reported already.
    if origin.speaks_grpc() || origin.name.is_empty() {
        return;
    }
    let name = &origin.name;
    let (message, hint) = match &origin.url {
        _ if origin.bucket.is_some() => {
            (format!("`{name}` is a bucket, and buckets do not speak gRPC"), "name an origin that does".to_owned())
        }
        OriginUrl::Demo => ("the demo origin does not speak gRPC".to_owned(), "name an origin that does".to_owned()),
        OriginUrl::Http { .. } => (
            format!("gRPC needs HTTP/2, which `{name}` is not asked for"),
            format!(
                "give it an https:// URL, or `{H2C} = true` in [origins.{name}] where it speaks HTTP/2 without TLS"
            ),
        ),
    };
    section.reader.report_hint(section.key_span("origin"), message, hint);
}

/// `lambda-at-edge.md` section 2: gRPC requests go past Lambda@Edge. Whoever lets such a function decide who may come in
/// must know.
fn warn_of_functions(section: &Section<'_>, behavior: &Behavior, functions: &Functions) {
    for hook in Hook::ALL {
        let passed_by = behavior.functions(hook).iter().find(|name| {
            let function = functions.get(*name).and_then(Option::as_ref);
            function.is_some_and(|function| matches!(function.kind, FunctionKind::Origin(_)))
        });
        if let Some(name) = passed_by {
            let message = format!("gRPC requests go past `{name}`: origin functions do not run for them");
            let hint = "what must hold for gRPC too belongs in a viewer function, or give gRPC a behavior of its own";
            section.reader.warn(section.key_span(hook.as_str()), message, hint);
        }
    }
}

/// Whether an origin at `url` speaks HTTP/2 without TLS.
pub(super) fn read_h2c(section: &Section<'_>, url: Option<&OriginUrl>, is_bucket: bool) -> bool {
    let h2c = section.flag(H2C).unwrap_or(false);
    let wrong = match url {
        _ if !h2c => None,
        _ if is_bucket => Some(("`h2c` is for gRPC, which buckets do not speak", "leave `h2c` out")),
        Some(OriginUrl::Http { tls: true, .. }) => Some((
            "`h2c` is HTTP/2 without TLS, and the URL is https",
            "leave `h2c` out: over TLS the two agree on HTTP/2 by themselves",
        )),
        Some(OriginUrl::Demo) => Some(("the demo origin does not speak HTTP/2", "leave `h2c` out")),
        Some(OriginUrl::Http { tls: false, .. }) | None => None,
    };
    if let Some((message, hint)) = wrong {
        section.reader.report_hint(section.key_span(H2C), message, hint);
    }
    h2c
}
