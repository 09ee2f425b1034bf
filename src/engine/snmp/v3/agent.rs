//! The agents that the engine knows.

use super::line::Line;
use super::session::Session;
use crate::clock::Stopwatch;
use crate::domain::watch::{Outcome, Slot, SnmpAccess};
use crate::engine::keys::{Keyring, SharedKeys};
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use tokio::sync::Mutex;

/// An agent that was not asked for so long has left the inventory.
const IDLE: Duration = Duration::from_secs(6 * 3_600);

/// Known agents before the first look for idle ones.
const FIRST_SWEEP: usize = 1_024;

/// Agents on one socket, before the next is opened: without privileges the kernel grants each but a small receive buffer.
pub(super) const ON_A_LINE: usize = 1_000;

/// Sockets an address family at most. When there are as many, they are shared evenly.
pub(super) const LINES: usize = 64;

/// The agent of one device.
pub(super) struct Agent {
    line: Arc<Line>,
    address: SocketAddr,
    access: Arc<SnmpAccess>,
    keys: SharedKeys,
    /// Locked while a probe is in flight; the watch has one at a time.
    session: Mutex<Option<Session>>,
}

impl Agent {
    /// Asks once. The time it takes to derive keys, once, is not the agent's and does not count.
    pub(super) async fn ask(&self, timeout: Duration) -> Outcome {
        let mut session = self.session.lock().await;
        let session = match &mut *session {
            Some(session) => session,
            none => match Session::open(Arc::clone(&self.line), self.address, &self.access, &self.keys).await {
                Ok(opened) => none.insert(opened),
                Err(why) => return Outcome::NotSent { why },
            },
        };
        session.ask(timeout).await
    }

    fn is_at(&self, address: SocketAddr, access: &Arc<SnmpAccess>) -> bool {
        self.address == address && self.access == *access
    }
}

/// The agents, by device. Idle ones are dropped whenever their number has doubled, so it stays within twice the inventory.
pub(super) struct Agents {
    known: HashMap<Slot, (Arc<Agent>, Stopwatch)>,
    sweep_at: usize,
    keyring: Keyring,
    /// Of IPv4 and of IPv6.
    lines: [Vec<Arc<Line>>; 2],
}

impl Agents {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            known: HashMap::new(),
            sweep_at: FIRST_SWEEP,
            keyring: Keyring::default(),
            lines: [Vec::new(), Vec::new()],
        }
    }

    /// The agent of device `slot`: the one that is known, unless its address or its access have changed.
    pub(super) fn get(&mut self, slot: Slot, host: IpAddr, access: &Arc<SnmpAccess>) -> io::Result<Arc<Agent>> {
        let address = SocketAddr::new(host, access.port);
        if let Some((agent, last_asked)) = self.known.get_mut(&slot)
            && agent.is_at(address, access)
        {
            *last_asked = Stopwatch::start();
            return Ok(Arc::clone(agent));
        }
        let agent = Arc::new(Agent {
            line: self.line(slot, host)?,
            address,
            access: Arc::clone(access),
            keys: self.keyring.keys(&access.version),
            session: Mutex::default(),
        });
        self.known.insert(slot, (Arc::clone(&agent), Stopwatch::start()));
        self.sweep();
        Ok(agent)
    }

    fn line(&mut self, slot: Slot, host: IpAddr) -> io::Result<Arc<Line>> {
        let lines = &mut self.lines[usize::from(host.is_ipv6())];
        // whoever holds the last one beside us is an agent, or asks one
        let is_full = lines.last().is_none_or(|line| Arc::strong_count(line) > ON_A_LINE);
        if is_full && lines.len() < LINES {
            lines.push(Line::open(host)?);
        }
        let place = if is_full && lines.len() == LINES { slot.index() % LINES } else { lines.len() - 1 };
        Ok(Arc::clone(&lines[place]))
    }

    fn sweep(&mut self) {
        if self.known.len() >= self.sweep_at {
            self.known.retain(|_, (_, last_asked)| last_asked.elapsed() < IDLE);
            self.keyring.sweep();
            self.sweep_at = FIRST_SWEEP.max(self.known.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::watch::SnmpVersion;
    use core::net::Ipv4Addr;

    #[tokio::test]
    async fn few_agents_share_a_socket_and_many_have_more() {
        let version = SnmpVersion::V3 { user: "user".to_owned(), auth: None, privacy: None };
        let access = Arc::new(SnmpAccess { version, port: 161, interface: None });
        let mut agents = Agents::new();
        for slot in 0..2 * ON_A_LINE as u32 {
            agents.get(Slot(slot), IpAddr::V4(Ipv4Addr::LOCALHOST), &access).unwrap();
            let expected = if slot < ON_A_LINE as u32 / 2 { 1 } else { 3 };
            assert!(agents.lines[0].len() <= expected);
        }
        assert!(agents.lines[0].len() >= 2);
        assert!(agents.lines[1].is_empty());
    }
}
