//! The request-ids that questions bear.

use crate::engine::polling::Serial;
use core::hash::BuildHasher;
use std::collections::hash_map::RandomState;

/// Bits of a serial's place and of its generation: as many as an id has below [`LEAST`].
const PLACE_BITS: u32 = 18;
const GENERATION_BITS: u32 = 12;

/// Places that there are names for.
pub(super) const PLACES: usize = 1 << PLACE_BITS;

/// The generations that a name tells apart.
pub(super) const GENERATIONS: u32 = (1 << GENERATION_BITS) - 1;

/// The smallest id. All are positive and four octets long, so that one can take another's place in a request.
const LEAST: u32 = 1 << (PLACE_BITS + GENERATION_BITS);

/// Half of a serial, as the rounds mix them.
const HALF_BITS: u32 = (PLACE_BITS + GENERATION_BITS) / 2;
const HALF: u32 = (1 << HALF_BITS) - 1;

/// Rounds of mixing. From four on no series of ids tells the next (Luby and Rackoff, 1988).
const ROUNDS: u8 = 4;

/// Makes ids of serials and finds those again. Who has seen many ids cannot guess another: agents that share a community must not be
/// able to answer for each other.
pub(super) struct Ids(RandomState);

impl Ids {
    pub(super) fn new() -> Self {
        Self(RandomState::new())
    }

    /// The id of a question.
    pub(super) fn id(&self, serial: Serial) -> u32 {
        let plain = (serial.generation & GENERATIONS) << PLACE_BITS | serial.place;
        let mixed = (0..ROUNDS)
            .fold((plain >> HALF_BITS, plain & HALF), |(left, right), round| (right, left ^ self.noise(round, right)));
        LEAST | mixed.0 << HALF_BITS | mixed.1
    }

    /// The question that has this id, if it is one that we could have made.
    pub(super) fn serial(&self, id: i32) -> Option<Serial> {
        let mixed = u32::try_from(id).ok()?.checked_sub(LEAST)?;
        let (left, right) = (0..ROUNDS)
            .rev()
            .fold((mixed >> HALF_BITS, mixed & HALF), |(left, right), round| (right ^ self.noise(round, left), left));
        let plain = left << HALF_BITS | right;
        Some(Serial { place: plain & (PLACES as u32 - 1), generation: plain >> PLACE_BITS })
    }

    fn noise(&self, round: u8, half: u32) -> u32 {
        self.0.hash_one(half << u8::BITS | u32::from(round)) as u32 & HALF
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_serial_has_an_id_of_its_own_and_is_found_by_it() {
        let ids = Ids::new();
        let mut seen = BTreeSet::new();
        for place in (0..1_000).chain([PLACES as u32 - 1]) {
            for generation in [0, 1, 2, GENERATIONS] {
                let serial = Serial { place, generation };
                let id = ids.id(serial);
                assert!((LEAST..1 << 31).contains(&id), "{id:x}");
                assert_eq!(ids.serial(id as i32), Some(serial));
                assert!(seen.insert(id));
            }
        }
        for id in [i32::MIN, -1, 0, LEAST as i32 - 1] {
            assert_eq!(ids.serial(id), None);
        }
    }

    #[test]
    fn neighbours_have_ids_that_are_far_apart_and_differ_from_start_to_start() {
        let [one, other] = [Ids::new(), Ids::new()];
        let near = (0..1_000).filter(|&place| {
            let of = |ids: &Ids, place| ids.id(Serial { place, generation: 1 });
            of(&one, place).abs_diff(of(&one, place + 1)) < 1 << 15 || of(&one, place) == of(&other, place)
        });
        assert!(near.count() < 10);
    }
}
