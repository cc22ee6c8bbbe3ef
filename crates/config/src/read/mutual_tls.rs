//! `[trust-stores.NAME]` and `mutual-tls`.

use super::functions::Functions;
use super::names::{check_name, report_unknown};
use super::section::Section;
use crate::{CodeKind, FunctionKind, MutualTls, MutualTlsMode, TrustStore};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use toml::de::DeValue;

/// Files with revocation lists of a trust store.
const MOST_LISTS: usize = 16;

/// Trust stores by name; `None` for those that are wrong.
pub(super) type TrustStores = BTreeMap<Arc<str>, Option<Arc<TrustStore>>>;

pub(super) fn read_trust_stores(file: &Section<'_>) -> TrustStores {
    let mut stores = TrustStores::new();
    for (name, value) in file.named("trust-stores") {
        check_name(file.reader, "trust store", &name);
        let called = format!("[trust-stores.{}]", name.get_ref());
        let name: Arc<str> = (*name.get_ref()).into();
        let section = Section::of_value(file.reader, called, value, &["authorities", "revocations"]);
        let store = section.and_then(|section| read_trust_store(&section, Arc::clone(&name)));
        stores.insert(name, store.map(Arc::new));
    }
    stores
}

fn read_trust_store(section: &Section<'_>, name: Arc<str>) -> Option<TrustStore> {
    if section.get("authorities").is_none() {
        section.report_missing("authorities", "\"authorities.pem\"");
    }
    let authorities = section.file("authorities");
    Some(TrustStore { name, revocations: read_revocations(section), authorities: authorities? })
}

fn read_revocations(section: &Section<'_>) -> Vec<PathBuf> {
    let Some(texts) = section.texts("revocations") else { return Vec::new() };
    if texts.get_ref().len() > MOST_LISTS {
        section.reader.report(texts.span(), format!("`revocations` has at most {MOST_LISTS} files"));
    }
    texts.get_ref().iter().filter_map(|text| section.file_at(text)).collect()
}

/// `mutual-tls` of a distribution. `https`: whether the node has listeners for HTTPS.
pub(super) fn read_mutual_tls(distribution: &Section<'_>, stores: &TrustStores, https: bool) -> Option<MutualTls> {
    let keys = ["trust-store", "mode", "ignore-expiry", "advertise-names"];
    let value = distribution.get("mutual-tls")?;
    if let DeValue::String(_) = value.get_ref() {
        let hint = "write `mutual-tls = { trust-store = \"NAME\", mode = \"required\" }`";
        distribution.reader.report_hint(value.span(), "`mutual-tls` must be a table, not a string", hint);
        return None;
    }
    let section = distribution.section("mutual-tls", "mutual-tls", &keys)?;
    if !https {
        let hint = "add `[node.tls]` with `listen` and `certificates`";
        section.reader.report_hint(distribution.key_span("mutual-tls"), "mutual TLS needs a listener for HTTPS", hint);
    }
    let modes = [("required", MutualTlsMode::Required), ("optional", MutualTlsMode::Optional)];
    let mode = section.choice("mode", &modes).unwrap_or_default();
    let ignore_expiry = section.flag("ignore-expiry").unwrap_or(false);
    let advertise_names = section.flag("advertise-names").unwrap_or(false);
    let name = section.required_text("trust-store", "\"partners\"")?;
    let Some(trust_store) = stores.get(*name.get_ref()) else {
        report_unknown(section.reader, "trust store", "trust-stores", &name, stores.keys().map(AsRef::as_ref));
        return None;
    };
    Some(MutualTls { trust_store: trust_store.clone()?, mode, ignore_expiry, advertise_names })
}

/// `connection-function` of a distribution: the name of a function of connections.
pub(super) fn read_connection_function(distribution: &Section<'_>, functions: &Functions) -> Option<Arc<str>> {
    const KEY: &str = "connection-function";
    let name = distribution.text(KEY)?;
    if distribution.get("mutual-tls").is_none() {
        let message =
            "`connection-function` needs `mutual-tls`: it runs for connections over which viewers show certificates";
        distribution.reader.report_hint(distribution.key_span(KEY), message, "add `mutual-tls`");
    }
    let Some((key, function)) = functions.get_key_value(*name.get_ref()) else {
        report_unknown(distribution.reader, "function", "functions", &name, functions.keys().map(AsRef::as_ref));
        return None;
    };
    match function.as_ref().map(|function| &function.kind) {
        Some(FunctionKind::Viewer(function)) if function.kind == CodeKind::Connection => {}
        // What is wrong with it was said there.
        None => {}
        Some(_) => {
            let hint = format!(
                "set `kind = \"connection\"` in `[functions.{key}]`, whose code has `connectionHandler(connection)`"
            );
            distribution.reader.report_hint(name.span(), format!("`{key}` is no function of connections"), hint);
        }
    }
    Some(Arc::clone(key))
}
