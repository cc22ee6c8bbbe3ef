//! The seam through which files are touched, so that a test can be a full, slow or broken disk.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The few operations that the disk tier needs. All block.
pub trait Files: Send + Sync + 'static {
    /// Makes a folder and those above it.
    ///
    /// # Errors
    /// The system's.
    fn make_folder(&self, path: &Path) -> io::Result<()>;
    /// Names of the files in a folder.
    ///
    /// # Errors
    /// The system's.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Makes a file that is not there, to be written and read.
    ///
    /// # Errors
    /// The system's.
    fn create(&self, path: &Path) -> io::Result<File>;
    /// Opens a file to be read and written.
    ///
    /// # Errors
    /// The system's.
    fn open(&self, path: &Path) -> io::Result<File>;
    /// Length in bytes.
    ///
    /// # Errors
    /// The system's.
    fn length(&self, file: &File) -> io::Result<u64>;
    /// Fills `out` from `at` on.
    ///
    /// # Errors
    /// The system's, and `UnexpectedEof`.
    fn read_at(&self, file: &File, out: &mut [u8], at: u64) -> io::Result<()>;
    /// Writes all of `bytes` at `at`.
    ///
    /// # Errors
    /// The system's.
    fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()>;
    /// Makes sure that the file is on the disk, whatever happens to the machine.
    ///
    /// # Errors
    /// The system's.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Puts a file in another's place.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemFiles;

impl Files for SystemFiles {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(path)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(path)
    }

    fn length(&self, file: &File) -> io::Result<u64> {
        file.metadata().map(|metadata| metadata.len())
    }

    fn read_at(&self, file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
        file.read_exact_at(out, at)
    }

    fn write_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        file.write_all_at(bytes, at)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}
