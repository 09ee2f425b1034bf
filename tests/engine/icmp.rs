//! The ICMP engine against the kernel's own echo service on the loopback interface.

use crate::mailbox::Mailbox;
use ntuwatch::domain::watch::{Ask, Method, Outcome, Probe, ProbeResult, Slot};
use ntuwatch::engine::{ProbeEngine, StartError, icmp};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::mpsc;
use std::time::Duration;

/// Starts an engine, or says why the test is skipped.
fn start() -> Option<(ProbeEngine, Mailbox)> {
    let (mailbox, deliver) = Mailbox::new();
    match icmp::start(deliver) {
        Ok(engine) => Some((engine, mailbox)),
        Err(StartError::NoRight) => {
            println!("skipped: {}", StartError::NoRight);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn probe(slot: u32, round: u32, address: impl Into<IpAddr>) -> Probe {
    let timeout = Duration::from_secs(2);
    Probe { slot: Slot(slot), round, address: address.into(), timeout, ask: Ask::Icmp }
}

/// 127.1.0.0 and the addresses after it: all of them answer.
fn loopback(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 0)) + number)
}

#[test]
fn a_burst_to_living_targets_loses_nothing() {
    let Some((engine, mailbox)) = start() else { return };
    for (round, size) in [(1, 2_000), (2, 2_000), (3, 20_000)] {
        engine.send((0..size).map(|slot| probe(slot, round, loopback(slot))).collect());
        let results = mailbox.take(size as usize);
        for slot in 0..size {
            let outcome = &results[&(Slot(slot), round)];
            assert!(matches!(outcome, Outcome::Answered { sample: None, .. }), "{slot}: {outcome:?}");
        }
    }
    assert!(mailbox.is_quiet());
}

#[test]
fn many_probes_of_one_address_do_not_mix_up() {
    let Some((engine, mailbox)) = start() else { return };
    engine.send((0..500).map(|slot| probe(slot, slot + 7, Ipv4Addr::LOCALHOST)).collect());
    let results = mailbox.take(500);
    assert!((0..500).all(|slot| matches!(results[&(Slot(slot), slot + 7)], Outcome::Answered { .. })));
}

#[test]
fn ipv6_is_answered_where_the_host_has_it() {
    let Some((engine, mailbox)) = start() else { return };
    engine.send(vec![probe(1, 1, Ipv6Addr::LOCALHOST)]);
    match mailbox.take_one() {
        Outcome::Answered { rtt, .. } => assert!(rtt < Duration::from_secs(2)),
        Outcome::NotSent { why } => println!("no IPv6 here: {why}"),
        other @ (Outcome::Lost { .. } | Outcome::Rejected { .. }) => panic!("{other:?}"),
    }
}

#[test]
fn what_the_kernel_refuses_to_send_is_not_a_loss() {
    let Some((engine, mailbox)) = start() else { return };
    engine.send(vec![probe(1, 1, Ipv4Addr::BROADCAST), probe(2, 1, Ipv4Addr::LOCALHOST)]);
    let results = mailbox.take(2);
    assert!(matches!(&results[&(Slot(1), 1)], Outcome::NotSent { why } if !why.is_empty()), "{results:?}");
    assert!(matches!(results[&(Slot(2), 1)], Outcome::Answered { .. }));
}

#[test]
fn silence_is_a_loss_and_disturbs_nobody() {
    let Some((engine, mailbox)) = start() else { return };
    // TEST-NET-2: nobody is there. Where there is no route at all, it cannot be sent.
    let mut silent = probe(1, 1, Ipv4Addr::new(198, 51, 100, 1));
    silent.timeout = Duration::from_millis(200);
    engine.send(vec![silent, probe(2, 1, Ipv4Addr::LOCALHOST)]);
    let results = mailbox.take(2);
    assert!(matches!(results[&(Slot(1), 1)], Outcome::Lost { .. } | Outcome::NotSent { .. }), "{results:?}");
    assert!(matches!(results[&(Slot(2), 1)], Outcome::Answered { .. }));
    assert!(mailbox.is_quiet());
}

#[test]
fn results_that_found_no_room_are_offered_again() {
    let (sender, receiver) = mpsc::channel::<Vec<ProbeResult>>();
    let mut refusals = 3;
    let started = icmp::start(Box::new(move |batch| {
        if refusals > 0 {
            refusals -= 1;
            return Err(batch);
        }
        sender.send(batch).map_err(|refused| refused.0)
    }));
    let Ok(engine) = started else { return println!("skipped: no ICMP here") };
    engine.send((0..10).map(|slot| probe(slot, 1, loopback(slot))).collect());
    let mut slots: Vec<Slot> = Vec::new();
    while slots.len() < 10 {
        let batch = receiver.recv_timeout(Duration::from_secs(30)).expect("results in time");
        assert!(batch.iter().all(|result| result.method == Method::Icmp));
        slots.extend(batch.iter().map(|result| result.slot));
    }
    slots.sort();
    assert_eq!(slots, (0..10).map(Slot).collect::<Vec<_>>());
}

#[test]
fn dropping_the_engine_stops_it_with_probes_in_flight() {
    let Some((engine, mailbox)) = start() else { return };
    let mut silent = probe(1, 1, Ipv4Addr::new(198, 51, 100, 1));
    silent.timeout = Duration::from_secs(3_600);
    engine.send(vec![silent]);
    drop(engine);
    drop(mailbox);
}
