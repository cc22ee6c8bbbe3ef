//! Compiling in a process of its own.
//!
//! A component comes from somebody else, and the time and memory that a compiler takes for it have no bound that could
//! be told before. So a child process with limits compiles it ([`compile_component`]): a component that takes too much
//! ends the child, and the node reports that and serves on. The child takes the component on standard input and gives
//! machine code on standard output.

mod child;
mod process;

pub use child::compile_component;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use rimward_types::ByteSize;

/// Ends the child when the component is invalid; standard error has the reason (`EX_DATAERR` of sysexits.h).
const INVALID: i32 = 65;

/// The program that compiles components, and its limits.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// A program that ends up in [`compile_component`].
    pub program: PathBuf,
    /// What it is called with; the limits follow.
    pub arguments: Vec<OsString>,
    /// What it may take.
    pub limits: CompileLimits,
}

/// What compiling one component may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Memory of the process.
    pub memory: ByteSize,
    /// Time of all its threads on processors; whole seconds.
    pub cpu: Duration,
    /// Time until it must be done.
    pub wall: Duration,
}

impl CompileLimits {
    /// How many times the processor time that it may take a compilation may last: it gives way to everything else on the
    /// machine.
    pub const PATIENCE: u32 = 10;
}

impl Default for CompileLimits {
    /// A Python runtime of 40 MB, the largest thing people publish, takes about a quarter of it.
    fn default() -> Self {
        let cpu = Duration::from_secs(240);
        Self { memory: ByteSize::mb(4096), cpu, wall: cpu * Self::PATIENCE }
    }
}

impl Compiler {
    /// This very program, called with `argument`.
    pub fn this_program(argument: &str) -> Self {
        // The link leads to the running program even when its file was replaced meanwhile.
        let link = PathBuf::from("/proc/self/exe");
        let program = if link.exists() { link } else { std::env::current_exe().unwrap_or(link) };
        Self { program, arguments: vec![argument.into()], limits: CompileLimits::default() }
    }
}

/// Why there is no machine code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileFailure {
    /// It took too long.
    #[error("compiling it takes longer than {:.0} s", .0.as_secs_f64())]
    Time(Duration),
    /// It took too much time on processors.
    #[error("compiling it takes more than {:.0} s of processor time", .0.as_secs_f64())]
    Cpu(Duration),
    /// It took too much memory.
    #[error("compiling it takes more than {0} of memory")]
    Memory(ByteSize),
    /// It gave more machine code than a function may have.
    #[error("its machine code is larger than {0}")]
    Output(ByteSize),
    /// The compiler ended in another way.
    #[error("the compiler ended early: {0}")]
    Died(String),
    /// The compiler could not be started.
    #[error("the compiler does not start: {0}")]
    Start(String),
}

/// What a compilation gave.
pub(super) enum Refused {
    /// The component is invalid.
    Invalid(String),
    /// The compiler did not come to its end.
    Failed(CompileFailure),
}
