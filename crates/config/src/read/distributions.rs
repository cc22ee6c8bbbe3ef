//! `[[distributions]]`.

use super::behaviors::{Known, read_behaviors};
use super::error_pages::read_error_pages;
use super::geo::read_geo_restriction;
use super::mutual_tls::{read_connection_function, read_mutual_tls};
use super::section::Section;
use crate::Distribution;
use crate::host::{Hosts, parse_domain};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// Domains of a distribution, at most (`cdn-behaviour.md` section 20).
const MOST_DOMAINS: usize = 100;

/// Who has which domain and id, to find what is there twice.
#[derive(Default)]
struct Taken {
    hosts: Hosts,
    /// Line of each domain.
    domains: BTreeMap<String, usize>,
    ids: HashSet<Arc<str>>,
}

pub(super) fn read_distributions(file: &Section<'_>, known: &Known<'_>) -> (Vec<Distribution>, Hosts) {
    let mut taken = Taken::default();
    let mut distributions = Vec::new();
    let list = match file.get("distributions") {
        None => {
            let hint = "the smallest file is\n\n  [origins.app]\n  url = \"http://127.0.0.1:9000\"\n\n  \
                        [[distributions]]\n  domains = [\"*\"]\n  behaviors = [{ origin = \"app\" }]\n";
            file.reader.report_hint(0..0, "there is no distribution, so the node would serve nothing", hint);
            return (distributions, taken.hosts);
        }
        Some(value) => match value.get_ref().as_array() {
            Some(list) => list,
            None => {
                let hint = "write `[[distributions]]` with two brackets";
                file.reader.report_hint(value.span(), "`distributions` must be a list of tables", hint);
                return (distributions, taken.hosts);
            }
        },
    };
    if list.is_empty() {
        file.reader.report(file.key_span("distributions"), "there is no distribution, so the node would serve nothing");
    }
    for item in list.iter() {
        let keys = [
            "id",
            "domain-name",
            "domains",
            "behaviors",
            "default-root-object",
            "error-pages",
            "mutual-tls",
            "connection-function",
            "geo-restriction",
        ];
        if let Some(section) = Section::of_value(file.reader, "[[distributions]]".to_owned(), item, &keys) {
            let index = distributions.len();
            distributions.push(read_distribution(&section, known, index, &mut taken));
        }
    }
    (distributions, taken.hosts)
}

fn read_distribution(section: &Section<'_>, known: &Known<'_>, index: usize, taken: &mut Taken) -> Distribution {
    let reader = section.reader;
    let domains = read_domains(section, index, taken);
    let id = read_id(section, domains.first().map_or("", String::as_str));
    if !taken.ids.insert(Arc::clone(&id)) {
        reader.report(section.key_span("id"), format!("distribution id `{id}` is there twice"));
    }
    let domain_name = match section.text("domain-name").map(|text| (parse_domain(text.get_ref()), text)) {
        Some((Ok(name), text)) if name.contains('*') => {
            reader.report(text.span(), "a distribution's own name has no `*`");
            name
        }
        Some((Ok(name), _)) => name,
        Some((Err(why), text)) => {
            reader.report(text.span(), format!("wrong domain: {why}"));
            String::new()
        }
        None => format!("{}.rimward.local", id.to_ascii_lowercase()),
    };
    if !domains.contains(&domain_name) && taken.hosts.insert(&domain_name, index).is_err() {
        report_taken(section, section.key_span("domain-name"), &domain_name, taken);
    }
    let line = reader.line(section.key_span("domain-name").start);
    taken.domains.entry(domain_name.clone()).or_insert(line);
    Distribution {
        id,
        domain_name: domain_name.into(),
        domains,
        behaviors: read_behaviors(section, known),
        default_root_object: read_root_object(section),
        error_pages: read_error_pages(section),
        mutual_tls: read_mutual_tls(section, known.trust_stores, known.https),
        geo_restriction: read_geo_restriction(section, known.geo),
        connection_function: read_connection_function(section, known.functions),
    }
}

fn read_domains(section: &Section<'_>, index: usize, taken: &mut Taken) -> Vec<String> {
    let mut domains: Vec<String> = Vec::new();
    let Some(texts) = section.texts("domains") else {
        if section.get("domains").is_none() {
            section.report_missing("domains", "[\"www.example.com\"]");
        }
        return domains;
    };
    if texts.get_ref().is_empty() || texts.get_ref().len() > MOST_DOMAINS {
        section.reader.report(texts.span(), format!("a distribution has 1 to {MOST_DOMAINS} domains"));
    }
    for text in texts.get_ref() {
        match parse_domain(text.get_ref()) {
            Ok(domain) if domains.contains(&domain) || taken.hosts.insert(&domain, index).is_err() => {
                report_taken(section, text.span(), &domain, taken);
            }
            Ok(domain) => {
                taken.domains.insert(domain.clone(), section.reader.line(text.span().start));
                domains.push(domain);
            }
            Err(why) => {
                section.reader.report(text.span(), format!("wrong domain `{}`: {why}", text.get_ref().escape_debug()));
            }
        }
    }
    domains
}

fn report_taken(section: &Section<'_>, span: Range<usize>, domain: &str, taken: &Taken) {
    let hint = taken.domains.get(domain).map(|line| format!("the other is in line {line}"));
    section.reader.report_with(span, format!("domain `{domain}` is there twice"), hint);
}

fn read_id(section: &Section<'_>, first_domain: &str) -> Arc<str> {
    let Some(text) = section.text("id") else { return derive_id(first_domain) };
    let id = *text.get_ref();
    if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        let message = format!("`{}` is no distribution id", id.escape_debug());
        section.reader.report_hint(text.span(), message, "an id is 1 to 64 letters and digits");
    }
    id.into()
}

/// `E` and 13 characters, the shape of the vendor's ids: FNV-1a of the domain, 5 bits a character. The same domain
/// gives the same id on every node.
fn derive_id(domain: &str) -> Arc<str> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = domain
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let characters = (0..13).map(|i| char::from(ALPHABET[(hash >> (5 * i) & 31) as usize]));
    std::iter::once('E').chain(characters).collect::<String>().into()
}

fn read_root_object(section: &Section<'_>) -> Option<String> {
    let text = section.text("default-root-object")?;
    let name = *text.get_ref();
    // `InvalidDefaultRootObject`, `cdn-behaviour.md` section 3. The characters are those of a path (RFC 3986).
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/%".contains(c);
    let problem = if name.is_empty() || name.len() > 255 {
        "it has 1 to 255 characters".to_owned()
    } else if name.starts_with('/') {
        "it begins without `/`".to_owned()
    } else if let Some(wrong) = name.chars().find(|c| !plain(*c)) {
        format!("it cannot have the character `{wrong}`")
    } else {
        return Some(name.to_owned());
    };
    let message = format!("wrong default root object `{}`: {problem}", name.escape_debug());
    section.reader.report_hint(text.span(), message, "write the name of an object, such as \"index.html\"");
    None
}
