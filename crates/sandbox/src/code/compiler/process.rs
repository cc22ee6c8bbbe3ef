//! The parent's side. Blocks: for threads that may.

use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rimward_types::ByteSize;

use super::{CompileFailure, CompileLimits, Compiler, INVALID, Refused};

/// Machine code of one component; that of a Python runtime has about 100 MB.
const OUTPUT: ByteSize = ByteSize::mb(1024);
/// Bytes of the child's complaints that are kept.
const COMPLAINTS: u64 = 16 << 10;
/// How often a child that has said everything is looked at until it is gone.
const REAP: Duration = Duration::from_millis(2);

impl Compiler {
    /// Compiles `component` in a child process.
    pub(in crate::code) fn compile(&self, component: &[u8]) -> Result<Vec<u8>, Refused> {
        let failed = |failure| Err(Refused::Failed(failure));
        let deadline = Instant::now() + self.limits.wall;
        let mut child = match self.command().spawn() {
            Ok(child) => child,
            Err(error) => return failed(CompileFailure::Start(format!("{}: {error}", self.program.display()))),
        };
        let (Some(mut input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return failed(CompileFailure::Start("it has no standard streams".to_owned()));
        };
        thread::scope(|scope| {
            // A child that is gone closes its streams, and these threads end.
            scope.spawn(move || {
                // When it does not take everything, its end says why.
                let _ = input.write_all(component);
            });
            let complaints = scope.spawn(move || {
                let mut text = Vec::new();
                let mut errors = errors;
                let _ = errors.by_ref().take(COMPLAINTS).read_to_end(&mut text);
                let _ = io::copy(&mut errors, &mut io::sink());
                String::from_utf8_lossy(&text).trim().to_owned()
            });
            let (sender, receiver) = mpsc::channel();
            scope.spawn(move || {
                let mut code = Vec::new();
                let read = output.take(OUTPUT.as_u64() + 1).read_to_end(&mut code);
                let _ = sender.send(read.map(|_| code));
            });
            let code = match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Ok(code)) if code.len() as u64 > OUTPUT.as_u64() => Err(CompileFailure::Output(OUTPUT)),
                Ok(Ok(code)) => Ok(code),
                Ok(Err(error)) => Err(CompileFailure::Died(error.to_string())),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    Err(CompileFailure::Time(self.limits.wall))
                }
            };
            let status = match &code {
                Ok(_) => end(&mut child, deadline),
                Err(_) => kill(&mut child).map(Some),
            };
            let complaints = complaints.join().unwrap_or_default();
            let code = code.map_err(Refused::Failed)?;
            match status {
                Ok(Some(status)) if status.success() => Ok(code),
                Ok(Some(status)) if status.code() == Some(INVALID) => Err(Refused::Invalid(complaints)),
                Ok(Some(status)) => failed(judge(status, &complaints, self.limits)),
                Ok(None) => failed(CompileFailure::Time(self.limits.wall)),
                Err(error) => failed(CompileFailure::Died(error.to_string())),
            }
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command.arg(self.limits.memory.as_u64().to_string());
        command.arg(self.limits.cpu.as_secs().max(1).to_string());
        // Of the node's environment, secrets among it, the compiler needs nothing.
        command.env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// Waits until a child that closed its output is gone; `None` when it did not go in time and was killed.
fn end(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            kill(child)?;
            return Ok(None);
        }
        thread::sleep(REAP);
    }
}

fn kill(child: &mut Child) -> io::Result<ExitStatus> {
    child.kill()?;
    child.wait()
}

/// What ended a child that gave no code.
fn judge(status: ExitStatus, complaints: &str, limits: CompileLimits) -> CompileFailure {
    let out_of_memory = complaints.contains("memory allocation of") || complaints.contains("Cannot allocate memory");
    match status.signal() {
        Some(libc::SIGXCPU) => CompileFailure::Cpu(limits.cpu),
        _ if out_of_memory => CompileFailure::Memory(limits.memory),
        // Nobody else does it but the system when the machine has no memory left.
        Some(libc::SIGKILL) => CompileFailure::Died("killed, as the system does when it is out of memory".to_owned()),
        _ => match complaints.lines().last() {
            Some(line) => CompileFailure::Died(format!("{status}: {line}")),
            None => CompileFailure::Died(status.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A compiler that is a shell script; `$0` and `$1` are the limits.
    fn script(script: &str) -> Compiler {
        Compiler {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            limits: CompileLimits {
                memory: ByteSize::mb(512),
                cpu: Duration::from_secs(1),
                wall: Duration::from_secs(60),
            },
        }
    }

    fn failure(compiler: &Compiler) -> CompileFailure {
        match compiler.compile(b"component") {
            Err(Refused::Failed(failure)) => failure,
            Err(Refused::Invalid(reason)) => panic!("invalid: {reason}"),
            Ok(code) => panic!("{} bytes of code", code.len()),
        }
    }

    #[test]
    fn the_child_gets_the_component_and_its_limits_and_gives_the_code() {
        assert_eq!(script("cat; echo $0 $1").compile(b"component").ok().unwrap(), b"component536870912 1\n");
        // The environment is not handed down.
        assert_eq!(script("env | grep -c PATH || true").compile(b"").ok().unwrap(), b"0\n");
    }

    #[test]
    fn a_child_that_refuses_the_component_says_why() {
        let Err(Refused::Invalid(reason)) = script("echo 'unknown section' >&2; exit 65").compile(b"") else {
            panic!("not refused");
        };
        assert_eq!(reason, "unknown section");
    }

    #[test]
    fn a_child_that_takes_too_much_time_is_ended() {
        assert_eq!(
            failure(&script("ulimit -S -t 1; while :; do :; done")),
            CompileFailure::Cpu(Duration::from_secs(1))
        );
        let wall = Duration::from_millis(50);
        for hangs in ["exec sleep 1000", "exec >&-; exec sleep 1000"] {
            let mut compiler = script(hangs);
            compiler.limits.wall = wall;
            assert_eq!(failure(&compiler), CompileFailure::Time(wall), "{hangs}");
        }
    }

    #[test]
    fn a_child_that_dies_is_told_by_its_last_words() {
        let out = "echo 'memory allocation of 9 bytes failed' >&2; kill -ABRT $$";
        assert_eq!(failure(&script(out)), CompileFailure::Memory(ByteSize::mb(512)));
        let died = failure(&script("echo first >&2; echo last >&2; exit 3"));
        assert_eq!(died, CompileFailure::Died("exit status: 3: last".to_owned()));
        assert!(matches!(failure(&script("kill -KILL $$")), CompileFailure::Died(_)));
        assert!(matches!(failure(&script("echo half; exit 1")), CompileFailure::Died(_)));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let mut compiler = script("");
        compiler.program = "/nowhere/rimward".into();
        let failure = failure(&compiler).to_string();
        assert!(failure.starts_with("the compiler does not start: /nowhere/rimward: "), "{failure}");
    }

    #[test]
    fn complaints_without_end_do_not_stop_it() {
        assert_eq!(script("head -c 1000000 /dev/zero >&2; echo code").compile(b"").ok().unwrap(), b"code\n");
    }
}
