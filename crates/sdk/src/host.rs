//! The environment, secrets, and files below `/tmp`.

/// An environment variable of the function.
pub fn env(name: &str) -> Option<String> {
    #[cfg(target_family = "wasm")]
    {
        let all = wasip2::cli::environment::get_environment();
        all.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
    #[cfg(not(target_family = "wasm"))]
    std::env::var(name).ok()
}

/// A secret of the function; `None` where its settings name none of that name. It stands nowhere else: neither in the
/// environment nor in the component.
pub fn secret(name: &str) -> Option<String> {
    #[cfg(target_family = "wasm")]
    {
        crate::bindings::request::rimward::edge::secrets::get(name)
    }
    #[cfg(not(target_family = "wasm"))]
    {
        let _nobody_gives_any = name;
        None
    }
}

/// Files below `/tmp`. They live as long as the instance, 512 MB of them at most.
pub mod tmp {
    use std::io;

    /// Reads the whole file `/tmp/NAME`.
    ///
    /// # Errors
    /// It is not there, or `name` leads out of `/tmp`.
    pub fn read(name: &str) -> io::Result<Vec<u8>> {
        file::read(name)
    }

    /// Writes the whole file `/tmp/NAME`, in place of what is there.
    ///
    /// # Errors
    /// The quota is used up, or `name` leads out of `/tmp`.
    pub fn write(name: &str, content: &[u8]) -> io::Result<()> {
        file::write(name, content)
    }

    #[cfg(not(target_family = "wasm"))]
    mod file {
        use std::io;

        fn nowhere() -> io::Error {
            io::Error::new(io::ErrorKind::Unsupported, "there is a `/tmp` in a component alone")
        }

        pub(super) fn read(_: &str) -> io::Result<Vec<u8>> {
            Err(nowhere())
        }

        pub(super) fn write(_: &str, _: &[u8]) -> io::Result<()> {
            Err(nowhere())
        }
    }

    #[cfg(target_family = "wasm")]
    mod file {
        use std::io;
        use wasip2::filesystem::preopens::get_directories;
        use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

        const READ: u64 = 1 << 20;

        pub(super) fn read(name: &str) -> io::Result<Vec<u8>> {
            let file = open(name, OpenFlags::empty(), DescriptorFlags::READ)?;
            let mut content = Vec::new();
            loop {
                let (chunk, is_end) = file.read(READ, content.len() as u64).map_err(error)?;
                content.extend_from_slice(&chunk);
                if is_end || chunk.is_empty() {
                    return Ok(content);
                }
            }
        }

        pub(super) fn write(name: &str, content: &[u8]) -> io::Result<()> {
            let file = open(name, OpenFlags::CREATE | OpenFlags::TRUNCATE, DescriptorFlags::WRITE)?;
            let mut written = 0;
            while written < content.len() {
                let more = file.write(&content[written..], written as u64).map_err(error)?;
                written += usize::try_from(more).unwrap_or(usize::MAX);
            }
            Ok(())
        }

        fn open(name: &str, how: OpenFlags, what_for: DescriptorFlags) -> io::Result<Descriptor> {
            let tmp = get_directories().into_iter().find(|(_, path)| path == "/tmp");
            let (tmp, _) = tmp.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no /tmp"))?;
            tmp.open_at(PathFlags::empty(), name, how, what_for).map_err(error)
        }

        fn error(code: ErrorCode) -> io::Error {
            let kind = match code {
                ErrorCode::NoEntry => io::ErrorKind::NotFound,
                ErrorCode::Access | ErrorCode::NotPermitted => io::ErrorKind::PermissionDenied,
                ErrorCode::InsufficientSpace | ErrorCode::Quota => io::ErrorKind::StorageFull,
                _ => io::ErrorKind::Other,
            };
            io::Error::new(kind, code.message())
        }
    }
}
