//! Section 10.3: what is there in each runtime, asked of the real isolate.

use super::of_runtime;
use rimward_tests::TestNode;

const V1: &str = "cloudfront-js-1.0";
const V2: &str = "cloudfront-js-2.0";

/// A node that answers with those of `names` that are no function, or not there; a name is an expression.
async fn missing(runtime: &str, names: &[String]) -> Vec<String> {
    let tests: Vec<String> = names
        .iter()
        .map(|name| {
            format!("(function () {{ try {{ if (typeof ({name}) !== 'undefined') return; }} catch (e) {{}} out.push({name:?}); }})();")
        })
        .collect();
    let mut missing = Vec::new();
    // Each part stays below the limit of 10 KB.
    for part in tests.chunks(60) {
        let code = format!(
            "function handler() {{ var out = []; {} return {{ statusCode: 200, body: out.join('\\n') }}; }}",
            part.concat()
        );
        let node = of_runtime(runtime, &code).await;
        let answer = node.get("/").await;
        assert_eq!(answer.status(), 200, "{}", node.record());
        missing.extend(answer.body.lines().map(str::to_owned));
    }
    missing
}

fn named(of: &[(&str, &str)]) -> Vec<String> {
    of.iter().flat_map(|(object, names)| names.split_whitespace().map(move |name| format!("{object}.{name}"))).collect()
}

/// Built-ins of both runtimes.
const BOTH: [(&str, &str); 22] = [
    (
        "Object",
        "create defineProperty defineProperties freeze getOwnPropertyDescriptor getOwnPropertyNames getPrototypeOf isExtensible \
         isFrozen isSealed keys preventExtensions seal assign is entries values setPrototypeOf",
    ),
    ("({})", "hasOwnProperty isPrototypeOf propertyIsEnumerable toString valueOf"),
    ("String", "fromCharCode fromCodePoint"),
    (
        "''",
        "charAt codePointAt concat endsWith includes indexOf lastIndexOf match padStart padEnd repeat replace search slice split \
         startsWith substr substring toLowerCase toUpperCase trim trimStart trimEnd charCodeAt",
    ),
    (
        "Number",
        "MAX_VALUE MIN_VALUE NEGATIVE_INFINITY POSITIVE_INFINITY EPSILON MAX_SAFE_INTEGER MIN_SAFE_INTEGER isFinite isInteger isNaN \
         isSafeInteger parseInt parseFloat",
    ),
    ("(1)", "toExponential toFixed toPrecision toString valueOf"),
    (
        "Math",
        "abs acos acosh asin asinh atan atan2 atanh cbrt ceil clz32 cos cosh exp expm1 floor fround hypot imul log log10 log1p log2 max \
         min pow random round sign sin sinh sqrt tan tanh trunc E PI LN2 LN10 LOG2E LOG10E SQRT1_2 SQRT2",
    ),
    ("Date", "now parse UTC"),
    (
        "new Date(0)",
        "getDate getDay getFullYear getHours getMilliseconds getMinutes getMonth getSeconds getTime getTimezoneOffset getUTCDate getUTCDay \
         getUTCFullYear getUTCHours getUTCMilliseconds getUTCMinutes getUTCMonth getUTCSeconds setDate setFullYear setHours \
         setMilliseconds setMinutes setMonth setSeconds setTime setUTCDate setUTCFullYear setUTCHours toISOString toJSON toUTCString \
         toDateString toTimeString toLocaleString toString valueOf",
    ),
    ("(function () {})", "apply bind call"),
    ("/x/g", "exec test toString lastIndex source global ignoreCase multiline"),
    ("JSON", "parse stringify"),
    ("Array", "isArray of"),
    (
        "[]",
        "concat every filter forEach indexOf join lastIndexOf map pop push reduce reduceRight reverse shift slice some sort splice unshift \
         copyWithin fill find findIndex includes",
    ),
    ("new Uint8Array(1)", "copyWithin fill join set slice subarray toString sort buffer byteLength byteOffset length"),
    ("ArrayBuffer", "isView"),
    ("new ArrayBuffer(1)", "slice byteLength"),
    ("Promise", "resolve reject"),
    ("Promise.resolve()", "then catch finally"),
    ("new TextEncoder()", "encode encodeInto"),
    ("new TextDecoder()", "decode encoding fatal ignoreBOM"),
    (
        "globalThis",
        "decodeURI decodeURIComponent encodeURI encodeURIComponent isFinite isNaN parseFloat parseInt NaN Infinity Error EvalError \
         InternalError RangeError ReferenceError SyntaxError TypeError URIError Int8Array Uint8Array Uint8ClampedArray Int16Array \
         Uint16Array Int32Array Uint32Array Float32Array Float64Array console",
    ),
];

