//! An unchanged Node-style handler, where it has been built: `rimward build edge-functions/origin/error-page --install` needs npm.

use rimward_event::BodyChange;
use rimward_event::lambda::Outcome;
use rimward_sandbox::Spec;
use rimward_types::{Hook, ResponseHead};

use crate::support::{event, head, publish, repository, sandbox};

fn component() -> Option<Vec<u8>> {
    std::fs::read(repository("edge-functions/origin/error-page/function.wasm")).ok()
}

#[tokio::test]
async fn an_unchanged_node_handler_replaces_error_pages() {
    let Some(component) = component() else {
        assert!(std::env::var_os("RIMWARD_REQUIRE_TOOLS").is_none(), "the component was to be built before");
        eprintln!(
            "skipped: no JavaScript component; rimward build edge-functions/origin/error-page --install makes one"
        );
        return;
    };
    let function = publish(&sandbox(), Spec::new("error-page", component)).await;
    for (status, replaced) in [(200, false), (404, true), (403, false), (503, true)] {
        let request = head("/missing");
        let mut response = ResponseHead::new(http::StatusCode::from_u16(status).unwrap());
        response.headers.insert("etag", http::HeaderValue::from_static("\"1\""));
        let mut event = event(Hook::OriginResponse, &request);
        event.response = Some(&response);
        let invocation = function.invoke(&event).await;
        let Ok(Outcome::Response(head, body)) = &invocation.result else { panic!("{invocation:?}") };
        assert_eq!(head.status.as_u16(), status);
        match body {
            BodyChange::Replace(page) => {
                assert!(replaced);
                assert!(String::from_utf8_lossy(page).contains(&format!("Status {status}")));
                assert!(!head.headers.contains_key("etag"));
                let line = &invocation.logs[0];
                assert!(line.contains("\tINFO\treplacing") && line.contains(&invocation.id), "{line}");
            }
            BodyChange::Keep => assert!(!replaced && invocation.logs.is_empty(), "{:?}", invocation.logs),
        }
    }
}
