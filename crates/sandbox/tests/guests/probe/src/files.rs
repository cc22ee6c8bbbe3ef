//! Below `/tmp`.

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

const CHUNK: usize = 64 << 10;

fn tmp() -> Result<Descriptor, String> {
    let folder = get_directories().into_iter().find(|(_, path)| path == "/tmp");
    folder.map(|(folder, _)| folder).ok_or("no /tmp".to_owned())
}

fn create(folder: &Descriptor, name: &str) -> Result<Descriptor, ErrorCode> {
    let open = OpenFlags::CREATE | OpenFlags::TRUNCATE;
    folder.open_at(PathFlags::empty(), name, open, DescriptorFlags::READ | DescriptorFlags::WRITE)
}

fn fill(file: &Descriptor, bytes: u64) -> Result<(), ErrorCode> {
    let chunk = vec![b'x'; CHUNK];
    let mut at = 0;
    while at < bytes {
        at += file.write(&chunk[..CHUNK.min((bytes - at) as usize)], at)?;
    }
    Ok(())
}

fn told<T>(result: Result<T, ErrorCode>, fine: &str) -> String {
    match result {
        Ok(_) => fine.to_owned(),
        Err(error) => error.name().to_owned(),
    }
}

/// Writes a file.
pub fn write(bytes: u64) -> String {
    let folder = match tmp() {
        Ok(folder) => folder,
        Err(error) => return error,
    };
    told(create(&folder, "file").and_then(|file| fill(&file, bytes)), "written")
}

/// Writes and deletes a file three times.
pub fn rewrite(bytes: u64) -> String {
    let Ok(folder) = tmp() else { return "no /tmp".to_owned() };
    let once = || {
        create(&folder, "again").and_then(|file| fill(&file, bytes))?;
        folder.unlink_file_at("again")
    };
    told(once().and_then(|()| once()).and_then(|()| once()), "written")
}

/// Writes files that are deleted while they are open.
pub fn hidden(bytes: u64) -> String {
    let Ok(folder) = tmp() else { return "no /tmp".to_owned() };
    let mut open = Vec::new();
    for _ in 0..8 {
        let written = create(&folder, "hidden").and_then(|file| {
            folder.unlink_file_at("hidden")?;
            fill(&file, bytes).map(|()| open.push(file))
        });
        if let Err(error) = written {
            return error.name().to_owned();
        }
    }
    "written".to_owned()
}

/// Writes a file through a stream.
pub fn stream(bytes: u64) -> String {
    let Ok(folder) = tmp() else { return "no /tmp".to_owned() };
    let stream = create(&folder, "stream").and_then(|file| file.write_via_stream(0).map(|stream| (file, stream)));
    let (_file, stream) = match stream {
        Ok(opened) => opened,
        Err(error) => return error.name().to_owned(),
    };
    let chunk = [b'x'; 4096];
    for _ in 0..bytes / 4096 {
        if let Err(error) = stream.blocking_write_and_flush(&chunk) {
            return format!("{error:?}").split('(').next().unwrap_or_default().to_owned();
        }
    }
    "written".to_owned()
}

/// Makes folders.
pub fn entries(count: u64) -> String {
    let Ok(folder) = tmp() else { return "no /tmp".to_owned() };
    told((0..count).try_for_each(|n| folder.create_directory_at(&format!("folder{n}"))), "made")
}

/// Reads what `/write` wrote.
pub fn read() -> String {
    let Ok(folder) = tmp() else { return "no /tmp".to_owned() };
    let file = folder.open_at(PathFlags::empty(), "file", OpenFlags::empty(), DescriptorFlags::READ);
    match file.and_then(|file| file.stat()) {
        Ok(stat) => stat.size.to_string(),
        Err(error) => error.name().to_owned(),
    }
}

/// Tries to leave.
pub fn outside() -> String {
    let Ok(folder) = tmp() else { return "no /tmp".to_owned() };
    let mut told = Vec::new();
    for path in ["/etc/passwd", "../../../../../../etc/passwd", "link/passwd"] {
        let _ = folder.symlink_at("/etc", "link");
        let opened = folder.open_at(PathFlags::SYMLINK_FOLLOW, path, OpenFlags::empty(), DescriptorFlags::READ);
        told.push(opened.map_or_else(|error| error.name().to_owned(), |_| "opened".to_owned()));
    }
    told.join(" ")
}

/// Tries to leave by links: made from inside, through folders that become links, and by renaming.
pub fn links() -> String {
    let Ok(folder) = tmp() else { return "no /tmp".to_owned() };
    let read = |path: &str| {
        let opened = folder.open_at(PathFlags::SYMLINK_FOLLOW, path, OpenFlags::empty(), DescriptorFlags::READ);
        opened.map_or_else(|error| error.name().to_owned(), |_| "opened".to_owned())
    };
    let mut told = Vec::new();
    for (target, name) in [("../..", "up"), ("/", "root"), ("a/../../..", "around"), ("loop", "loop")] {
        let made = folder.symlink_at(target, name).map_or_else(|error| error.name().to_owned(), |()| "made".to_owned());
        told.push(format!("{name}: {made}, {}", read(&format!("{name}/etc/passwd"))));
    }
    let _ = folder.create_directory_at("inside");
    let linked = folder.link_at(PathFlags::SYMLINK_FOLLOW, "../../etc/passwd", &folder, "hard");
    told.push(format!("hard: {}", linked.map_or_else(|error| error.name().to_owned(), |()| "made".to_owned())));
    let moved = folder.rename_at("inside", &folder, "../outside");
    told.push(format!("rename: {}", moved.map_or_else(|error| error.name().to_owned(), |()| "moved".to_owned())));
    told.push(format!("proc: {}", read("/proc/self/environ")));
    told.join("; ")
}

/// Opens files and keeps them.
pub fn handles(count: u64) -> String {
    let Ok(folder) = tmp() else { return "no /tmp".to_owned() };
    for _ in 0..count {
        match create(&folder, "file") {
            Ok(file) => std::mem::forget(file),
            Err(error) => return error.name().to_owned(),
        }
    }
    "opened".to_owned()
}
