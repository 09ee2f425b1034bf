//! To which case a message belongs. Three witnesses speak: a secret that only a reader of our letters has, who the sender
//! is, and what our boundary server says of him. Where they agree, a message joins; where they do not, people decide. A
//! reference in a subject is a claim, and no witness.

use super::reference::Reference;
use crate::domain::letter::{LetterLabel, Thread};
use crate::domain::mail::{Authentic, Automatic, Incoming, MailId, Message, Nature, Unreadable};
use alloc::string::String;
use core::fmt;

/// Who sent a message, as far as the inventory knows the address. A domain alone is nobody's (R50).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tenant {
    /// This customer.
    Customer(String),
    /// Our own staff.
    Staff,
    /// Several customers have this address: it says nothing of whose case it is about.
    Several,
    /// Nobody whom we know.
    Stranger,
}

/// What speaks for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnesses {
    /// The letter that it answers, by a secret in its Message-ID or reply address.
    pub letter: Option<LetterLabel>,
    /// Who sent it.
    pub tenant: Tenant,
    /// Whether his domain vouches for it.
    pub authentic: Authentic,
    /// A reference in its subject.
    pub claim: Option<Reference>,
}

/// What is to be done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belongs {
    /// It is a part of this case.
    Joins(Reference),
    /// A customer writes of something new.
    New,
    /// It reports what became of our letters.
    Reports,
    /// People have to decide.
    Aside(Aside),
    /// Nothing is to be done.
    Ignored(Ignored),
}

/// Why people have to decide on a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// It can't be read.
    Unreadable(Unreadable),
    /// It has no sender, or several.
    NoSender,
    /// The domain of its sender disowns it.
    Forged,
    /// Nobody knows the sender.
    Stranger,
    /// Several customers have the sender's address.
    SharedAddress,
    /// It answers a letter to somebody else, and nobody knows its sender.
    StrangerAnswers,
    /// It answers a letter about another customer's case.
    OthersCase,
    /// Its subject names another customer's case, or none that there is.
    OthersReference(Reference),
    /// Its subject names a case of the sender's, but nothing vouches for him.
    OnlyAClaim(Reference),
    /// It answers a letter that is about no case.
    NoCase,
    /// It may be about this case, of which it says nothing (R23).
    MaybeAbout(Reference),
    /// It does not say which of the customer's lines it is about.
    WhichLine,
    /// It names several of them.
    SeveralLines,
    /// It names none of them, but another customer's.
    OthersLine,
    /// It says thanks for a case that is closed: mostly nothing is to be done.
    Thanks(Reference),
    /// The line is not in the inventory any more.
    LineGone,
    /// Staff write, of no case.
    StaffWrite,
    /// Its sender writes more than a person does.
    TooMany,
    /// Mail opens more cases than people can want.
    Flood,
    /// It reports on a letter that is none of ours.
    NoLetter,
}

/// Why nothing is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// It came before.
    Copy(MailId),
    /// We wrote it ourselves.
    Loop,
    /// A program wrote it, and it is about no case.
    Automatic(Automatic),
    /// A program wrote it about a case that is closed.
    Closed(Reference),
}

