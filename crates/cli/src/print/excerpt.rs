//! A line of code with a caret.

/// Characters of a line that are shown at most; minified code is one long line.
const WIDTH: usize = 100;

/// The line with a caret below the column, both from 1; `None` when there is no such line.
pub fn excerpt(code: &str, line: u32, column: u32) -> Option<String> {
    let text = code.lines().nth(line.checked_sub(1)? as usize)?;
    let before = column.saturating_sub(1) as usize;
    let skipped = before.saturating_sub(WIDTH / 2);
    let shown: String = text.chars().skip(skipped).take(WIDTH).map(|c| if c == '\t' { ' ' } else { c }).collect();
    let margin = " ".repeat(line.to_string().len());
    Some(format!("{margin} |\n{line} | {shown}\n{margin} | {}^", " ".repeat(before - skipped)))
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn the_caret_is_below_the_column() {
        assert_eq!(excerpt("a;\n\tb c;", 2, 4).unwrap(), "  |\n2 |  b c;\n  |    ^");
        assert_eq!(excerpt("a;", 2, 1), None);
        assert_eq!(excerpt("a;", 0, 0), None);
    }
}
