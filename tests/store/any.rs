//! Any value of what the store keeps.

use super::world::opening;
use core::net::IpAddr;
use ntuwatch::domain::desk::{
    Actor, Agreed, Alarm, AlarmCause, AlarmKind, Assignment, CanaryStep, Case, Cause, Channel, Chase, Diagnosis,
    EscalatedBy, Escalation, Heard, Informed, LetterKind, LetterMark, Level, Line, News, Opening, Outage, Pledges,
    Priority, Promise, PromiseKind, Promises, Reference, RfoState, RfoStep, SiteCause, Stage, Step, Umbrella,
    WaitingOn, Window, Witness, Writer,
};
use ntuwatch::domain::maintenance::{self, Maintenance, Origin, Scope};
use ntuwatch::domain::time::{Tally, Time};
use ntuwatch::domain::watch::{Circuit, Finding, GroupKind, Obstacle, Reason, Symptom, Terms, Verdict};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn time() -> impl Strategy<Value = Time> {
    (-1_000_000_000_000_i64..4_000_000_000_000).prop_map(Time::from_millis)
}

pub(crate) fn length() -> impl Strategy<Value = Duration> {
    (0_u64..1_000_000_000_000).prop_map(Duration::from_millis)
}

pub(crate) fn tally() -> impl Strategy<Value = Tally> {
    (length(), option::of(time())).prop_map(|(banked, running)| Tally::new(banked, running))
}

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just(String::from("watch")), "[ -~]{0,20}", "\\PC{0,20}"]
}

pub(crate) fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![Just(Actor::Watch), text().prop_map(Actor::Staff), text().prop_map(Actor::Customer)]
}

pub(crate) fn line() -> impl Strategy<Value = Line> {
    let watched = (select(&Verdict::ALL[..]), select(&Reason::ALL[..]));
    prop_oneof![Just(Line::Withdrawn), watched.prop_map(|(verdict, reason)| Line::Watched(verdict, reason))]
}

pub(crate) fn priority() -> impl Strategy<Value = Priority> {
    select(&Priority::ALL[..])
}

pub(crate) fn window() -> impl Strategy<Value = Window> {
    (length(), tally()).prop_map(|(length, observed)| Window { length, observed })
}

pub(crate) fn stage() -> impl Strategy<Value = Stage> {
    prop_oneof![
        Just(Stage::New),
        time().prop_map(|since| Stage::Working { since }),
        (time(), select(&WaitingOn::ALL[..])).prop_map(|(since, on)| Stage::Waiting { since, on }),
        (time(), actor(), window()).prop_map(|(since, by, window)| Stage::Solved { since, by, window }),
        (time(), time(), window()).prop_map(|(since, solved_at, window)| Stage::Closed { since, solved_at, window }),
    ]
}

pub(crate) fn finding() -> impl Strategy<Value = Finding> {
    let count = || 0..=i64::MAX.unsigned_abs();
    (select(&Symptom::ALL[..]), count(), count(), length()).prop_map(|(symptom, measured, limit, over)| Finding {
        symptom,
        measured,
        limit,
        over,
    })
}

pub(crate) fn reference() -> impl Strategy<Value = Reference> {
    (1_u64..1_000_000).prop_map(Reference::from_number)
}

/// Ids and object identifiers: never empty, on one line.
pub(crate) fn id() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9._=-]{1,12}"
}

pub(crate) fn diagnosis() -> impl Strategy<Value = Diagnosis> {
    let witness = prop_oneof![
        time().prop_map(Witness::Booted),
        time().prop_map(Witness::RanOn),
        (select(&Obstacle::ALL[..]), any::<IpAddr>(), time()).prop_map(|(why, router, at)| Witness::Undelivered {
            why,
            router,
            at
        }),
        id().prop_map(Witness::Upstream),
        reference().prop_map(Witness::Shared),
        (id(), time()).prop_map(|(says, at)| Witness::Trapped { says, at }),
    ];
    (select(&SiteCause::ALL[..]), vec(witness, 0..4)).prop_map(|(cause, witnesses)| Diagnosis { cause, witnesses })
}

pub(crate) fn mark() -> impl Strategy<Value = LetterMark> {
    (select(&LetterKind::ALL[..]), any::<u32>()).prop_map(|(kind, number)| LetterMark { kind, number })
}

