//! Whether a failed attempt is followed by another (`cdn-behaviour.md` section 8). Pure.

use crate::error::ErrorKind;
use http::Method;

/// What is known of a failed attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) kind: ErrorKind,
    pub(crate) method: &'a Method,
    /// Whether a byte of the request may have reached the origin.
    pub(crate) sent: bool,
    /// Whether the connection had served a request before, and closed before a byte of this answer.
    pub(crate) stale: bool,
    /// Whether the request can be made again: its body is empty or still whole.
    pub(crate) repeatable: bool,
    /// Attempts so far, this one included; a stale connection is none.
    pub(crate) attempts: u32,
    /// Attempts allowed.
    pub(crate) allowed: u32,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Try again, on any connection.
    Again,
    /// Try again on a connection of its own: the origin had closed the old one, which says nothing about the origin.
    Fresh,
    /// Give up.
    Fail,
}

/// Decides.
pub(crate) fn next(attempt: Attempt<'_>) -> Next {
    let Attempt { kind, method, sent, stale, repeatable, attempts, allowed } = attempt;
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if !repeatable {
        return Next::Fail;
    }
    match kind {
        // Nothing was sent, so every method may try again; or it only reads.
        ErrorKind::Closed if stale && (!sent || reads) => Next::Fresh,
        ErrorKind::Connect | ErrorKind::ConnectTimeout if attempts < allowed => Next::Again,
        ErrorKind::ReadTimeout if reads && attempts < allowed => Next::Fresh,
        _ => Next::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Attempt<'_> = Attempt {
        kind: ErrorKind::Connect,
        method: &Method::GET,
        sent: false,
        stale: false,
        repeatable: true,
        attempts: 1,
        allowed: 3,
    };

    #[test]
    fn connecting_is_tried_as_often_as_allowed_whatever_the_method() {
        for method in [Method::GET, Method::POST] {
            for kind in [ErrorKind::Connect, ErrorKind::ConnectTimeout] {
                let attempt = Attempt { method: &method, kind, ..FIRST };
                assert_eq!(next(attempt), Next::Again);
                assert_eq!(next(Attempt { attempts: 2, ..attempt }), Next::Again);
                assert_eq!(next(Attempt { attempts: 3, ..attempt }), Next::Fail);
            }
        }
    }

    #[test]
    fn a_read_timeout_is_tried_again_for_get_and_head_alone() {
        for (method, expected) in [
            (Method::GET, Next::Fresh),
            (Method::HEAD, Next::Fresh),
            (Method::POST, Next::Fail),
            (Method::PUT, Next::Fail),
        ] {
            let attempt = Attempt { kind: ErrorKind::ReadTimeout, method: &method, sent: true, ..FIRST };
            assert_eq!(next(attempt), expected, "{method}");
            assert_eq!(next(Attempt { attempts: 3, ..attempt }), Next::Fail, "{method}");
        }
    }

    #[test]
    fn a_stale_connection_costs_no_attempt_and_never_sends_a_post_twice() {
        let stale = Attempt { kind: ErrorKind::Closed, stale: true, attempts: 3, ..FIRST };
        assert_eq!(next(stale), Next::Fresh);
        assert_eq!(next(Attempt { sent: true, ..stale }), Next::Fresh);
        assert_eq!(next(Attempt { method: &Method::POST, ..stale }), Next::Fresh);
        assert_eq!(next(Attempt { method: &Method::POST, sent: true, ..stale }), Next::Fail);
        assert_eq!(next(Attempt { stale: false, ..stale }), Next::Fail);
    }

    #[test]
    fn a_body_that_has_begun_is_never_sent_again() {
        for kind in [ErrorKind::Connect, ErrorKind::ReadTimeout, ErrorKind::Closed] {
            assert_eq!(next(Attempt { kind, stale: true, repeatable: false, ..FIRST }), Next::Fail);
        }
    }

    #[test]
    fn what_would_fail_again_is_not_tried_again() {
        for kind in [ErrorKind::Dns, ErrorKind::Tls, ErrorKind::Protocol, ErrorKind::HeadTooLarge, ErrorKind::Saturated]
        {
            assert_eq!(next(Attempt { kind, ..FIRST }), Next::Fail, "{kind}");
        }
    }
}
