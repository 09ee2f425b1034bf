//! Probes that were sent and not answered yet.

use super::echo::Token;
use crate::domain::watch::{Probe, Round, Slot};
use core::hash::BuildHasher;
use core::net::IpAddr;
use core::time::Duration;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, VecDeque};

/// A probe in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) slot: Slot,
    pub(super) round: Round,
    pub(super) address: IpAddr,
    pub(super) sent: Moment,
    /// What the kernel had dropped of the family's datagrams by then.
    pub(super) dropped: u32,
}

/// A moment by the engine's own clock, and by the one the kernel stamps datagrams with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Since the engine started.
    pub(super) at: Duration,
    /// Since the Unix epoch. The clock may be set at any time.
    pub(super) wall: Duration,
}

/// Why a reply answers no probe in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stray {
    /// Its probe was answered before.
    Duplicate,
    /// Its probe was given up before.
    Late,
    /// No probe of ours: the token is made up, or comes from another address than was asked.
    Foreign,
}

impl Stray {
    /// Every one.
    pub(super) const ALL: [Self; 3] = [Self::Duplicate, Self::Late, Self::Foreign];

    /// As metrics label it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::Foreign => "foreign",
        }
    }
}

/// A place that flights take one after the other.
#[derive(Debug)]
struct Berth {
    /// Which flight of this place it is.
    generation: u32,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Flying(Flight),
    Answered,
    GivenUp,
}

/// All flights. A flight's serial number is its place and which one there it is, so a reply finds it without a search.
pub(super) struct Flights {
    berths: Vec<Berth>,
    free: Vec<u32>,
    flying: usize,
    /// By timeout, of which there are few: when which flight is lost, the earliest first. Those that were answered since are skipped.
    deadlines: BTreeMap<Duration, VecDeque<(Duration, u64)>>,
    secret: RandomState,
}

impl Flights {
    pub(super) fn new(secret: RandomState) -> Self {
        Self { berths: Vec::new(), free: Vec::new(), flying: 0, deadlines: BTreeMap::new(), secret }
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.flying
    }

    /// A probe is about to be sent.
    pub(super) fn begin(&mut self, probe: &Probe, sent: Moment, dropped: u32) -> Token {
        let flight = Flight { slot: probe.slot, round: probe.round, address: probe.address, sent, dropped };
        let place = self.free.pop().unwrap_or_else(|| {
            self.berths.push(Berth { generation: 0, state: State::GivenUp });
            u32::try_from(self.berths.len() - 1).unwrap_or(u32::MAX)
        });
        let berth = &mut self.berths[place as usize];
        *berth = Berth { generation: berth.generation.wrapping_add(1), state: State::Flying(flight) };
        let serial = (u64::from(berth.generation) << 32) | u64::from(place);
        self.flying += 1;
        self.deadlines.entry(probe.timeout).or_default().push_back((sent.at.saturating_add(probe.timeout), serial));
        Token { serial, proof: self.proof(serial, probe.address) }
    }

    /// It could not be sent after all.
    pub(super) fn cancel(&mut self, token: Token) {
        assert!(self.end(token.serial, State::GivenUp).is_ok(), "only what is in flight is cancelled");
    }

    /// The flight that a reply with `token` from `from` ends.
    pub(super) fn land(&mut self, from: IpAddr, token: Token) -> Result<Flight, Stray> {
        if token.proof != self.proof(token.serial, from) {
            return Err(Stray::Foreign);
        }
        self.end(token.serial, State::Answered)
    }

    /// Whether a probe with `token` was sent to `to`, and not answered as far as can be told.
    pub(super) fn know(&self, to: IpAddr, token: Token) -> Result<(), Stray> {
        if token.proof != self.proof(token.serial, to) {
            return Err(Stray::Foreign);
        }
        let berth = self.berths.get(token.serial as u32 as usize);
        match berth.filter(|berth| u64::from(berth.generation) == token.serial >> 32).map(|berth| berth.state) {
            Some(State::Answered) => Err(Stray::Duplicate),
            Some(State::Flying(_) | State::GivenUp) | None => Ok(()),
        }
    }

    /// A flight to `to` whose serial number ends with `ending`, as sequence numbers do.
    pub(super) fn find(&self, to: IpAddr, ending: u16) -> Option<Flight> {
        let places = (usize::from(ending)..self.berths.len()).step_by(1 << 16);
        places.map(|place| &self.berths[place]).find_map(|berth| match berth.state {
            State::Flying(flight) if flight.address == to => Some(flight),
            State::Flying(_) | State::Answered | State::GivenUp => None,
        })
    }

    /// A flight that nobody answered by `now`.
    pub(super) fn give_up(&mut self, now: Duration) -> Option<Flight> {
        loop {
            let serial = self.deadlines.values_mut().find_map(|queue| match queue.front() {
                Some(&(deadline, serial)) if deadline <= now || !is_flying(&self.berths, serial) => {
                    queue.pop_front();
                    Some(serial)
                }
                Some(_) | None => None,
            })?;
            if let Ok(flight) = self.end(serial, State::GivenUp) {
                return Some(flight);
            }
        }
    }

    /// When the next one is to be given up.
    pub(super) fn next_deadline(&mut self) -> Option<Duration> {
        self.deadlines.retain(|_, queue| !queue.is_empty());
        self.deadlines.values().filter_map(|queue| queue.front()).map(|&(deadline, _)| deadline).min()
    }

