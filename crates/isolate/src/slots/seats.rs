//! Who sits where: which function gets which slot of a thread. No slots here, and no memory.
//!
//! Functions that run often keep a seat; all others pass through one and the same, which stays in the processor's caches. Switching that one
//! costs less than a seat of one's own that has gone cold. A function that is missed twice within a short time gets a seat of its own, from
//! one that has not run as often since.

/// The seat that functions pass through.
const PASSING: usize = 0;
/// Misses within which a second one asks for a seat.
const REMEMBERED: usize = 32;
/// Runs that count in favour of who has a seat.
const MOST_CREDIT: u8 = 16;

/// The seats of one thread. A function is a number; if two had the same, one would be switched for the other, nothing else.
#[derive(Debug)]
pub(super) struct Seats {
    taken: Vec<Seat>,
    most: usize,
    /// Functions that were missed last.
    missed: [usize; REMEMBERED],
    /// Where in `missed` the next one goes.
    oldest: usize,
    /// The seat that is asked for next.
    hand: usize,
}

#[derive(Debug)]
struct Seat {
    function: usize,
    /// Its runs, less those of others that wanted its seat.
    credit: u8,
}

impl Seats {
    /// So many seats, at least one.
    pub(super) fn new(most: usize) -> Self {
        Self { taken: Vec::new(), most: most.max(1), missed: [0; REMEMBERED], oldest: 0, hand: PASSING }
    }

    /// The seat for a run of `function`, which is the next one after the last, or one that was given before.
    pub(super) fn seat(&mut self, function: usize) -> usize {
        if let Some(at) = self.taken.iter().position(|seat| seat.function == function) {
            let seat = &mut self.taken[at];
            seat.credit = (seat.credit + 1).min(MOST_CREDIT);
            return at;
        }
        if self.taken.len() < self.most {
            self.taken.push(Seat { function, credit: 0 });
            return self.taken.len() - 1;
        }
        let at = if self.was_missed(function) { self.asked() } else { PASSING };
        self.taken[at] = Seat { function, credit: 0 };
        at
    }

    /// Whether it was missed not long ago; now it was, in any case.
    fn was_missed(&mut self, function: usize) -> bool {
        if self.missed.contains(&function) {
            return true;
        }
        self.missed[self.oldest] = function;
        self.oldest = (self.oldest + 1) % REMEMBERED;
        false
    }

    /// Asks the next seat: it is given away without credit, and loses some with.
    fn asked(&mut self) -> usize {
        self.hand = if self.hand + 1 < self.most { self.hand + 1 } else { PASSING + 1 };
        match self.taken.get_mut(self.hand) {
            Some(seat) if seat.credit > 0 => {
                seat.credit -= 1;
                PASSING
            }
            Some(_) => self.hand,
            None => PASSING,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PASSING, Seats};

    /// How many of the runs found their function where it was.
    fn hits(seats: &mut Seats, runs: impl IntoIterator<Item = usize>) -> usize {
        let mut held = [0; 8];
        runs.into_iter()
            .filter(|function| std::mem::replace(&mut held[seats.seat(*function)], *function) == *function)
            .count()
    }

    #[test]
    fn functions_that_fit_keep_their_seats() {
        let mut seats = Seats::new(8);
        assert_eq!(hits(&mut seats, (0..800).map(|n| 1 + n % 8)), 792);
    }

    #[test]
    fn a_thousand_in_turns_pass_through_one_seat() {
        let mut seats = Seats::new(8);
        let _ = hits(&mut seats, 1..=1000);
        assert!((0..10_000).map(|n| 101 + n % 900).all(|function| seats.seat(function) == PASSING));
    }

    #[test]
    fn a_few_too_many_in_turns_do_not_push_each_other_out() {
        for functions in 9..=12 {
            let mut seats = Seats::new(8);
            let hits = hits(&mut seats, (0..1000 * functions).map(|n| 1 + n % functions));
            assert!(hits >= 6 * 1000, "{hits} of {functions}");
        }
    }

    #[test]
    fn who_runs_often_gets_a_seat_and_keeps_it_while_others_pass() {
        let mut seats = Seats::new(8);
        let _ = hits(&mut seats, 1..=1000);
        let mixed = |often: usize| (0..3000).map(move |n| if n % 3 == 0 { often } else { 2000 + n });
        let of_ten = hits(&mut seats, mixed(500));
        assert!(of_ten >= 990, "{of_ten}");
        // Another one takes over.
        let later = hits(&mut seats, mixed(501));
        assert!(later >= 980, "{later}");
    }

    #[test]
    fn one_seat_is_enough() {
        let mut seats = Seats::new(0);
        assert!((1..100).all(|n| seats.seat(n % 3) == PASSING));
    }
}
