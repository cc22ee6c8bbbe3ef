//! What a function is told of where it runs: environment variables and the context object.

use parking_lot::Mutex;
use rimward_types::{Entropy, Timestamp};

use crate::logging::Logging;
use crate::publish::{PublishError, Spec};

/// All names and values together (`lambda-at-edge.md` section 14.2).
const LIMIT: usize = 4096;

/// Who the function is, in the words of the vendor.
#[derive(Debug)]
pub(crate) struct Identity {
    /// On replicas the name carries the home region (`lambda-at-edge.md` section 4).
    pub(crate) function_name: String,
    pub(crate) version: String,
    pub(crate) memory_mb: u32,
    logging: Logging,
    /// The members of the context object that are the same in each invocation, as JSON.
    context: String,
    log_group: String,
    log_stream: String,
}

impl Identity {
    pub(crate) fn new(spec: &Spec, region: &str, now: Timestamp, entropy: &dyn Entropy) -> Self {
        let function_name = format!("{region}.{}", spec.name);
        let mut stream = [0; 16];
        entropy.fill(&mut stream);
        let mut log_stream = format!("{}/[{}]", &now.iso8601()[..10].replace('-', "/"), spec.version);
        hex(&mut log_stream, &stream);
        let log_group = format!("/aws/lambda/{function_name}");
        let memory_mb = u32::try_from(spec.memory.as_u64() >> 20).unwrap_or(u32::MAX);
        let context = serde_json::json!({
            "functionName": function_name,
            "functionVersion": *spec.version,
            "invokedFunctionArn": format!("arn:aws:lambda:{region}:000000000000:function:{}:{}", spec.name, spec.version),
            // A string in Node and in Python.
            "memoryLimitInMB": memory_mb.to_string(),
            "logGroupName": log_group,
            "logStreamName": log_stream,
        });
        Self {
            context: context.to_string(),
            log_group,
            log_stream,
            function_name,
            version: spec.version.to_string(),
            logging: spec.logging,
            memory_mb,
        }
    }

    /// The context object (`lambda-at-edge.md` section 4) with what a shim needs for its methods.
    /// `client_context` is JSON; edge calls have none.
    pub(crate) fn context_json(
        &self,
        invocation_id: &str,
        deadline: Timestamp,
        client_context: Option<&str>,
    ) -> String {
        // The invocation's own members behind those that never change.
        let mut text = String::with_capacity(self.context.len() + 128);
        text.push_str(self.context.trim_end_matches('}'));
        text.push_str(",\"awsRequestId\":");
        text.push_str(&serde_json::Value::from(invocation_id).to_string());
        text.push_str(",\"deadlineMs\":");
        text.push_str(&deadline.as_millis().to_string());
        if let Some(value) = client_context.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok()) {
            text.push_str(",\"clientContext\":");
            text.push_str(&value.to_string());
        }
        text.push('}');
        text
    }

    /// The reserved variables (`lambda-at-edge.md` section 11.2), without credentials, which nobody issues here, and
    /// then the configured ones.
    pub(crate) fn environment(&self, configured: &[(String, String)], region: &str) -> Vec<(String, String)> {
        let reserved = [
            ("_HANDLER", "index.handler"),
            ("AWS_REGION", region),
            ("AWS_DEFAULT_REGION", region),
            ("AWS_EXECUTION_ENV", "Rimward_wasm"),
            ("AWS_LAMBDA_FUNCTION_NAME", &self.function_name),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &self.memory_mb.to_string()),
            ("AWS_LAMBDA_FUNCTION_VERSION", &self.version),
            ("AWS_LAMBDA_LOG_GROUP_NAME", &self.log_group),
            ("AWS_LAMBDA_LOG_STREAM_NAME", &self.log_stream),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("LAMBDA_TASK_ROOT", "/var/task"),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
            ("LANG", "en_US.UTF-8"),
            ("TZ", ":UTC"),
        ];
        // The vendor's runtimes write JSON where this says so, and text where it is not there.
        let json = match self.logging {
            Logging::Text => [None, None],
            Logging::Json { application, .. } => {
                [Some(("AWS_LAMBDA_LOG_FORMAT", "JSON")), Some(("AWS_LAMBDA_LOG_LEVEL", application.as_str()))]
            }
        };
        let free = |name: &str| !configured.iter().any(|(own, _)| own == name);
        let reserved = reserved.into_iter().chain(json.into_iter().flatten()).filter(|(name, _)| free(name));
        reserved.map(|(name, value)| (name.to_owned(), value.to_owned())).chain(configured.to_vec()).collect()
    }
}

