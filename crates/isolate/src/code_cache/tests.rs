#![allow(clippy::unwrap_used)]
use super::{CHECKSUM, CodeCache, CodeOrigin, MAGIC};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use wasmtime::{Config, Engine};

const WASM: &[u8] = b"\0asm\x01\0\0\0";

fn engine() -> Engine {
    Engine::default()
}

fn only_file(cache: &CodeCache) -> PathBuf {
    let mut files = fs::read_dir(&cache.folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|e| e == "cwasm")).unwrap();
    assert!(!files.any(|path| path.extension().is_some_and(|e| e == "cwasm" || e == "new")));
    file
}

fn compiled(origin: &CodeOrigin) -> bool {
    matches!(origin, CodeOrigin::Compiled { .. })
}

#[test]
fn code_is_compiled_once_and_loaded_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CodeCache::new(folder.path().join("a/b"));
    assert!(compiled(&cache.module(&engine(), WASM, || Ok(())).unwrap().1));
    assert_eq!(cache.module(&engine(), WASM, || Ok(())).unwrap().1, CodeOrigin::Loaded);
}

#[test]
fn another_configuration_has_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CodeCache::new(folder.path().to_owned());
    cache.module(&engine(), WASM, || Ok(())).unwrap();
    let metered = Engine::new(Config::new().consume_fuel(true)).unwrap();
    assert!(compiled(&cache.module(&metered, WASM, || Ok(())).unwrap().1));
}

#[test]
fn code_of_other_versions_is_deleted_after_a_month() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CodeCache::new(folder.path().to_owned());
    let days_ago = |name: &str, days: u64| {
        let path = folder.path().join(name);
        let made = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        fs::File::create(&path).unwrap().set_modified(made).unwrap();
        path
    };
    let (old, new, other) = (days_ago("guest-a.cwasm", 31), days_ago("guest-b.cwasm", 29), days_ago("notes.txt", 31));
    cache.module(&engine(), WASM, || Ok(())).unwrap();
    assert_eq!([old.exists(), new.exists(), other.exists()], [false, true, true]);
    assert_eq!(cache.module(&engine(), WASM, || Ok(())).unwrap().1, CodeOrigin::Loaded);
}

#[test]
fn a_damaged_file_is_not_loaded_and_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CodeCache::new(folder.path().to_owned());
    cache.module(&engine(), WASM, || Ok(())).unwrap();
    let path = only_file(&cache);
    let good = fs::read(&path).unwrap();
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let damages = [
        Vec::new(),
        good[..10].to_vec(),
        good[..good.len() - 1].to_vec(),
        flipped(0),
        flipped(MAGIC.len()),
        flipped(MAGIC.len() + CHECKSUM),
        flipped(good.len() - 1),
        [&good[..], b"more"].concat(),
        b"something else entirely".to_vec(),
    ];
    for damage in damages {
        fs::write(&path, damage).unwrap();
        assert!(compiled(&cache.module(&engine(), WASM, || Ok(())).unwrap().1));
        assert_eq!(fs::read(&path).unwrap().len(), good.len());
        assert_eq!(cache.module(&engine(), WASM, || Ok(())).unwrap().1, CodeOrigin::Loaded);
    }
}

#[test]
fn a_file_that_others_may_write_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CodeCache::new(folder.path().to_owned());
    cache.module(&engine(), WASM, || Ok(())).unwrap();
    let path = only_file(&cache);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
    assert!(compiled(&cache.module(&engine(), WASM, || Ok(())).unwrap().1));
    assert_eq!(cache.module(&engine(), WASM, || Ok(())).unwrap().1, CodeOrigin::Loaded);
}

#[test]
fn a_right_checksum_over_foreign_content_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CodeCache::new(folder.path().to_owned());
    cache.module(&engine(), WASM, || Ok(())).unwrap();
    let path = only_file(&cache);
    fs::remove_file(&path).unwrap();
    super::write(&path, b"\x7fELF but not ours").unwrap();
    assert!(compiled(&cache.module(&engine(), WASM, || Ok(())).unwrap().1));
}

#[test]
fn a_folder_that_cannot_be_written_costs_a_compilation_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let cache = CodeCache::new(file.join("below"));
    let (_, origin) = cache.module(&engine(), WASM, || Ok(())).unwrap();
    assert!(matches!(origin, CodeOrigin::NotStored { .. }), "{origin:?}");
}

#[test]
fn many_at_once_all_get_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| CodeCache::new(folder.path().to_owned()).module(&engine, WASM, || Ok(())).unwrap());
        }
    });
    let cache = CodeCache::new(folder.path().to_owned());
    only_file(&cache);
    assert_eq!(cache.module(&engine, WASM, || Ok(())).unwrap().1, CodeOrigin::Loaded);
}
