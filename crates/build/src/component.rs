//! From a core module to a component, and whether a component keeps the contract.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;
use wit_parser::decoding::{DecodedWasm, decode};

/// The namespace and package of the contract.
const CONTRACT: &str = "rimward:edge/";
const EXPORTS: [&str; 3] = ["lambda", "request-hook", "response-hook"];
/// What modules of wasi-libc import, and the adapter that turns it into WASI 0.2.
const PREVIEW1: &str = "wasi_snapshot_preview1";

/// Makes a component of a core module that has its contract in a custom section, as wit-bindgen leaves it. Imports of
/// WASI 0.1 become ones of 0.2.
///
/// # Errors
/// What is wrong with the module.
pub fn wrap(module: &[u8]) -> Result<Vec<u8>, String> {
    let adapter = wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER;
    let mut encoder = ComponentEncoder::default();
    let component = encoder
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.adapter(PREVIEW1, adapter))
        .and_then(ComponentEncoder::encode)
        .map_err(|error| format!("no component can be made of the module: {error:#}"))?;
    check(&component)?;
    Ok(component)
}

/// Makes a component of a core module that implements `world` of the contract with its exports by hand.
///
/// # Errors
/// What is wrong with the module.
pub fn wrap_as(module: &[u8], world: &str) -> Result<Vec<u8>, String> {
    let mut module = module.to_vec();
    embed(&mut module, world).map_err(|error| format!("the contract does not fit the module: {error}"))?;
    wrap(&module)
}

fn embed(module: &mut Vec<u8>, world: &str) -> Result<(), String> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("edge.wit", crate::CONTRACT).map_err(|error| format!("{error:#}"))?;
    let world = resolve.select_world(&[package], Some(world)).map_err(|error| format!("{error:#}"))?;
    embed_component_metadata(module, &resolve, world, StringEncoding::UTF8, false).map_err(|error| format!("{error:#}"))
}

/// Says whether a component exports a flavour of the contract.
///
/// # Errors
/// What it lacks.
pub fn check(component: &[u8]) -> Result<(), String> {
    // The fourth field of the header tells modules (1) from components.
    if component.get(4..8) == Some(&[1, 0, 0, 0]) {
        return Err("not a component, but a core module".to_owned());
    }
    let decoded = decode(component).map_err(|error| format!("not a component: {error:#}"))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err("a WIT package, not a component".to_owned());
    };
    let mut exports = resolve.worlds[world].exports.keys().map(|key| resolve.name_world_key(key));
    let is_contract = |name: String| {
        let flavour = name.strip_prefix(CONTRACT).and_then(|rest| rest.split('@').next());
        flavour.is_some_and(|flavour| EXPORTS.contains(&flavour))
    };
    if exports.any(is_contract) {
        return Ok(());
    }
    Err(format!("it exports none of {CONTRACT}{{{}}}", EXPORTS.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_without_a_contract_is_refused_with_a_reason() {
        assert!(wrap(b"\0asm\x01\0\0\0").unwrap_err().contains("exports none of rimward:edge/"));
        assert!(wrap(b"garbage").is_err());
        assert!(check(b"\0asm\x01\0\0\0").unwrap_err().contains("not a component"));
    }

    #[test]
    fn a_module_that_lacks_the_export_of_its_world_is_refused() {
        let said = wrap_as(b"\0asm\x01\0\0\0", "lambda-function").unwrap_err();
        assert!(said.contains("rimward:edge/lambda"), "{said}");
    }
}
