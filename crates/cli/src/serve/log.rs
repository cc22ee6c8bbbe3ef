//! The process's own log, and the logs of requests and connections.

use crate::exit::Stop;
use crate::print;
use rimward_config::AccessLog as To;
use rimward_telemetry::{Line, Log};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Variable with the filter.
const VARIABLE: &str = "RIMWARD_LOG";
/// How long the last lines of a log may take.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Logs to standard error from now on.
pub fn start() {
    let filter = match EnvFilter::try_from_env(VARIABLE) {
        Ok(filter) => filter,
        Err(error) => {
            if std::env::var_os(VARIABLE).is_some() {
                print::warning(&format!("{VARIABLE} is no filter, so that `info` counts: {error}"));
            }
            EnvFilter::new("info")
        }
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(print::stderr().is_on());
    // Fails only when there is one already.
    let _ = log.with_writer(io::stderr).try_init();
}

/// Opens a log; `what` is its name for messages.
///
/// # Errors
/// When its file cannot be opened.
pub fn open<R: Line>(what: &str, to: &To) -> Result<(Log<R>, Written), Stop> {
    let (done, waiting) = mpsc::channel();
    let log = match to {
        To::Off => Log::off(),
        To::Stdout => Log::writer(Writer { writer: Box::new(io::stdout()), _done: done }),
        To::Stderr => Log::writer(Writer { writer: Box::new(io::stderr()), _done: done }),
        To::File(path) => {
            let failed = |error| Stop::failed(format!("cannot write the {what} {}: {error}", path.display()));
            let path = path.clone();
            let open = move || {
                let file = OpenOptions::new().create(true).append(true).mode(FILE_MODE).open(&path)?;
                Ok(Box::new(Writer { writer: Box::new(file), _done: done.clone() }) as Box<dyn Write + Send>)
            };
            Log::opening(open).map_err(failed)?
        }
    };
    Ok((log, Written(waiting)))
}

/// Addresses of viewers and their queries are nothing for everybody on the machine.
const FILE_MODE: u32 = 0o640;

/// Says by being dropped that nothing more is written.
struct Writer {
    writer: Box<dyn Write + Send>,
    _done: Sender<()>,
}

/// The end of a log.
pub struct Written(Receiver<()>);

impl Written {
    /// Waits until all lines are written. All holders of the log must be gone, or the wait is in vain, and short.
    pub fn wait(self) {
        // Nothing is ever sent: it ends when the writer is dropped.
        let _ = self.0.recv_timeout(LAST_LINES);
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rimward_telemetry::Record;

    #[test]
    fn the_wait_ends_when_the_last_line_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (log, written) = open::<Record>("access log", &To::File(folder.path().join("access.log"))).unwrap();
        drop(log);
        assert_eq!(written.0.recv_timeout(LAST_LINES), Err(mpsc::RecvTimeoutError::Disconnected));
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(open::<Record>("access log", &To::File(folder.path().to_owned())).is_err());
    }
}
