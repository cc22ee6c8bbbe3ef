//! What one run wrote with `console.log`.

/// Bytes of log text that one run may write (`cloudfront-functions.md` section 7: truncated at 10 KB).
const LIMIT: usize = 10 << 10;

/// The lines of one run.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    lines: Vec<String>,
    /// Bytes left; a line break counts as one.
    left: usize,
}

impl Default for Log {
    fn default() -> Self {
        Self { lines: Vec::new(), left: LIMIT }
    }
}

impl Log {
    /// A log that has lines already.
    pub(crate) fn of(lines: &[String]) -> Self {
        let mut log = Self::default();
        lines.iter().for_each(|line| log.add(line.as_bytes()));
        log
    }

    /// Adds a line, cut where the limit is reached; invalid UTF-8 is replaced.
    pub(crate) fn add(&mut self, line: &[u8]) {
        if self.left == 0 {
            return;
        }
        let fits = line.len().min(self.left);
        let mut text = String::from_utf8_lossy(&line[..fits]).into_owned();
        if fits < line.len() && text.ends_with(char::REPLACEMENT_CHARACTER) {
            // The cut went through a character.
            text.pop();
        }
        self.left = self.left.saturating_sub(line.len() + 1);
        self.lines.push(text);
    }

    /// Gives the lines out and starts again.
    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(self).lines
    }
}

#[cfg(test)]
mod tests {
    use super::{LIMIT, Log};

    #[test]
    fn lines_end_at_the_limit() {
        let mut log = Log::default();
        log.add(b"one");
        log.add("\u{e9}".repeat(LIMIT).as_bytes());
        log.add(b"too late");
        let lines = log.take();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], "one");
        assert!(lines[1].len() <= LIMIT - 4 && lines[1].chars().all(|c| c == '\u{e9}'));
    }

    #[test]
    fn empty_lines_count_too() {
        let mut log = Log::default();
        for _ in 0..2 * LIMIT {
            log.add(b"");
        }
        assert_eq!(log.take().len(), LIMIT);
        log.add(b"again");
        assert_eq!(log.take(), ["again"]);
    }
}
