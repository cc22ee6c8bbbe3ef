//! Access keys for buckets: where they come from, and that they are no older than their file.

use parking_lot::Mutex;
use rimward_config::CredentialsSource;
use rimward_types::Timestamp;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How often a file of keys is read again: temporary keys are renewed by whoever writes it, minutes before they expire.
const REFRESH: Duration = Duration::from_secs(60);
/// The largest file of keys.
const FILE_LIMIT: u64 = 1 << 20;

/// Keys to sign with. `Debug` shows the id of the key alone.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl Credentials {
    /// The same, if it can stand in headers.
    fn checked(self) -> Result<Self, String> {
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
        let Self { access_key_id, secret_access_key, session_token } = &self;
        if plain(access_key_id) && plain(secret_access_key) && session_token.as_deref().is_none_or(plain) {
            return Ok(self);
        }
        Err("one of them has a space or a character outside of ASCII".to_owned())
    }
}

/// The keys of all origins, by their source.
#[derive(Default)]
pub(crate) struct Keyring(Mutex<HashMap<CredentialsSource, Kept>>);

struct Kept {
    credentials: Arc<Credentials>,
    /// When it was read, or last tried to.
    read: Timestamp,
}

impl Keyring {
    /// Reads the keys now; they must be there. For each origin of a new configuration.
    pub(crate) fn prepare(&self, source: &CredentialsSource, now: Timestamp) -> Result<(), String> {
        let credentials = Arc::new(read(source)?);
        self.0.lock().insert(source.clone(), Kept { credentials, read: now });
        Ok(())
    }

    /// The keys. A file that was read longer ago than [`REFRESH`] is read again, by one request; the others, and that one
    /// when the file has become unreadable, go on with the keys before.
    pub(crate) async fn get(&self, source: &CredentialsSource, now: Timestamp) -> Result<Arc<Credentials>, String> {
        let due = match self.0.lock().get_mut(source) {
            Some(kept) => {
                let file = matches!(source, CredentialsSource::File { .. });
                if !file || now.since(kept.read) < REFRESH {
                    return Ok(kept.credentials.clone());
                }
                kept.read = now;
                Some(kept.credentials.clone())
            }
            None => None,
        };
        let place = source.clone();
        let read = tokio::task::spawn_blocking(move || read(&place)).await.unwrap_or_else(|why| Err(why.to_string()));
        match (read, due) {
            (Ok(credentials), _) => {
                let credentials = Arc::new(credentials);
                self.0.lock().insert(source.clone(), Kept { credentials: credentials.clone(), read: now });
                Ok(credentials)
            }
            (Err(why), Some(before)) => {
                tracing::warn!("{why}; the keys from before stay in use");
                Ok(before)
            }
            (Err(why), None) => Err(why),
        }
    }
}

fn read(source: &CredentialsSource) -> Result<Credentials, String> {
    match source {
        CredentialsSource::Environment => of_environment(|name| std::env::var(name).ok()),
        CredentialsSource::File { path, profile } => of_file(path, profile),
    }
}

fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Credentials, String> {
    let set = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let needed = |name: &str| {
        let hint = "set it, or name a `credentials-file` in the origin's `s3`";
        set(name).ok_or_else(|| format!("there are no keys to sign with: {name} is not set; {hint}"))
    };
    let credentials = Credentials {
        access_key_id: needed("AWS_ACCESS_KEY_ID")?,
        secret_access_key: needed("AWS_SECRET_ACCESS_KEY")?,
        session_token: set("AWS_SESSION_TOKEN"),
    };
    credentials.checked().map_err(|why| format!("the keys of the environment cannot be used: {why}"))
}