impl fmt::Display for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable(Unreadable::NoMessage) => "it is empty, or no message",
            Self::Unreadable(Unreadable::TooLarge) => "it is too large to be taken; only its beginning was kept",
            Self::Unreadable(Unreadable::Crashed) => "the daemon broke down over it before, so it is read no more",
            Self::NoSender => "it has no single sender",
            Self::Forged => "the domain of its sender disowns it (DMARC)",
            Self::Stranger => "nobody in the inventory has its sender's address",
            Self::SharedAddress => "several customers have its sender's address",
            Self::StrangerAnswers => {
                "it answers a letter of ours that went to somebody else, and its sender is unknown"
            }
            Self::OthersCase => "it answers a letter about another customer's case",
            Self::OthersReference(reference) => {
                return write!(f, "its subject names {reference}, which is no case of its sender's");
            }
            Self::OnlyAClaim(reference) => {
                return write!(f, "its subject names {reference}, but nothing shows that it is from whom it says");
            }
            Self::NoCase => "it answers a letter that is about no case",
            Self::MaybeAbout(reference) => return write!(f, "it may be about {reference}, which it does not answer"),
            Self::WhichLine => "it does not say which line it is about: neither a unit's id nor an order",
            Self::SeveralLines => "it names several of the customer's lines",
            Self::OthersLine => "it names a unit or an order of another customer's",
            Self::Thanks(reference) => return write!(f, "it reads like thanks for {reference}, which is closed"),
            Self::LineGone => "the line that it is about is not in the inventory any more",
            Self::StaffWrite => "it is from our own staff and answers no letter about a case",
            Self::TooMany => "its sender writes more than a person does",
            Self::Flood => "mail opens more cases at present than people can want",
            Self::NoLetter => "it reports on a letter that is none of ours",
        })
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copy(id) => write!(f, "it is a copy of message {id}"),
            Self::Loop => f.write_str("it is a message of our own that came back"),
            Self::Automatic(_) => f.write_str("a program wrote it, and it is about no case"),
            Self::Closed(reference) => write!(f, "a program wrote it about {reference}, which is closed"),
        }
    }
}

/// What a message is, apart from whom it is about.
pub(super) fn witnesses(incoming: &Incoming, message: &Message, tenant: Tenant) -> Witnesses {
    let letter = incoming.letters.first().cloned();
    Witnesses { letter, tenant, authentic: message.authentic, claim: claim(&message.subject) }
}

/// Where a message belongs. `case_of` tells the case that a letter's conversation is about, `owner_of` whose a case is.
pub(super) fn belongs(
    incoming: &Incoming,
    message: &Message,
    witnesses: &Witnesses,
    case_of: impl Fn(&Thread, Option<Reference>) -> Option<Reference>,
    owner_of: impl Fn(Reference) -> Option<String>,
) -> Belongs {
    if let Some(copied) = incoming.copy_of {
        return Belongs::Ignored(Ignored::Copy(copied));
    }
    let automatic = match &message.nature {
        Nature::Own => return Belongs::Ignored(Ignored::Loop),
        Nature::Report(_) if incoming.letters.is_empty() => return Belongs::Aside(Aside::NoLetter),
        Nature::Report(_) => return Belongs::Reports,
        Nature::Automatic(automatic) => Some(*automatic),
        Nature::Person => None,
    };
    let Some(from) = &message.from else { return Belongs::Aside(Aside::NoSender) };
    if message.authentic == Authentic::Fail {
        return Belongs::Aside(Aside::Forged);
    }
    if let Some(letter) = &witnesses.letter {
        let Some(case) = case_of(&letter.thread, witnesses.claim) else { return Belongs::Aside(Aside::NoCase) };
        return answers(letter, from, &witnesses.tenant, case, owner_of(case));
    }
    match (automatic, witnesses.claim, &witnesses.tenant) {
        (Some(automatic), None, _) => Belongs::Ignored(Ignored::Automatic(automatic)),
        (_, _, Tenant::Stranger) => Belongs::Aside(Aside::Stranger),
        (_, _, Tenant::Several) => Belongs::Aside(Aside::SharedAddress),
        (None, None, Tenant::Staff) => Belongs::Aside(Aside::StaffWrite),
        (None, None, Tenant::Customer(_)) => Belongs::New,
        (_, Some(claim), tenant) => claims(claim, tenant, message.authentic, owner_of(claim)),
    }
}

