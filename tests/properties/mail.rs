//! What holds of messages that come in.

use super::world::{ADDRESSES, History};
use ntuwatch::domain::desk::{Actor, CaseFact, MailOutcome, Writer};
use ntuwatch::domain::fact::Fact;
use std::collections::BTreeMap;

/// A reply never lands in a stranger's case.
pub(crate) fn messages_join_only_cases_of_their_sender(history: &History) {
    let cases = history.each_case_fact(|case, _, fact| {
        if let CaseFact::Heard(heard) = fact
            && heard.writer == Writer::Customer
        {
            assert_eq!(heard.from, format!("{}@customer.example", case.opening.circuit.customer));
        }
    });
    for case in cases.values() {
        if let Actor::Customer(address) = &case.opening.origin {
            assert_eq!(*address, format!("{}@customer.example", case.opening.circuit.customer));
        }
    }
}

/// A program's message, and what staff write, moves no stage: who brought a case back has written in that moment.
pub(crate) fn only_people_move_cases(history: &History) {
    let mut written = BTreeMap::new();
    history.each_case_fact(|case, at, fact| match fact {
        CaseFact::Heard(heard) if heard.writer == Writer::Customer => {
            written.insert(case.opening.reference, at);
        }
        CaseFact::Returned { by: Actor::Customer(_), .. } => {
            assert_eq!(written.get(&case.opening.reference), Some(&at));
        }
        _ => {}
    });
}

/// Nothing that came in is lost or counted twice, whatever crashes; what is disowned waits for people.
pub(crate) fn every_message_is_sorted_once(history: &History) {
    let mut told = BTreeMap::new();
    for (_, fact) in &history.facts {
        let (mail, outcome) = match fact {
            Fact::Case { fact: CaseFact::Heard(heard), .. } => (heard.mail, MailOutcome::Joined),
            Fact::MailSorted { mail, outcome, .. } => (*mail, *outcome),
            _ => continue,
        };
        assert_eq!(told.insert(mail, outcome), None, "message {mail} was sorted twice");
        if let Fact::MailSorted { from: Some(from), outcome: MailOutcome::Opened, .. } = fact {
            assert!(ADDRESSES[..2].contains(&from.as_str()), "{from} opened a case");
        }
    }
    assert_eq!(told, *history.sim.mails());
    assert!(history.sim.unread() == 0 || history.sim.watch().is_none(), "a running daemon reads what came");
}
