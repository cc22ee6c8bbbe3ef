//! Requests to try, for a configuration with the demo origin. Made from the configuration, so that they are never
//! out of date.

use rimward_config::{Behavior, Config, Distribution, OriginUrl, Target};
use rimward_types::Hook;
use std::net::SocketAddr;

/// Lines at most.
const LINES: usize = 5;

/// Commands, one for a behavior; `None` without a demo origin.
pub fn lines(config: &Config, address: Option<&SocketAddr>) -> Option<String> {
    let address = address?;
    let distribution = config.distributions.iter().find(|d| d.behaviors.iter().any(|b| is_demo(b)))?;
    let demo: Vec<&Behavior> = distribution.behaviors.iter().map(AsRef::as_ref).filter(|b| is_demo(b)).collect();
    // The last one takes everything else, and comes first here: the plainest request.
    let (last, listed) = demo.split_last()?;
    let order = std::iter::once(last).chain(listed).take(LINES);
    let commands: Vec<(String, String)> = order.map(|b| (command(distribution, b, address), hooks(b))).collect();
    let width = commands.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    let line = |(command, hooks): &(String, String)| format!("  {command:width$}  # {hooks}");
    Some(commands.iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn is_demo(behavior: &Behavior) -> bool {
    match &behavior.origin {
        Target::Origin(origin) => origin.url == OriginUrl::Demo,
        Target::Group(group) => group.primary.url == OriginUrl::Demo,
    }
}

fn command(distribution: &Distribution, behavior: &Behavior, address: &SocketAddr) -> String {
    let host = match distribution.domains.first().map(String::as_str) {
        None | Some("*") => String::new(),
        Some(domain) => format!("-H 'host: {}' ", domain.replace('*', "www")),
    };
    format!("curl -si {host}'http://{address}{}'", path(behavior.pattern.as_str()))
}

/// A path that the pattern matches: a star at the end stands for nothing, others for a letter.
fn path(pattern: &str) -> String {
    let path = pattern.strip_suffix('*').unwrap_or(pattern).replace(['*', '?'], "a");
    match path.as_str() {
        "" | "/" => "/hello".to_owned(),
        text if text.starts_with('/') => path,
        _ => format!("/{path}"),
    }
}

fn hooks(behavior: &Behavior) -> String {
    let at = |hook| behavior.functions(hook).iter().map(move |function| format!("{hook} {function}"));
    let hooks: Vec<String> = Hook::ALL.into_iter().flat_map(at).collect();
    if hooks.is_empty() { "twice: x-cache tells Miss, then Hit".to_owned() } else { hooks.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_made_that_the_pattern_matches() {
        for (pattern, expected) in
            [("*", "/hello"), ("/*", "/hello"), ("/ab/*", "/ab/"), ("/i/*.png", "/i/a.png"), ("*.html", "/a.html")]
        {
            assert_eq!(path(pattern), expected, "{pattern}");
        }
    }
}
