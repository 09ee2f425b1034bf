//! Notices: letters to our own, which may go to messengers as well as by mail (R55).
//!
//! A messenger is a reader with an address of its own form, so that its notices are letters like all others: committed
//! with their cause, in the order of their threads, tried until they are taken.

use super::desk::LetterKind;
use super::letter::Thread;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// What a messenger's address begins with. No mail address is without an `@`.
const HOOK: &str = "hook:";
/// Channels that one reader may have one after the other.
pub const MAX_STEPS: usize = 4;

/// The address of a messenger.
#[must_use]
pub fn hook(messenger: &str) -> String {
    String::from(HOOK) + messenger
}

/// The messenger that has this address, unless it is that of a mailbox.
#[must_use]
pub fn messenger(address: &str) -> Option<&str> {
    address.strip_prefix(HOOK)
}

/// By which ways our own hear of things. Whoever is not named has mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// What each messenger takes, by its name.
    pub messengers: BTreeMap<String, Takes>,
    /// By mail address in lower case: what is tried first, what if that fails, and so on. Ways of one step go out together.
    pub of: BTreeMap<String, Vec<Vec<Way>>>,
}

/// A way to a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By mail to his address.
    Mail,
    /// By the messenger of this name.
    Messenger(String),
}

/// What a messenger can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Everything.
    Everything,
    /// That something begins, is worked on, and is over.
    Incidents,
    /// That something begins and is over.
    Alerts,
}

impl Takes {
    /// Whether a notice of this sort is for it.
    #[must_use]
    pub const fn takes(self, signal: Signal) -> bool {
        match (self, signal) {
            (Self::Everything, _)
            | (Self::Incidents, Signal::Begins | Signal::WorkedOn | Signal::Over)
            | (Self::Alerts, Signal::Begins | Signal::Over) => true,
            (Self::Incidents, Signal::Says) | (Self::Alerts, Signal::WorkedOn | Signal::Says) => false,
        }
    }
}

/// What a notice means to whoever counts what is wrong just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Something is wrong, or has become worse.
    Begins,
    /// Somebody of our own works on it, and says so.
    WorkedOn,
    /// It is over, or others speak for it.
    Over,
    /// There is something to read, and nothing changes.
    Says,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Self; 4] = [Self::Begins, Self::WorkedOn, Self::Over, Self::Says];

    /// As it is printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Begins => "begins",
            Self::WorkedOn => "worked_on",
            Self::Over => "over",
            Self::Says => "says",
        }
    }

    /// That of a letter.
    #[must_use]
    pub const fn of(thread: &Thread, kind: LetterKind) -> Self {
        match kind {
            LetterKind::Opened
            | LetterKind::Upgraded
            | LetterKind::Returned
            | LetterKind::TakenBack
            | LetterKind::Escalated
            | LetterKind::Assigned
            | LetterKind::Overdue
            | LetterKind::Alarm => Self::Begins,
            LetterKind::News => Self::WorkedOn,
            LetterKind::Updated => match thread {
                // From now on the umbrella speaks for the case.
                Thread::Case { .. } => Self::Over,
                Thread::Umbrella { .. }
                | Thread::Maintenance { .. }
                | Thread::Alarm { .. }
                | Thread::Contract { .. }
                | Thread::Reach { .. } => Self::WorkedOn,
            },
            LetterKind::Solved | LetterKind::Closed | LetterKind::Answered | LetterKind::AllClear => Self::Over,
            LetterKind::Heard
            | LetterKind::Announced
            | LetterKind::Revised
            | LetterKind::Cancelled
            | LetterKind::Rfo
            | LetterKind::ContractEnds
            | LetterKind::PassedOn
            | LetterKind::OutOfReach => Self::Says,
        }
    }
}

/// A letter to be written to one reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// A mail address, or that of a messenger.
    pub(super) to: String,
    /// How a customer is greeted.
    pub(super) greeting: Option<String>,
    /// How many channels are tried before it.
    pub(super) rank: u32,
    /// The targets before it for which it stands in: places in the same list.
    pub(super) behind: Vec<usize>,
}

impl Ways {
    /// Whether nobody has anything but mail.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.of.is_empty()
    }

    /// Messengers that keep in mind what is wrong, and so have to be told when it is over.
    pub(super) fn mindful(&self) -> impl Iterator<Item = &String> {
        self.messengers.iter().filter(|(_, takes)| !matches!(takes, Takes::Everything)).map(|(name, _)| name)
    }

    /// Which letters a notice becomes: customers have mail; our own have it by their ways, and no messenger has it twice.
    /// `alerted`: messengers' addresses that have to hear that it is over, whoever reads it.
    pub(super) fn targets(
        &self,
        readers: &[(String, Option<String>)],
        alerted: impl Iterator<Item = String>,
        signal: Signal,
    ) -> Vec<Target> {
        let mut targets = Targets(Vec::new());
        for to in alerted {
            targets.add(to, None, 0, &[]);
        }
        let mut ours = Vec::new();
        for (to, greeting) in readers {
            match greeting {
                Some(_) => {
                    targets.add(to.clone(), greeting.clone(), 0, &[]);
                }
                None => ours.push((self.steps(to, signal), Vec::new())),
            }
        }
        // Step by step, so that what is one reader's second channel and another's first one goes out at once.
        for rank in 0..MAX_STEPS {
            for (steps, before) in &mut ours {
                if let Some(step) = steps.get(rank) {
                    let rank = u32::try_from(rank).unwrap_or(u32::MAX);
                    *before = step.iter().map(|to| targets.add(to.clone(), None, rank, before)).collect();
                }
            }
        }
        targets.0
    }

    /// Addresses, step by step. What no channel of a reader takes, he has by mail.
    fn steps(&self, to: &str, signal: Signal) -> Vec<Vec<String>> {
        let by_mail = || Vec::from([Vec::from([String::from(to)])]);
        let Some(steps) = self.of.get(&to.to_ascii_lowercase()) else { return by_mail() };
        let address = |way: &Way| match way {
            Way::Mail => Some(String::from(to)),
            Way::Messenger(name) => {
                self.messengers.get(name).is_some_and(|takes| takes.takes(signal)).then(|| hook(name))
            }
        };
        let steps = steps.iter().map(|step| step.iter().filter_map(address).collect::<Vec<_>>());
        let steps: Vec<_> = steps.filter(|step| !step.is_empty()).collect();
        if steps.is_empty() { by_mail() } else { steps }
    }
}