/// A message that answers a letter of ours: whoever has the secret has seen the letter.
fn answers(letter: &LetterLabel, from: &str, tenant: &Tenant, case: Reference, owner: Option<String>) -> Belongs {
    let is_theirs = |customer: &String| owner.as_ref() == Some(customer);
    match tenant {
        Tenant::Customer(customer) if is_theirs(customer) => Belongs::Joins(case),
        Tenant::Customer(_) => Belongs::Aside(Aside::OthersCase),
        Tenant::Staff => Belongs::Joins(case),
        // The reader himself, though the inventory does not know him by now or knows him several times.
        Tenant::Several | Tenant::Stranger if letter.to.eq_ignore_ascii_case(from) => Belongs::Joins(case),
        Tenant::Several => Belongs::Aside(Aside::SharedAddress),
        Tenant::Stranger => Belongs::Aside(Aside::StrangerAnswers),
    }
}

/// A message that only says of itself which case it is about.
fn claims(claim: Reference, tenant: &Tenant, authentic: Authentic, owner: Option<String>) -> Belongs {
    let is_theirs = match tenant {
        Tenant::Customer(customer) => owner.as_ref() == Some(customer),
        Tenant::Staff => owner.is_some(),
        Tenant::Several | Tenant::Stranger => false,
    };
    match authentic {
        Authentic::Pass if is_theirs => Belongs::Joins(claim),
        Authentic::Unknown if is_theirs => Belongs::Aside(Aside::OnlyAClaim(claim)),
        Authentic::Pass | Authentic::Unknown | Authentic::Fail => Belongs::Aside(Aside::OthersReference(claim)),
    }
}

