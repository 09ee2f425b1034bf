//! Probes that were sent and not answered yet.

use super::echo::Token;
use crate::domain::watch::{Probe, Round, Slot};
use crate::engine::polling::{self, Moment, Serial, Stray};
use core::hash::BuildHasher;
use core::net::IpAddr;
use core::time::Duration;
use std::collections::hash_map::RandomState;

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

/// All flights, and the proof that a reply answers one.
pub(super) struct Flights {
    flights: polling::Flights<Flight>,
    secret: RandomState,
}

impl Flights {
    pub(super) const fn new(secret: RandomState) -> Self {
        Self { flights: polling::Flights::new(u32::MAX, 0), secret }
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.flights.len()
    }

    /// A probe is about to be sent.
    pub(super) fn begin(&mut self, probe: &Probe, sent: Moment, dropped: u32) -> Token {
        let flight = Flight { slot: probe.slot, round: probe.round, address: probe.address, sent, dropped };
        let Serial { place, generation } = self.flights.begin(sent.at, probe.timeout, flight);
        let serial = (u64::from(generation) << 32) | u64::from(place);
        Token { serial, proof: self.proof(serial, probe.address) }
    }

    /// It could not be sent after all.
    pub(super) fn cancel(&mut self, token: Token) {
        self.flights.cancel(serial(token));
    }

    /// The flight that a reply with `token` from `from` ends.
    pub(super) fn land(&mut self, from: IpAddr, token: Token) -> Result<Flight, Stray> {
        if token.proof != self.proof(token.serial, from) {
            return Err(Stray::Foreign);
        }
        self.flights.land(serial(token))
    }

    /// Whether a probe with `token` was sent to `to`, and not answered as far as can be told.
    pub(super) fn know(&mut self, to: IpAddr, token: Token) -> Result<(), Stray> {
        if token.proof != self.proof(token.serial, to) {
            return Err(Stray::Foreign);
        }
        match self.flights.get(serial(token)) {
            Err(Stray::Duplicate) => Err(Stray::Duplicate),
            // the proof says that there was such a probe
            Ok(_) | Err(Stray::Late | Stray::Foreign) => Ok(()),
        }
    }

    /// A flight to `to` whose serial number ends with `ending`, as sequence numbers do.
    pub(super) fn find(&self, to: IpAddr, ending: u16) -> Option<Flight> {
        self.flights.at_places_ending(ending).find(|flight| flight.address == to).copied()
    }

    /// A flight that nobody answered by `now`.
    pub(super) fn give_up(&mut self, now: Duration) -> Option<Flight> {
        self.flights.give_up(now)
    }

    /// When the next one is to be given up.
    pub(super) fn next_deadline(&mut self) -> Option<Duration> {
        self.flights.next_deadline()
    }

    /// A word that only who was asked can know.
    fn proof(&self, serial: u64, address: IpAddr) -> u64 {
        self.secret.hash_one((serial, address))
    }
}

const fn serial(token: Token) -> Serial {
    Serial { place: token.serial as u32, generation: (token.serial >> 32) as u32 }
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
}
