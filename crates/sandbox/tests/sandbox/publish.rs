//! What is refused, and how it is said.

use rimward_sandbox::{Compiled, Failure, Mistaken, Options, PublishError, Sandbox, Spec};
use rimward_types::ByteSize;

use crate::hostile::{Guest, component};
use crate::support::{body, options, probe, refusal, sandbox};

#[tokio::test]
async fn what_is_no_component_is_named_for_what_it_is() {
    for (bytes, what) in [
        (wat::parse_str("(module)").unwrap(), Mistaken::CoreModule),
        (b"(component)".to_vec(), Mistaken::Text),
        (b"exports.handler = () => {}".to_vec(), Mistaken::Source),
        (vec![0xff; 64], Mistaken::Unknown),
        (Vec::new(), Mistaken::Empty),
    ] {
        let error = refusal(bytes).await;
        assert!(matches!(error, PublishError::NotAComponent(is) if is == what), "{error}");
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn a_damaged_component_is_invalid() {
    let mut bytes = component(&Guest::default());
    bytes.truncate(bytes.len() / 2);
    assert!(matches!(refusal(bytes).await, PublishError::Invalid(_)));
}

/// lambda-at-edge.md 8.
#[tokio::test]
async fn a_component_past_50_mb_is_not_even_read() {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    bytes.resize((50 << 20) + 1, 0);
    assert!(matches!(refusal(bytes).await, PublishError::TooLarge { .. }));
}

#[tokio::test]
async fn an_import_that_is_not_granted_is_named() {
    for name in ["acme:database/store@1.0.0", "wasi:nn/tensor@0.2.0", "wasi:http/incoming-handler@0.2.0"] {
        let text = format!(
            r#"(component
                (import "{name}" (instance (export "get" (func (param "key" string) (result string))))))"#
        );
        let error = refusal(wat::parse_str(text).unwrap()).await;
        assert!(matches!(&error, PublishError::Import { name: is, .. } if is == name), "{error}");
        assert_eq!(error.to_string(), format!("the component imports `{name}`, which is not granted to functions"));
    }
}

#[tokio::test]
async fn a_component_without_a_handler_says_what_it_exports() {
    let error = refusal(wat::parse_str("(component)").unwrap()).await;
    assert_eq!(error.to_string(), "the component exports no handler; it exports nothing");
    let text = r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f")))
        (instance $run (export "run" (func $f)))
        (export "wasi:cli/run@0.2.0" (instance $run)))"#;
    let error = refusal(wat::parse_str(text).unwrap()).await;
    assert_eq!(error.to_string(), "the component exports no handler; it exports `wasi:cli/run@0.2.0`");
}

#[tokio::test]
async fn a_handler_of_another_type_is_refused() {
    let text = r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f")))
        (instance $lambda (export "invoke" (func $f)))
        (export "rimward:edge/lambda@1.0.0" (instance $lambda)))"#;
    let error = refusal(wat::parse_str(text).unwrap()).await;
    assert!(matches!(error, PublishError::HandlerType(_)), "{error}");
}

/// lambda-at-edge.md 11.1.
#[tokio::test]
async fn a_function_that_does_not_start_is_refused() {
    let error = refusal(component(&Guest { start: "unreachable", ..Guest::default() })).await;
    assert!(matches!(error, PublishError::Start(Failure::Trap(_))), "{error}");
}

/// lambda-at-edge.md 11.2 and 14.2.
#[tokio::test]
async fn reserved_variables_and_limits_out_of_range_are_refused() {
    let sandbox = sandbox();
    let refused = async |change: fn(&mut Spec)| {
        let mut spec = probe();
        change(&mut spec);
        sandbox.publish(spec).await.unwrap_err()
    };
    let error = refused(|spec| spec.environment.push(("AWS_REGION".into(), "x".into()))).await;
    assert!(matches!(error, PublishError::Environment(name) if name == "AWS_REGION"));
    for change in [
        (|spec| spec.memory = ByteSize::kb(64)) as fn(&mut Spec),
        |spec| spec.memory = ByteSize::mb(5000),
        |spec| spec.concurrency = 0,
        |spec| spec.timeout = Some(std::time::Duration::ZERO),
    ] {
        assert!(matches!(refused(change).await, PublishError::Limit(_)));
    }
}

#[tokio::test]
async fn compiled_code_is_used_again_and_made_again_when_it_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Sandbox::start(Options { code_cache: Some(folder.path().to_owned()), ..options() }).unwrap();
    assert_eq!(start().publish(probe()).await.unwrap().compiled(), Compiled::Fresh);
    let again = start();
    assert_eq!(again.publish(probe()).await.unwrap().compiled(), Compiled::Cached);
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&file, bytes).unwrap();
    let function = again.publish(probe()).await.unwrap();
    assert_eq!(function.compiled(), Compiled::Fresh);
    assert_eq!(body(&function, "/calls").await, "1");
    assert_eq!(start().publish(probe()).await.unwrap().compiled(), Compiled::Cached);
}
