//! Questions that were sent and not answered yet.

use crate::domain::watch::Method;
use core::time::Duration;
use metrics::Counter;
use std::collections::{BTreeMap, VecDeque};

/// Names a question: the place that it takes in a table, and which one there it is. So its answer is found without a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Serial {
    pub(in crate::engine) place: u32,
    pub(in crate::engine) generation: u32,
}

/// Why a reply answers no question in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Stray {
    /// Its question was answered before.
    Duplicate,
    /// Its question was given up before.
    Late,
    /// No question of ours: what it bears is made up, or comes from another address than was asked.
    Foreign,
}

impl Stray {
    /// Every one.
    const ALL: [Self; 3] = [Self::Duplicate, Self::Late, Self::Foreign];

    /// As metrics label it.
    const fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::Foreign => "foreign",
        }
    }
}

/// How many replies answered nothing.
pub(in crate::engine) struct Strays([Counter; Stray::ALL.len()]);

impl Strays {
    /// To probes by `method`.
    pub(in crate::engine) fn new(method: Method) -> Self {
        Self(Stray::ALL.map(|stray| {
            metrics::counter!("ntuwatch_ignored_datagrams_total", "method" => method.name(), "why" => stray.name())
        }))
    }

    /// One more.
    pub(in crate::engine) fn count(&self, stray: Stray) {
        self.0[stray as usize].increment(1);
    }
}

/// A place that questions take one after the other.
#[derive(Debug)]
struct Berth<F> {
    /// Which question of this place it is.
    generation: u32,
    /// The generation when the flight began: it may have been renewed since.
    begun: u32,
    state: State<F>,
}

#[derive(Debug)]
enum State<F> {
    Flying(F),
    Answered,
    GivenUp,
}

/// All flights, each with an `F`.
pub(in crate::engine) struct Flights<F> {
    berths: Vec<Berth<F>>,
    free: VecDeque<u32>,
    flying: usize,
    /// By timeout, of which there are few: when which flight is lost, the earliest first. Those that were answered since are skipped.
    deadlines: BTreeMap<Duration, VecDeque<(Duration, Serial)>>,
    /// Bits of a generation that count.
    generations: u32,
    rest: usize,
}

impl<F> Flights<F> {
    /// None yet. Generations use no more than the bits of `generations`, so a serial comes back after as many uses of its place; and
    /// places that are free rest until there are more than `rest` of them.
    pub(in crate::engine) const fn new(generations: u32, rest: usize) -> Self {
        Self { berths: Vec::new(), free: VecDeque::new(), flying: 0, deadlines: BTreeMap::new(), generations, rest }
    }

    /// How many there are.
    pub(in crate::engine) const fn len(&self) -> usize {
        self.flying
    }

    /// A question is about to be sent, whose answer may take `timeout` from `at` on.
    pub(in crate::engine) fn begin(&mut self, at: Duration, timeout: Duration, flight: F) -> Serial {
        let place = self.free_place();
        let berth = &mut self.berths[place as usize];
        let generation = berth.generation.wrapping_add(1) & self.generations;
        *berth = Berth { generation, begun: generation, state: State::Flying(flight) };
        let serial = Serial { place, generation };
        self.flying += 1;
        self.deadlines.entry(timeout).or_default().push_back((at.saturating_add(timeout), serial));
        serial
    }

    /// It could not be sent after all.
    pub(in crate::engine) fn cancel(&mut self, serial: Serial) {
        assert!(self.end(serial, State::GivenUp).is_ok(), "only what is in flight is cancelled");
    }

    /// The flight that `serial` names.
    pub(in crate::engine) fn get(&mut self, serial: Serial) -> Result<&mut F, Stray> {
        let berth = self.berths.get_mut(serial.place as usize).ok_or(Stray::Foreign)?;
        if berth.generation != serial.generation {
            return Err(Stray::Late);
        }
        match &mut berth.state {
            State::Flying(flight) => Ok(flight),
            State::Answered => Err(Stray::Duplicate),
            State::GivenUp => Err(Stray::Late),
        }
    }

    /// All flights whose place ends with these bits.
    pub(in crate::engine) fn at_places_ending(&self, ending: u16) -> impl Iterator<Item = &F> {
        let places = self.berths.iter().skip(usize::from(ending)).step_by(1 << 16);
        places.filter_map(|berth| match &berth.state {
            State::Flying(flight) => Some(flight),
            State::Answered | State::GivenUp => None,
        })
    }

    /// The flight that an answer ends.
    pub(in crate::engine) fn land(&mut self, serial: Serial) -> Result<F, Stray> {
        self.end(serial, State::Answered)
    }

