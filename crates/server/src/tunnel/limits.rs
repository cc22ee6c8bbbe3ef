//! When a tunnel must end. Instants come in; nothing here looks at a clock.

use super::way::Way;
use rimward_config::Limits;
use rimward_types::Ended;
use std::time::Duration;
use tokio::time::Instant;

/// What the other side gets when one has ended: to read what is left, and to end too.
const FAREWELL: Duration = Duration::from_secs(10);

/// The times of one tunnel.
#[derive(Debug)]
pub(super) struct Deadlines {
    /// Without a byte from the origin (`cdn-behaviour.md` section 20).
    idle: Duration,
    /// Without a byte taken by who has some to take.
    stall: Duration,
    origin_moved: Instant,
    to_origin_stuck: Option<Instant>,
    to_viewer_stuck: Option<Instant>,
    farewell: Option<Instant>,
}

impl Deadlines {
    pub(super) fn new(now: Instant, limits: &Limits) -> Self {
        Self {
            idle: limits.websocket_idle,
            stall: limits.body_idle,
            origin_moved: now,
            to_origin_stuck: None,
            to_viewer_stuck: None,
            farewell: None,
        }
    }

    /// Takes note of what happened up to `now`.
    pub(super) fn look(&mut self, now: Instant, up: &Way, down: &Way, ended: Option<Ended>) {
        self.note(
            now,
            Seen {
                from_origin: down.has_read(),
                to_origin: Sink { stuck: up.is_stuck(), moved: up.has_written() },
                to_viewer: Sink { stuck: down.is_stuck(), moved: down.has_written() },
                ended: ended.is_some(),
            },
        );
    }

    fn note(&mut self, now: Instant, seen: Seen) {
        // While the viewer is the brake, the origin is not asked.
        if seen.from_origin || seen.to_viewer.stuck {
            self.origin_moved = now;
        }
        seen.to_origin.since(now, &mut self.to_origin_stuck);
        seen.to_viewer.since(now, &mut self.to_viewer_stuck);
        if seen.ended {
            self.farewell.get_or_insert(now);
        }
    }

    /// The first instant at which it must end as it stands, and why.
    pub(super) fn next(&self) -> (Instant, Ended) {
        let mut first = (self.origin_moved + self.idle, Ended::Idle);
        let others = [
            (self.to_origin_stuck.map(|since| since + self.stall), Ended::OriginStalled),
            (self.to_viewer_stuck.map(|since| since + self.stall), Ended::ViewerStalled),
            (self.farewell.map(|since| since + FAREWELL), Ended::default()),
        ];
        for (deadline, ended) in others {
            if let Some(deadline) = deadline
                && deadline < first.0
            {
                first = (deadline, ended);
            }
        }
        first
    }
}

/// What was seen of a tunnel.
struct Seen {
    from_origin: bool,
    to_origin: Sink,
    to_viewer: Sink,
    ended: bool,
}

/// Whether a side takes what there is for it.
struct Sink {
    stuck: bool,
    moved: bool,
}

impl Sink {
    /// Since when it does not: taking a part counts as moving.
    fn since(&self, now: Instant, stuck: &mut Option<Instant>) {
        *stuck = match *stuck {
            _ if !self.stuck => None,
            Some(since) if !self.moved => Some(since),
            _ => Some(now),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOWS: Sink = Sink { stuck: false, moved: false };
    const STUCK: Sink = Sink { stuck: true, moved: false };

    fn quiet() -> Seen {
        Seen { from_origin: false, to_origin: FLOWS, to_viewer: FLOWS, ended: false }
    }

    fn deadlines() -> (Instant, Deadlines) {
        let start = Instant::now();
        (start, Deadlines::new(start, &Limits::default()))
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn ten_minutes_without_a_byte_from_the_origin_end_it_whatever_the_viewer_sends() {
        let (start, mut deadlines) = deadlines();
        assert_eq!(deadlines.next(), (start + 10 * MINUTE, Ended::Idle));
        deadlines.note(start + 4 * MINUTE, Seen { from_origin: true, ..quiet() });
        deadlines.note(start + 9 * MINUTE, Seen { to_origin: Sink { stuck: false, moved: true }, ..quiet() });
        assert_eq!(deadlines.next(), (start + 14 * MINUTE, Ended::Idle));
    }

    #[test]
    fn a_side_that_takes_nothing_ends_it_and_one_that_takes_a_little_does_not() {
        let (start, mut deadlines) = deadlines();
        let stall = Limits::default().body_idle;
        deadlines.note(start, Seen { to_viewer: STUCK, ..quiet() });
        deadlines.note(start + stall / 2, Seen { to_viewer: STUCK, ..quiet() });
        assert_eq!(deadlines.next(), (start + stall, Ended::ViewerStalled));
        deadlines.note(start + stall / 2, Seen { to_viewer: Sink { stuck: true, moved: true }, ..quiet() });
        assert_eq!(deadlines.next(), (start + stall / 2 + stall, Ended::ViewerStalled));
        deadlines.note(start + stall, Seen { to_origin: STUCK, ..quiet() });
        assert_eq!(deadlines.next(), (start + 2 * stall, Ended::OriginStalled));
        deadlines.note(start + stall, quiet());
        // While the viewer took nothing, nothing was asked of the origin.
        assert_eq!(deadlines.next(), (start + stall / 2 + 10 * MINUTE, Ended::Idle));
    }

    #[test]
    fn the_other_side_gets_a_moment_to_end_too() {
        let (start, mut deadlines) = deadlines();
        deadlines.note(start + MINUTE, Seen { ended: true, ..quiet() });
        deadlines.note(start + 2 * MINUTE, Seen { ended: true, from_origin: true, ..quiet() });
        let (deadline, ended) = deadlines.next();
        assert_eq!(deadline, start + MINUTE + FAREWELL);
        assert!(ended.is_regular());
    }
}