    fn end(&mut self, serial: u64, how: State) -> Result<Flight, Stray> {
        let place = serial as u32;
        let berth = self.berths.get_mut(place as usize).ok_or(Stray::Foreign)?;
        if u64::from(berth.generation) != serial >> 32 {
            return Err(Stray::Late);
        }
        match core::mem::replace(&mut berth.state, how) {
            State::Flying(flight) => {
                self.flying -= 1;
                self.free.push(place);
                Ok(flight)
            }
            State::Answered => {
                berth.state = State::Answered;
                Err(Stray::Duplicate)
            }
            State::GivenUp => {
                berth.state = State::GivenUp;
                Err(Stray::Late)
            }
        }
    }

    /// A word that only who was asked can know.
    fn proof(&self, serial: u64, address: IpAddr) -> u64 {
        self.secret.hash_one((serial, address))
    }
}

fn is_flying(berths: &[Berth], serial: u64) -> bool {
    let berth = berths.get(serial as u32 as usize);
    berth.is_some_and(|berth| u64::from(berth.generation) == serial >> 32 && matches!(berth.state, State::Flying(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::watch::Ask;
    use core::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn begin(flights: &mut Flights, slot: u32, sent: u64, timeout: u64) -> Token {
        let probe = Probe { slot: Slot(slot), round: 4, address: HERE, timeout: ms(timeout), ask: Ask::Icmp };
        flights.begin(&probe, Moment { at: ms(sent), wall: Duration::ZERO }, 0)
    }

    fn given_up(flights: &mut Flights, now: u64) -> Vec<u32> {
        core::iter::from_fn(|| flights.give_up(ms(now))).map(|flight| flight.slot.0).collect()
    }

    #[test]
    fn only_the_token_from_the_right_address_is_an_answer_and_only_once() {
        let mut flights = Flights::new(RandomState::new());
        let token = begin(&mut flights, 3, 0, 1_000);
        let Token { serial, proof } = token;
        let stray = |flights: &mut Flights, from, token| flights.land(from, token).unwrap_err();
        assert_eq!(stray(&mut flights, HERE, Token { serial, proof: proof ^ 1 }), Stray::Foreign);
        assert_eq!(stray(&mut flights, HERE, Token { serial: serial + 1, proof }), Stray::Foreign);
        assert_eq!(stray(&mut flights, THERE, token), Stray::Foreign);
        assert_eq!((flights.len(), flights.land(HERE, token).unwrap().slot), (1, Slot(3)));
        assert_eq!((flights.len(), stray(&mut flights, HERE, token)), (0, Stray::Duplicate));
        assert!(given_up(&mut flights, 5_000).is_empty());
        assert_eq!(flights.next_deadline(), None);
    }

    #[test]
    fn what_comes_after_its_time_is_late_also_when_its_place_is_taken() {
        let mut flights = Flights::new(RandomState::new());
        let first = begin(&mut flights, 1, 0, 100);
        assert!(given_up(&mut flights, 99).is_empty());
        assert_eq!(given_up(&mut flights, 100), [1]);
        assert_eq!(flights.land(HERE, first).unwrap_err(), Stray::Late);
        let second = begin(&mut flights, 2, 200, 100);
        assert_eq!(second.serial as u32, first.serial as u32, "the place is used again");
        assert_eq!(flights.land(HERE, first).unwrap_err(), Stray::Late);
        assert_eq!(flights.land(HERE, second).unwrap().slot, Slot(2));
    }

    #[test]
    fn what_was_sent_is_known_by_its_token_or_by_its_address_and_the_end_of_its_number() {
        let mut flights = Flights::new(RandomState::new());
        let [first, second] = [1, 2].map(|slot| begin(&mut flights, slot, 0, 100));
        let slot = |flights: &Flights, to, serial| flights.find(to, serial as u16).map(|flight| flight.slot.0);
        assert_eq!((flights.know(HERE, first), slot(&flights, HERE, first.serial)), (Ok(()), Some(1)));
        assert_eq!((flights.know(THERE, first), slot(&flights, THERE, first.serial)), (Err(Stray::Foreign), None));
        let forged = Token { proof: first.proof ^ 1, ..first };
        assert_eq!(flights.know(HERE, forged), Err(Stray::Foreign));
        assert_eq!(slot(&flights, HERE, second.serial + 1), None);

        flights.land(HERE, first).unwrap();
        assert_eq!((flights.know(HERE, first), slot(&flights, HERE, first.serial)), (Err(Stray::Duplicate), None));
        assert_eq!(given_up(&mut flights, 100), [2]);
        assert_eq!((flights.know(HERE, second), slot(&flights, HERE, second.serial)), (Ok(()), None));
    }

    #[test]
    fn each_is_given_up_at_its_own_time() {
        let mut flights = Flights::new(RandomState::new());
        let tokens = [(1, 0, 1_000), (2, 10, 200), (3, 20, 1_000), (4, 30, 200)]
            .map(|(slot, sent, timeout)| begin(&mut flights, slot, sent, timeout));
        assert_eq!(flights.next_deadline(), Some(ms(210)));
        flights.land(HERE, tokens[0]).unwrap();
        flights.cancel(tokens[3]);
        assert_eq!(given_up(&mut flights, 230), [2]);
        assert_eq!(flights.next_deadline(), Some(ms(1_020)));
        assert_eq!(given_up(&mut flights, 2_000), [3]);
        assert_eq!((flights.len(), flights.next_deadline()), (0, None));
    }
}
