//! Runs the binary in a folder of its own.

use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A folder with files, in which the binary runs.
pub struct Folder(TempDir);

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The binary. Compiled engines are kept for all tests and runs.
pub fn rimward() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rimward"));
    command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")).env_remove("RIMWARD_LOG");
    command
}

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With a file; folders on its way are made.
    pub fn with(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        self.write(name, text);
        self
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// With a text on standard input.
    pub fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let mut command = rimward();
        command.args(args).current_dir(self.0.path()).env("XDG_STATE_HOME", self.path("kept"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read its input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "{text:?} is not in\n{}", self.stderr);
        self
    }

    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "{text:?} is not in\n{}", self.stdout);
        self
    }
}

/// A viewer-request event.
pub fn viewer_request(uri: &str) -> String {
    json!({
        "version": "1.0",
        "context": { "eventType": "viewer-request", "requestId": "id" },
        "viewer": { "ip": "198.51.100.7" },
        "request": {
            "method": "GET", "uri": uri, "querystring": {}, "cookies": {},
            "headers": { "host": { "value": "www.example.com" } },
        },
    })
    .to_string()
}

/// A viewer function that puts `x` into the URI.
pub const PREFIX: &str = "function handler(event) {\n  var request = event.request;\n  console.log('at ' + request.uri);\n  request.uri = '/x' + request.uri;\n  return request;\n}\n";

/// A key set with the public key of RFC 8037, appendix A.1.
pub const KEY_SET: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
