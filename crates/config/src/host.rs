//! Host names: their spelling, and which distribution serves one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// Domains and the index of the distribution that has each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hosts {
    /// Full names.
    exact: HashMap<String, usize>,
    /// What stands after `*`, with its dot: `.example.com`.
    wildcard: HashMap<String, usize>,
    /// `*`.
    any: Option<usize>,
}

impl Hosts {
    /// Adds `domain` (lower case). Gives back who has it already.
    pub(crate) fn insert(&mut self, domain: &str, index: usize) -> Result<(), usize> {
        let slot = match domain.strip_prefix('*') {
            Some("") => self.any.get_or_insert(index),
            Some(suffix) => self.wildcard.entry(suffix.to_owned()).or_insert(index),
            None => self.exact.entry(domain.to_owned()).or_insert(index),
        };
        if *slot == index { Ok(()) } else { Err(*slot) }
    }

    /// Who has `host`: an exact domain, else the longest wildcard, else `*`.
    pub(crate) fn find(&self, host: &str) -> Option<usize> {
        if let Some(index) = self.exact.get(host) {
            return Some(*index);
        }
        if !self.wildcard.is_empty() {
            // Each dot from the left begins a shorter suffix. `*` stands for at least one character.
            let dots = host.match_indices('.').map(|(at, _)| at).filter(|at| *at > 0);
            if let Some(index) = dots.filter_map(|at| self.wildcard.get(&host[at..])).next() {
                return Some(*index);
            }
        }
        self.any
    }
}

/// A text is no host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHost {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is a URL.
    #[error("it is a URL; write the host alone")]
    Url,
    /// It has a port.
    #[error("it has a port; write the host alone")]
    Port,
    /// `*` stands elsewhere than in `*.example.com`.
    #[error("`*` stands alone or at the beginning, as in \"*.example.com\"")]
    Wildcard,
    /// It has a character that host names do not have.
    #[error("it cannot have the character `{0}`")]
    Character(char),
    /// A label is empty or longer than 63 characters, or the whole is longer than 253 (RFC 1035 section 2.3.4).
    #[error("each label has 1 to 63 characters, and all of it at most 253")]
    Length,
}

/// The host in lower case: a name, or an IP address, IPv6 without brackets. A dot at its end is left out.
///
/// # Errors
/// When `text` is neither.
pub fn parse_host(text: &str) -> Result<String, InvalidHost> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = inner.parse::<Ipv6Addr>() {
        return Ok(address.to_string());
    }
    if text.is_empty() {
        return Err(InvalidHost::Empty);
    }
    if text.contains('/') {
        return Err(InvalidHost::Url);
    }
    if let Some((name, port)) = text.rsplit_once(':')
        && port.bytes().all(|b| b.is_ascii_digit())
        && (name.ends_with(']') || !name.contains(':'))
    {
        return Err(InvalidHost::Port);
    }
    if text.contains('*') {
        return Err(InvalidHost::Wildcard);
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    // `_` is in no host name by RFC 1123, but in names that people use inside.
    if let Some(wrong) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')) {
        return Err(InvalidHost::Character(wrong));
    }
    if name.len() > 253 || name.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return Err(InvalidHost::Length);
    }
    Ok(name.to_ascii_lowercase())
}

/// A host, `*.` and a host, or `*`; in lower case. IPv6 addresses get their brackets, as `Host` has them.
///
/// # Errors
/// When `text` is none of these.
pub fn parse_domain(text: &str) -> Result<String, InvalidHost> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    if let Some(name) = text.strip_prefix("*.") {
        let host = parse_host(name)?;
        return if host.parse::<IpAddr>().is_ok() { Err(InvalidHost::Wildcard) } else { Ok(format!("*.{host}")) };
    }
    let host = parse_host(text)?;
    Ok(if host.contains(':') { format!("[{host}]") } else { host })
}

#[cfg(test)]
mod tests;
