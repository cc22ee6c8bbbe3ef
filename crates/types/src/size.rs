//! Byte sizes with units. 1 KB is 1,024 bytes, as in the vendor's quotas.

use std::fmt;
use std::str::FromStr;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ByteSize(u64);

const UNITS: [(&str, u64); 4] = [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10), ("B", 1)];

/// A text is no byte size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a size; write a number and a unit, such as \"256 MB\" (B, KB, MB, GB)")]
pub struct InvalidByteSize(pub String);

impl ByteSize {
    /// A size in bytes.
    pub const fn bytes(n: u64) -> Self {
        Self(n)
    }

    /// A size in KB (1,024 bytes).
    pub const fn kb(n: u64) -> Self {
        Self(n << 10)
    }

    /// A size in MB (1,024 KB).
    pub const fn mb(n: u64) -> Self {
        Self(n << 20)
    }

    /// In bytes.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// In bytes; on 64-bit machines every size fits.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

impl FromStr for ByteSize {
    type Err = InvalidByteSize;

    fn from_str(text: &str) -> Result<Self, InvalidByteSize> {
        let invalid = || InvalidByteSize(text.to_owned());
        let trimmed = text.trim();
        let digits = trimmed.len() - trimmed.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = trimmed.split_at(digits);
        let number: u64 = number.parse().map_err(|_| invalid())?;
        let unit = unit.trim_start();
        let (_, scale) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(invalid)?;
        number.checked_mul(*scale).map(Self).ok_or_else(invalid)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, scale): &&(&str, u64)| self.0 >= *scale && self.0.is_multiple_of(*scale);
        let (unit, scale) = UNITS.iter().find(fits).copied().unwrap_or(("B", 1));
        write!(f, "{} {unit}", self.0 / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        assert_eq!("2 MB".parse(), Ok(ByteSize::mb(2)));
        assert_eq!("10kb".parse(), Ok(ByteSize::kb(10)));
        assert_eq!("7 B".parse(), Ok(ByteSize::bytes(7)));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "MB", "10", "-1 KB", "1.5 MB", "99999999999999999999 B", "18446744073709551615 GB"] {
            assert_eq!(text.parse::<ByteSize>(), Err(InvalidByteSize(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_size_prints_in_its_largest_whole_unit() {
        for (size, text) in
            [(ByteSize::mb(256), "256 MB"), (ByteSize::kb(10), "10 KB"), (ByteSize::bytes(1500), "1500 B")]
        {
            assert_eq!(size.to_string(), text);
            assert_eq!(text.parse(), Ok(size));
        }
    }
}
