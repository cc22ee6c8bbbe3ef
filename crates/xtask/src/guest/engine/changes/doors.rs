//! What is made public, and the texts of errors where the vendor's engine has known ones (`cloudfront-functions.md` section 18).

use super::Change;

pub(super) const DOORS: &[Change] = &[
    // Names made public want documentation; this is not the place for it.
    (
        "src/lib.rs",
        "#![doc = include_str!(\"../ABOUT.md\")]",
        "#![allow(warnings)]\n#![doc = include_str!(\"../ABOUT.md\")]",
    ),
    ("src/object/mod.rs", "pub(crate) mod internal_methods;", "pub mod internal_methods;"),
    ("src/object/internal_methods/mod.rs", "pub(crate) ", "pub "),
    ("src/object/shape/mod.rs", "pub(crate) mod shared_shape;", "pub mod shared_shape;"),
    ("src/object/shape/shared_shape/mod.rs", "pub(crate) mod template;", "pub mod template;"),
    ("src/object/shape/shared_shape/mod.rs", "pub(crate) fn to_addr_usize", "pub fn to_addr_usize"),
    ("src/object/mod.rs", "    pub(crate) extensible: bool,", "    pub extensible: bool,"),
    ("src/object/property_map.rs", "    pub(crate) storage: ObjectStorage,", "    pub storage: ObjectStorage,"),
    ("src/object/shape/shared_shape/template.rs", "pub(crate) ", "pub "),
    (
        "src/vm/opcode/get/property.rs",
        "    let object = object.base_class(context)?;",
        "    let object = object.base_class(context).map_err(|_| {
        let name = &context.vm.frame().code_block().ic[usize::from(index)].name;
        let name = name.to_std_string_escaped();
        let text = format!(\"cannot get property \\\"{name}\\\" of {}\", object.display());
        crate::JsNativeError::typ().with_message(text)
    })?;",
    ),
    (
        "src/vm/opcode/get/property.rs",
        "    let object = base.base_class(context)?;\n    let key_value = key_value.to_property_key(context)?;",
        "    let found = base.base_class(context);
    let key_value = key_value.to_property_key(context)?;
    let object = found.map_err(|_| {
        let text = format!(\"cannot get property \\\"{key_value}\\\" of {}\", base.display());
        crate::JsNativeError::typ().with_message(text)
    })?;",
    ),
    ("src/vm/opcode/get/name.rs", "{name} is not defined", "\\\"{name}\\\" is not defined"),
    (
        "src/vm/opcode/set/property.rs",
        "let object = value_object.to_object(context)?;",
        "let object = value_object.to_object(context).map_err(|_| nothing_to_set(&value_object))?;",
    ),
    (
        "src/vm/opcode/set/property.rs",
        "        let object = object.to_object(context)?;",
        "        let object = object.to_object(context).map_err(|_| nothing_to_set(&object))?;",
    ),
    (
        "src/vm/opcode/set/property.rs",
        "\nfn ",
        "
fn nothing_to_set(value: &JsValue) -> crate::JsNativeError {
    let text = format!(\"property set on primitive {} type\", value.display());
    crate::JsNativeError::typ().with_message(text)
}

fn ",
    ),
    (
        "src/vm/opcode/set/name.rs",
        "\"cannot mutate an immutable binding '{}'\",\n                name.to_std_string_escaped()",
        "\"assignment to constant variable\"",
    ),
    ("src/builtins/uri/mod.rs", "\"trying to encode an invalid string\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"invalid escape character found\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"invalid hexadecimal digit found\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"invalid escaped character found\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"non-terminated escape character found\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"escape characters must be preceded with a % sign\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"invalid UTF-8 encoding found\"", MALFORMED_URI),
];

const MALFORMED_URI: &str = "\"malformed URI\"";
