//! Calls that go too deep: a `RangeError` that can be caught, or a rejected promise, whatever the last call is.

use super::harness::eval_with;

/// `each(f)`: what `f` gives, or throws, at every depth around the limit; each text once, from the shallow to the deep.
const EACH: &str = "
    function at(depth, f) { return depth > 0 ? at(depth - 1, f) : f(); }
    async function each(f) {
        var seen = new Set();
        for (var depth = 340; depth < 410; depth++) {
            try { seen.add(String(await at(depth, f))); } catch (e) { seen.add(String(e)); }
        }
        return Array.from(seen).join();
    }
    async function plain() { return 1; }
    async function awaits() { return await 1; }
    async function calls() { return await plain(); }
    async function fails() { throw 1; }
    function* one() { yield 1; }
    function* delegates() { yield* one(); }
    async function* later() { yield 1; }
    async function* laterDelegates() { yield* later(); }
    async function* waits() { yield await plain(); }
    async function* returns() { return 1; }
    var value = result => result.value;
";

#[test]
fn too_deep_is_a_range_error_in_everything_asynchronous() {
    for f in [
        "plain",
        "awaits",
        "calls",
        "() => fails().catch(e => e)",
        "() => new Promise(resolve => resolve(1))",
        "() => new Promise((_, reject) => reject(1)).catch(e => e)",
        "() => Promise.resolve(1).then(x => x)",
        "() => Promise.all([1, plain()]).then(all => all[1])",
        "() => Promise.race([plain()])",
        "() => Promise.resolve({ then(resolve) { resolve(1); } })",
        "() => one().next().value",
        "() => Array.from(one())[0]",
        "() => { for (var x of one()) { return x; } }",
        "() => delegates().next().value",
        "() => one().return(1).value",
        "() => later().next().then(value)",
        "() => laterDelegates().next().then(value)",
        "() => waits().next().then(value)",
        "() => returns().next().then(value)",
        "() => later().return(1).then(value)",
        "() => later().throw(1).catch(e => e)",
        "async () => { for await (var x of [1]) { return x; } }",
        "async () => { for await (var x of later()) { return x; } }",
        "() => import('querystring').then(() => 1)",
    ] {
        assert_eq!(eval_with(EACH, &format!("each({f})")), "1,RangeError: Maximum call stack size exceeded", "{f}");
    }
}

#[test]
fn recursion_through_promises_and_generators_ends() {
    for (top, expression) in [
        ("async function f() { return await f(); }", "f()"),
        ("async function f() { await 0; return at(300, at300); } var at300 = () => at(300, () => 1);", "f()"),
        ("async function* f() { yield* f(); }", "f().next()"),
        ("async function* f() { for await (var x of f()) { yield x; } }", "f().next()"),
        ("function* f() { yield* f(); }", "f().next()"),
        (
            "function* chain(inner) { yield* inner; }",
            "(() => { var g = []; for (var i = 0; i < 5000; i++) { g = chain(g); } return g.next(); })()",
        ),
        ("function f() { return new Promise(resolve => resolve(f())); }", "f()"),
    ] {
        let top = format!("{EACH}{top}");
        assert_eq!(eval_with(&top, expression), "RangeError: Maximum call stack size exceeded", "{top}");
    }
}

/// ECMAScript 7.1.1.1 knows no guard: an object may be converted within its own conversion.
#[test]
fn conversions_to_primitive_values_may_recurse() {
    let too_deep = "RangeError: Maximum call stack size exceeded";
    for (expression, expected) in [
        (
            "(() => { var d = 0, o = { toString() { d++; return d < 3 ? 'a' + o : 'z'; } }; return String(o); })()",
            "aaz",
        ),
        (
            "(() => { var d = 0, o = { toString() { d++; return d < 3 ? `a${o}` : 'z'; } }; return String(o); })()",
            "aaz",
        ),
        ("(() => { var d = 0, o = { valueOf() { d++; return d < 4 ? 1 + +o : 1; } }; return +o; })()", "4"),
        ("(() => { var o = { toString() { return String(o); } }; return String(o); })()", too_deep),
        ("(() => { var o = { toString: String.prototype.trim }; return String(o); })()", too_deep),
        ("(() => { var a = []; for (var i = 0; i < 20000; i++) { a = [a]; } return String(a); })()", too_deep),
        ("(() => { var a = []; for (var i = 0; i < 100; i++) { a = [a, i]; } return String(a).length; })()", "290"),
    ] {
        assert_eq!(eval_with("", expression), expected, "{expression}");
    }
}

#[test]
fn an_array_within_itself_is_joined_as_nothing() {
    for (expression, expected) in [
        ("(() => { var a = [1]; a[1] = a; return String(a); })()", "1,"),
        ("(() => { var a = [1, [2]]; a[1].push(a, 3); return a.join('-'); })()", "1-2,,3"),
        ("(() => { var b = [1], a = [b, b, {}]; return a.join('-'); })()", "1-1-[object Object]"),
        (
            "(() => { var a = [{ toString() { throw 1; } }, 2]; try { a.join(); } catch (e) { a[0] = { toString() { return 'x'; } }; } return a.join(); })()",
            "x,2",
        ),
    ] {
        assert_eq!(eval_with("", expression), expected, "{expression}");
    }
}
