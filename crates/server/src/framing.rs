//! Makes an answer's framing fields true.
//!
//! The HTTP/1 writer trusts the `content-length` that it is given. One that is not the body's would make the viewer take
//! the rest of one answer for the begin of the next, so a function that changes a body and forgets the length, or an
//! origin's answer put together wrongly, must not get that far (RFC 9110 section 8.6, RFC 9112 section 6).

use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Sets `headers` right for a body of `len` bytes, where that is known. `to_head`: the request was HEAD.
pub(crate) fn settle(headers: &mut HeaderMap, status: StatusCode, to_head: bool, len: Option<u64>) {
    // The connection is ours, and so are the chunks on it.
    headers.remove(header::TRANSFER_ENCODING);
    if !headers.contains_key(header::CONTENT_LENGTH) {
        return;
    }
    let said = length(headers);
    let right = match len {
        _ if status == StatusCode::NO_CONTENT || status.is_informational() => None,
        // The length of what GET would have given, or was not modified.
        _ if to_head || status == StatusCode::NOT_MODIFIED => said,
        None => said,
        known => known,
    };
    match right {
        None => drop(headers.remove(header::CONTENT_LENGTH)),
        Some(right) if said != Some(right) => drop(headers.insert(header::CONTENT_LENGTH, HeaderValue::from(right))),
        Some(_) => {}
    }
}

/// The length, if there is one field with one number.
fn length(headers: &HeaderMap) -> Option<u64> {
    let mut values = headers.get_all(header::CONTENT_LENGTH).iter();
    let value = values.next()?.as_bytes();
    let digits = !value.is_empty() && value.len() < 20 && value.iter().all(u8::is_ascii_digit);
    if !digits || values.next().is_some() {
        return None;
    }
    Some(value.iter().fold(0, |number: u64, digit| number.wrapping_mul(10) + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn settled(said: &[&'static str], status: u16, to_head: bool, len: Option<u64>) -> String {
        let mut headers = HeaderMap::new();
        for value in said {
            headers.append(header::CONTENT_LENGTH, HeaderValue::from_static(value));
        }
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        settle(&mut headers, StatusCode::from_u16(status).unwrap(), to_head, len);
        assert!(!headers.contains_key(header::TRANSFER_ENCODING));
        headers.get_all(header::CONTENT_LENGTH).iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn a_length_that_is_not_the_bodys_becomes_so() {
        for (said, len, expected) in [
            (&["5"][..], Some(5), "5"),
            (&["5"], Some(3), "3"),
            (&["5"], Some(0), "0"),
            (&["5", "5"], Some(5), "5"),
            (&["x"], Some(5), "5"),
            (&["5"], None, "5"),
            (&["5", "6"], None, ""),
            (&["+5"], None, ""),
            (&[], Some(5), ""),
        ] {
            assert_eq!(settled(said, 200, false, len), expected, "{said:?} {len:?}");
        }
    }

    #[test]
    fn an_answer_without_body_may_tell_the_length_of_another() {
        assert_eq!(settled(&["5"], 200, true, Some(0)), "5");
        assert_eq!(settled(&["5"], 304, false, Some(0)), "5");
        assert_eq!(settled(&["x"], 200, true, Some(0)), "");
        assert_eq!(settled(&["0"], 204, false, Some(0)), "");
    }
}
