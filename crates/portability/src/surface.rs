//! The names that the two runtimes have (`cloudfront-functions.md` sections 10.3 to 10.5 and 11).

use rimward_config::Runtime;

/// A module, or the global that is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Module {
    CloudFront,
    Crypto,
    QueryString,
    Buffer,
    /// The module `buffer`, which has the global `Buffer` as a member.
    Buffers,
}

impl Module {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "cloudfront" => Module::CloudFront,
            "crypto" => Module::Crypto,
            "querystring" => Module::QueryString,
            "buffer" => Module::Buffers,
            _ => return None,
        })
    }

    /// Whether the runtime has it.
    pub(crate) fn is_in(self, runtime: Runtime) -> bool {
        runtime == Runtime::V2 || matches!(self, Module::Crypto | Module::QueryString)
    }

    /// How people write it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Module::CloudFront => "cloudfront",
            Module::Crypto => "crypto",
            Module::QueryString => "querystring",
            Module::Buffer => "Buffer",
            Module::Buffers => "buffer",
        }
    }

    /// What it has.
    pub(crate) fn members(self) -> &'static [&'static str] {
        match self {
            Module::CloudFront => &[
                "kvs",
                "updateRequestOrigin",
                "selectRequestOriginById",
                "createRequestOriginGroup",
                "edgeLocation",
                "distributionTenant",
                "cwt",
            ],
            Module::Crypto => &["createHash", "createHmac"],
            Module::QueryString => &["parse", "decode", "stringify", "encode", "escape", "unescape"],
            Module::Buffer => &[
                "alloc",
                "allocUnsafe",
                "byteLength",
                "compare",
                "concat",
                "from",
                "isBuffer",
                "isEncoding",
                "prototype",
                "name",
                "length",
            ],
            Module::Buffers => &["Buffer"],
        }
    }
}

/// What `cf.kvs()` gives (section 11.1).
pub(crate) const STORE: [&str; 3] = ["get", "exists", "meta"];

/// Globals of both runtimes.
const GLOBALS: &[&str] = &[
    "globalThis",
    "undefined",
    "NaN",
    "Infinity",
    "decodeURI",
    "decodeURIComponent",
    "encodeURI",
    "encodeURIComponent",
    "isFinite",
    "isNaN",
    "parseFloat",
    "parseInt",
    "arguments",
    "console",
    "require",
    "Object",
    "String",
    "Number",
    "Boolean",
    "Math",
    "Date",
    "Function",
    "RegExp",
    "JSON",
    "Array",
    "ArrayBuffer",
    "Int8Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "Int16Array",
    "Uint16Array",
    "Int32Array",
    "Uint32Array",
    "Float32Array",
    "Float64Array",
    "Promise",
    "TextEncoder",
    "TextDecoder",
    "Error",
    "EvalError",
    "InternalError",
    "MemoryError",
    "RangeError",
    "ReferenceError",
    "SyntaxError",
    "TypeError",
    "URIError",
];

/// Globals that 2.0 adds.
const GLOBALS_V2: &[&str] = &["Buffer", "DataView", "Symbol", "AggregateError", "atob", "btoa"];

/// Whether the runtime has the global.
pub(crate) fn has_global(name: &str, runtime: Runtime) -> bool {
    GLOBALS.contains(&name) || runtime == Runtime::V2 && GLOBALS_V2.contains(&name)
}

