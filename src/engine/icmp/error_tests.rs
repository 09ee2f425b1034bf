//! What routers say of our echoes, from the kernel's own mouth and from forgers'.

use super::family::{Family, Version};
use super::{Engine, READS_AT_ONCE, echo, namespace};
use crate::domain::watch::{Ask, Obstacle, Outcome, Probe, ProbeResult, Slot, Undelivered};
use crate::engine::Deliver;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use nix::poll::{PollFd, PollFlags, poll};
use socket2::{Domain, Protocol, Socket, Type};
use std::sync::mpsc::{self, Receiver};

const WALLED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const OPEN: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
const SILENT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 4));

/// For what must come, on a busy machine.
const PATIENCE: u16 = 20_000;

/// A host that is its own router: it rejects what is sent to some of its addresses.
const WALLS: &str = "table inet walls { chain input { type filter hook input priority 0;
  ip daddr 127.0.0.2 icmp type echo-request reject with icmp type host-unreachable;
  ip daddr 127.0.0.4 icmp type echo-request drop;
  ip6 daddr ::1 icmpv6 type echo-request reject with icmpv6 type admin-prohibited; }; }";

struct Bench {
    engine: Engine,
    results: Receiver<Vec<ProbeResult>>,
    page: PrometheusHandle,
}

impl Bench {
    fn new(privileged: bool) -> Self {
        let (sender, results) = mpsc::channel();
        let deliver: Deliver = Box::new(move |batch| sender.send(batch).map_err(|refused| refused.0));
        let recorder = PrometheusBuilder::new().build_recorder();
        let mut engine = metrics::with_local_recorder(&recorder, || Engine::new(deliver, 8)).unwrap();
        if !privileged {
            engine.v4 = Family::unprivileged(Version::V4).unwrap();
            engine.v6 = Ok(Family::unprivileged(Version::V6).unwrap());
        }
        Self { engine, results, page: recorder.handle() }
    }

    fn send(&mut self, slot: u32, address: IpAddr) {
        let timeout = Duration::from_millis(200);
        self.engine.waiting.push_back(Probe { slot: Slot(slot), round: 1, address, timeout, ask: Ask::Icmp });
        while !self.engine.waiting.is_empty() {
            self.engine.send_burst();
        }
    }

    /// Reads what comes, until there is something.
    fn read(&mut self) {
        let sockets = self.engine.v4.sockets().chain(self.engine.v6.as_ref().unwrap().sockets());
        let mut waiting: Vec<_> = sockets.map(|socket| PollFd::new(socket, PollFlags::POLLIN)).collect();
        assert!(poll(&mut waiting, PATIENCE).unwrap() > 0, "nothing comes");
        self.engine.receive(READS_AT_ONCE);
    }

    /// Waits until nothing is in flight; what became of it, by slot.
    fn outcomes(&mut self) -> Vec<Outcome> {
        while self.engine.flights.len() > 0 {
            self.engine.receive(READS_AT_ONCE);
            self.engine.give_up();
            std::thread::yield_now();
        }
        self.engine.collector.flush();
        let mut results: Vec<_> = self.results.try_iter().flatten().collect();
        results.sort_by_key(|result| result.slot);
        results.into_iter().map(|result| result.outcome).collect()
    }

    fn count(&self, series: &str) -> u64 {
        let page = self.page.render();
        let line =
            page.lines().find_map(|line| line.strip_prefix(series)).unwrap_or_else(|| panic!("{series}: {page}"));
        line.trim().parse().unwrap()
    }
}

fn says(outcome: &Outcome) -> Option<Undelivered> {
    match outcome {
        Outcome::Lost { witness } => *witness,
        other @ (Outcome::Answered { .. } | Outcome::Rejected { .. } | Outcome::NotSent { .. }) => panic!("{other:?}"),
    }
}

