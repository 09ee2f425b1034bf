//! Asks devices by SNMPv3, with the client of a library, on a thread of its own.
//!
//! An agent that answers, be it with a refusal, is alive. Wrong SNMPv3 credentials are told from silence by reading the reports
//! that the agent sends and the client has to distrust.

mod agent;
mod line;
mod refusal;
mod session;
mod wire;

use self::agent::{Agents, LINES, ON_A_LINE};
use crate::domain::watch::{Ask, Method, Outcome, Probe, Round, Slot};
use crate::engine::collector::Collector;
use crate::engine::{Deliver, ProbeEngine, StartError};
use core::future::pending;
use std::collections::VecDeque;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinSet, yield_now};

/// Probes in flight at most; more wait to be sent.
const MAX_IN_FLIGHT: usize = LINES * ON_A_LINE;

/// Probes sent before answers are looked at again, so that a burst does not spoil round-trip times.
const SENDS_A_TURN: usize = 32;

/// Threads that derive keys, so that a start with thousands of pass phrases leaves processors to others.
const KEY_THREADS: usize = 1;

/// Starts the engine.
pub(super) fn start(deliver: Deliver) -> Result<ProbeEngine, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(KEY_THREADS)
        .thread_name("snmp-keys")
        .build()
        .map_err(StartError::Thread)?;
    let engine = Engine::new(deliver, MAX_IN_FLIGHT);
    ProbeEngine::spawn("snmp-v3", runtime, move |inbox| engine.run(inbox))
}

struct Engine {
    collector: Collector,
    /// Not sent yet.
    waiting: VecDeque<Probe>,
    /// In flight.
    asking: JoinSet<(Slot, Round, Outcome)>,
    max_in_flight: usize,
    agents: Agents,
}

impl Engine {
    fn new(deliver: Deliver, max_in_flight: usize) -> Self {
        Self {
            collector: Collector::new(Method::Snmp, deliver),
            waiting: VecDeque::new(),
            asking: JoinSet::new(),
            max_in_flight,
            agents: Agents::new(),
        }
    }

    async fn run(mut self, mut inbox: UnboundedReceiver<Vec<Probe>>) {
        loop {
            let may_send = !self.waiting.is_empty() && self.asking.len() < self.max_in_flight;
            tokio::select! {
                probes = inbox.recv() => match probes {
                    Some(probes) => self.waiting.extend(probes),
                    None => return,
                },
                Some(asked) = self.asking.join_next() => match asked {
                    Ok((slot, round, outcome)) => self.collector.report(slot, round, outcome),
                    // a bug must not hide behind a probe that is never reported
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                () = self.collector.due() => self.collector.flush(),
                () = async { if may_send { yield_now().await } else { pending().await } } => {}
            }
            self.send();
        }
    }

    /// Sends a few of the probes that wait.
    fn send(&mut self) {
        for _ in 0..SENDS_A_TURN {
            if self.asking.len() >= self.max_in_flight {
                return;
            }
            let Some(probe) = self.waiting.pop_front() else { return };
            if let Err(why) = self.ask(&probe) {
                self.collector.report(probe.slot, probe.round, Outcome::NotSent { why });
            }
        }
    }

    fn ask(&mut self, probe: &Probe) -> Result<(), String> {
        let access = match &probe.ask {
            Ask::Snmp(access) => access,
            Ask::Icmp => return Err("an ICMP probe was handed to the SNMP engine".to_owned()),
        };
        let agent = self.agents.get(probe.slot, probe.address, access).map_err(|error| error.to_string())?;
        let (slot, round, timeout) = (probe.slot, probe.round, probe.timeout);
        self.asking.spawn(async move { (slot, round, agent.ask(timeout).await) });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::watch::{SnmpAccess, SnmpVersion};
    use core::net::{IpAddr, Ipv4Addr};
    use core::time::Duration;
    use std::sync::Arc;

    #[tokio::test]
    async fn what_does_not_fit_in_flight_waits() {
        let version = SnmpVersion::V3 { user: "user".to_owned(), auth: None, privacy: None };
        let access = Arc::new(SnmpAccess { version, port: 9, interface: None });
        let mut engine = Engine::new(Box::new(|_| Ok(())), 2);
        engine.waiting.extend((0..5).map(|slot| Probe {
            slot: Slot(slot),
            round: 1,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            timeout: Duration::from_millis(1),
            ask: Ask::Snmp(Arc::clone(&access)),
        }));
        for waiting in [3, 1, 0] {
            engine.send();
            assert!(engine.asking.len() <= 2);
            assert_eq!(engine.waiting.len(), waiting);
            while let Some(asked) = engine.asking.join_next().await {
                assert!(matches!(asked.unwrap(), (_, 1, Outcome::Lost { .. })));
            }
        }
    }
}
