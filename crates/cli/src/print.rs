//! What people read: colours, numbers, excerpts of code. Data for programs is printed where it is made.

mod excerpt;
mod number;
mod paint;

pub use excerpt::excerpt;
pub use number::{bytes, counted, grouped, time};
pub use paint::{stderr, stdout};

use std::io::{self, Write};
use std::sync::mpsc;
use std::time::Duration;

/// How long something may take before people are told what they wait for.
const PATIENCE: Duration = Duration::from_millis(400);

/// Prints a problem and how to mend it on standard error. `message` may have more lines, with place and excerpt.
pub fn problem(message: &str, hint: Option<&str>) {
    let hint = hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    report(&format!("error: {message}{hint}"));
}

/// Prints something that does not stop the command on standard error.
pub fn warning(message: &str) {
    report(&format!("warning: {message}"));
}

/// Prints a report that has its own `error:` and `hint:`.
pub fn report(text: &str) {
    say(&stderr().report(text));
}

/// Prints a line on standard error. A closed standard error stops nobody.
pub fn say(line: &str) {
    let _nobody_reads = writeln!(io::stderr().lock(), "{line}");
}

/// Prints a line on standard output. A reader that has left (`| head`) stops nobody.
pub fn data(line: &str) {
    let _nobody_reads = writeln!(io::stdout().lock(), "{line}");
}

/// Does `work`, and says `waiting_for` on standard error when it takes long.
pub fn patiently<T>(waiting_for: &str, work: impl FnOnce() -> T) -> T {
    let (done, waiting) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if waiting.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                say(waiting_for);
            }
        });
        let result = work();
        drop(done);
        result
    })
}
