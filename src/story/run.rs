//! Running a story and printing what comes of it.

use super::grammar::{Action, Event, Expectation, Story};
use super::sim::{Monitor, Sim};
use super::site::Line;
use crate::domain::desk::{Case, Level};
use crate::domain::fact::Fact;
use crate::domain::maintenance::Draft;
use crate::domain::notice::messenger;
use crate::domain::time::Time;
use crate::domain::turn::Wish;
use crate::text;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::time::Duration;

/// How facts are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Print {
    /// One JSON object a line.
    Json,
    /// One line of words each.
    Words,
}

/// What came of a story.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The `expect` lines that did not hold, and the commands that were refused.
    pub unmet: Vec<Unmet>,
}

/// A line of the story that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Its line, from 1.
    pub line: usize,
    /// What was instead.
    pub message: String,
}

/// Runs `story` and prints its facts to `out`.
///
/// # Errors
/// If `out` does not take them.
pub fn run(story: &Story, print: Print, out: &mut dyn Write) -> io::Result<Outcome> {
    let mut sim = Sim::new(story.plan.clone(), ORIGIN, 1);
    let mut outcome = Outcome::default();
    let mut events = story.events.as_slice();
    while let Some(first) = events.first() {
        let (now, later) = events.split_at(events.partition_point(|event| event.at <= first.at));
        events = later;
        advance(&mut sim, ORIGIN + first.at, print, out)?;
        instant(&mut sim, now, &mut outcome, print, out)?;
    }
    advance(&mut sim, ORIGIN + story.until, print, out)?;
    sim.settle();
    print_facts(&mut sim, print, out)?;
    Ok(outcome)
}

const ORIGIN: Time = Time::from_millis(0);

fn advance(sim: &mut Sim, until: Time, print: Print, out: &mut dyn Write) -> io::Result<()> {
    // In stretches, so that a long story prints as it goes and holds little.
    const STRETCH: Duration = Duration::from_secs(3_600);
    while sim.now() + STRETCH < until {
        sim.run_to(sim.now() + STRETCH);
        print_facts(sim, print, out)?;
    }
    sim.run_to(until);
    print_facts(sim, print, out)
}

/// Everything that the story has for one instant: the world changes and the daemon sees it; then people act, the daemon
/// is stopped or started, and expectations are looked at, in the order of lines. Only what people do comes before the
/// daemon is stopped, for afterwards there is nobody to ask.
fn instant(
    sim: &mut Sim,
    events: &[Event],
    outcome: &mut Outcome,
    print: Print,
    out: &mut dyn Write,
) -> io::Result<()> {
    let of_world = |event: &&Event| act_of(&event.action) == Act::World;
    let (world, mut rest): (Vec<&Event>, Vec<&Event>) = events.iter().partition(of_world);
    let is_person = |event: &&Event| act_of(&event.action) == Act::Person;
    if let Some(stop) = rest.iter().position(|event| act_of(&event.action) == Act::Stop)
        && sim.monitor() == Monitor::Runs
    {
        let late = rest.split_off(stop);
        let (people, others): (Vec<&Event>, Vec<&Event>) = late.into_iter().partition(is_person);
        rest.extend(people.into_iter().chain(others));
    }
    for event in &world {
        judge(sim, event, outcome);
    }
    sim.settle();
    print_facts(sim, print, out)?;
    for event in &rest {
        judge(sim, event, outcome);
        sim.settle();
        print_facts(sim, print, out)?;
    }
    Ok(())
}

fn judge(sim: &mut Sim, event: &Event, outcome: &mut Outcome) {
    if let Err(message) = perform(sim, &event.action) {
        outcome.unmet.push(Unmet { line: event.line, message });
    }
}

/// Whose doing an event is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    World,
    Stop,
    Start,
    Person,
    Expectation,
}

const fn act_of(action: &Action) -> Act {
    match action {
        Action::Answer(..)
        | Action::Lose(..)
        | Action::Agent(..)
        | Action::Trap(..)
        | Action::Resolver { .. }
        | Action::Clock(_)
        | Action::Mail { .. }
        | Action::Messenger(..)
        | Action::Uplink { .. } => Act::World,
        Action::Stop | Action::Crash | Action::Suspend => Act::Stop,
        Action::Start | Action::Resume => Act::Start,
        Action::Work(..)
        | Action::Open(..)
        | Action::Maintain(..)
        | Action::Update(_)
        | Action::Write(_)
        | Action::Bounce(_)
        | Action::Survey(..)
        | Action::Contact(..)
        | Action::Order(..)
        | Action::Contract(..)
        | Action::Duty(..) => Act::Person,
        Action::Expect(_) => Act::Expectation,
    }
}

