//! Secrets of a function: it asks for them by name (`rimward:edge/secrets`), and they stand nowhere else.
//!
//! They are read when the function is published and live in the node's memory alone. The function's log is searched for
//! them: what it prints by mistake is struck out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::host::Host;
use crate::publish::PublishError;

/// Secrets of one function.
const COUNT: usize = 64;
/// Bytes of one secret; certificates and keys fit.
const LENGTH: usize = 64 << 10;
/// A secret that is shorter is not searched for: it would strike out half of the log.
const STRUCK_OUT: usize = 6;

/// A function's secrets by name. `Debug` shows the names alone.
#[derive(Clone, Default)]
pub struct Secrets(Arc<BTreeMap<String, String>>);

impl Secrets {
    /// These secrets.
    pub fn new(secrets: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(Arc::new(secrets.into_iter().collect()))
    }

    /// Checks their number and lengths.
    pub(crate) fn check(&self) -> Result<(), PublishError> {
        if self.0.len() > COUNT {
            let message = format!("it has {} secrets; at most {COUNT} are allowed", self.0.len());
            return Err(PublishError::Limit(message));
        }
        match self.0.iter().find(|(_, value)| value.len() > LENGTH) {
            None => Ok(()),
            Some((name, value)) => Err(PublishError::Limit(format!(
                "secret `{name}` has {} bytes; at most {LENGTH} are allowed",
                value.len()
            ))),
        }
    }

    /// Strikes out what the function should not have printed.
    pub(crate) fn strike_out(&self, line: &mut String) {
        for (name, value) in self.0.iter().filter(|(_, value)| value.len() >= STRUCK_OUT) {
            // A secret of several lines is in the log line by line.
            for part in value.lines().filter(|part| part.len() >= STRUCK_OUT) {
                if line.contains(part) {
                    *line = line.replace(part, &format!("[secret {name}]"));
                }
            }
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl crate::bindings::secrets::Host for Host {
    fn get(&mut self, name: String) -> Option<String> {
        self.secrets.0.get(&name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let secrets = [("TOKEN", "hunter2-hunter2"), ("PIN", "1234"), ("KEY", "-----BEGIN KEY-----\nabcdef")];
        Secrets::new(secrets.map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    #[test]
    fn secrets_are_struck_out_of_a_log() {
        for (line, struck) in [
            ("token=hunter2-hunter2;", "token=[secret TOKEN];"),
            ("abcdef", "[secret KEY]"),
            ("order 12345", "order 12345"),
        ] {
            let mut line = line.to_owned();
            secrets().strike_out(&mut line);
            assert_eq!(line, struck);
        }
    }

    #[test]
    fn a_debug_text_has_names_and_no_values() {
        assert_eq!(format!("{:?}", secrets()), r#"{"KEY", "PIN", "TOKEN"}"#);
    }

    #[test]
    fn too_many_and_too_long_ones_are_refused_without_being_shown() {
        assert!(secrets().check().is_ok());
        let many = (0..=COUNT).map(|n| (format!("S{n}"), String::new()));
        assert!(Secrets::new(many).check().is_err());
        let error = Secrets::new([("LONG".to_owned(), "x".repeat(LENGTH + 1))]).check().err().map(|e| e.to_string());
        assert_eq!(error.as_deref(), Some("secret `LONG` has 65537 bytes; at most 65536 are allowed"));
    }
}
