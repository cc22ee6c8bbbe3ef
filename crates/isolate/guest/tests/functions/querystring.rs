//! Module `querystring` (`cloudfront-functions.md` section 10.5).

use crate::harness::eval_with;

fn eval(expression: &str) -> String {
    eval_with("const qs = require('querystring');", expression)
}

fn parsed(arguments: &str) -> String {
    eval(&format!("JSON.stringify(qs.parse({arguments}))"))
}

#[test]
fn parse_makes_arrays_of_repeated_keys() {
    assert_eq!(parsed("'name=value&abc=xyz&abc=123'"), r#"{"name":"value","abc":["xyz","123"]}"#);
    assert_eq!(parsed("'a=1&a=2&a=3&b&=c&&d='"), r#"{"a":["1","2","3"],"b":"","":"c","d":""}"#);
    assert_eq!(parsed("''"), "{}");
}

#[test]
fn parse_decodes_and_forgives() {
    assert_eq!(
        parsed("'a=x+y%20z&b=%zz%4&c=%E5%AE%B6&d=%ff'"),
        "{\"a\":\"x y z\",\"b\":\"%zz%4\",\"c\":\"家\",\"d\":\"\u{fffd}\"}"
    );
}

#[test]
fn parse_takes_separators_and_options() {
    assert_eq!(parsed("'a:1;b:2', ';', ':'"), r#"{"a":"1","b":"2"}"#);
    assert_eq!(parsed("'a=1&b=2&c=3', null, null, {maxKeys: 2}"), r#"{"a":"1","b":"2"}"#);
    assert_eq!(parsed("'a=%41', '&', '=', {decodeURIComponent: s => s.toUpperCase() + '!'}"), r#"{"A!":"%41!"}"#);
    let many = "Array.from({length: 1500}, (_, i) => 'k' + i + '=1').join('&')";
    assert_eq!(eval(&format!("Object.keys(qs.parse({many})).length")), "1000");
    assert_eq!(eval(&format!("Object.keys(qs.parse({many}, '&', '=', {{maxKeys: 0}})).length")), "1500");
}

#[test]
fn stringify_is_the_way_back() {
    assert_eq!(eval("qs.stringify({name: 'value', abc: ['xyz', '123']})"), "name=value&abc=xyz&abc=123");
    assert_eq!(eval("qs.stringify({a: null, b: undefined, c: true, d: 1.5, e: {}, f: []})"), "a=&b=&c=true&d=1.5&e=");
    assert_eq!(eval("qs.encode({'ä b': '&='}, ';', ':')"), "%C3%A4%20b:%26%3D");
    assert_eq!(eval("qs.stringify({a: 'b'}, null, null, {encodeURIComponent: s => '<' + s + '>'})"), "<a>=<b>");
    assert_eq!(eval("qs.escape(\"a b-_.!~*'()家\") + qs.unescape('%41+b%')"), "a%20b-_.!~*'()%E5%AE%B6A b%");
}