/// What both runtimes have on a built-in, and what 2.0 adds; `None` for one that is not looked at.
pub(crate) fn has_static(object: &str, member: &str, runtime: Runtime) -> Option<bool> {
    let (both, second): (&[&str], &[&str]) = match object {
        "Object" => (
            &[
                "create",
                "defineProperty",
                "defineProperties",
                "freeze",
                "getOwnPropertyDescriptor",
                "getOwnPropertyNames",
                "getPrototypeOf",
                "isExtensible",
                "isFrozen",
                "isSealed",
                "keys",
                "preventExtensions",
                "seal",
                "assign",
                "is",
                "entries",
                "values",
                "setPrototypeOf",
            ],
            &["getOwnPropertyDescriptors", "getOwnPropertySymbols"],
        ),
        "String" => (
            &["fromCharCode", "fromCodePoint"],
            // Static, and in 1.0 alone: see below.
            &[],
        ),
        "Number" => (&["isFinite", "isInteger", "isNaN", "isSafeInteger", "parseInt", "parseFloat"], &[]),
        "JSON" => (&["parse", "stringify"], &[]),
        "Date" => (&["now", "parse", "UTC"], &[]),
        "Array" => (&["isArray", "of"], &["from"]),
        "ArrayBuffer" => (&["isView"], &[]),
        "Promise" => (&["resolve", "reject"], &["all", "allSettled", "any", "race"]),
        "Symbol" => (&[], &["for", "keyFor"]),
        "console" => (&["log"], &[]),
        "Math" => (
            &[
                "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "clz32", "cos",
                "cosh", "exp", "expm1", "floor", "fround", "hypot", "imul", "log", "log10", "log1p", "log2", "max",
                "min", "pow", "random", "round", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
            ],
            &[],
        ),
        "Int8Array" | "Uint8Array" | "Uint8ClampedArray" | "Int16Array" | "Uint16Array" | "Int32Array"
        | "Uint32Array" | "Float32Array" | "Float64Array" => (&[], &["from", "of"]),
        _ => return None,
    };
    let v1_only = object == "String" && member == "bytesFrom" && runtime == Runtime::V1;
    // Every function has these.
    let inherited = matches!(member, "call" | "apply" | "bind" | "toString" | "hasOwnProperty");
    Some(both.contains(&member) || v1_only || inherited || runtime == Runtime::V2 && second.contains(&member))
}

/// Methods of ECMAScript's prototypes that no object of either runtime has (section 10.3), with what to write instead.
const METHODS_OF_NEITHER: &[(&str, &str)] = &[
    ("at", "use an index: `list[list.length - 1]`"),
    ("flat", "use `concat` with `apply`: `[].concat.apply([], lists)`"),
    ("flatMap", "use `map`, then `[].concat.apply([], lists)`"),
    ("findLast", "go through the list from its end"),
    ("findLastIndex", "go through the list from its end"),
    ("matchAll", "call `exec` of a regular expression with the flag `g` in a loop"),
    ("normalize", "there is no Unicode normalisation"),
    ("localeCompare", "compare with `<` and `>`"),
    ("toLocaleUpperCase", "use `toUpperCase`"),
    ("toLocaleLowerCase", "use `toLowerCase`"),
    ("isWellFormed", "there is no such method"),
    ("toWellFormed", "there is no such method"),
];

/// Methods that 2.0 has and 1.0 has not.
const METHODS_OF_V2: &[(&str, &str)] = &[
    ("replaceAll", "use `split(a).join(b)`, or `replace` with a regular expression and the flag `g`"),
    ("toSorted", "use `slice().sort()`"),
    ("toReversed", "use `slice().reverse()`"),
    ("toSpliced", "use `slice()` and `splice`"),
];

/// Methods for byte strings that 1.0 has and 2.0 has not.
const METHODS_OF_V1: &[(&str, &str)] = &[
    ("fromBytes", "use `Buffer`"),
    ("fromUTF8", "use `Buffer`"),
    ("toBytes", "use `Buffer`"),
    ("toUTF8", "use `Buffer`"),
];

/// What to do about a method that no object of the runtime has; `None` for one that some object has.
pub(crate) fn absent_method(name: &str, runtime: Runtime) -> Option<&'static str> {
    let other = match runtime {
        Runtime::V1 => METHODS_OF_V2,
        Runtime::V2 => METHODS_OF_V1,
    };
    METHODS_OF_NEITHER.iter().chain(other).find(|(method, _)| *method == name).map(|(_, instead)| *instead)
}
