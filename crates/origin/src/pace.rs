//! How long nothing may move in a call. Pure: instants come in.
//!
//! A call has two halves, and either side may be silent for long while the other talks. So it is asked whose turn it is: while
//! the viewer's half is open and the origin has taken what there was of it, nobody is late, and a generous time holds for both;
//! otherwise the origin is to move, and its `read-timeout` holds.

use crate::error::ErrorKind;
use std::time::Duration;
use tokio::time::Instant;

/// The times of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// While the origin is to move.
    pub(crate) read: Duration,
    /// While either may.
    pub(crate) idle: Duration,
    /// When all must be over.
    pub(crate) completion: Option<Instant>,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// When the last part went either way.
    pub(crate) moved: Instant,
    /// Whether the viewer's half is open, and nothing of it waits for the origin.
    pub(crate) waits_for_viewer: bool,
}

/// Why a call is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    /// The origin was to move.
    Origin(Duration),
    /// Neither side moved.
    Both(Duration),
    /// It took too long as a whole.
    Whole,
}

impl Pace {
    /// When a call that stands so must be ended unless it moves, and why.
    pub(crate) fn deadline(&self, standing: Standing) -> (Instant, Late) {
        let (at, late) = match standing.waits_for_viewer {
            true => (standing.moved + self.idle, Late::Both(self.idle)),
            false => (standing.moved + self.read, Late::Origin(self.read)),
        };
        match self.completion {
            Some(end) if end <= at => (end, Late::Whole),
            _ => (at, late),
        }
    }

    /// When to look again. Whose turn it is may change without a word to who waits: no later than the shortest time.
    pub(crate) fn next_look(&self, now: Instant, standing: Standing) -> Instant {
        self.deadline(standing).0.min(now + self.read)
    }
}

impl Late {
    pub(crate) fn kind(self) -> ErrorKind {
        match self {
            Late::Origin(_) | Late::Both(_) => ErrorKind::ReadTimeout,
            Late::Whole => ErrorKind::CompletionTimeout,
        }
    }

    pub(crate) fn detail(self) -> String {
        match self {
            Late::Origin(limit) => format!("nothing of an answer within {limit:?}"),
            Late::Both(limit) => format!("neither side sent anything within {limit:?}"),
            Late::Whole => "not complete within the time".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Duration = Duration::from_secs(30);
    const IDLE: Duration = Duration::from_secs(600);

    #[test]
    fn the_origin_has_its_time_when_it_is_to_move_and_both_have_theirs_otherwise() {
        let start = Instant::now();
        let pace = Pace { read: READ, idle: IDLE, completion: None };
        let viewers = Standing { moved: start, waits_for_viewer: true };
        let origins = Standing { moved: start + READ, waits_for_viewer: false };
        assert_eq!(pace.deadline(viewers), (start + IDLE, Late::Both(IDLE)));
        assert_eq!(pace.deadline(origins), (start + 2 * READ, Late::Origin(READ)));
        // The viewer may end its half at any moment: a look no later than the origin's time finds that in time.
        assert_eq!(pace.next_look(start, viewers), start + READ);
        assert_eq!(pace.next_look(start + READ, origins), start + 2 * READ);
    }

    #[test]
    fn the_whole_has_a_time_of_its_own() {
        let start = Instant::now();
        let pace = Pace { read: READ, idle: IDLE, completion: Some(start + 2 * READ) };
        for (moved, waits_for_viewer, expected) in [
            (start, false, (start + READ, Late::Origin(READ))),
            (start + 2 * READ, false, (start + 2 * READ, Late::Whole)),
            (start, true, (start + 2 * READ, Late::Whole)),
        ] {
            assert_eq!(pace.deadline(Standing { moved, waits_for_viewer }), expected);
        }
        assert_eq!(
            (Late::Whole.kind(), Late::Both(IDLE).kind()),
            (ErrorKind::CompletionTimeout, ErrorKind::ReadTimeout)
        );
    }
}