/// Lets one event happen, or says why it does not hold.
fn perform(sim: &mut Sim, action: &Action) -> Result<(), String> {
    match action {
        Action::Answer(subject, rtt, jitter) => {
            let good = |line: &mut Line| (line.rtt, line.jitter, line.loss) = (*rtt, *jitter, 0.0);
            sim.set_lines(|id, role| subject.covers(id, role), good);
        }
        Action::Agent(subject, what) => sim.set_agents(|id, role| subject.covers(id, role), *what),
        Action::Trap(subject, says) => sim.send_traps(|id, role| subject.covers(id, role), says),
        Action::Resolver { works } => sim.set_resolver(*works),
        Action::Maintain(scope, times, emergency) => {
            let draft = Draft {
                id: format!("asked-{}", sim.now().as_millis()),
                scope: scope.clone(),
                from: ORIGIN + times.start,
                until: ORIGIN + times.end,
                emergency: Some(*emergency),
                note: None,
            };
            return ask(sim, Wish::Maintain(draft));
        }
        Action::Update(text) => {
            let latest = sim.umbrellas().last().map(|umbrella| umbrella.reference);
            let umbrella = latest.ok_or("there is no umbrella")?;
            return ask(sim, Wish::Update { umbrella, text: text.clone() });
        }
        Action::Lose(subject, share) => sim.set_lines(|id, role| subject.covers(id, role), |line| line.loss = *share),
        Action::Stop => sim.stop(),
        Action::Start => {
            if sim.monitor() == Monitor::Stopped {
                sim.start();
            }
        }
        Action::Crash => sim.kill(),
        Action::Suspend => sim.suspend(true),
        Action::Resume => sim.suspend(false),
        Action::Clock(by_ms) => sim.step_clock(*by_ms),
        Action::Mail { refused, for_good } => {
            sim.set_mail(*refused);
            sim.set_mail_rejected(*for_good);
        }
        Action::Messenger(name, receiver) => sim.set_messenger(name, *receiver),
        Action::Write(post) => return sim.receive(post),
        Action::Bounce(address) => return sim.bounce(address),
        Action::Contact(verb, customer, id, draft) => {
            let (verb, customer, id, draft) = (*verb, customer.clone(), id.clone(), draft.clone());
            return ask(sim, Wish::Contact { verb, customer, id, draft });
        }
        Action::Survey(unit, score, comment) => {
            let case = latest_case(sim, unit).ok_or_else(|| format!("{unit} has no case"))?.opening.reference;
            return ask(sim, Wish::Answer { case, score: *score, comment: comment.clone() });
        }
        Action::Uplink { cut } => sim.set_uplink(*cut),
        Action::Open(unit, report, wanted) => {
            let mut report = report.clone();
            report.wanted_at = wanted.map(|wanted| sim.now() + wanted);
            return ask(sim, Wish::Open { unit: unit.clone(), report });
        }
        Action::Work(unit, command) => {
            let case = latest_case(sim, unit).ok_or_else(|| format!("{unit} has no case"))?;
            let reference = case.opening.reference;
            return ask(sim, Wish::Work { reference, command: command.clone() });
        }
        Action::Duty(staff, on) => return ask(sim, Wish::Duty { staff: staff.clone(), on: *on }),
        Action::Order(unit, ttr) => sim.order(unit, *ttr),
        Action::Contract(id, tier) => sim.contract(id, *tier),
        Action::Expect(expectation) => return check(sim, expectation),
    }
    Ok(())
}

fn ask(sim: &mut Sim, wish: Wish) -> Result<(), String> {
    match sim.monitor() {
        Monitor::Runs => match sim.ask(wish) {
            Some(reply) => reply.result.map(|_| ()).map_err(|refusal| refusal.to_string()),
            None => Err("the daemon gave no answer".into()),
        },
        Monitor::Stopped | Monitor::Suspended => Err("the daemon is not running, so nobody can ask it".into()),
    }
}

fn latest_case<'a>(sim: &'a Sim, unit: &str) -> Option<&'a Case> {
    sim.cases().rfind(|case| case.opening.unit == unit)
}

/// Whether the unit's latest case has this of something.
fn check_case<'a>(
    sim: &'a Sim,
    unit: &str,
    what: &str,
    wanted: Option<&str>,
    of: impl Fn(&'a Case) -> Option<&'a str>,
) -> Result<(), String> {
    let case = latest_case(sim, unit).ok_or_else(|| format!("expected a case {unit}, but there is none"))?;
    let words = |name: Option<&str>| name.unwrap_or("nobody").to_owned();
    match of(case) {
        found if found == wanted => Ok(()),
        found => Err(format!("expected {what} {unit} {}, but it is {}", words(wanted), words(found))),
    }
}

/// Whether the latest case of a unit has this priority and stage.
fn check_stage(sim: &Sim, unit: &str, wanted: (&str, &str)) -> Result<(), String> {
    let (priority, stage) = wanted;
    match latest_case(sim, unit).map(|case| (case.priority.name(), case.stage.name())) {
        Some(found) if found == wanted => Ok(()),
        Some((priority_now, stage_now)) => {
            Err(format!("expected case {unit} {priority} {stage}, but it is {priority_now} {stage_now}"))
        }
        None => Err(format!("expected case {unit} {priority} {stage}, but {unit} has no case")),
    }
}

