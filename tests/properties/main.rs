//! Whatever happens to the world, the daemon and its disk, these hold.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]
#![expect(clippy::wildcard_enum_match_arm, reason = "each property looks at a few facts only")]

mod letters;
mod lines;
mod mail;
mod promises;
mod world;

use proptest::prelude::*;
use world::History;

/// Every property, each of which panics if it does not hold.
const PROPERTIES: [fn(&History); 30] = [
    lines::ledger_is_whole,
    lines::cases_have_their_loss,
    lines::findings_have_their_evidence,
    lines::strips_are_kept_once,
    lines::cases_know_the_last_contact,
    lines::downtime_is_loss,
    lines::losses_have_their_case,
    lines::enough_loss_has_its_case_at_work,
    lines::cases_are_their_facts,
    lines::open_cases_are_counted,
    lines::what_is_closed_was_accounted_for,
    lines::windows_are_observed,
    lines::requests_are_answered,
    lines::isolation_opens_nothing,
    lines::maintenance_opens_nothing,
    letters::customers_are_told_everything_once,
    letters::problems_have_one_recovery,
    letters::the_noc_hears_of_all_trouble,
    letters::the_noc_hears_no_recovery_without_its_trouble,
    letters::letters_arrive_in_order,
    letters::letters_show_only_their_reader_s_lines,
    letters::umbrellas_collect,
    letters::umbrellas_close_over_nobody,
    letters::alarms_alternate,
    letters::the_watch_returns_only_faults,
    promises::promises_are_kept_or_missed,
    promises::nothing_is_overdue_in_silence,
    mail::messages_join_only_cases_of_their_sender,
    mail::only_people_move_cases,
    mail::every_message_is_sorted_once,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn all_invariants_hold(
        events in prop::collection::vec((world::gap(), world::event()), 1..60),
        make in world::make(),
        seed in any::<u64>(),
    ) {
        let history = History::play(&events, make, seed);
        PROPERTIES.iter().for_each(|holds| holds(&history));
    }
}
