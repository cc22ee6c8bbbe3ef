//! `async` of an origin function: events that are not waited for, and where their records go.

use super::Functions;
use crate::read::section::Section;
use crate::{Asynchronous, Destination, OriginUrl};
use std::time::Duration;

const KEYS: [&str; 4] = ["retries", "max-age", "on-success", "on-failure"];
const PLACES: [&str; 3] = ["function", "url", "folder"];

pub(super) fn read(function: &Section<'_>) -> Asynchronous {
    let defaults = Asynchronous::default();
    let Some(section) = function.section("async", "async", &KEYS) else { return defaults };
    let ages = Duration::from_secs(60)..=defaults.max_age;
    Asynchronous {
        retries: section.number("retries", 0..=2).map_or(defaults.retries, |retries| retries as u32),
        max_age: section.time("max-age", ages).unwrap_or(defaults.max_age),
        on_success: read_destination(&section, "on-success"),
        on_failure: read_destination(&section, "on-failure"),
    }
}

fn read_destination(section: &Section<'_>, key: &str) -> Option<Destination> {
    let place = section.section(key, key, &PLACES)?;
    let given = PLACES.iter().filter(|name| place.get(name).is_some()).count();
    if given != 1 {
        let message = format!("`{key}` needs one place: `function`, `url` or `folder`");
        let hint = "write `{ function = \"NAME\" }`, `{ url = \"https://...\" }` or `{ folder = \"records\" }`";
        section.reader.report_hint(place.span.clone(), message, hint);
        return None;
    }
    if let Some(name) = place.text("function") {
        return Some(Destination::Function((*name.get_ref()).into()));
    }
    if let Some(url) = place.text("url") {
        return match url.get_ref().parse::<OriginUrl>() {
            Ok(OriginUrl::Http { .. }) => Some(Destination::Url(url.get_ref().to_string())),
            Ok(OriginUrl::Demo) => {
                section.reader.report(url.span(), "a destination is an `http:` or `https:` URL");
                None
            }
            Err(why) => {
                section.reader.report(url.span(), format!("`{}` is no URL: {why}", url.get_ref().escape_debug()));
                None
            }
        };
    }
    let folder = place.text("folder")?;
    place.path(&folder).map(Destination::Folder)
}

/// A destination that is a function must be an origin function of this configuration.
pub(super) fn check_destinations(file: &Section<'_>, functions: &Functions) {
    for (name, value) in file.named("functions") {
        let destinations = value.get_ref().as_table().and_then(|table| table.get("async")?.get_ref().as_table());
        for key in ["on-success", "on-failure"] {
            let Some(place) = destinations.and_then(|table| table.get(key)?.get_ref().as_table()) else { continue };
            let Some(to) = place.get("function") else { continue };
            let Some(text) = to.get_ref().as_str() else { continue };
            let message = match functions.get(text) {
                // One that is there and wrong has been reported.
                Some(None) => continue,
                Some(Some(function)) if function.origin().is_some() => continue,
                Some(Some(_)) => format!("`{text}` is a viewer function; records go to origin functions"),
                None => format!("there is no function `{}`", text.escape_debug()),
            };
            file.reader.report_hint(
                to.span(),
                message,
                format!("a destination of `{}` is one of the functions with `component`", name.get_ref()),
            );
        }
    }
}
