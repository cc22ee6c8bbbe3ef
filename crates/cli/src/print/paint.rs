//! Colours: for terminals alone, and never the only sign of anything.

use std::env;
use std::io::{self, IsTerminal};

/// Paints text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub struct Paint(bool);

/// For standard output.
pub fn stdout() -> Paint {
    Paint(wanted() && io::stdout().is_terminal())
}

/// For standard error.
pub fn stderr() -> Paint {
    Paint(wanted() && io::stderr().is_terminal())
}

/// <https://no-color.org>: any value but an empty one.
fn wanted() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

impl Paint {
    /// Whether it paints.
    pub fn is_on(self) -> bool {
        self.0
    }

    /// Well.
    pub fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// Not well.
    pub fn red(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    /// To be looked at.
    pub fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// A name or a hint.
    pub fn cyan(self, text: &str) -> String {
        self.wrap("36", text)
    }

    /// What matters most.
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What matters least.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// Paints the marks of a report: `error:`, `warning:`, `-->` and `hint:` at the starts of lines.
    pub fn report(self, text: &str) -> String {
        if !self.0 {
            return text.to_owned();
        }
        let line = |line: &str| {
            for (mark, style) in [("error:", "1;31"), ("warning:", "1;33"), ("hint:", "1;36")] {
                if let Some(rest) = line.strip_prefix(mark) {
                    return format!("{}{rest}", self.wrap(style, mark));
                }
            }
            match line.trim_start().strip_prefix("-->") {
                Some(rest) => format!("{}{}{rest}", " ".repeat(line.len() - line.trim_start().len()), self.cyan("-->")),
                None => line.to_owned(),
            }
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    fn wrap(self, style: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::Paint;

    #[test]
    fn without_colour_text_stays_as_it_is() {
        assert_eq!(Paint(false).red("x"), "x");
        assert_eq!(Paint(false).report("error: a\n --> b"), "error: a\n --> b");
    }

    #[test]
    fn a_report_keeps_its_words_and_gets_colours() {
        assert_eq!(Paint(true).report("error: a\nhint: b"), "\x1b[1;31merror:\x1b[0m a\n\x1b[1;36mhint:\x1b[0m b");
    }
}
