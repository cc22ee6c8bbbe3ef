//! Path patterns (`cdn-behaviour.md` section 3): `*` is any number of characters, `/` among them, `?` is one.

use std::fmt;
use std::str::FromStr;

/// The longest pattern, in characters.
const MAX_LENGTH: usize = 255;
/// What a pattern may have besides letters and digits.
const PUNCTUATION: &[u8] = b"_-.*$/~\"'@:+&?";

/// A pattern that whole paths are matched with, in time linear in the path whatever the pattern is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    /// What stands before the first `*`; the whole pattern when there is none.
    prefix: Vec<u8>,
    /// What stands between two `*`.
    middle: Vec<Piece>,
    /// What stands after the last `*`; `None` without `*`.
    suffix: Option<Vec<u8>>,
}

/// A text is no path pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// It is empty.
    #[error("a path pattern has at least one character")]
    Empty,
    /// It is longer than 255 characters.
    #[error("a path pattern has at most {MAX_LENGTH} characters, this one has {0}")]
    TooLong(usize),
    /// It has a character that patterns do not have.
    #[error("a path pattern cannot have the character `{0}`")]
    Character(char),
}

/// Characters that are looked for from left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// No `?`: the standard library's search, which is linear.
    Plain(String),
    /// With `?`.
    Wild(Box<Wild>),
}

/// A piece with `?` as a shift-and automaton: after each byte, bit `i` says that the last `i + 1` bytes match the
/// first `i + 1` of the piece. 255 bits are 4 words, so a byte of the path costs the same for every piece.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wild {
    length: usize,
    /// Positions that take any byte.
    any: Bits,
    /// Positions that take one byte.
    takes: Vec<(u8, Bits)>,
}

type Bits = [u64; 4];

impl PathPattern {
    /// `*`: every path.
    pub fn any() -> Self {
        Self { text: "*".to_owned(), prefix: Vec::new(), middle: Vec::new(), suffix: Some(Vec::new()) }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches every path.
    pub fn is_any(&self) -> bool {
        let every = |prefix: &[u8]| prefix.is_empty() || prefix == b"/";
        every(&self.prefix) && self.middle.is_empty() && self.suffix.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether it matches the whole of `path`, which begins with `/`. Case counts.
    pub fn matches(&self, path: &str) -> bool {
        let bytes = path.as_bytes();
        let Some(suffix) = &self.suffix else {
            return same(&self.prefix, bytes);
        };
        if bytes.len() < self.prefix.len() + suffix.len() {
            return false;
        }
        let (head, rest) = bytes.split_at(self.prefix.len());
        let (mut between, tail) = rest.split_at(rest.len() - suffix.len());
        if !same(&self.prefix, head) || !same(suffix, tail) {
            return false;
        }
        // The leftmost place for each piece leaves the most for those after it.
        for piece in &self.middle {
            match piece.find_end(between) {
                Some(end) => between = &between[end..],
                None => return false,
            }
        }
        true
    }
}

/// Whether `text` is `pattern`, where `?` is any byte.
fn same(pattern: &[u8], text: &[u8]) -> bool {
    pattern.len() == text.len() && pattern.iter().zip(text).all(|(p, t)| *p == b'?' || p == t)
}

impl FromStr for PathPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        if text.is_empty() {
            return Err(InvalidPattern::Empty);
        }
        let length = text.chars().count();
        if length > MAX_LENGTH {
            return Err(InvalidPattern::TooLong(length));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || u8::try_from(c).is_ok_and(|b| PUNCTUATION.contains(&b));
        if let Some(wrong) = text.chars().find(|c| !allowed(*c)) {
            return Err(InvalidPattern::Character(wrong));
        }
        // The leading slash may be left out, except before `*`, which may itself stand for it.
        let full = if text.starts_with(['/', '*']) { text.to_owned() } else { format!("/{text}") };
        let mut pieces = full.split('*');
        let prefix = pieces.next().unwrap_or_default().as_bytes().to_vec();
        let mut middle: Vec<&str> = pieces.collect();
        let suffix = middle.pop().map(|piece| piece.as_bytes().to_vec());
        let middle = middle.into_iter().filter(|piece| !piece.is_empty()).map(Piece::new).collect();
        Ok(Self { text: text.to_owned(), prefix, middle, suffix })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

// === impl Piece ===

impl Piece {
    fn new(text: &str) -> Self {
        if text.contains('?') { Piece::Wild(Box::new(Wild::new(text))) } else { Piece::Plain(text.to_owned()) }
    }

    /// Where the leftmost match in `bytes` ends.
    fn find_end(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Piece::Wild(wild) => wild.find_end(bytes),
            // A piece is ASCII, so it cannot match inside a longer character, and a cut one at an end never matches.
            Piece::Plain(piece) => match std::str::from_utf8(bytes) {
                Ok(text) => text.find(piece.as_str()).map(|at| at + piece.len()),
                Err(_) => Wild::new(piece).find_end(bytes),
            },
        }
    }
}

// === impl Wild ===

impl Wild {
    fn new(text: &str) -> Self {
        let mut any = [0; 4];
        let mut takes: Vec<(u8, Bits)> = Vec::new();
        for (at, byte) in text.bytes().enumerate() {
            let bits = match takes.iter().position(|(b, _)| *b == byte) {
                _ if byte == b'?' => &mut any,
                Some(known) => &mut takes[known].1,
                None => {
                    takes.push((byte, [0; 4]));
                    let last = takes.len() - 1;
                    &mut takes[last].1
                }
            };
            bits[at / 64] |= 1 << (at % 64);
        }
        Self { length: text.len(), any, takes }
    }

    fn find_end(&self, bytes: &[u8]) -> Option<usize> {
        let (word, bit) = ((self.length - 1) / 64, (self.length - 1) % 64);
        let mut state: Bits = [0; 4];
        for (at, byte) in bytes.iter().enumerate() {
            let takes = self.takes.iter().find(|(b, _)| b == byte).map_or([0; 4], |(_, bits)| *bits);
            // A match may begin at every byte: bit 0 is shifted in.
            let mut carry = 1;
            for (i, part) in state.iter_mut().enumerate() {
                let next = *part >> 63;
                *part = ((*part << 1) | carry) & (takes[i] | self.any[i]);
                carry = next;
            }
            if state[word] >> bit & 1 == 1 {
                return Some(at + 1);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