fn of_file(path: &Path, profile: &str) -> Result<Credentials, String> {
    let wrong = |why: &dyn fmt::Display| format!("cannot take keys from {}: {why}", path.display());
    let size = std::fs::metadata(path).map_err(|error| wrong(&error))?.len();
    if size > FILE_LIMIT {
        return Err(wrong(&format!("it has {size} bytes; at most {FILE_LIMIT} are read")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    of_profile(&text, profile).map_err(|why| wrong(&why))
}

/// A section of the AWS tools' `credentials` file. Keys that are not for signing are passed over, and nothing of a line
/// is ever repeated in an error.
fn of_profile(text: &str, profile: &str) -> Result<Credentials, String> {
    let mut inside = None;
    let mut found = HashMap::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            // `[profile NAME]` is how the tools' other file, `config`, has it.
            inside = Some(name.trim().strip_prefix("profile ").unwrap_or(name).trim() == profile);
        } else if inside == Some(true)
            && !line.starts_with(['#', ';'])
            && let Some((key, value)) = line.split_once('=')
        {
            found.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let mut take = |key: &str| found.remove(key).filter(|value| !value.is_empty());
    match (take("aws_access_key_id"), take("aws_secret_access_key")) {
        (Some(access_key_id), Some(secret_access_key)) => {
            Credentials { access_key_id, secret_access_key, session_token: take("aws_session_token") }.checked()
        }
        _ => Err(format!("[{profile}] with `aws_access_key_id` and `aws_secret_access_key` is not there")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn credentials(id: &str, secret: &str, token: Option<&str>) -> Credentials {
        Credentials {
            access_key_id: id.to_owned(),
            secret_access_key: secret.to_owned(),
            session_token: token.map(str::to_owned),
        }
    }

    const FILE: &str = "# keys\n[default]\naws_access_key_id = AKIDEFAULT\naws_secret_access_key=ab/c+d=\n\
                        [ cdn ]\nregion = eu-central-1\nAWS_ACCESS_KEY_ID = AKICDN\n; note\n\
                        aws_secret_access_key = s2\naws_session_token = t2\n[empty]\naws_access_key_id =\n";

    #[test]
    fn a_profile_of_the_tools_file_is_read() {
        assert_eq!(of_profile(FILE, "default"), Ok(credentials("AKIDEFAULT", "ab/c+d=", None)));
        assert_eq!(of_profile(FILE, "cdn"), Ok(credentials("AKICDN", "s2", Some("t2"))));
        let spaced = of_profile("[x]\naws_access_key_id = a b\naws_secret_access_key = s\n", "x").unwrap_err();
        assert!(spaced.contains("a space") && !spaced.contains("a b"), "{spaced}");
        for missing in ["empty", "none", ""] {
            let error = of_profile(FILE, missing).unwrap_err();
            assert!(error.starts_with(&format!("[{missing}] with `aws_access_key_id`")), "{error}");
        }
    }

    #[test]
    fn keys_of_the_environment_are_three_variables() {
        let environment = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" => Some("AKI".to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some("s".to_owned()),
            _ => Some(String::new()),
        };
        assert_eq!(of_environment(environment), Ok(credentials("AKI", "s", None)));
        let error = of_environment(|_| None).unwrap_err();
        assert!(error.contains("AWS_ACCESS_KEY_ID is not set"), "{error}");
    }

    #[test]
    fn no_debug_text_has_a_secret() {
        let shown = format!("{:?}", credentials("AKI", "hidden", Some("token")));
        assert!(shown.contains("AKI") && !shown.contains("hidden") && !shown.contains("token"), "{shown}");
    }

    #[tokio::test]
    async fn renewed_keys_are_used_a_minute_later_and_old_ones_while_the_file_is_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials");
        let write = |id: &str| {
            std::fs::write(&path, format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = s\n")).unwrap();
        };
        let source = CredentialsSource::File { path: path.clone(), profile: "default".to_owned() };
        let ring = Keyring::default();
        let at = Timestamp::from_secs;
        let id = async |now| ring.get(&source, at(now)).await.unwrap().access_key_id.clone();
        write("first");
        ring.prepare(&source, at(0)).unwrap();
        write("second");
        assert_eq!(id(59).await, "first");
        assert_eq!(id(60).await, "second");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(id(120).await, "second");
        assert!(ring.prepare(&source, at(120)).is_err(), "a new configuration does not get by without keys");
    }
}
