//! `[cache]`.

use super::policies::header_names;
use super::section::Section;
use crate::{Cache, Disk};
use rimward_types::ByteSize;

/// The largest answer on disk where nothing else is written.
const LARGEST_ON_DISK: ByteSize = ByteSize::mb(1 << 10);

pub(super) fn read_cache(file: &Section<'_>) -> Cache {
    let keys = ["memory", "max-object", "disk", "tag-headers"];
    let defaults = Cache::default();
    let Some(cache) = file.section("cache", "[cache]", &keys) else { return defaults };
    let memory = cache.size("memory", ByteSize::mb(1)..=ByteSize::mb(1 << 24)).unwrap_or(defaults.memory);
    let disk = read_disk(&cache);
    let quarter_of = |size: ByteSize| ByteSize::bytes(size.as_u64() / 4);
    let in_memory = quarter_of(memory);
    let on_disk = disk.as_ref().map_or(ByteSize::default(), |disk| quarter_of(disk.size));
    let quarter = in_memory.max(on_disk);
    let max_object = cache.size("max-object", ByteSize::bytes(1)..=ByteSize::mb(50 << 10));
    if let (Some(size), Some(value)) = (max_object.filter(|size| *size > quarter), cache.get("max-object")) {
        let of = if on_disk > in_memory { "disk" } else { "memory" };
        let message = format!("`max-object` is {size}; it must be at most a quarter of `{of}`, {quarter}");
        cache.reader.report_hint(value.span(), message, "a larger one would push out most of the cache at once");
    }
    let tag_headers =
        cache.texts("tag-headers").map(|texts| header_names(&cache, "tag-headers", texts.span(), texts.get_ref()));
    Cache {
        memory,
        max_object: max_object.unwrap_or(defaults.max_object.min(in_memory).max(LARGEST_ON_DISK.min(on_disk))),
        disk,
        tag_headers: tag_headers.unwrap_or(defaults.tag_headers),
    }
}

fn read_disk(cache: &Section<'_>) -> Option<Disk> {
    let disk = cache.section("disk", "`disk`", &["path", "size"])?;
    for (key, example) in [("path", "\"cache\""), ("size", "\"20 GB\"")] {
        if disk.get(key).is_none() {
            disk.report_missing(key, example);
        }
    }
    let path = disk.text("path").and_then(|text| disk.path(&text));
    let size = disk.size("size", ByteSize::mb(16)..=ByteSize::mb(1 << 24));
    Some(Disk { path: path?, size: size? })
}
