//! `cloudfront-functions.md` sections 10.1 and 10.2.

use super::*;

#[test]
fn section_10_2_syntax_that_both_runtimes_refuse() {
    for runtime in [V1, V2] {
        refused(
            Rule::Syntax,
            runtime,
            &[
                ("var [a] = [1];", "1:5: SyntaxError: Token \"[\" not supported in this version in 1"),
                ("var {a} = {};", "1:5: SyntaxError: Token \"{\" not supported in this version in 1"),
                ("var {a: {b: [c]}} = {};", "1:5: SyntaxError: Token \"{\" not supported in this version in 1"),
                ("function f({a}) {}", "1:12: SyntaxError: Token \"{\" not supported in this version in 1"),
                ("var f = ([a, b]) => a;", "1:10: SyntaxError: Unexpected token \"=>\" in 1"),
                ("var f = ({a}) => a;", "1:10: SyntaxError: Unexpected token \"=>\" in 1"),
                ("var a, b; [a, b] = [b, a];", "1:11: SyntaxError: Token \"[\" not supported in this version in 1"),
                ("function f(a, b = 1) {}", "1:15: SyntaxError: Unexpected token \"=\" in 1"),
                ("var f = (a = 1) => a;", "1:10: SyntaxError: Unexpected token \"=\" in 1"),
                ("Math.max(...[1]);", "1:10: SyntaxError: Token \"...\" not supported in this version in 1"),
                ("var a = [...[1]];", "1:10: SyntaxError: Token \"...\" not supported in this version in 1"),
                ("var a = {...{}};", "1:10: SyntaxError: Token \"...\" not supported in this version in 1"),
                ("var a;\nfor (a of []) {}", "2:1: SyntaxError: Token \"of\" not supported in this version in 2"),
                ("class A {}", "1:1: SyntaxError: Token \"class\" not supported in this version in 1"),
                ("function* f() {}", "1:1: SyntaxError: Token \"*\" not supported in this version in 1"),
                (
                    "function f() { return new.target; }",
                    "1:23: SyntaxError: Token \"new.target\" not supported in this version in 1",
                ),
                ("function t() {} t`a`;", "1:17: SyntaxError: Token \"`\" not supported in this version in 1"),
                ("var a = {}; a?.b;", "1:13: SyntaxError: Unexpected token \".\" in 1"),
                ("var a = {}; a.b?.();", "1:13: SyntaxError: Unexpected token \".\" in 1"),
                ("var a; a ??= 1;", "1:8: SyntaxError: Unexpected token \"=\" in 1"),
                ("var a; a ||= 1;", "1:8: SyntaxError: Unexpected token \"=\" in 1"),
                ("try {} catch {}", "1:8: SyntaxError: Unexpected token \"{\" in 1"),
                ("var a = 10n;", "1:9: SyntaxError: Unexpected token \"n\" in 1"),
                ("var a = /a/u;", "1:9: SyntaxError: Invalid RegExp flags \"u\" in 1"),
                ("var a = /a/s;", "1:9: SyntaxError: Invalid RegExp flags \"s\" in 1"),
                ("var a = import('x');", "1:9: SyntaxError: Token \"import\" not supported in this version in 1"),
            ],
        );
    }
}

#[test]
fn section_10_2_syntax_that_1_0_refuses_and_2_0_takes() {
    let cases = [
        ("let a = 1;", "1:1: SyntaxError: Token \"let\" not supported in this version in 1"),
        ("\n  const a = 1;", "2:3: SyntaxError: Token \"const\" not supported in this version in 2"),
        ("async function f() {}", "1:1: SyntaxError: Token \"async\" not supported in this version in 1"),
        ("var f = async () => 1;", "1:9: SyntaxError: Token \"async\" not supported in this version in 1"),
        ("var a = 1_000;", "1:9: SyntaxError: Unexpected token \"_\" in 1"),
        ("var a = /a/y;", "1:9: SyntaxError: Invalid RegExp flags \"y\" in 1"),
    ];
    refused(Rule::Syntax, V1, &cases);
    accepted(V2, &cases.map(|(code, _)| code));
}

#[test]
fn section_10_2_syntax_that_both_runtimes_take() {
    let cases = [
        "var a = 1; outer: for (var i = 0; i < 2; i++) { for (var k in {}) { continue outer; } }",
        "var f = (a) => a * 2, g = a => `x${a}`; var p = 2 ** 3;",
        "function f(a, ...rest) { return rest.length ?? a; }",
        "var a = 'k', o = { a, [a + 'x']: 1, m() { return 1; }, get g() { return 2; }, };",
        "var r = /(?<year>\\d+)(?<=a)/gim;",
        "switch (1) { case 1: break; default: } do { } while (false); try { } catch (e) { } finally { }",
    ];
    accepted(V1, &cases);
    accepted(V2, &cases);
}

#[test]
fn section_10_2_await_in_arguments_is_refused() {
    let cases = [
        ("async function f(g) { g(await g()); }", "1:25: SyntaxError: await in arguments not supported in 1"),
        ("async function f(g) {\n  g(1, [await g()]);\n}", "2:9: SyntaxError: await in arguments not supported in 2"),
        ("async function f(g) { g('a' + await g()); }", "1:31: SyntaxError: await in arguments not supported in 1"),
        ("async function f(G) { new G(await G()); }", "1:29: SyntaxError: await in arguments not supported in 1"),
        ("var a = await 1;", "1:9: SyntaxError: await is only valid in async functions in 1"),
    ];
    refused(Rule::Syntax, V2, &cases);
    accepted(
        V2,
        &[
            "async function f(g) { return await g(); }",
            "async function f(g) { if (await g()) { return `${await g()}`; } return [await g(), { a: await g() }]; }",
            "async function f(g) { return (await g()).a(1); }",
            "async function f(g) { for (var i = await g(); i < await g(); i++) {} }",
            // The arguments are another function's.
            "function f(g) { g(async function () { await g(); }); g(async () => await g()); }",
        ],
    );
}

#[test]
fn section_10_4_import_and_export() {
    let cases = [
        ("import { createHash } from 'crypto';", "1:10: SyntaxError: Non-default import is not supported in 1"),
        ("import * as c from 'crypto';", "1:8: SyntaxError: Non-default import is not supported in 1"),
        ("export function handler() {}", "1:1: SyntaxError: Illegal export statement in 1"),
        ("function handler() {}\nexport default handler;", "2:1: SyntaxError: Illegal export statement in 2"),
        ("function handler() {}\nexport { handler };", "2:1: SyntaxError: Illegal export statement in 2"),
    ];
    refused(Rule::Syntax, V2, &cases);
    accepted(V2, &["import cf from 'cloudfront'; import q from 'querystring'; import b from 'buffer';"]);
    let text = "1:1: SyntaxError: Token \"import\" not supported in this version in 1";
    refused(Rule::Syntax, V1, &[("import crypto from 'crypto';", text)]);
}

#[test]
fn section_10_2_always_strict() {
    for code in ["var a = 010;", "with ({}) {}", "var a; delete a;", "function f(a, a) {}"] {
        assert_eq!(found(code, V2).len(), 1, "{code}");
        assert_eq!(check(code, V2)[0].rule, Rule::Malformed, "{code}");
    }
}
