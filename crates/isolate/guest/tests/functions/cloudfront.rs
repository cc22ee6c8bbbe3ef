//! Module `cloudfront` (`cloudfront-functions.md` section 11.1).

use rimward_wire::{abi::Loaded, event::Event};

use crate::harness::{Function, TERMS, eval_with};

fn eval(expression: &str) -> String {
    eval_with("import cf from 'cloudfront'; const kvs = cf.kvs('id');", expression)
}

#[test]
fn values_come_as_text_json_or_bytes() {
    assert_eq!(eval("kvs.get('greeting')"), "hello");
    assert_eq!(eval("kvs.get('umlaut', {format: 'string'})"), "größe");
    assert_eq!(eval("kvs.get('flags', {format: 'json'}).then(v => v.n + 1)"), "4");
    assert_eq!(eval("kvs.get('umlaut', {format: 'bytes'}).then(v => Buffer.isBuffer(v) && v.length)"), "7");
    assert_eq!(eval("kvs.get('greeting', {format: 'json'}).catch(e => e.name)"), "SyntaxError");
    assert_eq!(eval("kvs.get('greeting', {format: 'xml'})"), "TypeError: unknown format: \"xml\"");
}

#[test]
fn a_missing_key_rejects_and_names_the_key() {
    assert_eq!(eval("kvs.get('none')"), "Error: key not found: none");
    assert_eq!(eval("(async () => [await kvs.exists('none'), await kvs.exists('flags')].join())()"), "false,true");
}

#[test]
fn meta_tells_dates_and_the_number_of_keys() {
    let expected = concat!(
        r#"{"creationDateTime":"2023-11-14T22:13:20.000Z","#,
        r#""lastUpdatedDateTime":"2023-11-14T22:15:23.456Z","keyCount":3}"#
    );
    assert_eq!(eval("kvs.meta().then(m => JSON.stringify(m))"), expected);
    assert_eq!(eval("[kvs.put, kvs.delete, kvs.list, kvs.count].every(f => f === undefined)"), "true");
}

#[test]
fn without_a_store_kvs_throws() {
    let source = "import cf from 'cloudfront';
        function handler() { try { cf.kvs() } catch (e) { return {statusCode: 200, body: String(e)} } }";
    let (mut function, loaded) = Function::load(source, rimward_guest::engine::Terms { store: false, ..TERMS });
    assert_eq!(loaded, Ok(Loaded::Ready));
    assert_eq!(function.body(&Event::default()), "Error: the function has no key value store");
}
