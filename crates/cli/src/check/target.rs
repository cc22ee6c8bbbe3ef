//! What CloudFront Functions would refuse or cut off: limits and settings of the configuration, and what
//! [`rimward_portability`] finds in the source.

use crate::print;
use crate::source::{Refused, Viewer};
use rimward_config::{Behavior, HeaderRules, ViewerFunction};
use serde_json::{Value, json};
use std::path::Path;

/// One thing that CloudFront would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule, for programs.
    pub rule: &'static str,
    /// The section of `cloudfront-functions.md` that has it.
    pub section: &'static str,
    /// What, where, and how to mend it.
    pub refused: Refused,
}

impl Finding {
    /// For programs.
    pub fn to_json(&self) -> Value {
        let (line, column) = self.refused.place.unzip();
        json!({
            "rule": self.rule, "section": self.section, "file": self.refused.file, "line": line, "column": column,
            "message": self.refused.message, "hint": self.refused.hint,
        })
    }
}

/// What is wrong with a viewer function.
pub fn viewer(viewer: &Viewer) -> Vec<Finding> {
    let mut findings = settings(&viewer.settings, viewer.code.len());
    let code = viewer.text();
    findings.extend(rimward_portability::check(&code, viewer.settings.runtime).into_iter().map(|found| {
        let refused = Refused::at(&viewer.settings.code, &code, found.line, found.column, &found.message);
        Finding { rule: found.rule.as_str(), section: found.rule.section(), refused: refused.hint(found.hint) }
    }));
    findings
}

/// What a behavior of the configuration asks for that CloudFront does not have.
pub fn behavior(behavior: &Behavior, file: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    if behavior.hooks.viewer_response_on_errors {
        let text = format!(
            "behavior `{}` runs viewer-response on errors; CloudFront does not run it for 400 and above",
            behavior.pattern
        );
        let refused = Refused::of_file(file, text).hint(Some("leave `viewer-response-on-errors` out"));
        findings.push(Finding { rule: "behavior", section: "2", refused });
    }
    findings
}

/// What goes over a limit of section 7, or is not a setting there.
fn settings(settings: &ViewerFunction, size: usize) -> Vec<Finding> {
    let service = ViewerFunction::new(settings.code.clone());
    let mut findings = Vec::new();
    let mut add = |rule, section, message: String, hint: &str| {
        let refused = Refused::of_file(&settings.code, message).hint(Some(hint));
        findings.push(Finding { rule, section, refused });
    };
    let most = service.code_limit.as_u64();
    if size as u64 > most {
        let (size, most) = (print::grouped(size as u64), print::grouped(most));
        let text = format!("FunctionSizeLimitExceeded: the code has {size} bytes, CloudFront takes {most}");
        add("size", "7", text, "comments count: minify the code, or move data to a key value store");
    }
    if settings.timeout > service.timeout {
        let (own, most) = (print::time(settings.timeout), print::time(service.timeout));
        let text = format!("the time limit here is {own}; CloudFront ends functions at about {most}");
        add("time", "7", text, "leave `timeout` out and see `rimward test` for what the function needs");
    }
    if settings.memory > service.memory {
        let text = format!("the memory limit here is {}, CloudFront's is {}", settings.memory, service.memory);
        add("memory", "7", text, "leave `memory` out");
    }
    if settings.header_rules == HeaderRules::Open {
        let text = "the header rules are open here; CloudFront answers 502 when a restricted header is written";
        add("header", "5", text.to_owned(), "leave `header-rules` out");
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use rimward_types::ByteSize;
    use std::path::PathBuf;
    use std::time::Duration;

    fn messages(function: &ViewerFunction, size: usize) -> Vec<String> {
        settings(function, size).into_iter().map(|finding| finding.refused.message).collect()
    }

    #[test]
    fn a_function_within_the_limits_of_section_7_has_no_findings() {
        assert!(settings(&ViewerFunction::new(PathBuf::new()), 10_240).is_empty());
    }

    #[test]
    fn what_goes_over_a_limit_of_section_7_is_found() {
        let function = ViewerFunction {
            timeout: Duration::from_millis(5),
            memory: ByteSize::mb(4),
            header_rules: HeaderRules::Open,
            ..ViewerFunction::new(PathBuf::new())
        };
        let findings = messages(&function, 10_241);
        assert_eq!(findings[0], "FunctionSizeLimitExceeded: the code has 10,241 bytes, CloudFront takes 10,240");
        assert_eq!(findings[1], "the time limit here is 5.00 ms; CloudFront ends functions at about 1.00 ms");
        assert_eq!(findings[2], "the memory limit here is 4 MB, CloudFront's is 2 MB");
        assert!(findings[3].starts_with("the header rules are open"), "{findings:?}");
    }
}
