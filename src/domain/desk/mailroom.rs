//! The mail room: what comes of each message that came in.
//!
//! Every message is recorded with what was decided and why. What people have to decide waits for them and blocks nobody.

use super::Desk;
use super::bucket::Buckets;
use super::case::{Case, Stage};
use super::facts::{CaseFact, EscalatedBy, Heard, Writer};
use super::post::add_staff;
use super::reference::{Reference, Topic};
use super::threading::{self, Aside, Belongs, Ignored, Tenant, Witnesses};
use super::words::{Actor, LetterKind, LetterMark, WaitingOn};
use crate::domain::fact::Fact;
use crate::domain::letter::{LetterLabel, Thread};
use crate::domain::mail::{Action, Fate, Incoming, MailId, Message, Nature};
use crate::domain::time::Time;
use crate::domain::turn::Turn;
use alloc::boxed::Box;
use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::slice;

/// Messages with which nobody has decided anything yet, addresses that do not work, and how much came lately.
#[derive(Clone, Debug, Default)]
pub(super) struct MailRoom {
    aside: BTreeSet<MailId>,
    unreachable: BTreeMap<String, Unreachable>,
    buckets: Buckets,
    /// Whose an address is, once a message came.
    tenants: Option<BTreeMap<String, Tenant>>,
}

/// An address that does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// Since when.
    pub since: Time,
    /// In the words of its mail server.
    pub why: String,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sorted {
    /// Which.
    pub id: MailId,
    /// What became of it.
    pub outcome: MailOutcome,
    /// The case that it joined or opened, or may be about.
    pub case: Option<Reference>,
    /// What it says and what spoke for it; nothing if it can't be read, and if it was read before.
    pub read: Option<(Box<Message>, Witnesses)>,
    /// Why people have to decide, or nothing is to be done, or who decided.
    pub why: Option<String>,
}

/// What became of a message, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MailOutcome {
    /// It is a part of a case.
    Joined,
    /// It opened a case.
    Opened,
    /// It told what became of our letters.
    Report,
    /// People have to decide.
    Quarantined,
    /// Nothing is to be done.
    Ignored,
    /// People decided that nothing is to be done.
    Dismissed,
}

impl MailOutcome {
    /// Every outcome.
    pub const ALL: [Self; 6] =
        [Self::Joined, Self::Opened, Self::Report, Self::Quarantined, Self::Ignored, Self::Dismissed];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Opened => "opened",
            Self::Report => "report",
            Self::Quarantined => "quarantined",
            Self::Ignored => "ignored",
            Self::Dismissed => "dismissed",
        }
    }
}

/// What the store remembers of the mail room.
#[derive(Clone, Debug, Default)]
pub struct SavedMailRoom {
    /// Messages that wait for people.
    pub aside: Vec<MailId>,
    /// Addresses that do not work.
    pub unreachable: Vec<(String, Unreachable)>,
}

/// A message on its way to its outcome.
pub(crate) struct Arrived {
    id: MailId,
    received_at: Time,
    message: Box<Message>,
    witnesses: Witnesses,
}

impl Arrived {
    /// When it was taken.
    pub(crate) const fn received_at(&self) -> Time {
        self.received_at
    }

    /// What it says.
    pub(crate) fn message(&self) -> &Message {
        &self.message
    }

    /// Who sent it.
    pub(crate) const fn tenant(&self) -> &Tenant {
        &self.witnesses.tenant
    }

    /// The address that it is from.
    pub(crate) fn from(&self) -> String {
        self.message.from.clone().unwrap_or_default()
    }

    /// What it says, with what comes with it.
    pub(crate) fn words(&self) -> String {
        let Message { text, subject, attachments, .. } = &*self.message;
        let mut words = String::from(if text.is_empty() { subject } else { text });
        for attachment in attachments {
            let (name, media_type, size) = (&attachment.name, &attachment.media_type, attachment.size);
            words.push_str(&format!("\n[attached: {name:?}, {media_type}, {size} bytes]"));
        }
        words
    }

    const fn writer(&self) -> Writer {
        match (&self.message.nature, &self.witnesses.tenant) {
            (Nature::Person, Tenant::Staff) => Writer::Staff,
            (Nature::Person, Tenant::Customer(_) | Tenant::Several | Tenant::Stranger) => Writer::Customer,
            (Nature::Automatic(_) | Nature::Report(_) | Nature::Own, _) => Writer::Program,
        }
    }
}

