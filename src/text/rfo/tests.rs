use super::*;
use crate::domain::desk::{
    Actor, Case, CaseFact, Channel, Diagnosis, Intake, LetterKind, Level, Line, Opening, Pledges, PromiseKind,
    Reference, Subject, WaitingOn, Witness,
};
use crate::domain::rfo::Dossier;
use crate::domain::time::Tally;
use crate::domain::watch::{Circuit, Interval, Obstacle, Terms, Verdict};
use std::sync::Arc;

const MINUTE: Duration = Duration::from_secs(60);

/// 12:00 on 21 November 2026 and so many minutes.
const fn at(minutes: i64) -> Time {
    Time::from_millis(1_795_262_400_000 + minutes * 60_000)
}

fn opening() -> Opening {
    Opening {
        reference: Reference::from_number(7),
        origin: Actor::Watch,
        priority: Priority::P1,
        unit: "acme-lon-1".into(),
        circuit: Circuit {
            customer: Arc::new("acme".into()),
            order: "SO-1001".into(),
            terms: Arc::new(Terms {
                service: "DIA".into(),
                region: "EMEA".into(),
                ttr: 60 * MINUTE,
                supplier: Some("telco-a".into()),
                pop: None,
                access: None,
                rate: None,
            }),
        },
        queue: "Support".into(),
        channel: Channel::Monitoring,
        note: Some("SECRET at the opening".into()),
        last_contact: Some(at(-1)),
        first_loss: Some(at(0)),
        detected: Some(Time::from_millis(at(0).as_millis() + 3_250)),
        loss: Tally::started(at(0)),
        line: (Line::Watched(Verdict::Loss, Reason::NoAnswer), at(0)),
        finding: None,
        solve_after: 5 * MINUTE,
        pledges: Pledges::default(),
        previous: None,
        intake: Intake::of(Subject::ServiceDown),
    }
}

/// A case with a bit of everything: solved, returned, solved once more.
fn rfo() -> Rfo {
    let mut case = Case::open(opening(), at(10));
    let witnesses = vec![
        Witness::Upstream("SECRET-router".into()),
        Witness::Shared(Reference::from_number(3)),
        Witness::Undelivered { why: Obstacle::Host, router: "192.0.2.99".parse().unwrap(), at: at(1) },
    ];
    let solved = |by| CaseFact::Solved { by, note: Some("SECRET".into()), window: 600 * MINUTE };
    let facts = [
        (12, CaseFact::Taken { by: "SECRET ann".into() }),
        (95, CaseFact::Line { line: Line::Watched(Verdict::Up, Reason::Answered), at: at(95) }),
        (95, CaseFact::Diagnosed(Diagnosis { cause: SiteCause::Upstream, witnesses })),
        (100, solved(Actor::Staff("SECRET ann".into()))),
    ];
    facts.iter().for_each(|(minute, fact)| case.apply(fact, at(*minute)));
    let events = vec![
        (at(10), Event::Opened),
        (at(11), Event::Informed(LetterKind::Opened)),
        (at(12), Event::Taken),
        (at(15), Event::Promised(PromiseKind::OnSite, 120 * MINUTE)),
        (at(20), Event::Told("The fibre is cut at <Docklands> & \"both\" crews are out.".into())),
        (at(20), Event::Kept(PromiseKind::FirstResponse, 10 * MINUTE)),
        (at(30), Event::Waits(WaitingOn::Access)),
        (at(60), Event::Taken),
        (at(80), Event::Missed(PromiseKind::Update)),
        (at(80), Event::Escalated(Level::L1)),
        (at(90), Event::Arrived),
        (at(100), Event::Solved),
    ];
    let stretch = |from, until, verdict, reason| Interval {
        device: "acme-lon-1".into(),
        from: at(from),
        until: at(until),
        verdict,
        reason,
    };
    let ledger = vec![
        stretch(0, 65, Verdict::Loss, Reason::NoAnswer),
        stretch(65, 70, Verdict::Unobserved, Reason::Stopped),
        stretch(70, 95, Verdict::Loss, Reason::NoAnswer),
        stretch(95, 300, Verdict::Up, Reason::Answered),
    ];
    Rfo::of(Dossier { case, at: at(700), events, ledger })
}

fn imprint(number: Option<u32>) -> Imprint {
    Imprint { number, request: None, seq: 42, seal: "ab".repeat(32) }
}

#[test]
fn documents() {
    let calendar = Calendar::default();
    let document = document(&rfo(), &imprint(Some(1)), &calendar);
    let pretty = serde_json::to_string_pretty(&document).unwrap();
    insta::assert_snapshot!("document_as_text", text(&document));
    insta::assert_snapshot!("document_as_html", html(&document));
    insta::assert_snapshot!("document_as_json", pretty);
}

#[test]
fn a_draft_says_so_everywhere() {
    let draft = document(&rfo(), &imprint(None), &Calendar::default());
    assert!(text(&draft).starts_with("DRAFT: "));
    assert!(html(&draft).contains("<h1>DRAFT: "));
    assert_eq!((&draft["draft"], &draft["number"]), (&Value::Bool(true), &Value::Null));
}

#[test]
fn no_word_of_staff_to_each_other_and_nothing_of_others_is_in_it() {
    let document = document(&rfo(), &imprint(Some(1)), &Calendar::default());
    for form in [text(&document), html(&document), document.to_string()] {
        for secret in ["SECRET", "192.0.2.99", "telco-a", &Reference::from_number(3).to_string()] {
            assert!(!form.contains(secret), "{secret} in {form}");
        }
    }
}

#[test]
fn what_people_wrote_is_text_in_html() {
    let page = html(&document(&rfo(), &imprint(Some(1)), &Calendar::default()));
    assert!(page.contains("&lt;Docklands&gt; &amp; &quot;both&quot;"));
    assert!(!page.contains("<Docklands>") && !page.contains("<script") && !page.contains("http"));
}

#[test]
fn the_same_document_has_the_same_bytes() {
    let bytes = || document(&rfo(), &imprint(Some(1)), &Calendar::default()).to_string();
    assert_eq!(bytes(), bytes());
    let read: Value = serde_json::from_str(&bytes()).unwrap();
    assert_eq!(read.to_string(), bytes(), "who reads and writes it again changes nothing");
}
