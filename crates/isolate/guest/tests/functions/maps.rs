//! The maps of an event look like ordinary objects (`cloudfront-functions.md` sections 3.1 and 3.2).

use rimward_wire::{
    event::{Event, Pair, Request},
    reply::{Field, Query, Reply, Value},
};

use crate::harness::Function;

fn event() -> Event<'static> {
    let pair = |name, value| Pair { name, value };
    Event {
        request: Request {
            method: "GET",
            uri: "/",
            query: Some("b=1&7=x&a=2&b=3"),
            headers: vec![pair("host", "example.com"), pair("accept", "a"), pair("x-größe", "é"), pair("2", "two")],
            cookies: vec![],
        },
        ..Event::default()
    }
}

/// What an expression over `h` (headers) and `q` (query string) gives, as text.
fn eval(expression: &str) -> String {
    let source = format!(
        "function handler(event) {{
            var h = event.request.headers, q = event.request.querystring;
            try {{ return {{statusCode: 200, body: String({expression})}} }} catch (e) {{ return {{statusCode: 200, body: String(e)}} }}
        }}"
    );
    Function::new(&source).body(&event())
}

/// Names and values of the headers after a statement; `None` when they are as they were.
fn headers_after(statement: &str) -> Option<Vec<(String, Vec<String>)>> {
    let source =
        format!("function handler(event) {{ var h = event.request.headers; {statement}; return event.request }}");
    let bytes = Function::new(&source).reply(&event());
    let Reply::Request { headers, .. } = Reply::read(&bytes).unwrap() else { panic!("{statement}") };
    let owned = |f: Field<'_>| (f.name.to_owned(), f.values.iter().map(|v| v.text.to_owned()).collect());
    Some(headers?.into_iter().map(owned).collect())
}

#[test]
fn keys_come_in_the_order_of_the_message() {
    assert_eq!(eval("Object.keys(h)"), "host,accept,x-größe,2");
    assert_eq!(eval("Object.keys(q)"), "b,7,a");
    assert_eq!(eval("(() => { var k = []; for (var n in q) k.push(n); return k })()"), "b,7,a");
    assert_eq!(
        eval("(() => { q.n = {value: ''}; delete q[7]; q['1'] = {value: ''}; return Object.keys(q) })()"),
        "b,a,n,1"
    );
}

#[test]
fn entries_are_found_by_every_kind_of_name() {
    assert_eq!(
        eval("[h.host.value, h['x-größe'].value, h[2].value, h['2'].value, q[7].value].join()"),
        "example.com,é,two,two,x"
    );
    assert_eq!(eval("h.host === h.host && h === event.request.headers"), "true");
    assert_eq!(eval("[h.none, h['no-ne'], h[3]].every(v => v === undefined)"), "true");
    assert_eq!(eval("['host' in h, 'none' in h, 7 in q, 'toString' in h].join()"), "true,false,true,true");
    assert_eq!(
        eval(
            "[h.hasOwnProperty('host'), Object.prototype.hasOwnProperty.call(q, '7'), h.hasOwnProperty('none')].join()"
        ),
        "true,true,false"
    );
}

#[test]
fn a_map_is_an_object_like_any_other() {
    assert_eq!(
        eval("Object.prototype.toString.call(h) + typeof h + (Object.getPrototypeOf(h) === Object.prototype)"),
        "[object Object]objecttrue"
    );
    assert_eq!(
        eval("JSON.stringify(Object.getOwnPropertyDescriptor(h, 'host'))"),
        r#"{"value":{"value":"example.com"},"writable":true,"enumerable":true,"configurable":true}"#
    );
    assert_eq!(eval("JSON.stringify(Object.assign({}, q)) === JSON.stringify({...q})"), "true");
    assert_eq!(
        eval("Object.entries(h).map(([n, v]) => n + '=' + v.value).join()"),
        "host=example.com,accept=a,x-größe=é,2=two"
    );
    assert_eq!(
        eval("(() => { delete h.host; return [h.host, 'host' in h, Object.keys(h).length].join() })()"),
        ",false,3"
    );
    assert_eq!(eval("(() => { h.host.value = 'n'; return JSON.parse(JSON.stringify(h)).host.value })()"), "n");
}