impl MailRoom {
    pub(super) fn new(saved: SavedMailRoom) -> Self {
        let (aside, unreachable) = (saved.aside.into_iter().collect(), saved.unreachable.into_iter().collect());
        Self { aside, unreachable, ..Self::default() }
    }

    /// Whether an address is known not to work.
    pub(super) fn is_unreachable(&self, address: &str) -> bool {
        self.has_unreachable() && self.unreachable.contains_key(&address.to_ascii_lowercase())
    }

    /// Whether there is one that does not.
    pub(super) fn has_unreachable(&self) -> bool {
        !self.unreachable.is_empty()
    }

    /// Other customers, or other staff: who has which address is found out anew.
    pub(super) fn forget_tenants(&mut self) {
        self.tenants = None;
    }
}

impl Desk {
    /// Messages that wait for people.
    #[must_use]
    pub fn aside(&self) -> usize {
        self.mail.aside.len()
    }

    /// Addresses that do not work.
    #[must_use]
    pub fn unreachable(&self) -> usize {
        self.mail.unreachable.len()
    }

    /// Decides where a message belongs. What can't be read is put aside at once.
    pub(crate) fn sort(&mut self, incoming: &Incoming, turn: &mut Turn) -> Option<(Arrived, Belongs)> {
        let id = incoming.id;
        let message = match &incoming.message {
            Ok(message) => message,
            Err(unreadable) => {
                // Who decides on it wants to know at least whom it is from.
                let arrived = incoming.head.as_ref().map(|head| {
                    let tenant = head.from.as_deref().map_or(Tenant::Stranger, |from| self.tenant(from));
                    let witnesses = threading::witnesses(incoming, head, tenant);
                    Arrived { id, received_at: incoming.received_at, message: head.clone(), witnesses }
                });
                self.put_aside(id, arrived, Aside::Unreadable(*unreadable), turn);
                return None;
            }
        };
        let tenant = message.from.as_deref().map_or(Tenant::Stranger, |from| self.tenant(from));
        let witnesses = threading::witnesses(incoming, message, tenant);
        let case_of = |thread: &Thread, claim| self.case_of(thread, claim).or_else(|| closed_of(thread, incoming));
        let owner_of = |reference| {
            let open = self.case(reference).map(|case| case.opening.circuit.customer.to_string());
            let known = || incoming.cases.iter().find(|case| case.reference == reference);
            open.or_else(|| known().map(|case| case.customer.clone()))
        };
        let mut belongs = threading::belongs(incoming, message, &witnesses, case_of, owner_of);
        let from = message.from.as_deref().unwrap_or_default();
        let counts = matches!(belongs, Belongs::Joins(_) | Belongs::New) && witnesses.tenant != Tenant::Staff;
        if counts && !self.mail.buckets.take_from(from, turn.at) {
            belongs = Belongs::Aside(Aside::TooMany);
        }
        // Who writes can be reached, if it is he.
        if message.nature == Nature::Person && matches!(belongs, Belongs::Joins(_) | Belongs::New) {
            self.reached(from, turn);
        }
        let received_at = incoming.received_at;
        Some((Arrived { id, received_at, message: message.clone(), witnesses }, belongs))
    }

    /// Whose address it is.
    pub(super) fn tenant(&mut self, address: &str) -> Tenant {
        let (customers, noc, parties, escalation) = (&self.customers, &self.noc, &self.parties, &self.escalation);
        let tenants = self.mail.tenants.get_or_insert_with(|| {
            let of_customers =
                customers.values().flat_map(|customer| customer.email.iter().map(|email| (email, &customer.id)));
            let contacts = parties.contacts.iter().filter(|contact| customers.contains_key(&contact.customer));
            let of_contacts = contacts.flat_map(|contact| contact.email.iter().map(|email| (email, &contact.customer)));
            let mut tenants = BTreeMap::new();
            for (email, customer) in of_customers.chain(of_contacts) {
                let theirs = Tenant::Customer(customer.clone());
                let known = tenants.entry(email.to_ascii_lowercase()).or_insert_with(|| theirs.clone());
                if *known != theirs {
                    *known = Tenant::Several;
                }
            }
            // Who gets everybody's letters speaks for no customer, and no more do our own, whoever they are.
            let matrices = customers.values().map(|customer| &customer.escalation).chain([escalation]);
            let above = matrices.flat_map(|matrix| matrix.0.iter().flatten());
            let staff = parties.staff.values().map(|staff| &staff.email);
            let noc = noc.iter().chain(staff).chain(above).chain(&parties.routing.management);
            tenants.extend(noc.map(|address| (address.to_ascii_lowercase(), Tenant::Staff)));
            tenants
        });
        tenants.get(address).cloned().unwrap_or(Tenant::Stranger)
    }