/// Checks the configured variables (`lambda-at-edge.md` sections 11.2 and 14.2).
pub(crate) fn check(configured: &[(String, String)]) -> Result<(), PublishError> {
    let mut total = 0;
    for (name, value) in configured {
        let mut characters = name.chars();
        let well_formed = name.len() >= 2
            && characters.next().is_some_and(|c| c.is_ascii_alphabetic())
            && characters.all(|c| c.is_ascii_alphanumeric() || c == '_');
        let reserved = name.starts_with("AWS_") || name.starts_with("LAMBDA_");
        if !well_formed || reserved || value.contains('\0') {
            return Err(PublishError::Environment(name.clone()));
        }
        total += name.len() + value.len();
    }
    if total > LIMIT {
        return Err(PublishError::Limit(format!("environment has {total} bytes; at most {LIMIT} are allowed")));
    }
    Ok(())
}

/// Makes ids of invocations. Randomness is fetched for 64 of them at a time: a system call per call would cost as much
/// as everything else about an id.
#[derive(Default)]
pub(crate) struct Ids(Mutex<Vec<[u8; 16]>>);

impl Ids {
    /// A random UUID (RFC 9562 section 5.4).
    pub(crate) fn next(&self, entropy: &dyn Entropy) -> String {
        let mut stock = self.0.lock();
        if stock.is_empty() {
            let mut bytes = [0; 1024];
            entropy.fill(&mut bytes);
            stock.extend(bytes.as_chunks().0);
        }
        let bytes = stock.pop().unwrap_or_default();
        drop(stock);
        uuid(bytes)
    }
}

fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, part) in [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].iter().enumerate() {
        if index > 0 {
            text.push('-');
        }
        hex(&mut text, part);
    }
    text
}

fn hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use rimward_types::{ByteSize, SeededEntropy};

    fn identity() -> Identity {
        let mut spec = Spec::new("resize", b"".to_vec());
        spec.memory = ByteSize::mb(256);
        spec.version = "7".into();
        Identity::new(&spec, "us-east-1", Timestamp::from_secs(1_768_525_323), &SeededEntropy::new(1))
    }

    #[test]
    fn an_invocation_id_is_a_random_uuid() {
        let (ids, entropy) = (Ids::default(), SeededEntropy::new(7));
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let id = ids.next(&entropy);
            assert_eq!(id.len(), 36);
            assert_eq!(id.as_bytes()[14], b'4');
            assert!(b"89ab".contains(&id.as_bytes()[19]));
            assert!(seen.insert(id));
        }
    }

    /// lambda-at-edge.md 4.
    #[test]
    fn the_context_has_the_fields_of_section_4() {
        let text = identity().context_json("0d3b", Timestamp::from_millis(5), None);
        let context: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(context["functionName"], "us-east-1.resize");
        assert_eq!(context["functionVersion"], "7");
        assert_eq!(context["memoryLimitInMB"], "256");
        assert_eq!(context["awsRequestId"], "0d3b");
        assert_eq!(context["deadlineMs"], 5);
        assert!(context["invokedFunctionArn"].as_str().unwrap().ends_with(":resize:7"));
        let stream = context["logStreamName"].as_str().unwrap();
        assert!(stream.starts_with("2026/01/16/[7]") && stream.len() == 14 + 32, "{stream}");
    }

    /// lambda-at-edge.md 11.2 and 14.2.
    #[test]
    fn reserved_and_malformed_names_are_refused() {
        for name in ["AWS_REGION", "LAMBDA_X", "A", "1A", "A-B", "", "ÄÖ", "A B"] {
            assert!(check(&[(name.to_owned(), "x".to_owned())]).is_err(), "{name}");
        }
        assert!(check(&[("QUALITY".to_owned(), "80".to_owned())]).is_ok());
        assert!(check(&[("QUALITY".to_owned(), "x".repeat(LIMIT))]).is_err());
    }

    /// lambda-at-edge.md 11.2.
    #[test]
    fn configured_variables_join_the_reserved_ones() {
        let environment = identity().environment(&[("TZ".to_owned(), "Europe/Paris".to_owned())], "us-east-1");
        let values = |name: &str| environment.iter().filter(|(n, _)| n == name).map(|(_, v)| &**v).collect::<Vec<_>>();
        assert_eq!(values("TZ"), ["Europe/Paris"]);
        assert_eq!(values("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), ["256"]);
        assert_eq!(values("AWS_LAMBDA_FUNCTION_VERSION"), ["7"]);
        assert!(values("AWS_LAMBDA_LOG_FORMAT").is_empty());
    }
}
