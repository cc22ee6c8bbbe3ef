//! An explanation as lines of text.

use super::{Explanation, FirstSlice, Seconds, Selector, StoredResponse};
use crate::key::Part;
use std::fmt;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} ({})", self.decision.as_str(), self.because.rule, self.because.reference)?;
        writeln!(f, "cache-status: {}", self.cache_status)?;
        writeln!(f, "at: {}, profile {}", self.at, self.profile)?;
        writeln!(f, "key: {} {} {}", self.key.distribution, self.key.method, self.key.url)?;
        for part in &self.key.parts {
            writeln!(f, "  {part}")?;
        }
        if let Some(first) = &self.first_slice {
            let FirstSlice { index, decision, because } = first;
            writeln!(f, "first slice: {index}, {}: {} ({})", decision.as_str(), because.rule, because.reference)?;
        }
        match &self.stored {
            Some(stored) => stored.fmt(f)?,
            None => writeln!(f, "stored: nothing that this request selects")?,
        }
        for other in &self.other_variants {
            writeln!(f, "other variant: {}", list(other))?;
        }
        if self.fetching > 0 {
            writeln!(f, "fetches in flight: {}", self.fetching)?;
        }
        if let Some(why) = self.remembered {
            writeln!(f, "requests do not wait for each other: {why}")?;
        }
        if let Some(because) = &self.not_stored {
            writeln!(f, "the last answer was not stored: {} ({})", because.rule, because.reference)?;
        }
        Ok(())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Header { name, values } if values.is_empty() => write!(f, "header {name}, absent"),
            Part::Header { name, values } => write!(f, "header {name}: {}", values.join(", ")),
            Part::Cookie { cookie } => write!(f, "cookie {cookie}"),
            Part::Slice { slice } => write!(f, "slice {slice}"),
            Part::AcceptEncoding { codings } => write!(f, "accept-encoding {codings}"),
        }
    }
}

impl fmt::Display for StoredResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.on_disk { "stored on disk" } else { "stored" };
        write!(f, "{place}: status {}, {} bytes", self.status, self.length)?;
        for (name, value) in [("ETag", &self.etag), ("Last-Modified", &self.last_modified)] {
            if let Some(value) = value {
                write!(f, ", {name} {value}")?;
            }
        }
        writeln!(f)?;
        if !self.selected_by.is_empty() {
            writeln!(f, "  selected by {}", list(&self.selected_by))?;
        }
        let age = &self.age;
        writeln!(
            f,
            "  age {} = max({} since Date, {} of Age + {} of delay) + {} resident",
            age.current_age, age.apparent_age, age.age_value, age.response_delay, age.resident_time
        )?;
        let fresh = &self.freshness;
        writeln!(
            f,
            "  fresh for {} by {} ({}{}), {} used, {} s left",
            fresh.lifetime,
            fresh.source,
            fresh.field.map(|field| format!("{field}, ")).unwrap_or_default(),
            fresh.reference,
            fresh.used,
            fresh.left
        )?;
        let stale = &self.stale;
        write!(
            f,
            "  stale for {} while it is refreshed, {} instead of errors, {} without an origin",
            stale.while_revalidate, stale.on_error, stale.on_disconnect
        )?;
        if stale.forbidden {
            f.write_str(", forbidden otherwise")?;
        }
        writeln!(f)?;
        if self.expired {
            writeln!(f, "  purged softly")?;
        }
        Ok(())
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_millis() as f64 / 1000.0)
    }
}

fn list(selectors: &[Selector]) -> String {
    let shown = |s: &Selector| match &s.value {
        Some(value) => format!("{}: {value}", s.name),
        None => format!("{}, absent", s.name),
    };
    if selectors.is_empty() {
        "no field".to_owned()
    } else {
        selectors.iter().map(shown).collect::<Vec<_>>().join("; ")
    }
}