    /// The case that a conversation is about. An umbrella's is about several: the one that a subject names, or else the
    /// first that is at work.
    fn case_of(&self, thread: &Thread, claim: Option<Reference>) -> Option<Reference> {
        let topic = thread.about().1?;
        match (topic, thread) {
            (Topic::Case(case), _) => Some(case),
            (Topic::Umbrella(umbrella), Thread::Umbrella { customer: Some(customer), .. }) => {
                let theirs = self.cases_of(umbrella, customer);
                let claimed = claim.filter(|claim| theirs.contains(claim));
                claimed.or_else(|| theirs.first().copied())
            }
            (
                Topic::Umbrella(_),
                Thread::Umbrella { customer: None, .. }
                | Thread::Case { .. }
                | Thread::Maintenance { .. }
                | Thread::Alarm { .. }
                | Thread::Contract { .. }
                | Thread::Reach { .. },
            ) => None,
        }
    }

    /// Ends with a message that people have to decide on.
    pub(crate) fn put_aside(&mut self, id: MailId, arrived: Option<Arrived>, why: Aside, turn: &mut Turn) {
        self.mail.aside.insert(id);
        let from = arrived.as_ref().map(Arrived::from);
        let read = arrived.map(|arrived| (arrived.message, arrived.witnesses));
        let case = match why {
            Aside::MaybeAbout(reference) => Some(reference),
            Aside::Unreadable(_)
            | Aside::NoSender
            | Aside::Forged
            | Aside::Stranger
            | Aside::SharedAddress
            | Aside::StrangerAnswers
            | Aside::OthersCase
            | Aside::OthersReference(_)
            | Aside::OnlyAClaim(_)
            | Aside::NoCase
            | Aside::WhichLine
            | Aside::SeveralLines
            | Aside::OthersLine
            | Aside::Thanks(_)
            | Aside::LineGone
            | Aside::StaffWrite
            | Aside::TooMany
            | Aside::Flood
            | Aside::NoLetter => None,
        };
        sorted((id, from), MailOutcome::Quarantined, (case, Some(why.to_string())), read, turn);
    }

    /// As [`put_aside`](Self::put_aside), of one that was read.
    pub(crate) fn quarantine(&mut self, arrived: Arrived, why: Aside, turn: &mut Turn) {
        self.put_aside(arrived.id, Some(arrived), why, turn);
    }

    /// Ends with a message that nothing is to be done about.
    pub(crate) fn ignore(arrived: Arrived, why: Ignored, turn: &mut Turn) {
        done(arrived, MailOutcome::Ignored, (None, Some(why.to_string())), turn);
    }

    /// A message opened this case.
    pub(crate) fn opened_by(arrived: Arrived, reference: Reference, turn: &mut Turn) {
        done(arrived, MailOutcome::Opened, (Some(reference), None), turn);
    }

    /// Whether mail may open one more case.
    pub(crate) fn may_open(&mut self, now: Time) -> bool {
        self.mail.buckets.take_case(now)
    }

    /// A message becomes a part of an open case.
    pub(crate) fn hear(&mut self, arrived: Arrived, reference: Reference, turn: &mut Turn) {
        let (from, writer, text) = (arrived.from(), arrived.writer(), arrived.words());
        let wants_more = writer == Writer::Customer && wants_escalation(&arrived.message);
        let mail = arrived.id;
        done(arrived, MailOutcome::Joined, (Some(reference), None), turn);
        self.join_mail(reference, Heard { mail, from, writer, text }, wants_more, turn);
    }

    fn join_mail(&mut self, reference: Reference, heard: Heard, wants_more: bool, turn: &mut Turn) {
        let (writer, from, is_thanks) = (heard.writer, heard.from.clone(), is_thanks(&heard.text));
        self.record(reference, CaseFact::Heard(heard), turn);
        let Some(case) = self.case(reference).filter(|_| writer == Writer::Customer) else { return };
        let (is_at_work, is_shared) = (case.is_at_work(), case.umbrella.is_some());
        if matches!(case.stage, Stage::Waiting { on: WaitingOn::Customer, .. }) {
            self.record(reference, CaseFact::Resumed { by: from.clone() }, turn);
        }
        let moves = if is_at_work { wants_more } else { !is_thanks };
        if moves && is_at_work {
            self.escalate(reference, EscalatedBy::Customer(from), None, turn);
        } else if moves {
            // A person's concern within the window, whatever it says (R29): staff may find that it is none.
            self.take_back_by(reference, Actor::Customer(from), None, turn);
        }
        // The letter about what it moved quotes it, unless an umbrella speaks for the case.
        if !moves || is_shared {
            self.pass_on(reference, turn);
        }
    }

