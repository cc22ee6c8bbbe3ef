//! Languages whose compilers are the machine's.

use super::{build, invoke, viewer_request};
use crate::support::Folder;
use serde_json::json;
use std::path::Path;

/// Whether C can be compiled here, with the packages that Debian has for it.
pub(super) fn has_c() -> bool {
    let packages = ["/usr/include/wasm32-wasi/stdio.h", "/usr/bin/clang-22", "/usr/bin/wasm-ld-22"];
    let there = packages.into_iter().all(|file| Path::new(file).exists());
    if !there {
        eprintln!("skipped: no clang with wasi-libc");
    }
    there
}

#[test]
fn a_function_in_c_reads_and_writes_json_of_any_shape() {
    if !has_c() {
        return;
    }
    let code = r#"
        #include <rimward_lambda.h>
        #include <stdlib.h>
        static unsigned calls;
        bool rimward_handle(rimward_text event, rimward_text context, rimward_buffer *result) {
          rimward_text request = rimward_find(event, "Records.0.cf.request");
          if (rimward_is(rimward_find(request, "uri"), "/fails")) {
            rimward_puts(result, "RangeError: on purpose");
            return false;
          }
          rimward_buffer text = {NULL, 0, 0};
          rimward_get_string(rimward_find(request, "headers.x-text.1.value"), &text);
          rimward_puts(result, "{\"status\":\"200\",\"headers\":{\"x-name\":[{\"value\":");
          rimward_put(result, rimward_find(context, "functionName"));
          rimward_puts(result, "}]},\"body\":");
          rimward_put_string(result, (rimward_text){text.at, text.length});
          rimward_puts(result, "}");
          free(text.at);
          calls++;
          return true;
        }
    "#;
    let folder = Folder::new().with("function.c", code);
    let result = build(&folder.path("function.c"), &folder.path("function.wasm")).expect(0).json();
    assert_eq!(result["language"], "c");
    let odd = "a \"quoted\" \\ back\u{e9} {[,]}";
    let event = viewer_request("c", "/", "", &[("x-text", "first"), ("x-text", odd)]);
    let ran = invoke(&folder.path("function.wasm"), &event);
    assert_eq!(ran["output"]["response"]["body"], json!(odd), "{ran}");
    let ran = invoke(&folder.path("function.wasm"), &viewer_request("c", "/fails", "", &[]));
    assert!(ran["error"]["message"].as_str().unwrap().contains("RangeError: on purpose"), "{ran}");
}
