//! How a result that breaks a rule is told in the distribution's log (`lambda-at-edge.md` section 11.3).

use crate::Invalid;
use crate::text::title_case;

/// The text after `Validation error: `. Where the vendor's words are known they are used, else the rule stands there in
/// ours.
pub fn log_text(invalid: &Invalid) -> String {
    let failed = "Lambda function result failed validation, ";
    match invalid {
        Invalid::ReadOnly { name, change } => {
            let verb = change.verb();
            format!("{failed}the function tried to {verb} read-only header, headerName : {}.", title_case(name))
        }
        Invalid::HeaderValue { name, character } => {
            let mut bytes = [0; 4];
            let escaped: String =
                character.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")).collect();
            let name = title_case(name);
            format!(
                "{failed}the function returned an invalid header, invalid character : '{escaped}' in header value, \
                 headerName : {name}."
            )
        }
        Invalid::Type { member, expected } if is_value(member, expected) => {
            let name = member.trim_end_matches("[]").rsplit('.').next().unwrap_or_default();
            format!(
                "The Lambda function returned an invalid entry in the headers object, the value of each header value \
                 must be of string or array of string type, header :{name} has one or more entries whose value is \
                 neither string nor array of strings."
            )
        }
        other => format!("{failed}{other}."),
    }
}

/// Whether the rule is that a header's value is a text.
fn is_value(member: &str, expected: &str) -> bool {
    member.ends_with("[]") && expected.contains("`value`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invalid::Change;

    /// lambda-at-edge.md 11.3.
    #[test]
    fn the_vendors_words_are_used_where_they_are_known() {
        for (invalid, text) in [
            (
                Invalid::ReadOnly { name: "transfer-encoding".to_owned(), change: Change::Deleted },
                "Lambda function result failed validation, the function tried to delete read-only header, headerName \
                 : Transfer-Encoding.",
            ),
            (
                Invalid::HeaderValue { name: "location".to_owned(), character: '\r' },
                "Lambda function result failed validation, the function returned an invalid header, invalid character \
                 : '%0D' in header value, headerName : Location.",
            ),
            (
                Invalid::Type {
                    member: "response.headers.x-a[]".to_owned(),
                    expected: "an object whose `value` is a string",
                },
                "The Lambda function returned an invalid entry in the headers object, the value of each header value \
                 must be of string or array of string type, header :x-a has one or more entries whose value is neither \
                 string nor array of strings.",
            ),
            (
                Invalid::StatusChanged,
                "Lambda function result failed validation, response.status is read-only in viewer-response.",
            ),
        ] {
            assert_eq!(log_text(&invalid), text);
        }
    }
}