    /// Asks again within the same flight and its time: answers to what was asked before are late from now on.
    pub(in crate::engine) fn renew(&mut self, serial: Serial) -> Serial {
        let berth = &mut self.berths[serial.place as usize];
        berth.generation = berth.generation.wrapping_add(1) & self.generations;
        Serial { generation: berth.generation, ..serial }
    }

    /// A flight that nobody answered by `now`.
    pub(in crate::engine) fn give_up(&mut self, now: Duration) -> Option<F> {
        loop {
            let begun = self.deadlines.values_mut().find_map(|queue| match queue.front() {
                Some(&(deadline, begun)) if deadline <= now || present(&self.berths, begun).is_none() => {
                    queue.pop_front();
                    Some(begun)
                }
                Some(_) | None => None,
            })?;
            if let Some(serial) = present(&self.berths, begun)
                && let Ok(flight) = self.end(serial, State::GivenUp)
            {
                return Some(flight);
            }
        }
    }

    /// When the next one is to be given up.
    pub(in crate::engine) fn next_deadline(&mut self) -> Option<Duration> {
        self.deadlines.retain(|_, queue| !queue.is_empty());
        self.deadlines.values().filter_map(|queue| queue.front()).map(|&(deadline, _)| deadline).min()
    }

    fn free_place(&mut self) -> u32 {
        // what was used last is at hand, unless it has to rest
        let free = match self.rest {
            0 => self.free.pop_back(),
            rest if self.free.len() > rest => self.free.pop_front(),
            _ => None,
        };
        free.unwrap_or_else(|| {
            self.berths.push(Berth { generation: 0, begun: 0, state: State::GivenUp });
            u32::try_from(self.berths.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn end(&mut self, serial: Serial, how: State<F>) -> Result<F, Stray> {
        self.get(serial)?;
        match core::mem::replace(&mut self.berths[serial.place as usize].state, how) {
            State::Flying(flight) => {
                self.flying -= 1;
                self.free.push_back(serial.place);
                Ok(flight)
            }
            State::Answered => Err(Stray::Duplicate),
            State::GivenUp => Err(Stray::Late),
        }
    }
}

/// What names the flight now that began as `begun`, if it has not ended.
fn present<F>(berths: &[Berth<F>], begun: Serial) -> Option<Serial> {
    let berth = berths.get(begun.place as usize)?;
    let is_flying = berth.begun == begun.generation && matches!(berth.state, State::Flying(_));
    is_flying.then_some(Serial { generation: berth.generation, ..begun })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn given_up(flights: &mut Flights<u32>, now: u64) -> Vec<u32> {
        core::iter::from_fn(|| flights.give_up(ms(now))).collect()
    }

    #[test]
    fn each_is_given_up_at_its_own_time() {
        let mut flights = Flights::new(u32::MAX, 0);
        let serials = [(1, 0, 1_000), (2, 10, 200), (3, 20, 1_000), (4, 30, 200)]
            .map(|(flight, sent, timeout)| flights.begin(ms(sent), ms(timeout), flight));
        assert_eq!(flights.next_deadline(), Some(ms(210)));
        flights.land(serials[0]).unwrap();
        flights.cancel(serials[3]);
        assert_eq!(given_up(&mut flights, 230), [2]);
        assert_eq!(flights.next_deadline(), Some(ms(1_020)));
        assert_eq!(given_up(&mut flights, 2_000), [3]);
        assert_eq!((flights.len(), flights.next_deadline()), (0, None));
    }

    #[test]
    fn what_is_asked_again_has_another_name_and_the_time_it_had() {
        let mut flights = Flights::new(u32::MAX, 0);
        let first = flights.begin(ms(0), ms(100), 1);
        let second = flights.renew(first);
        assert_eq!(flights.land(first), Err(Stray::Late));
        assert_eq!(flights.get(second), Ok(&mut 1));
        assert!(given_up(&mut flights, 99).is_empty());
        assert_eq!(given_up(&mut flights, 100), [1]);
        assert_eq!((flights.land(second), flights.len()), (Err(Stray::Late), 0));
        assert_eq!(flights.next_deadline(), None);
    }

    #[test]
    fn a_name_comes_back_only_when_its_place_has_rested_and_its_generations_are_through() {
        const REST: usize = 3;
        const GENERATIONS: u32 = 0b11;
        let mut flights = Flights::new(GENERATIONS, REST);
        let mut names = Vec::new();
        let every = (REST + 1) * (GENERATIONS as usize + 1);
        for flight in 0..2 * every as u32 {
            let serial = flights.begin(ms(0), ms(100), flight);
            flights.land(serial).unwrap();
            assert_eq!(flights.land(serial), Err(Stray::Duplicate));
            names.push((serial.place, serial.generation));
        }
        let (first, again) = names.split_at(every);
        assert_eq!(first, again);
        let distinct: std::collections::BTreeSet<_> = first.iter().collect();
        assert_eq!(distinct.len(), every);
    }
}
