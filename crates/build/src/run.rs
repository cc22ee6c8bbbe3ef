//! Starting the tools of a language.

use crate::problem::{Failure, Problem};
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that a tool may take.
const LIMIT: Duration = Duration::from_secs(15 * 60);
/// The most that is kept of what a tool says, from its end.
const MAX_OUTPUT: usize = 256 << 10;
const POLL: Duration = Duration::from_millis(20);

/// What a tool said.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// The end of what it said about an error, for people.
    pub(crate) fn last_words(&self) -> String {
        let said = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let lines: Vec<&str> = said.trim().lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

/// Runs a command to its end without standard input, and takes what it says.
pub(crate) fn run(command: &mut Command) -> Result<Output, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |error| Failure::one(Problem::tools(format!("{name}: does not start: {error}")));
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let stdout = child.stdout.take().map(|pipe| thread::spawn(|| tail(pipe)));
    let stderr = child.stderr.take().map(|pipe| thread::spawn(|| tail(pipe)));
    let status = wait(&mut child, &name)?;
    let text = |reader: Option<thread::JoinHandle<String>>| reader.and_then(|r| r.join().ok()).unwrap_or_default();
    Ok(Output { status, stdout: text(stdout), stderr: text(stderr) })
}

fn wait(child: &mut Child, name: &str) -> Result<ExitStatus, Failure> {
    let failed = |error| Failure::one(Problem::tools(format!("{name}: {error}")));
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(status);
        }
        if started.elapsed() > LIMIT {
            child.kill().and_then(|()| child.wait()).map_err(failed)?;
            let message = format!("{name} was stopped: it took longer than {} minutes", LIMIT.as_secs() / 60);
            return Err(Problem::tools(message).into());
        }
        thread::sleep(POLL);
    }
}

/// Reads to the end and keeps the last part.
fn tail(mut pipe: impl Read) -> String {
    let mut kept = Vec::new();
    let mut chunk = [0; 8192];
    while let Ok(read @ 1..) = pipe.read(&mut chunk) {
        kept.extend_from_slice(&chunk[..read]);
        if kept.len() > 2 * MAX_OUTPUT {
            kept.drain(..kept.len() - MAX_OUTPUT);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}