/// The first reference in a subject. Words without its prefix are none, whatever they look like.
#[must_use]
pub fn claim(subject: &str) -> Option<Reference> {
    let words = subject.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let is_prefixed = |word: &&str| word.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("NTU-"));
    words.filter(is_prefixed).find_map(|word| Reference::parse(word.trim_end_matches('-')).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::desk::{LetterKind, LetterMark};
    use crate::domain::time::Time;
    use alloc::boxed::Box;
    use alloc::format;
    use alloc::vec::Vec;

    const ACME: &str = "it@acme.example";

    fn message(from: &str, subject: &str, authentic: Authentic, nature: Nature) -> Message {
        Message {
            from: Some(from.into()),
            message_id: None,
            answers: Vec::new(),
            recipients: Vec::new(),
            subject: subject.into(),
            text: String::new(),
            nature,
            authentic,
            attachments: Vec::new(),
        }
    }

    fn case(number: u64) -> Reference {
        Reference::from_number(number)
    }

    /// A letter about case 1, which is Acme's, to Acme.
    fn letter() -> LetterLabel {
        LetterLabel {
            id: 1,
            thread: Thread::Case { reference: case(1), unit: "acme-lon-1".into() },
            mark: LetterMark { kind: LetterKind::Opened, number: 1 },
            to: ACME.into(),
        }
    }

    fn decide(message: Message, letter: Option<LetterLabel>, copy_of: Option<MailId>) -> Belongs {
        let tenant = match message.from.as_deref() {
            Some(ACME | "boss@acme.example") => Tenant::Customer("acme".into()),
            Some("it@globex.example") => Tenant::Customer("globex".into()),
            Some("noc@example.net") => Tenant::Staff,
            Some("reseller@both.example") => Tenant::Several,
            Some(_) | None => Tenant::Stranger,
        };
        let letters = letter.into_iter().collect();
        let incoming = Incoming {
            id: 9,
            received_at: Time::from_millis(0),
            message: Ok(Box::new(message.clone())),
            head: None,
            letters,
            copy_of,
            cases: Vec::new(),
        };
        let owner_of = |reference| match reference {
            one if one == case(1) => Some("acme".into()),
            two if two == case(2) => Some("globex".into()),
            _ => None,
        };
        let case_of = |thread: &Thread, _| thread.about().1.and_then(super::super::Topic::case);
        belongs(&incoming, &message, &witnesses(&incoming, &message, tenant), case_of, owner_of)
    }

    #[test]
    fn who_answers_a_letter_joins_its_case_if_he_is_of_its_customer() {
        let from = |who| decide(message(who, "whatever", Authentic::Unknown, Nature::Person), Some(letter()), None);
        let joins = Belongs::Joins(case(1));
        assert_eq!([ACME, "boss@acme.example", "noc@example.net"].map(from), [joins; 3]);
        assert_eq!(from("it@globex.example"), Belongs::Aside(Aside::OthersCase));
        assert_eq!(from("x@stranger.example"), Belongs::Aside(Aside::StrangerAnswers));
        assert_eq!(from("reseller@both.example"), Belongs::Aside(Aside::SharedAddress));
        let gone = LetterLabel { to: "x@stranger.example".into(), ..letter() };
        let his = decide(message("x@stranger.example", "", Authentic::Unknown, Nature::Person), Some(gone), None);
        assert_eq!(his, joins, "the reader of the letter himself");
    }

    #[test]
    fn a_sender_whom_his_domain_disowns_joins_nothing() {
        for letter in [Some(letter()), None] {
            let subject = format!("Re: [{}]", case(1));
            let forged = decide(message(ACME, &subject, Authentic::Fail, Nature::Person), letter, None);
            assert_eq!(forged, Belongs::Aside(Aside::Forged));
        }
    }

    #[test]
    fn a_reference_in_the_subject_is_only_a_claim() {
        let claims = |who, number, authentic| {
            decide(message(who, &format!("AW: [{}] down", case(number)), authentic, Nature::Person), None, None)
        };
        assert_eq!(claims(ACME, 1, Authentic::Pass), Belongs::Joins(case(1)));
        assert_eq!(claims(ACME, 1, Authentic::Unknown), Belongs::Aside(Aside::OnlyAClaim(case(1))));
        assert_eq!(claims(ACME, 2, Authentic::Pass), Belongs::Aside(Aside::OthersReference(case(2))));
        assert_eq!(claims(ACME, 3, Authentic::Pass), Belongs::Aside(Aside::OthersReference(case(3))), "there is none");
        assert_eq!(claims("noc@example.net", 2, Authentic::Pass), Belongs::Joins(case(2)));
        assert_eq!(claims("x@stranger.example", 1, Authentic::Pass), Belongs::Aside(Aside::Stranger));
    }

    #[test]
    fn programs_open_nothing_and_a_loop_ends() {
        let by = |nature| decide(message(ACME, "Out of office", Authentic::Pass, nature), None, None);
        assert_eq!(by(Nature::Person), Belongs::New);
        let automatic = Automatic::Replied;
        assert_eq!(by(Nature::Automatic(automatic)), Belongs::Ignored(Ignored::Automatic(automatic)));
        assert_eq!(by(Nature::Own), Belongs::Ignored(Ignored::Loop));
        assert_eq!(by(Nature::Report(Vec::new())), Belongs::Aside(Aside::NoLetter));
        let answer = message(ACME, "", Authentic::Pass, Nature::Automatic(automatic));
        assert_eq!(decide(answer.clone(), Some(letter()), None), Belongs::Joins(case(1)), "as an attachment");
        assert_eq!(decide(answer, Some(letter()), Some(4)), Belongs::Ignored(Ignored::Copy(4)));
    }

    #[test]
    fn a_reference_is_found_where_people_leave_it() {
        let reference = case(7);
        for subject in [
            format!("Re: [{reference}] Service down: acme-lon-1 (order SO-1001)"),
            format!("AW: {reference}: immer noch"),
            format!("{}", reference).to_lowercase(),
            format!("our ticket 4711 - NTU-2222-2222 ({reference})"),
        ] {
            assert_eq!(claim(&subject), Some(reference), "{subject}");
        }
        assert_eq!(claim("NTU- is down"), None);
        assert_eq!(claim(&alloc::string::ToString::to_string(&reference)[4..]), None, "no prefix, no claim");
    }
}
