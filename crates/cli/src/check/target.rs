//! What CloudFront Functions refuses or would cut off (`cloudfront-functions.md` section 7). Sizes and limits alone;
//! the syntax and the built-ins of its engine are not looked at.

use crate::print;
use rimward_config::ViewerFunction;

/// What [`viewer`] does not look at, for people.
pub const NOT_CHECKED: &str =
    "for CloudFront only sizes and limits are checked so far, not the syntax and the built-ins of its engine";

/// What is wrong with a viewer function of `size` bytes.
pub fn viewer(settings: &ViewerFunction, size: usize) -> Vec<String> {
    let service = ViewerFunction::new(settings.code.clone());
    let mut findings = Vec::new();
    let most = service.code_limit.as_u64();
    if size as u64 > most {
        let (size, most) = (print::grouped(size as u64), print::grouped(most));
        findings.push(format!("FunctionSizeLimitExceeded: the code has {size} bytes, CloudFront takes {most}"));
    }
    if settings.timeout > service.timeout {
        let (own, most) = (print::time(settings.timeout), print::time(service.timeout));
        findings.push(format!("the time limit here is {own}; CloudFront ends functions at about {most}"));
    }
    if settings.memory > service.memory {
        findings.push(format!("the memory limit here is {}, CloudFront's is {}", settings.memory, service.memory));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use rimward_types::ByteSize;
    use std::path::PathBuf;
    use std::time::Duration;

    #[test]
    fn a_function_within_the_limits_of_section_7_has_no_findings() {
        assert!(viewer(&ViewerFunction::new(PathBuf::new()), 10_240).is_empty());
    }

    #[test]
    fn what_goes_over_a_limit_of_section_7_is_found() {
        let settings = ViewerFunction {
            timeout: Duration::from_millis(5),
            memory: ByteSize::mb(4),
            ..ViewerFunction::new(PathBuf::new())
        };
        let findings = viewer(&settings, 10_241);
        assert_eq!(findings[0], "FunctionSizeLimitExceeded: the code has 10,241 bytes, CloudFront takes 10,240");
        assert_eq!(findings[1], "the time limit here is 5.00 ms; CloudFront ends functions at about 1.00 ms");
        assert_eq!(findings[2], "the memory limit here is 4 MB, CloudFront's is 2 MB");
    }
}
