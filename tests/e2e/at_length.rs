//! What takes minutes because rules do: all of it at the same time, each in a world of its own, and begun early.

use crate::{cut_off, shared, works};
use std::thread;

#[test]
fn what_takes_minutes() {
    thread::scope(|scope| {
        scope.spawn(shared::a_lost_node_is_one_trouble_and_its_letters_outlast_a_power_cut);
        scope.spawn(cut_off::a_cut_of_a_minute_is_one_alarm);
        scope.spawn(works::a_loss_in_maintenance_is_expected_until_its_end);
    });
}