fn check(sim: &Sim, expectation: &Expectation) -> Result<(), String> {
    match expectation {
        Expectation::Case(unit, priority, stage) => check_stage(sim, unit, (priority.name(), stage)),
        Expectation::NoCase(unit) => match latest_case(sim, unit).filter(|case| case.stage.name() != "Closed") {
            None => Ok(()),
            Some(case) => {
                Err(format!("expected no case {unit}, but there is a {} {}", case.priority.name(), case.stage.name()))
            }
        },
        Expectation::Level(unit, level) => {
            let name = |level: Option<Level>| Some(level.map_or("none", Level::name));
            let found = |case: &Case| name(case.escalation.as_ref().map(|escalation| escalation.level));
            check_case(sim, unit, "level", name(*level), found)
        }
        Expectation::Owner(unit, owner) => {
            check_case(sim, unit, "owner", owner.as_deref(), |case| case.owner.as_deref())
        }
        Expectation::Queue(unit, queue) => check_case(sim, unit, "queue", Some(queue), |case| Some(case.queue())),
        Expectation::Verdict(device, verdict) => {
            let watch = sim.watch().ok_or("the daemon is not running, so there is no verdict")?;
            let found = watch.slot(device).map(|slot| watch.status(slot).verdict);
            match found {
                Some(found) if found == *verdict => Ok(()),
                Some(found) => Err(format!("expected verdict {device} {}, but it is {}", verdict.name(), found.name())),
                None => Err(format!("{device} is not watched")),
            }
        }
        Expectation::Cases(count) => counted(*count, sim.cases().count(), format_args!("cases")),
        Expectation::Umbrellas(count) => counted(*count, sim.umbrellas().count(), format_args!("umbrellas")),
        Expectation::Letters(reader, count) => {
            let is_ours = ["noc", "management"].contains(&reader.as_str()) || sim.has_staff(reader);
            let address = match messenger(reader) {
                Some(_) => reader.clone(),
                None if is_ours => format!("{reader}@example.net"),
                None => format!("{reader}@customer.example"),
            };
            counted(*count, sim.letters_to(&address), format_args!("letters to {address}"))
        }
        Expectation::Surveys(customer, count) => {
            counted(*count, sim.surveys_of(customer), format_args!("surveys of {customer}"))
        }
        Expectation::Notices(name, count) => {
            counted(*count, sim.taken_by(name), format_args!("notices taken by {name}"))
        }
        Expectation::Alerts(count) => counted(*count, sim.alerts(), format_args!("alerts with messengers")),
        Expectation::Mails(outcome, count) => {
            let found = sim.mails().values().filter(|found| *found == outcome).count();
            counted(*count, found, format_args!("mails that came to {}", outcome.name()))
        }
        Expectation::Alarm(kind, stands) => match sim.alarms().any(|alarm| alarm.kind == *kind) {
            found if found == *stands => Ok(()),
            true => Err(format!("expected no alarm {}, but it stands", kind.name())),
            false => Err(format!("expected alarm {}, but it does not stand", kind.name())),
        },
        Expectation::Agent(device, state) => {
            let watch = sim.watch().ok_or("the daemon is not running, so nothing is known of agents")?;
            let found = watch.slot(device).map(|slot| watch.status(slot).agent.name());
            match found {
                Some(found) if found == state => Ok(()),
                Some(found) => Err(format!("expected agent {device} {state}, but it is {found}")),
                None => Err(format!("{device} is not watched")),
            }
        }
    }
}

fn counted(expected: usize, found: usize, what: std::fmt::Arguments<'_>) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("expected {expected} {what}, but there were {found}")) }
}

fn print_facts(sim: &mut Sim, print: Print, out: &mut dyn Write) -> io::Result<()> {
    for (at, fact) in sim.take_facts() {
        match print {
            Print::Json => writeln!(out, "{}", json_line(at, &fact))?,
            Print::Words => writeln!(
                out,
                "{:>12}  {:<17} {}{}",
                clock(at),
                text::kind(&fact),
                unit_of(&fact).map(|unit| format!("{unit}: ")).unwrap_or_default(),
                text::sentence(&fact, sim.calendar())
            )?,
        }
    }
    Ok(())
}

/// Seconds since the story began; whole where they are whole.
fn seconds(at: Time) -> Value {
    match at.as_millis() {
        millis if millis % 1_000 == 0 => json!(millis / 1_000),
        millis => json!(millis as f64 / 1_000.0),
    }
}

fn json_line(at: Time, fact: &Fact) -> Value {
    let mut line = serde_json::Map::new();
    line.insert("at".into(), seconds(at));
    line.insert("fact".into(), json!(text::kind(fact)));
    line.extend(text::fields(fact, &seconds));
    Value::Object(line)
}

/// The unit of a fact whose sentence does not name it.
fn unit_of(fact: &Fact) -> Option<&str> {
    let (unit, topic) = fact.about();
    unit.filter(|_| topic.is_some() && !matches!(fact, Fact::CaseOpened(_)))
}

/// Time since the story began, as the story writes it.
fn clock(at: Time) -> String {
    let millis = at.as_millis();
    let (hours, minutes, seconds) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1_000 % 60);
    format!("{hours}h{minutes:02}m{seconds:02}.{:03}s", millis % 1_000)
}
