//! The child's side.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use super::INVALID;
use crate::engine;

/// How much lower than the node's the compiler's priority is: requests go before releases.
const NICE: i32 = 10;
/// Ends the child when it was called wrongly (`EX_USAGE`).
const USAGE: u8 = 64;
/// Ends the child when it cannot read or write (`EX_IOERR`).
const IO: u8 = 74;

/// Compiles the component on standard input to standard output: what a program does that is called as a
/// [`Compiler`](super::Compiler) says. `arguments` are the bytes of memory and the seconds of processor time that it
/// may take. Must be called before there are threads.
pub fn compile_component(arguments: &[OsString]) -> ExitCode {
    let number = |index: usize| arguments.get(index)?.to_str()?.parse::<u64>().ok();
    let (Some(memory), Some(cpu)) = (number(0), number(1)) else {
        eprintln!("expected bytes of memory and seconds of processor time");
        return USAGE.into();
    };
    limit(memory, cpu);
    let mut component = Vec::new();
    if let Err(error) = io::stdin().lock().read_to_end(&mut component) {
        eprintln!("{error}");
        return IO.into();
    }
    let compiled = engine::compiling().and_then(|engine| engine.precompile_component(&component));
    let code = match compiled {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::from(INVALID as u8);
        }
    };
    match io::stdout().lock().write_all(&code) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => IO.into(),
    }
}

/// Sets the process's own walls. One that the system does not take leaves the others, and the parent's clock.
fn limit(memory: u64, cpu: u64) {
    // Memory that can be written to. Address space would count what the engine only reserves.
    set(libc::RLIMIT_DATA, memory, memory);
    // At the first bound the system sends SIGXCPU, which tells the parent what happened; at the second SIGKILL.
    set(libc::RLIMIT_CPU, cpu, cpu.saturating_add(1));
    // It has nothing to write but its standard output, a pipe.
    set(libc::RLIMIT_FSIZE, 0, 0);
    set(libc::RLIMIT_CORE, 0, 0);
    // SAFETY: `nice` takes a number and changes nothing but the priority of this process.
    unsafe { libc::nice(NICE) };
}

#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

fn set(resource: Resource, soft: u64, hard: u64) {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: the pointer leads to a value that lives until the call is over; the call reads it and nothing else.
    if unsafe { libc::setrlimit(resource, &raw const limit) } != 0 {
        eprintln!("a limit of the compiler could not be set: {}", io::Error::last_os_error());
    }
}