pub(crate) fn cause() -> impl Strategy<Value = Cause> {
    prop_oneof![
        id().prop_map(Cause::Device),
        id().prop_map(Cause::Below),
        (select(&GroupKind::ALL[..]), id()).prop_map(|(kind, name)| Cause::Group(kind, name)),
        Just(Cause::Moment),
    ]
}

prop_compose! {
    pub(crate) fn any_umbrella(number: u64)(
        cause in cause(),
        (opened_at, first_loss, closed_at) in (time(), time(), option::of(time())),
        (lost, of, within) in (0_usize..1_000_000, 0_usize..1_000_000, length()),
    ) -> Umbrella {
        let reference = Reference::from_number(number);
        Umbrella { reference, cause, opened_at, first_loss, lost, of, within, closed_at }
    }
}

prop_compose! {
    pub(crate) fn any_maintenance()(
        scope in prop_oneof![
            id().prop_map(Scope::Device),
            (select(&GroupKind::ALL[..]), id()).prop_map(|(kind, name)| Scope::Group(kind, name)),
        ],
        (from, until, announced_at) in (time(), time(), time()),
        (emergency, note, revision) in (any::<bool>(), option::of(text()), any::<u32>()),
        origin in prop_oneof![Just(Origin::Config), text().prop_map(Origin::Staff)],
        stage in select(&maintenance::Stage::ALL[..]),
    ) -> Maintenance {
        let window = maintenance::Window { id: String::new(), scope, from, until, emergency, note };
        Maintenance { window, origin, revision, planned_at: announced_at, announced_at, stage }
    }
}

pub(crate) fn alarm() -> impl Strategy<Value = Alarm> {
    let why = prop_oneof![
        select(&Reason::ALL[..]).prop_map(AlarmCause::OwnSide),
        Just(AlarmCause::Everybody),
        (text(), select(&CanaryStep::ALL[..])).prop_map(|(unit, step)| AlarmCause::Canary { unit, step }),
        option::of(text()).prop_map(|team| AlarmCause::Unstaffed { team }),
    ];
    (select(&AlarmKind::ALL[..]), time(), why).prop_map(|(kind, since, why)| Alarm { kind, since, why })
}

prop_compose! {
    fn pledges()(
        (first_response, update_p1, update_p2) in (option::of(length()), option::of(length()), option::of(length())),
        (supplier, rfo) in (option::of(length()), option::of(length())),
        (repair, rfo_p1, rfo_p2) in (any::<bool>(), any::<bool>(), any::<bool>()),
    ) -> Pledges {
        Pledges { first_response, update_p1, update_p2, supplier, rfo, repair, rfo_p1, rfo_p2 }
    }
}

fn promises() -> impl Strategy<Value = Promises> {
    let promise = (length(), tally(), any::<bool>());
    let promise = promise.prop_map(|(within, clock, missed)| Promise { within, clock, missed });
    vec((select(&PromiseKind::ALL[..]), promise), 0..=PromiseKind::ALL.len()).prop_map(|made| {
        let mut promises = Promises::default();
        made.into_iter().for_each(|(kind, promise)| promises.set(kind, Some(promise)));
        promises
    })
}

fn escalation() -> impl Strategy<Value = Escalation> {
    let why = prop_oneof![
        select(&PromiseKind::ALL[..]).prop_map(EscalatedBy::Missed),
        text().prop_map(EscalatedBy::Staff),
        text().prop_map(EscalatedBy::Customer),
    ];
    (select(&Level::ALL[..]), why, any::<u32>()).prop_map(|(level, why, times)| Escalation { level, why, times })
}

prop_compose! {
    fn assignment()(
        (rule, team, at) in (option::of(text()), option::of(text()), time()),
        (times, misroutes) in (any::<u32>(), any::<u32>()),
    ) -> Assignment {
        Assignment { rule, team, at, times, misroutes }
    }
}

fn chase() -> impl Strategy<Value = Chase> {
    (option::of(select(&Step::ALL[..])), time()).prop_map(|(step, since)| Chase { step, since })
}