struct Targets(Vec<Target>);

impl Targets {
    /// The place of an address, which is new or there already; then it goes out as early as anybody wants it.
    fn add(&mut self, to: String, greeting: Option<String>, rank: u32, behind: &[usize]) -> usize {
        match self.0.iter().position(|known| known.to.eq_ignore_ascii_case(&to)) {
            Some(place) => {
                let known = &mut self.0[place];
                if known.rank == rank && rank > 0 {
                    let more = behind.iter().filter(|place| !known.behind.contains(place)).copied().collect::<Vec<_>>();
                    known.behind.extend(more);
                }
                place
            }
            None => {
                self.0.push(Target { to, greeting, rank, behind: behind.to_vec() });
                self.0.len() - 1
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const NOC: &str = "noc@example.net";

    fn ways(of: &[(&str, &[&[&str]])]) -> Ways {
        let way = |name: &&str| if *name == "mail" { Way::Mail } else { Way::Messenger((*name).into()) };
        let steps = |steps: &[&[&str]]| steps.iter().map(|step| step.iter().map(way).collect()).collect();
        let takes = [("chat", Takes::Everything), ("pager", Takes::Incidents), ("alerts", Takes::Alerts)];
        Ways {
            messengers: takes.map(|(name, takes)| (name.into(), takes)).into(),
            of: of.iter().map(|(to, ways)| (String::from(*to), steps(ways))).collect(),
        }
    }

    /// Each with its rank and behind whom it stands.
    fn letters(ways: &Ways, readers: &[&str], signal: Signal) -> Vec<(String, u32, Vec<usize>)> {
        let readers: Vec<_> = readers.iter().map(|to| (String::from(*to), None)).collect();
        let targets = ways.targets(&readers, core::iter::empty(), signal);
        targets.into_iter().map(|target| (target.to, target.rank, target.behind)).collect()
    }

    fn first(to: &str) -> (String, u32, Vec<usize>) {
        (to.into(), 0, vec![])
    }

    #[test]
    fn whoever_is_not_named_and_every_customer_has_mail() {
        let ways = ways(&[(NOC, &[&["chat"]])]);
        let customer = ("Noc@example.net".into(), Some("Acme".into()));
        let targets = ways.targets(&[customer], core::iter::empty(), Signal::Begins);
        assert_eq!((targets.len(), &*targets[0].to), (1, "Noc@example.net"));
        assert_eq!(letters(&ways, &["a@example.net"], Signal::Begins), [first("a@example.net")]);
        assert_eq!(letters(&ways, &["NOC@example.net"], Signal::Begins), [first("hook:chat")]);
    }

    #[test]
    fn channels_are_tried_one_after_the_other_and_those_of_a_step_together() {
        let ways = ways(&[(NOC, &[&["pager", "chat"], &["mail"]])]);
        let expected = [first("hook:pager"), first("hook:chat"), (NOC.into(), 1, vec![0, 1])];
        assert_eq!(letters(&ways, &[NOC], Signal::Begins), expected);
    }

    #[test]
    fn a_messenger_of_several_readers_has_it_once_and_as_early_as_anybody_wants() {
        let ways = ways(&[
            ("a@example.net", &[&["mail"], &["chat"]]),
            ("b@example.net", &[&["chat"], &["mail"]]),
            ("c@example.net", &[&["mail"], &["pager"]]),
            ("d@example.net", &[&["mail"], &["pager"]]),
        ]);
        let readers = ["a@example.net", "b@example.net", "c@example.net", "d@example.net"];
        let expected = [
            first("a@example.net"),
            first("hook:chat"),
            first("c@example.net"),
            first("d@example.net"),
            ("b@example.net".into(), 1, vec![1]),
            ("hook:pager".into(), 1, vec![2, 3]),
        ];
        assert_eq!(letters(&ways, &readers, Signal::Begins), expected);
    }

    #[test]
    fn what_a_channel_does_not_take_goes_by_the_next_and_in_the_end_by_mail() {
        let ways = ways(&[(NOC, &[&["alerts"], &["pager"]])]);
        assert_eq!(letters(&ways, &[NOC], Signal::Over), [first("hook:alerts"), ("hook:pager".into(), 1, vec![0])]);
        assert_eq!(letters(&ways, &[NOC], Signal::WorkedOn), [first("hook:pager")]);
        assert_eq!(letters(&ways, &[NOC], Signal::Says), [first(NOC)]);
    }

    #[test]
    fn who_was_alerted_hears_the_end_at_once_though_he_stands_behind_another() {
        let ways = ways(&[(NOC, &[&["chat"], &["pager"]])]);
        let alerted = ["hook:pager".into(), "hook:alerts".into()].into_iter();
        let targets = ways.targets(&[(NOC.into(), None)], alerted, Signal::Over);
        let targets: Vec<_> = targets.iter().map(|target| (&*target.to, target.rank)).collect();
        assert_eq!(targets, [("hook:pager", 0), ("hook:alerts", 0), ("hook:chat", 0)]);
    }
}
