//! `JSON.parse` (ECMA-262; texts of errors from `cloudfront-functions.md` section 18).

use crate::harness::eval;

fn table(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(eval(expression), *expected, "{expression}");
    }
}

#[test]
fn values_of_every_kind_are_read() {
    table(&[
        (
            r#"JSON.stringify(JSON.parse(' {"a" : [1, -2.5e3, true, false, null, "x"], "b":{}, "c":[] }\n'))"#,
            r#"{"a":[1,-2500,true,false,null,"x"],"b":{},"c":[]}"#,
        ),
        (r#"JSON.parse('"\\u0041\\n\\t\\"\\\\\\/\\u00e9"') === 'A\n\t"\\/é'"#, "true"),
        (r#"JSON.parse('"家\\ud83e\\udd80"')"#, "家🦀"),
        (r#"JSON.parse('"\\ud800"').charCodeAt(0)"#, "55296"),
        ("Object.is(JSON.parse('-0'), -0) && JSON.parse('0') === 0", "true"),
        (
            "JSON.parse('9007199254740993') + ',' + JSON.parse('1e400') + ',' + JSON.parse('123456789012')",
            "9007199254740992,Infinity,123456789012",
        ),
        ("typeof JSON.parse('null') + JSON.parse(true) + JSON.parse(' 7 ')", "objecttrue7"),
    ]);
}

#[test]
fn names_are_names() {
    table(&[
        (r#"JSON.parse('{"a":1,"a":2}').a"#, "2"),
        (r#"Object.keys(JSON.parse('{"b":1,"1":2,"a":3}'))"#, "1,b,a"),
        (
            r#"(() => { const o = JSON.parse('{"__proto__":{"x":1}}'); return Object.keys(o) + o.x })()"#,
            "__proto__undefined",
        ),
    ]);
}

#[test]
fn what_is_no_json_is_refused_with_its_position() {
    let long = "[".repeat(600) + &"]".repeat(600);
    for (text, position) in [
        ("{a}", 1),
        ("[1,]", 3),
        ("01", 1),
        ("1.", 2),
        ("+1", 0),
        ("'a'", 0),
        ("[1 2]", 3),
        ("{\"a\" 1}", 5),
        ("nul", 3),
        ("\"\\x\"", 2),
        ("\"\\u12g4\"", 5),
        ("1 2", 2),
        ("-", 1),
        ("1e", 2),
        ("tru ", 3),
        ("{\"a\":1,}", 7),
        (".5", 0),
    ] {
        let token = if position < text.len() { "Unexpected token" } else { "Unexpected end of input" };
        let literal = format!("{text:?}");
        assert_eq!(
            eval(&format!("JSON.parse({literal})")),
            format!("SyntaxError: {token} at position {position}"),
            "{text}"
        );
    }
    assert_eq!(eval("JSON.parse('')"), "SyntaxError: Unexpected end of input at position 0");
    assert_eq!(eval("JSON.parse('\"a\\nb\"')"), "SyntaxError: Unexpected token at position 2");
    assert_eq!(eval("JSON.parse()"), "SyntaxError: Unexpected token at position 0");
    assert_eq!(eval(&format!("JSON.parse('{long}')")), "RangeError: Maximum call stack size exceeded");
}

#[test]
fn a_reviver_sees_every_value_from_the_leaves_up() {
    table(&[
        (
            r#"JSON.stringify(JSON.parse('{"a":[1,2],"b":3}', (k, v) => typeof v === 'number' ? v * 2 : v))"#,
            r#"{"a":[2,4],"b":6}"#,
        ),
        (
            r#"(() => { const k = []; JSON.parse('{"a":[1],"b":2}', (n, v) => { k.push(n); return v }); return k.join('|') })()"#,
            "0|a|b|",
        ),
        (r#"JSON.stringify(JSON.parse('{"a":1,"b":2}', (k, v) => k === 'a' ? undefined : v))"#, r#"{"b":2}"#),
    ]);
}
