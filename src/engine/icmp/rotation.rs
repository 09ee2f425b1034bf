//! Which identifier the echoes to a device bear.
//!
//! NATs and connection trackers know a flow of echoes by its addresses and its identifier. One that has gone bad, bound to a way out
//! that is down for instance, stays so for as long as echoes keep it alive. So each loss moves the device on to the next
//! identifier, and what works is kept.

use crate::domain::watch::Slot;

/// Identifiers that take turns; a power of two. A probe a second, as sentinels get them, comes back to the first after more than
/// the 30 s in which Linux forgets a flow without traffic.
pub(super) const IDENTIFIERS: u8 = 64;

/// Devices that have a turn of their own at most, a byte each. Slots are dense: this is past any inventory.
const MAX_DEVICES: usize = 1 << 24;

/// Which of the identifiers is a device's, below [`IDENTIFIERS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn(pub(super) u8);

/// The turns of all devices. Those that never lost a probe have the first.
#[derive(Default)]
pub(super) struct Rotation(Vec<Turn>);

impl Rotation {
    /// The turn of `slot`.
    pub(super) fn of(&self, slot: Slot) -> Turn {
        self.0.get(slot.index()).copied().unwrap_or_default()
    }

    /// Moves `slot` on, for it lost a probe.
    pub(super) fn lost(&mut self, slot: Slot) {
        let index = slot.index();
        if index >= MAX_DEVICES {
            return;
        }
        if index >= self.0.len() {
            self.0.resize(index + 1, Turn::default());
        }
        self.0[index].0 = (self.0[index].0 + 1) % IDENTIFIERS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loss_moves_on_and_nothing_else_does() {
        let mut rotation = Rotation::default();
        for turn in (0..IDENTIFIERS).chain(0..3) {
            assert_eq!(rotation.of(Slot(7)), Turn(turn));
            rotation.lost(Slot(7));
        }
        assert_eq!(rotation.of(Slot(6)), Turn(0));
        assert_eq!(rotation.of(Slot(8)), Turn(0));
        assert_eq!(rotation.0.len(), 8);
    }

    #[test]
    fn a_slot_past_any_inventory_takes_no_memory() {
        let mut rotation = Rotation::default();
        rotation.lost(Slot(u32::MAX));
        assert!(rotation.0.is_empty());
        rotation.lost(Slot(MAX_DEVICES as u32 - 1));
        assert_eq!(rotation.0.len(), MAX_DEVICES);
    }
}
