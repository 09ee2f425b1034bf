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

/// Sockets an address family, opened as agents need them: without privileges the kernel grants each but a small receive buffer.
const LINES: u32 = 16;

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
    lines: HashMap<(bool, u32), Arc<Line>>,
}

impl Agents {
    /// None yet.
    pub(super) fn new() -> Self {
        Self { known: HashMap::new(), sweep_at: FIRST_SWEEP, keyring: Keyring::default(), lines: HashMap::new() }
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
        let place = (host.is_ipv4(), slot.0 % LINES);
        if let Some(line) = self.lines.get(&place) {
            return Ok(Arc::clone(line));
        }
        let line = Line::open(host)?;
        self.lines.insert(place, Arc::clone(&line));
        Ok(line)
    }

    fn sweep(&mut self) {
        if self.known.len() >= self.sweep_at {
            self.known.retain(|_, (_, last_asked)| last_asked.elapsed() < IDLE);
            self.keyring.sweep();
            self.sweep_at = FIRST_SWEEP.max(self.known.len() * 2);
        }
    }
}
