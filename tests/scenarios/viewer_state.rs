//! Each request meets a function as it was published (`cloudfront-functions.md` section 1: clean state).

use rimward_tests::TestNode;

#[tokio::test]
async fn what_is_written_to_globals_and_prototypes_is_gone_in_the_next_request() {
    let node = TestNode::with_function(
        "var count = 0; const kept = { n: 0 };\n\
         function handler(event) {\n\
           count++; kept.n++;\n\
           globalThis.leak = (globalThis.leak || 0) + 1;\n\
           Array.prototype.leak = (Array.prototype.leak || 0) + 1;\n\
           Object.prototype.leaked = ({}).leaked === undefined ? 1 : 2;\n\
           return { statusCode: 200, body: [count, kept.n, globalThis.leak, [].leak, ({}).leaked].join(',') };\n\
         }",
    )
    .await;
    for _ in 0..50 {
        assert_eq!(node.get("/").await.body, "1,1,1,1,1");
    }
}

#[tokio::test]
async fn time_stands_still_and_randomness_differs_between_requests() {
    let node = TestNode::with_function(
        "function handler(event) {\n\
           var t = Date.now(); for (var i = 0; i < 200; i++) { Math.sqrt(i); }\n\
           return { statusCode: 200, body: (Date.now() - t) + ' ' + t + ' ' + Math.random() };\n\
         }",
    )
    .await;
    let first = node.get("/").await.body;
    let second = node.get("/").await.body;
    assert!(first.starts_with("0 1800000000000 "), "{first}");
    assert_ne!(first, second);
    node.advance(5);
    assert!(node.get("/").await.body.starts_with("0 1800000005000 "));
}

#[tokio::test]
async fn functions_on_one_thread_do_not_see_each_other() {
    let config = "[origins.app]\nurl = \"builtin:demo\"\n[functions.a]\ncode = \"a.js\"\n[functions.b]\ncode = \"b.js\"\n\
                  [[distributions]]\ndomains = [\"*\"]\n\
                  [[distributions.behaviors]]\npath = \"/a\"\norigin = \"app\"\nviewer-request = \"a\"\n\
                  [[distributions.behaviors]]\npath = \"*\"\norigin = \"app\"\nviewer-request = \"b\"\n";
    let code = |name: &str| {
        format!(
            "function handler(e) {{ var seen = globalThis.mine; globalThis.mine = '{name}'; \
             return {{ statusCode: 200, body: '{name} ' + seen }}; }}"
        )
    };
    let (a, b) = (code("a"), code("b"));
    let node = TestNode::start(config, &[("a.js", a.as_bytes()), ("b.js", b.as_bytes())]).await;
    for _ in 0..20 {
        assert_eq!(node.get("/a").await.body, "a undefined");
        assert_eq!(node.get("/b").await.body, "b undefined");
    }
}