#[test]
fn freezing_and_defining_work() {
    assert_eq!(eval("(() => { Object.freeze(h); h.host = 1 })()"), "TypeError: cannot set non-writable property: host");
    assert_eq!(
        eval("(() => { Object.freeze(h); return [Object.isFrozen(h), h.host.value, Object.keys(h).length].join() })()"),
        "true,example.com,4"
    );
    assert_eq!(
        eval("(() => { Object.defineProperty(h, 'host', {get: () => 5}); return h.host + Object.keys(h).length })()"),
        "9"
    );
    assert_eq!(
        eval("(() => { Object.defineProperty(h, 'x', {value: 1}); return [h.x, Object.keys(h).length].join() })()"),
        "1,4"
    );
    assert_eq!(eval("(() => { Object.defineProperty(h, 'host', {value: {value: 'z'}}); return h.host.value })()"), "z");
    assert_eq!(eval("(() => { h[Symbol.iterator] = 1; return Object.keys(h).length + h[Symbol.iterator] })()"), "5");
}

/// The engine remembers where properties lie; it must not for these maps.
#[test]
fn nothing_is_remembered_from_one_map_to_the_next() {
    let read = "function f(m) { return m.constructor } f({}); f({});";
    assert_eq!(eval(&format!("(() => {{ {read} h.constructor = {{value: 'own'}}; return f(h).value }})()")), "own");
    assert_eq!(eval(&format!("(() => {{ {read} f(h); f(h); h.constructor = 1; return f(h) }})()")), "1");
    assert_eq!(
        eval(
            "(() => { function w(m, v) { m.x = v } var o = {}; w(o, 1); w(h, 2); w(o, 3); w(h, 4); return [o.x, h.x].join() })()"
        ),
        "3,4"
    );
}

#[test]
fn what_was_only_looked_at_is_unchanged() {
    for look in [
        "h.host.value",
        "JSON.stringify(h)",
        "for (var n in h) h[n].value",
        "h.host = h.host",
        "h.host.value += ''",
        "h.none; delete h.none",
    ] {
        assert_eq!(headers_after(look), None, "{look}");
    }
}

#[test]
fn changes_of_every_kind_are_seen() {
    let all = [("host", "example.com"), ("accept", "a"), ("x-größe", "é"), ("2", "two")];
    let expected = |list: &[(&str, &str)]| {
        Some(list.iter().map(|(n, v)| ((*n).to_owned(), vec![(*v).to_owned()])).collect::<Vec<_>>())
    };
    let with = |more: (&'static str, &'static str)| expected(&[&all[..], &[more]].concat());
    assert_eq!(headers_after("h.x = {value: '1'}"), with(("x", "1")));
    assert_eq!(headers_after("Object.defineProperty(h, 'x', {value: {value: '1'}})"), with(("x", "1")));
    assert_eq!(headers_after("delete h.accept"), expected(&[all[0], all[2], all[3]]));
    assert_eq!(headers_after("delete h.accept; h.accept = {value: 'a'}"), expected(&[all[0], all[2], all[3], all[1]]));
    assert_eq!(headers_after("Object.freeze(h)"), expected(&all));
    assert_eq!(headers_after("event.request.headers = {...h}"), expected(&all));
    assert_eq!(headers_after("event.request.headers = event.request.cookies"), Some(vec![]));
    assert_eq!(headers_after("var o = h.host; delete h.host; h.host = o; h.x = {value: ''}").map(|h| h.len()), Some(5));
}

#[test]
fn a_map_may_be_used_in_the_place_of_another() {
    let source = "function handler(e) { var r = e.request; r.querystring = r.headers; r.headers = {host: r.headers.host}; return r }";
    let bytes = Function::new(source).reply(&event());
    let Reply::Request { query: Query::Fields(query), headers: Some(headers), .. } = Reply::read(&bytes).unwrap()
    else {
        panic!()
    };
    assert_eq!(query.iter().map(|f| f.name).collect::<Vec<_>>(), ["host", "accept", "x-größe", "2"]);
    assert_eq!(headers, [Field { name: "host", values: vec![Value { text: "example.com", attributes: None }] }]);
}