#[test]
fn a_routers_word_goes_along_with_the_loss_and_hastens_nothing() {
    namespace::within(|| {
        if let Err(why) = namespace::run("nft", &[WALLS]) {
            return println!("skipped: {why}");
        }
        for privileged in [true, false] {
            let mut bench = Bench::new(privileged);
            let six = "::1".parse().unwrap();
            bench.send(0, WALLED);
            bench.send(1, six);
            while bench.count("ntuwatch_icmp_errors_total{what=\"host_unreachable\"}")
                + bench.count("ntuwatch_icmp_errors_total{what=\"prohibited\"}")
                < 2
            {
                bench.read();
            }
            assert_eq!(bench.engine.flights.len(), 2, "they fly on");
            // to an unprivileged socket each of these is an error of its own as well
            (2..6).for_each(|slot| bench.send(slot, if slot == 5 { OPEN } else { WALLED }));
            let outcomes = bench.outcomes();
            let host = Some(Undelivered { why: Obstacle::Host, router: WALLED });
            let prohibited = Some(Undelivered { why: Obstacle::Prohibited, router: six });
            let words: Vec<_> = outcomes[..5].iter().map(says).collect();
            assert_eq!(words, [host, prohibited, host, host, host], "{privileged}");
            assert!(matches!(outcomes[5], Outcome::Answered { .. }), "{privileged}: {:?}", outcomes[5]);
        }
    });
}

/// A datagram of an error that quotes an echo to `to`, as far as `quoted`.
fn error(to: Ipv4Addr, quoted: &[u8]) -> Vec<u8> {
    let mut message = vec![3, 1, 0, 0, 0, 0, 0, 0, 0x45, 0, 0, 44, 0, 0, 0, 0, 1, 1, 0, 0, 127, 0, 0, 1];
    message.extend(to.octets());
    message.extend(quoted);
    message
}

#[test]
fn what_is_forged_witnesses_nothing() {
    namespace::within(|| {
        if let Err(why) = namespace::run("nft", &[WALLS]) {
            return println!("skipped: {why}");
        }
        let mut bench = Bench::new(true);
        let IpAddr::V4(silent) = SILENT else { unreachable!() };
        let raw = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).unwrap();
        let forge = |bench: &mut Bench, to, quoted: &[u8]| {
            raw.send_to(&error(to, quoted), &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
            bench.read();
        };
        // the echo as it went out, but for its proof
        bench.send(0, SILENT);
        let ident = bench.engine.v4.identifier().unwrap();
        let token = echo::Token { serial: 1 << 32, proof: 1 };
        let forged = echo::request_v4(ident, token);
        forge(&mut bench, silent, &forged);
        assert_eq!(bench.count("ntuwatch_ignored_datagrams_total{method=\"icmp\",why=\"foreign\"}"), 1);
        // the least that a router quotes, of an echo to somebody else, and with the number of another, and of another turn
        forge(&mut bench, Ipv4Addr::new(127, 0, 0, 5), &forged[..8]);
        forge(&mut bench, silent, &echo::request_v4(ident, echo::Token { serial: 1, proof: 1 })[..8]);
        forge(&mut bench, silent, &echo::request_v4(ident + 1, token)[..8]);
        assert_eq!(bench.count("ntuwatch_ignored_datagrams_total{method=\"icmp\",why=\"foreign\"}"), 4);
        // with an identifier that is not ours: the kernel keeps it from us; the last one is known by what it quotes
        let strange = echo::request_v4(ident.wrapping_add(64), token);
        raw.send_to(&error(silent, &strange), &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        forge(&mut bench, silent, &forged[..8]);
        assert_eq!(bench.count("ntuwatch_ignored_datagrams_total{method=\"icmp\",why=\"foreign\"}"), 4);
        assert_eq!(bench.count("ntuwatch_icmp_errors_total{what=\"host_unreachable\"}"), 1);
        let word = says(&bench.outcomes()[0]).unwrap();
        assert_eq!(word, Undelivered { why: Obstacle::Host, router: Ipv4Addr::LOCALHOST.into() });
    });
}
