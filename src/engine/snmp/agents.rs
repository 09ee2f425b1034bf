//! The agents of SNMPv1 and SNMPv2c that the engine knows, and what they are asked.

use super::question::{Asked, Question};
use super::request::Template;
use crate::domain::watch::{Slot, SnmpAccess, SnmpVersion};
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// An agent that was not asked for so long has left the inventory.
const IDLE: Duration = Duration::from_secs(6 * 3_600);

/// Known agents, or templates, before the first look for idle ones.
const FIRST_SWEEP: usize = 1_024;

/// The agent of one device.
struct Agent {
    address: SocketAddr,
    access: Arc<SnmpAccess>,
    question: Question,
    /// What it was asked last.
    template: Rc<Template>,
    asked_at: Duration,
}

impl Agent {
    fn is_at(&self, host: IpAddr, access: &Arc<SnmpAccess>) -> bool {
        self.address.ip() == host && (Arc::ptr_eq(&self.access, access) || self.access == *access)
    }
}

/// The agents, by device. Idle ones are dropped whenever their number has doubled, so it stays within twice the inventory.
pub(super) struct Agents {
    known: HashMap<Slot, Agent>,
    sweep_at: usize,
    templates: Templates,
}

impl Agents {
    /// None yet.
    pub(super) fn new() -> Self {
        Self { known: HashMap::new(), sweep_at: FIRST_SWEEP, templates: Templates::default() }
    }

    /// Where to ask the agent of device `slot`, and what. It is the one that is known, unless its address or its access have changed.
    /// `None` for SNMPv3.
    pub(super) fn ask(
        &mut self,
        slot: Slot,
        host: IpAddr,
        access: &Arc<SnmpAccess>,
        now: Duration,
    ) -> Option<(SocketAddr, Rc<Template>)> {
        if let Some(agent) = self.known.get_mut(&slot)
            && agent.is_at(host, access)
        {
            agent.asked_at = now;
            let asked = agent.question.ask();
            if agent.template.asked != asked {
                agent.template = self.templates.get(&access.version, asked)?;
            }
            return Some((agent.address, Rc::clone(&agent.template)));
        }
        let mut question = Question::new(access);
        let template = self.templates.get(&access.version, question.ask())?;
        let address = SocketAddr::new(host, access.port);
        let asked = Rc::clone(&template);
        self.known.insert(slot, Agent { address, access: Arc::clone(access), question, template, asked_at: now });
        self.sweep(now);
        Some((address, asked))
    }

    /// What learns from how the agent of `slot` took what it was asked, unless there is another one by now.
    pub(super) fn question(&mut self, slot: Slot, address: SocketAddr) -> Option<&mut Question> {
        self.known.get_mut(&slot).filter(|agent| agent.address == address).map(|agent| &mut agent.question)
    }

    fn sweep(&mut self, now: Duration) {
        if self.known.len() >= self.sweep_at {
            self.known.retain(|_, agent| now.saturating_sub(agent.asked_at) < IDLE);
            self.sweep_at = FIRST_SWEEP.max(self.known.len() * 2);
        }
    }
}

/// The templates in use. Those that nobody uses any more are dropped whenever their number has doubled.
#[derive(Default)]
struct Templates {
    known: HashMap<(SnmpVersion, Asked), Weak<Template>>,
    sweep_at: usize,
}

impl Templates {
    fn get(&mut self, access: &SnmpVersion, asked: Asked) -> Option<Rc<Template>> {
        let key = (access.clone(), asked);
        if let Some(template) = self.known.get(&key).and_then(Weak::upgrade) {
            return Some(template);
        }
        let template = Rc::new(Template::new(access, asked)?);
        self.known.insert(key, Rc::downgrade(&template));
        if self.known.len() >= self.sweep_at {
            self.known.retain(|_, template| template.strong_count() > 0);
            self.sweep_at = FIRST_SWEEP.max(self.known.len() * 2);
        }
        Some(template)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::watch::Secret;
    use core::net::Ipv4Addr;

    const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn access(community: &str) -> Arc<SnmpAccess> {
        let version = SnmpVersion::V2c { community: Secret::new(community.to_owned()) };
        Arc::new(SnmpAccess { version, port: 161, interface: Some(1) })
    }

    #[test]
    fn those_that_are_asked_the_same_share_a_template_and_others_do_not() {
        let mut agents = Agents::new();
        let mut ask = |slot, community| agents.ask(Slot(slot), HOST, &access(community), Duration::ZERO).unwrap().1;
        let (one, other, again) = (ask(1, "public"), ask(2, "public"), ask(1, "public"));
        assert!(Rc::ptr_eq(&one, &other) && Rc::ptr_eq(&one, &again));
        let private = ask(1, "private");
        assert_eq!(*private.community, *b"private", "a changed access takes effect at once");
    }

    #[test]
    fn a_smaller_question_has_a_template_of_its_own() {
        let mut agents = Agents::new();
        let (address, full) = agents.ask(Slot(1), HOST, &access("public"), Duration::ZERO).unwrap();
        agents.question(Slot(1), address).unwrap().refused(full.asked);
        let (_, smaller) = agents.ask(Slot(1), HOST, &access("public"), Duration::ZERO).unwrap();
        assert!(smaller.objects.len() < full.objects.len());
        let elsewhere = SocketAddr::new(HOST, 162);
        assert!(agents.question(Slot(1), elsewhere).is_none());
    }

    #[test]
    fn who_is_asked_no_more_is_forgotten() {
        let mut agents = Agents::new();
        let access = access("public");
        for slot in 0..FIRST_SWEEP as u32 - 1 {
            agents.ask(Slot(slot), HOST, &access, Duration::ZERO);
        }
        agents.ask(Slot(1_000_000), HOST, &access, IDLE);
        assert_eq!(agents.known.len(), 1);
    }
}
