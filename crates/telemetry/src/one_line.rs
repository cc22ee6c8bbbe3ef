//! What others wrote, in a line of the node's log.

use std::fmt::{self, Display, Formatter, Write};

/// Shows a text with its control characters escaped, line ends among them: what a function logs, it may have from a viewer, and
/// nobody else writes lines into the node's log. Tabs stay.
pub struct OneLine<T>(pub T);

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(Escape(f), "{}", self.0)
    }
}

struct Escape<'a, 'b>(&'a mut Formatter<'b>);

impl Write for Escape<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        // Unicode's line ends are no control characters, and some viewers of logs break lines there.
        let breaks = |c: char| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}');
        while let Some((at, found)) = rest.char_indices().find(|(_, c)| breaks(*c)) {
            self.0.write_str(&rest[..at])?;
            write!(self.0, "{}", found.escape_default())?;
            rest = &rest[at + found.len_utf8()..];
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_writes_a_second_line_or_a_terminals_commands_into_the_log() {
        let shown = OneLine("größe\tok\r\n2026 ERROR forged\u{1b}[2J\u{2028}\u{85}").to_string();
        assert_eq!(shown, "größe\tok\\r\\n2026 ERROR forged\\u{1b}[2J\\u{2028}\\u{85}");
    }
}
