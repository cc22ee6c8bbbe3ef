//! When module scope runs (`lambda-at-edge.md` section 11.1): what an instance starts with.

use super::{build, invoke, ran, tools, viewer_request};
use crate::support::{Folder, rimward};

/// Section 11.1: top-level `await` counts as init.
#[test]
fn a_javascript_module_may_wait_at_its_top_level() {
    let Some(_) = tools() else { return };
    let folder = Folder::new()
        .with("package.json", r#"{"type":"module"}"#)
        .with("table.js", "export const table = await Promise.resolve({ '/old': '/new' });\nexport default 5;\n")
        .with(
            "index.js",
            "import five, { table } from './table.js';\n\
             const waited = await new Promise((resolve) => setTimeout(() => resolve(process.env.TZ), 1));\n\
             export const handler = async (event) => ({\n\
             \x20 status: '200', body: `${table[event.Records[0].cf.request.uri]} ${five} ${waited}` });\n",
        );
    let out = folder.path("out.wasm");
    build(&folder.path("index.js"), &out).expect(0);
    let answer = invoke(&out, &viewer_request("d", "/old", "", &[]));
    assert_eq!(answer["output"]["response"]["body"], "/new 5 :UTC", "{answer}");
}

#[test]
fn module_scope_that_fails_when_an_instance_starts_is_told_with_type_and_message() {
    let Some(_) = tools() else { return };
    for (file, code, said) in [
        (
            "lambda_function.py",
            "import os\n\nTABLE = os.environ['TABLE']\n\n\ndef lambda_handler(event, context):\n    return event\n",
            "the function does not start: KeyError: 'TABLE'",
        ),
        (
            "index.mjs",
            "const table = await Promise.reject(new RangeError('no table'));\nexport const handler = async () => table;\n",
            "the function does not start: RangeError: no table",
        ),
    ] {
        let folder = Folder::new().with(file, code).with("event.json", viewer_request("d", "/", "", &[]).to_string());
        let out = folder.path("out.wasm");
        build(&folder.path(file), &out).expect(0);
        let mut command = rimward();
        command.args(["invoke", "--component"]).arg(&out).arg("--event").arg(folder.path("event.json"));
        let failed = ran(&mut command);
        assert!(failed.code != 0 && failed.stderr.contains(said), "{failed:?}");
    }
}