    /// Tells the operations centre, and whom the case is with, what a customer wrote.
    fn pass_on(&mut self, reference: Reference, turn: &mut Turn) {
        let Some(case) = self.cases.get(&reference).cloned() else { return };
        let Some((number, _)) = &case.heard else { return };
        let mark = LetterMark { kind: LetterKind::Heard, number: *number };
        let (last, mut readers) = (case.last_letter, self.readers(None, true));
        let owner = case.owner.as_ref().and_then(|owner| self.parties.staff.get(owner));
        add_staff(&mut readers, owner.map_or(&[], |owner| slice::from_ref(&owner.email)));
        self.post_case(&readers, case, (mark, last), turn);
    }

    /// A mail server reports what became of a letter.
    pub(crate) fn reported(&mut self, arrived: Arrived, letter: &LetterLabel, turn: &mut Turn) {
        let fates: &[Fate] = match &arrived.message.nature {
            Nature::Report(fates) => fates,
            Nature::Person | Nature::Automatic(_) | Nature::Own => &[],
        };
        // A letter has one reader, whatever other addresses his server knows him by.
        let failed = fates.iter().find(|fate| fate.action == Action::Failed).map(|fate| {
            let status = if fate.status.is_empty() { String::new() } else { format!("{} ", fate.status) };
            format!("{status}{}", fate.why)
        });
        done(arrived, MailOutcome::Report, (letter.thread.about().1.and_then(Topic::case), failed.clone()), turn);
        if let Some(why) = failed {
            self.bounced(letter, &why, turn);
        }
    }

    /// A letter came back: its reader knows nothing of it.
    fn bounced(&mut self, letter: &LetterLabel, why: &str, turn: &mut Turn) {
        turn.facts.push(Fact::LetterBounced { letter: letter.clone(), why: why.to_string() });
        turn.bounced.push((letter.id, why.to_string()));
        self.not_reached(&letter.to, why, turn);
        let written = self.as_written(letter);
        let cases = match &letter.thread {
            Thread::Case { reference, .. } => Vec::from([*reference]),
            Thread::Umbrella { reference, customer: Some(customer) } => self.at_work_of(*reference, customer),
            Thread::Umbrella { customer: None, .. }
            | Thread::Maintenance { .. }
            | Thread::Alarm { .. }
            | Thread::Contract { .. }
            | Thread::Reach { .. } => Vec::new(),
        };
        for reference in cases {
            if self.case(reference).is_some_and(|case| was_informed(case, &written)) {
                let (to, letter, why) = (letter.to.clone(), written.mark, why.to_string());
                self.record(reference, CaseFact::InformedRevoked { to, letter, why }, turn);
            }
        }
        self.pass_letter_on(letter, turn);
    }

    /// An address does not work.
    pub(super) fn not_reached(&mut self, address: &str, why: &str, turn: &mut Turn) {
        let address = address.to_ascii_lowercase();
        let unreachable = Unreachable { since: turn.at, why: why.to_string() };
        if let Entry::Vacant(place) = self.mail.unreachable.entry(address.clone()) {
            turn.facts.push(Fact::AddressFailed { address: address.clone(), why: why.to_string() });
            turn.addresses.push((address, Some(unreachable.clone())));
            place.insert(unreachable);
        }
    }

    /// An address works again.
    pub(super) fn reached(&mut self, address: &str, turn: &mut Turn) {
        if self.mail.unreachable.remove(address).is_some() {
            turn.facts.push(Fact::AddressWorks { address: address.to_string() });
            turn.addresses.push((address.to_string(), None));
            self.look_who_is_in_reach(turn);
        }
    }

    /// Whether a message still waits for people.
    pub(crate) fn is_aside(&self, mail: MailId) -> bool {
        self.mail.aside.contains(&mail)
    }

    /// Staff say that a message that waits is a part of an open case.
    pub(crate) fn join_aside(&mut self, by: &str, heard: Heard, reference: Reference, turn: &mut Turn) {
        self.settle_aside((heard.mail, &heard.from), by, MailOutcome::Joined, Some(reference), turn);
        self.join_mail(reference, heard, false, turn);
    }

