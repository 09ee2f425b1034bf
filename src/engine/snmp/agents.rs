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

/// Devices that have a place of their own at most; further ones share. Slots are dense: this is past any inventory.
const MAX_DEVICES: usize = 1 << 24;

/// Places that get their memory together, when the first of their devices is asked.
const PAGE: usize = 64;

/// The agent of one device.
struct Agent {
    host: IpAddr,
    access: Arc<SnmpAccess>,
    question: Question,
    /// What it was asked last.
    template: Rc<Template>,
    /// In seconds.
    asked_at: u32,
}

impl Agent {
    fn is_at(&self, host: IpAddr, access: &Arc<SnmpAccess>) -> bool {
        self.host == host && (Arc::ptr_eq(&self.access, access) || self.access == *access)
    }
}

/// Some agents, by device.
type Page = Box<[Option<Agent>; PAGE]>;

/// The agents, by device. Idle ones are dropped whenever their number has doubled, so it stays within twice the inventory.
pub(super) struct Agents {
    pages: Vec<Option<Page>>,
    known: usize,
    sweep_at: usize,
    templates: Templates,
}

impl Agents {
    /// None yet.
    pub(super) fn new() -> Self {
        Self { pages: Vec::new(), known: 0, sweep_at: FIRST_SWEEP, templates: Templates::default() }
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
        let (address, asked_at) = (SocketAddr::new(host, access.port), seconds(now));
        let place = place(&mut self.pages, slot);
        if let Some(agent) = place.as_mut().filter(|agent| agent.is_at(host, access)) {
            agent.asked_at = asked_at;
            let asked = agent.question.ask();
            if agent.template.asked != asked {
                agent.template = self.templates.get(&access.version, asked)?;
            }
            return Some((address, Rc::clone(&agent.template)));
        }
        let mut question = Question::new(access);
        let template = self.templates.get(&access.version, question.ask())?;
        let agent = Agent { host, access: Arc::clone(access), question, template: Rc::clone(&template), asked_at };
        if place.replace(agent).is_none() {
            self.known += 1;
        }
        self.sweep(asked_at);
        Some((address, template))
    }

    /// What learns from how the agent of `slot` took what it was asked, unless there is another one by now.
    pub(super) fn question(&mut self, slot: Slot, address: SocketAddr) -> Option<&mut Question> {
        let agent = place(&mut self.pages, slot).as_mut();
        let is_it = |agent: &&mut Agent| (agent.host, agent.access.port) == (address.ip(), address.port());
        agent.filter(is_it).map(|agent| &mut agent.question)
    }

    fn sweep(&mut self, now: u32) {
        if self.known < self.sweep_at {
            return;
        }
        let is_idle = |agent: &mut Agent| now.saturating_sub(agent.asked_at) >= seconds(IDLE);
        for page in &mut self.pages {
            for place in page.iter_mut().flat_map(|page| page.iter_mut()) {
                if place.take_if(is_idle).is_some() {
                    self.known -= 1;
                }
            }
            page.take_if(|page| page.iter().all(Option::is_none));
        }
        self.sweep_at = FIRST_SWEEP.max(self.known * 2);
    }
}

fn place(pages: &mut Vec<Option<Page>>, slot: Slot) -> &mut Option<Agent> {
    let index = slot.index() % MAX_DEVICES;
    if pages.len() <= index / PAGE {
        pages.resize_with(index / PAGE + 1, || None);
    }
    let page = pages[index / PAGE].get_or_insert_with(|| Box::new([const { None }; PAGE]));
    &mut page[index % PAGE]
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
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
        assert_eq!(agents.known, 1);
        assert_eq!(agents.pages.iter().flatten().count(), 1);
    }
}