fn informed() -> impl Strategy<Value = Informed> {
    let readers = vec("[a-z]{1,5}@[a-z]{1,5}", 1..3);
    (mark(), readers, promises()).prop_map(|(letter, readers, before)| Informed { letter, readers, before })
}

fn heard() -> impl Strategy<Value = Heard> {
    let from = "[a-z]{1,5}@[a-z]{1,5}";
    let mail = 0..=i64::MAX.unsigned_abs();
    (mail, from, select(&Writer::ALL[..]), text()).prop_map(|(mail, from, writer, text)| Heard {
        mail,
        from,
        writer,
        text,
    })
}

fn news() -> impl Strategy<Value = News> {
    (any::<u32>(), text()).prop_map(|(number, text)| News { number, text })
}

fn rfo() -> impl Strategy<Value = RfoState> {
    let step = prop_oneof![
        select(&[RfoStep::None, RfoStep::Issued, RfoStep::Delivered, RfoStep::Undelivered][..]),
        (actor(), time()).prop_map(|(by, since)| RfoStep::Ordered { by, since }),
    ];
    (any::<u32>(), any::<u32>(), step).prop_map(|(issued, solved, step)| RfoState { issued, solved, step })
}

prop_compose! {
    pub(crate) fn any_opening()(
        words in (text(), text(), text(), text(), text()),
        maybe in (option::of(text()), option::of(text()), option::of(1_u64..1_000_000)),
        (origin, priority, ttr, solve_after) in (actor(), priority(), length(), length()),
        times in (option::of(time()), option::of(time()), option::of(time())),
        (loss, line, line_since, finding) in (tally(), line(), time(), option::of(finding())),
        (pop, access, rate) in (option::of(text()), option::of(text()), option::of(0..=i64::MAX.unsigned_abs())),
        (pledges, channel) in (pledges(), select(&Channel::ALL[..])),
    ) -> Opening {
        let (customer, order, service, region, queue) = words;
        let (supplier, note, previous) = maybe;
        let (last_contact, first_loss, detected) = times;
        Opening {
            circuit: Circuit {
                customer: Arc::new(customer),
                order: order.into(),
                terms: Arc::new(Terms { service, region, ttr, supplier, pop, access, rate }),
            },
            queue, note, origin, channel, priority, solve_after, pledges,
            last_contact, first_loss, detected, loss, line: (line, line_since), finding,
            previous: previous.map(Reference::from_number),
            ..opening(1, "")
        }
    }
}

prop_compose! {
    /// Under none of the umbrellas 1 to 3, or under one.
    pub(crate) fn any_case()(
        opening in any_opening().boxed(),
        (opened_at, priority, stage, owner) in (time(), priority(), stage(), option::of(text())),
        (line, line_since, fault_seen) in (line(), time(), any::<bool>()),
        confirmed in option::of((option::of(time()), time(), time())),
        (back, recovered_at) in (option::of(tally()), option::of(time())),
        (downtime, solved, returned) in (tally(), any::<u32>(), any::<u32>()),
        letter in option::of(mark()),
        (finding, umbrella, diagnosis) in (option::of(finding()), option::of(1_u64..=3), option::of(diagnosis())),
        (promises, repairing, escalation, news) in (promises(), length(), option::of(escalation()), option::of(news())),
        (rfo, agreed) in (rfo(), option::of((length(), pledges()))),
        (assignment, chase) in (option::of(assignment()), chase()),
        (informed, heard) in (option::of(informed()), option::of((any::<u32>(), heard()))),
    ) -> Case {
        // Whether a reason for outage is required stays as it was.
        let Pledges { rfo_p1, rfo_p2, .. } = opening.pledges;
        let agreed = agreed.map(|(ttr, pledges)| Agreed { ttr, pledges: Pledges { rfo_p1, rfo_p2, ..pledges } });
        Case {
            agreed: agreed.map(Box::new), opening: Arc::new(opening), opened_at, priority, stage, owner, line, line_since, fault_seen,
            confirmed: confirmed.map(|(last_contact, first_loss, detected)| Outage { last_contact, first_loss, detected }),
            back, recovered_at, downtime, solved,
            returned, last_letter: letter, finding, umbrella: umbrella.map(Reference::from_number), diagnosis,
            promises, repairing, escalation, news, assignment, chase, informed, heard, rfo,
        }
    }
}