    /// Staff have decided on a message that waited.
    pub(crate) fn settle_aside(
        &mut self,
        (mail, from): (MailId, &str),
        by: &str,
        outcome: MailOutcome,
        case: Option<Reference>,
        turn: &mut Turn,
    ) {
        self.mail.aside.remove(&mail);
        let why = format!("{by} decided so");
        sorted((mail, Some(from.to_string())), outcome, (case, Some(why)), None, turn);
    }
}

/// The closed case that a conversation about several was about last, as the store knows it.
fn closed_of(thread: &Thread, incoming: &Incoming) -> Option<Reference> {
    let Thread::Umbrella { customer: Some(customer), .. } = thread else { return None };
    let theirs = incoming.cases.iter().filter(|case| case.customer == *customer);
    theirs.map(|case| case.reference).max()
}

fn done(arrived: Arrived, outcome: MailOutcome, result: (Option<Reference>, Option<String>), turn: &mut Turn) {
    let from = arrived.message.from.clone();
    sorted((arrived.id, from), outcome, result, Some((arrived.message, arrived.witnesses)), turn);
}

fn sorted(
    (id, from): (MailId, Option<String>),
    outcome: MailOutcome,
    (case, why): (Option<Reference>, Option<String>),
    read: Option<(Box<Message>, Witnesses)>,
    turn: &mut Turn,
) {
    // What joins a case is told there.
    if outcome != MailOutcome::Joined {
        turn.facts.push(Fact::MailSorted { mail: id, from, outcome, case, why: why.clone() });
    }
    turn.mails.push(Sorted { id, outcome, case, read, why });
}

/// Whether a reader counts as informed by a letter.
fn was_informed(case: &Case, letter: &LetterLabel) -> bool {
    let same = case.informed.as_ref().filter(|informed| informed.letter == letter.mark);
    same.is_some_and(|informed| informed.readers.contains(&letter.to))
}

/// Most words of a message that only says thanks.
const MAX_THANKS: usize = 15;

/// Whether a message says thanks and nothing else. One that does is shown to staff as no concern; where there is a doubt, it
/// is one.
pub(crate) fn is_thanks(text: &str) -> bool {
    const THANKS: [&str; 12] = [
        "thanks", "thank", "thx", "cheers", "danke", "dank", "merci", "gracias", "grazie", "bedankt", "obrigado",
        "obrigada",
    ];
    const DOUBTS: [&str; 34] = [
        "but", "still", "not", "however", "yet", "though", "except", "unless", "slow", "down", "broken", "fails",
        "problem", "issue", "t", "aber", "noch", "nicht", "leider", "jedoch", "mais", "encore", "pas", "toujours",
        "pero", "todavía", "aún", "no", "ma", "ancora", "non", "maar", "nog", "niet",
    ];
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_doubtful = text.contains(['?', '[']) || words.iter().any(|word| DOUBTS.contains(word));
    words.len() <= MAX_THANKS && !is_doubtful && words.iter().any(|word| THANKS.contains(word))
}

/// Whether a customer asks for the next level (R38): the first line that he wrote begins with the word, or his subject
/// does. Within a sentence it may mean anything.
fn wants_escalation(message: &Message) -> bool {
    let first_line = message.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    [first_line, message.subject.as_str()].into_iter().any(|line| {
        let line = line.to_lowercase();
        let line = line.strip_prefix("please ").or_else(|| line.strip_prefix("bitte ")).unwrap_or(&line);
        ["escalate", "eskalieren", "escalar", "escalader"]
            .iter()
            .any(|word| line.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)))
    })
}

#[cfg(test)]
mod tests {
    use super::is_thanks;

    #[test]
    fn thanks_are_thanks_only_where_nothing_else_is_said() {
        for thanks in
            ["Thanks!", "Great, thank you, it works again!", "Vielen Dank", "Merci beaucoup, Jean", "Gracias."]
        {
            assert!(is_thanks(thanks), "{thanks}");
        }
        for concern in [
            "",
            "Thanks, but it is still slow.",
            "Thanks, what happened?",
            "Danke, leider geht es immer noch nicht.",
            "Merci, mais rien ne marche.",
            "It doesn't work. Thanks",
            "The line is down",
            "Thanks for the quick answer. We have looked at the router and the lamp on the left is dark since this morning",
        ] {
            assert!(!is_thanks(concern), "{concern}");
        }
    }
}
