//! `[cache]`.

use super::policies::header_names;
use super::section::Section;
use crate::Cache;
use rimward_types::ByteSize;

pub(super) fn read_cache(file: &Section<'_>) -> Cache {
    let keys = ["memory", "max-object", "disk", "tag-headers"];
    let defaults = Cache::default();
    let Some(cache) = file.section("cache", "[cache]", &keys) else { return defaults };
    if cache.get("disk").is_some() {
        let hint = "leave `disk` out: answers are kept in memory";
        cache.reader.report_hint(cache.key_span("disk"), "this version has no disk tier", hint);
    }
    let memory = cache.size("memory", ByteSize::mb(1)..=ByteSize::mb(1 << 24)).unwrap_or(defaults.memory);
    let quarter = ByteSize::bytes(memory.as_u64() / 4);
    let max_object = cache.size("max-object", ByteSize::bytes(1)..=ByteSize::mb(50 << 10));
    if let (Some(size), Some(value)) = (max_object.filter(|size| *size > quarter), cache.get("max-object")) {
        let message = format!("`max-object` is {size}; it must be at most a quarter of `memory`, {quarter}");
        cache.reader.report_hint(value.span(), message, "a larger one would push out most of the cache at once");
    }
    let tag_headers =
        cache.texts("tag-headers").map(|texts| header_names(&cache, "tag-headers", texts.span(), texts.get_ref()));
    Cache {
        memory,
        max_object: max_object.unwrap_or(defaults.max_object.min(quarter)),
        tag_headers: tag_headers.unwrap_or(defaults.tag_headers),
    }
}
