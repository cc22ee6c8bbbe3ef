//! `[[distributions.error-pages]]`.

use super::section::Section;
use crate::ErrorPage;
use http::StatusCode;

/// Statuses that can have a page (`cdn-behaviour.md` section 11).
const STATUSES: [u16; 11] = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

pub(super) fn read_error_pages(distribution: &Section<'_>) -> Vec<ErrorPage> {
    let reader = distribution.reader;
    let Some(value) = distribution.get("error-pages") else { return Vec::new() };
    let Some(list) = value.get_ref().as_array() else {
        let hint = "write `[[distributions.error-pages]]` with two brackets";
        reader.report_hint(value.span(), "`error-pages` must be a list of tables", hint);
        return Vec::new();
    };
    let mut pages: Vec<ErrorPage> = Vec::new();
    for item in list.iter() {
        let name = "[[distributions.error-pages]]".to_owned();
        let Some(section) = Section::of_value(reader, name, item, &["status", "page", "answer-status"]) else {
            continue;
        };
        let Some(page) = read_page(&section) else { continue };
        if pages.iter().any(|other| other.status == page.status) {
            reader.report(section.key_span("status"), format!("a page for {} is there already", page.status.as_u16()));
        }
        pages.push(page);
    }
    pages
}

fn read_page(section: &Section<'_>) -> Option<ErrorPage> {
    for (key, example) in [("status", "404"), ("page", "\"/errors/404.html\"")] {
        if section.get(key).is_none() {
            section.report_missing(key, example);
        }
    }
    let status = read_status(section, "status", &STATUSES);
    let answer_status = match section.get("answer-status") {
        None => status,
        Some(_) => read_status(section, "answer-status", &[&[200], &STATUSES[..]].concat()),
    };
    let text = section.text("page")?;
    let page = *text.get_ref();
    // A path as requests have it: the page is asked for like any other.
    if !page.starts_with('/')
        || page.len() > 4096
        || !page.bytes().all(|b| b.is_ascii_graphic() && !b"#?\\".contains(&b))
    {
        let message = format!("wrong page `{}`", page.escape_debug());
        section.reader.report_hint(text.span(), message, "write a path of this site, such as \"/errors/404.html\"");
        return None;
    }
    Some(ErrorPage { status: status?, page: page.to_owned(), answer_status: answer_status? })
}

fn read_status(section: &Section<'_>, key: &str, statuses: &[u16]) -> Option<StatusCode> {
    let number = section.number(key, 100..=599)?;
    if let Some(status) = statuses.iter().find(|status| u64::from(**status) == number) {
        return StatusCode::from_u16(*status).ok();
    }
    let all: Vec<String> = statuses.iter().map(ToString::to_string).collect();
    let message = format!("`{key}` cannot be {number}");
    section.reader.report_hint(section.key_span(key), message, format!("it is one of {}", all.join(", ")));
    None
}
