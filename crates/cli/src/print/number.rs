//! Numbers with units, for people.

use std::time::Duration;

/// `41,230`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 function`, `2 functions`.
pub fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `312 B`, `9.7 KB`, `12.0 MB`; 1 KB is 1,024 bytes.
pub fn bytes(size: u64) -> String {
    match size {
        0..1024 => format!("{size} B"),
        1024..1_048_576 => format!("{:.1} KB", size as f64 / 1024.0),
        _ => format!("{:.1} MB", size as f64 / 1_048_576.0),
    }
}

/// `41.2 µs`, `1.20 ms`, `3.00 s`.
pub fn time(time: Duration) -> String {
    let us = time.as_nanos() as f64 / 1000.0;
    match us {
        ..1000.0 => format!("{us:.1} µs"),
        ..1_000_000.0 => format!("{:.2} ms", us / 1000.0),
        _ => format!("{:.2} s", us / 1_000_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!([312, 10_000, 12 << 20].map(bytes), ["312 B", "9.8 KB", "12.0 MB"]);
        assert_eq!(time(Duration::from_nanos(41_234)), "41.2 µs");
        assert_eq!(time(Duration::from_micros(1200)), "1.20 ms");
        assert_eq!(time(Duration::from_secs(3)), "3.00 s");
    }
}