/// What came with 2.0.
const SECOND: [(&str, &str); 13] = [
    ("Object", "getOwnPropertyDescriptors"),
    ("''", "replaceAll"),
    ("/x/y", "sticky flags"),
    ("RegExp.prototype", "[Symbol.replace] [Symbol.split]"),
    ("Array", "from"),
    ("[]", "keys values entries toSorted toSpliced toReversed"),
    ("Uint8Array", "from of"),
    (
        "new Uint8Array(1)",
        "every filter find findIndex forEach includes indexOf lastIndexOf map reduce reduceRight reverse some",
    ),
    (
        "new DataView(new ArrayBuffer(8))",
        "getInt8 getInt16 getInt32 getUint8 getUint16 getUint32 getFloat32 getFloat64 setInt8 setInt16 setInt32 setUint8 setUint16 \
         setUint32 setFloat32 setFloat64",
    ),
    ("Promise", "all allSettled any race"),
    ("Symbol", "for keyFor"),
    ("globalThis", "atob btoa Buffer AggregateError"),
    (
        "Buffer",
        "alloc allocUnsafe byteLength compare concat from isBuffer isEncoding prototype.compare prototype.copy prototype.equals \
         prototype.fill prototype.includes prototype.indexOf prototype.lastIndexOf prototype.subarray prototype.swap16 \
         prototype.swap32 prototype.swap64 prototype.toJSON prototype.toString prototype.write prototype.readInt8 \
         prototype.readUInt8 prototype.readInt16BE prototype.readInt16LE prototype.readInt32BE prototype.readInt32LE \
         prototype.readUInt16BE prototype.readUInt16LE prototype.readUInt32BE prototype.readUInt32LE prototype.readIntBE \
         prototype.readIntLE prototype.readUIntBE prototype.readUIntLE prototype.readFloatBE prototype.readFloatLE \
         prototype.readDoubleBE prototype.readDoubleLE prototype.writeInt8 prototype.writeUInt8 prototype.writeInt16BE \
         prototype.writeInt16LE prototype.writeInt32BE prototype.writeInt32LE prototype.writeUInt16BE prototype.writeUInt16LE \
         prototype.writeUInt32BE prototype.writeUInt32LE prototype.writeIntBE prototype.writeIntLE prototype.writeUIntBE \
         prototype.writeUIntLE prototype.writeFloatBE prototype.writeFloatLE prototype.writeDoubleBE prototype.writeDoubleLE",
    ),
];

/// cloudfront-functions.md section 10.3.
#[tokio::test]
async fn every_documented_built_in_is_there() {
    for runtime in [V1, V2] {
        assert_eq!(missing(runtime, &named(&BOTH)).await, [""; 0], "{runtime}");
    }
    let second: Vec<String> = named(&SECOND).iter().map(|name| name.replace(".[", "[")).collect();
    assert_eq!(missing(V2, &second).await, [""; 0]);
}

/// cloudfront-functions.md section 10.3: the non-standard methods of strings are those of 1.0 alone.
#[tokio::test]
async fn each_runtime_has_what_the_other_has_not() {
    let first =
        named(&[("String", "bytesFrom"), ("''", "fromBytes fromUTF8 toBytes toUTF8"), ("globalThis", "MemoryError")]);
    assert_eq!(missing(V1, &first).await, [""; 0]);
    assert_eq!(missing(V2, &first).await, first, "removed");
    let second = named(&[("globalThis", "Buffer atob btoa")]);
    assert_eq!(missing(V1, &second).await, second);
}

/// cloudfront-functions.md sections 10.3 and 10.4: nothing leads outside, and there is no way to yield.
#[tokio::test]
async fn what_leads_outside_or_waits_is_in_neither_runtime() {
    let names = named(&[(
        "globalThis",
        "setTimeout setInterval setImmediate clearTimeout process fetch URL URLSearchParams Intl structuredClone XMLHttpRequest WebSocket \
         SharedArrayBuffer Atomics WebAssembly",
    )]);
    for runtime in [V1, V2] {
        assert_eq!(missing(runtime, &names).await, names, "{runtime}");
    }
}

/// Runs expressions, and gives their values as text.
async fn values(runtime: &str, cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        let code = format!(
            "function handler(event) {{ try {{ return {{ statusCode: 200, body: String({expression}) }}; }} catch (e) {{ return {{ statusCode: 200, body: String(e) }}; }} }}"
        );
        let node: TestNode = of_runtime(runtime, &code).await;
        assert_eq!(node.get("/").await.body, *expected, "{runtime}: {expression}");
    }
}

/// cloudfront-functions.md sections 10.3 and 10.5: byte strings of 1.0, buffers of 2.0.
#[tokio::test]
async fn a_digest_without_encoding_is_a_byte_string_or_a_buffer() {
    let digest = "require('crypto').createHash('sha256').update('abc').digest()";
    let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    values(
        V1,
        &[(&format!("typeof {digest} + {digest}.length"), "string32"), (&format!("{digest}.toString('hex')"), text)],
    )
    .await;
    values(V2, &[(&format!("Buffer.isBuffer({digest})"), "true"), (&format!("{digest}.toString('hex')"), text)]).await;
    values(
        V1,
        &[
            ("String.bytesFrom('w6k=', 'base64').fromUTF8()", "é"),
            ("'é'.toUTF8().length", "2"),
            ("'家'.toBytes()", "null"),
        ],
    )
    .await;
}
