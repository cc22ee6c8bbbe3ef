//! What the configuration only points at: the secrets of a function, and the certificates that an origin function trusts. Both
//! are read when the function is published; when they changed, a reload publishes it again.

use rimward_config::{LogFormat, LogLevel, OriginFunction, SecretSource};
use rimward_sandbox::{
    CertificateDer, Grant, Level, Logging, NetworkLimits, Secrets, Spec, Validation, authorities_from_pem,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

/// Values from outside of the configuration.
pub(crate) struct Given {
    secrets: Vec<(String, String)>,
    ca: Option<Vec<u8>>,
}

/// Reads secrets. An error names the place and never the value.
pub(crate) fn secrets(sources: &BTreeMap<String, SecretSource>) -> Result<Vec<(String, String)>, String> {
    let secret = |(name, source): (&String, &SecretSource)| match source {
        SecretSource::Environment(variable) => match std::env::var(variable) {
            Ok(value) => Ok((name.clone(), value)),
            Err(std::env::VarError::NotPresent) => {
                Err(format!("secret `{name}`: the node's environment has no `{variable}`"))
            }
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(format!("secret `{name}`: the variable `{variable}` is not UTF-8"))
            }
        },
        SecretSource::File(path) => match fs::read_to_string(path) {
            Ok(mut text) => {
                // Editors and `echo` end a file with a line end that is not part of the secret.
                let end = text.trim_end_matches(['\n', '\r']).len();
                text.truncate(end);
                Ok((name.clone(), text))
            }
            Err(error) => Err(format!("secret `{name}`: {} cannot be read: {error}", path.display())),
        },
    };
    sources.iter().map(secret).collect()
}

impl Given {
    /// Reads what `spec` points at. An error names the place and never the value.
    pub(crate) fn read(spec: &OriginFunction) -> Result<Self, String> {
        let ca = match &spec.network_ca {
            Some(path) => Some(fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?),
            None => None,
        };
        Ok(Self { secrets: secrets(&spec.secrets)?, ca })
    }

    /// Tells other values from these.
    pub(crate) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for part in
            self.secrets.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]).chain(self.ca.as_deref())
        {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        digest.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// What the sandbox publishes for the function `name`.
    pub(crate) fn spec(self, name: &str, settings: &OriginFunction, component: Vec<u8>) -> Result<Spec, String> {
        Ok(Spec {
            memory: settings.memory,
            timeout: settings.timeout,
            network: settings.network.iter().map(|g| Grant { host: g.host.clone(), port: g.port }).collect(),
            network_limits: NetworkLimits {
                calls: settings.network_limits.calls,
                bytes: settings.network_limits.bytes,
                time: settings.network_limits.time,
            },
            authorities: self.authorities()?,
            secrets: Secrets::new(self.secrets),
            environment: settings.environment.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
            tmp: settings.tmp,
            concurrency: settings.concurrency,
            fresh: settings.fresh,
            validation: match settings.validation {
                rimward_config::Validation::Strict => Validation::Strict,
                rimward_config::Validation::Warn => Validation::Warn,
            },
            logging: logging(settings),
            ..Spec::new(name, component)
        })
    }

    /// The certificates, or what is wrong with their file.
    fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        self.ca.as_deref().map_or(Ok(Vec::new()), authorities_from_pem).map_err(|why| format!("`network-ca`: {why}"))
    }
}

fn logging(settings: &OriginFunction) -> Logging {
    let level = |level| match level {
        LogLevel::Trace => Level::Trace,
        LogLevel::Debug => Level::Debug,
        LogLevel::Info => Level::Info,
        LogLevel::Warn => Level::Warn,
        LogLevel::Error => Level::Error,
        LogLevel::Fatal => Level::Fatal,
    };
    match settings.log_format {
        LogFormat::Text => Logging::Text,
        LogFormat::Json => {
            Logging::Json { application: level(settings.log_level), system: level(settings.system_log_level) }
        }
    }
}

/// What the sandbox publishes for an origin function of the configuration.
///
/// # Errors
/// What it points at and cannot be read.
pub fn origin_spec(name: &str, settings: &OriginFunction, component: Vec<u8>) -> Result<Spec, String> {
    Given::read(settings)?.spec(name, settings, component)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::path::PathBuf;

    fn spec(secret: SecretSource) -> OriginFunction {
        let mut spec = OriginFunction::new(PathBuf::from("function.wasm"));
        spec.secrets.insert("TOKEN".to_owned(), secret);
        spec
    }

    #[test]
    fn a_secret_is_read_from_a_file_without_its_line_end_and_tells_versions_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            Given::read(&spec(SecretSource::File(path.clone()))).unwrap()
        };
        let one = read("hunter2\n");
        assert_eq!(one.secrets, [("TOKEN".to_owned(), "hunter2".to_owned())]);
        assert_eq!(one.digest(), read("hunter2\r\n").digest());
        assert_ne!(one.digest(), read("hunter3\n").digest());
        assert!(!one.digest().contains("hunter2"));
    }

    #[test]
    fn a_secret_that_is_not_there_is_named() {
        let missing = |source| Given::read(&spec(source)).err().unwrap();
        assert_eq!(
            missing(SecretSource::Environment("RIMWARD_NO_SUCH_VARIABLE".to_owned())),
            "secret `TOKEN`: the node's environment has no `RIMWARD_NO_SUCH_VARIABLE`"
        );
        let told = missing(SecretSource::File("/nowhere/token".into()));
        assert!(told.starts_with("secret `TOKEN`: /nowhere/token cannot be read: "), "{told}");
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let mut spec = OriginFunction::new(PathBuf::from("function.wasm"));
        spec.network_ca = Some(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into());
        let told = Given::read(&spec).unwrap().authorities().unwrap_err();
        assert!(told.starts_with("`network-ca`: "), "{told}");
    }
}
