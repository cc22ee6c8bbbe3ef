#![allow(clippy::unwrap_used)]

use super::*;

/// Connections at milliseconds of the test's own.
struct Play {
    open: Arc<Open>,
    start: Instant,
    flows: Vec<Arc<Flow>>,
    many: Networks,
}

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

impl Play {
    fn new() -> Self {
        Self { open: Arc::default(), start: Instant::now(), flows: Vec::new(), many: Networks::default() }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn enters(&mut self, limit: usize, seconds: u64) -> Result<u64, Full> {
        let bounds = Bounds {
            connections: limit,
            per_address: None,
            many: &self.many,
            idle: Duration::from_secs(60),
            head_timeout: Duration::from_secs(10),
        };
        let flow = Arc::new(Flow::default());
        let (_, given_up) = self.open.enter(&flow, HERE, &bounds, self.at(seconds))?;
        self.flows.push(flow);
        Ok(given_up)
    }

    /// It makes a request, and rests from then on.
    fn served(&self, which: usize, seconds: u64) {
        drop(self.flows[which].begin(false));
        self.flows[which].rest(self.at(seconds));
    }

    fn given_up(&self) -> Vec<usize> {
        (0..self.flows.len()).filter(|which| self.flows[*which].is_cut()).collect()
    }
}

#[test]
fn at_the_limit_the_one_that_rests_the_longest_goes_and_the_silent_ones_after_them() {
    let mut play = Play::new();
    for _ in 0..4 {
        assert_eq!(play.enters(10, 0), Ok(0));
    }
    // The first two have made requests; the second rests for longer.
    play.served(0, 9);
    play.served(1, 5);
    play.served(0, 10);
    for (expected, round) in [(vec![1], 0), (vec![0, 1], 1), (vec![0, 1, 2], 2)] {
        assert_eq!(play.enters(4, 20 + round), Ok(1));
        assert_eq!(play.given_up(), expected);
    }
}

#[test]
fn a_request_in_flight_and_bytes_on_their_way_keep_a_connection() {
    let mut play = Play::new();
    assert_eq!(play.enters(10, 0), Ok(0));
    assert_eq!(play.enters(10, 0), Ok(0));
    let in_flight = play.flows[0].begin(false);
    play.served(1, 1);
    play.flows[1].writes(true);
    assert_eq!(play.enters(2, 30), Err(Full::All));
    play.flows[1].writes(false);
    assert_eq!(play.enters(2, 31), Ok(1));
    assert_eq!(play.given_up(), [1]);
    drop(in_flight);
    assert!(!play.flows[0].is_cut());
}

#[test]
fn what_was_given_up_lets_no_request_in() {
    let mut play = Play::new();
    assert_eq!(play.enters(1, 0), Ok(0));
    assert!(play.open.give_up_one(play.at(1)));
    assert!(play.flows[0].begin(false).0.is_given_up());
    assert!(!play.open.give_up_one(play.at(2)), "there is no other");
}

#[test]
fn while_most_places_are_taken_the_idle_have_a_quarter_of_their_time() {
    let mut play = Play::new();
    for _ in 0..8 {
        assert_eq!(play.enters(10, 0), Ok(0));
    }
    for which in 0..4 {
        play.served(which, 1);
    }
    assert_eq!(play.enters(10, 2), Ok(0), "2.5 s for a head, 15 s for a request");
    assert_eq!(play.enters(10, 3), Ok(2), "two that have no head yet");
    assert_eq!(play.given_up(), [4, 5]);
    assert_eq!(play.enters(10, 17), Ok(2));
    assert_eq!(play.given_up(), [0, 1, 4, 5], "kept ones go first");
}

#[test]
fn an_address_has_as_many_as_it_may_unless_it_is_listed() {
    let mut play = Play::new();
    let enter = |play: &Play, peer: &str| {
        let bounds = Bounds {
            connections: 100,
            per_address: Some(2),
            many: &play.many,
            idle: Duration::from_secs(60),
            head_timeout: Duration::from_secs(10),
        };
        play.open.enter(&Arc::new(Flow::default()), peer.parse().unwrap(), &bounds, play.at(0)).map(|(id, _)| id)
    };
    let first = enter(&play, "2001:db8::1").unwrap();
    enter(&play, "2001:db8::2").unwrap();
    assert_eq!(enter(&play, "2001:db8::3"), Err(Full::Address));
    enter(&play, "2001:db8:1::1").unwrap();
    play.open.leave(first);
    enter(&play, "2001:db8::3").unwrap();
    assert_eq!(enter(&play, "2001:db8::1"), Err(Full::Address));
    play.many.add("2001:db8::/32").unwrap();
    enter(&play, "2001:db8::1").unwrap();
    for id in 0..10 {
        play.open.leave(id);
    }
    let state = play.open.lock();
    assert!(state.networks.is_empty() && state.silent.is_empty() && state.kept.is_empty(), "nothing is left behind");
}
