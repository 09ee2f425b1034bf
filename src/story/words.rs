//! The words of the language: events, expectations, shares and times.

use super::draft::Keys;
use super::grammar::{Action, Agent, Expectation, Subject};
use super::people::{self, one};
use super::post::Post;
use super::report::report;
use super::sim::Receiver;
use crate::domain::desk::{AlarmKind, Level, MailOutcome, Priority, PromiseKind, Score, Stage, WaitingOn};
use crate::domain::maintenance::Scope;
use crate::domain::party::{ContactVerb, Tier};
use crate::domain::turn::Command;
use crate::domain::watch::{GroupKind, PROBE_RATES, Permille, TrapKind, Verdict};
use crate::text::parse_duration as duration;
use std::ops::Range;
use std::time::Duration;

pub(super) fn pairs<'a>(words: &[&'a str]) -> Result<Keys<'a>, String> {
    words
        .iter()
        .map(|word| word.split_once('=').ok_or_else(|| format!("{word:?} is not of the form key=value")))
        .collect()
}

fn subject(word: &str) -> Subject {
    match (word, word.strip_suffix('*')) {
        ("all", _) => Subject::All,
        ("sentinels", _) => Subject::Sentinels,
        (_, Some(prefix)) => Subject::Prefix(prefix.to_owned()),
        (_, None) => Subject::One(word.to_owned()),
    }
}

fn group(word: &str) -> Result<Subject, String> {
    let wrong = || format!("{word:?} is no group: write supplier=…, pop=…, region=… or access=…");
    let (kind, name) = word.split_once('=').ok_or_else(wrong)?;
    let kind = GroupKind::ALL.into_iter().find(|known| known.name() == kind).ok_or_else(wrong)?;
    Ok(Subject::Group(kind, name.to_owned()))
}

/// A maintenance: its scope, from when until when, and whether it is an emergency.
pub(super) fn maintenance(words: &[&str]) -> Result<(Scope, Range<Duration>, bool), String> {
    let usage = "write: maintenance SCOPE 2h..4h [emergency]";
    let (scope, times, emergency) = match words {
        [scope, times] => (scope, times, false),
        [scope, times, "emergency"] => (scope, times, true),
        [..] => return Err(usage.into()),
    };
    let (from, until) = times.split_once("..").ok_or(usage)?;
    let (from, until) = (duration(from)?, duration(until)?);
    if until <= from {
        return Err(format!("{times} is empty: {usage}"));
    }
    Ok((Scope::parse(scope).map_err(|error| error.to_string())?, from..until, emergency))
}

fn trap(name: &str) -> TrapKind {
    [TrapKind::ColdStart, TrapKind::WarmStart, TrapKind::LinkDown, TrapKind::LinkUp, TrapKind::AuthenticationFailure]
        .into_iter()
        .find(|kind| kind.name() == name)
        .unwrap_or_else(|| TrapKind::Other(name.to_owned()))
}

/// What happens to the devices of a subject.
fn of_subject(who: Subject, what: &[&str]) -> Result<Option<Action>, String> {
    let agent = |agent| Some(Action::Agent(who.clone(), agent));
    Ok(match what {
        ["silent"] => Some(Action::Lose(who, 1.0)),
        ["lose", share] => Some(Action::Lose(who, percent(share)?)),
        ["answer", rtt] => Some(Action::Answer(who, duration(rtt)?, Duration::ZERO)),
        ["answer", rtt, "jitter", jitter] => Some(Action::Answer(who, duration(rtt)?, duration(jitter)?)),
        ["reboot"] => agent(Agent::Reboot),
        ["uptime", time] => agent(Agent::Uptime(duration(time)?)),
        ["snmp", "silent"] => agent(Agent::Silent),
        ["snmp", "rejects"] => agent(Agent::Rejects),
        ["snmp", "answers"] => agent(Agent::Answers),
        ["interface", "down"] => agent(Agent::Interface(false)),
        ["interface", "up"] => agent(Agent::Interface(true)),
        ["interface", "errors", share] => agent(Agent::Errors(percent(share)?)),
        ["interface", "load", share] => agent(Agent::Load(percent(share)?)),
        ["trap", name] => Some(Action::Trap(who, trap(name))),
        [..] => None,
    })
}

pub(super) fn action(words: &[&str]) -> Result<Action, String> {
    Ok(match words {
        ["monitor", "stop"] => Action::Stop,
        ["monitor", "start"] => Action::Start,
        ["monitor", "crash"] => Action::Crash,
        ["monitor", "suspend"] => Action::Suspend,
        ["monitor", "resume"] => Action::Resume,
        ["clock", step] => Action::Clock(clock_step(step)?),
        ["mail", "refuse"] => Action::Mail { refused: true, for_good: false },
        ["mail", "reject"] => Action::Mail { refused: true, for_good: true },
        ["mail", "accept"] => Action::Mail { refused: false, for_good: false },
        ["messenger", name, "up"] => Action::Messenger((*name).to_owned(), Receiver::Up),
        ["messenger", name, "down"] => Action::Messenger((*name).to_owned(), Receiver::Down),
        ["messenger", name, "fails"] => Action::Messenger((*name).to_owned(), Receiver::Fails),
        ["messenger", name, "refuses"] => Action::Messenger((*name).to_owned(), Receiver::Refuses),
        ["mail", "from", rest @ ..] => Action::Write(Post::parse(rest)?),
        ["contact", id, "off", rest @ ..] => {
            let (customer, _) = people::contact(id, &pairs(rest)?)?;
            Action::Contact(ContactVerb::Remove, customer, (*id).to_owned(), Box::default())
        }
        ["contact", id, rest @ ..] => {
            let (customer, draft) = people::contact(id, &pairs(rest)?)?;
            Action::Contact(ContactVerb::Add, customer, (*id).to_owned(), Box::new(draft))
        }
        ["survey", unit, score, comment @ ..] => {
            let found = score.parse().ok().and_then(Score::new);
            let score = found.ok_or_else(|| format!("{score:?} is no score: use 1 to 5"))?;
            let comment = (!comment.is_empty()).then(|| comment.join(" "));
            Action::Survey((*unit).to_owned(), score, comment)
        }
        ["bounce", address] => Action::Bounce((*address).to_owned()),
        ["uplink", "cut"] => Action::Uplink { cut: true },
        ["uplink", "mend"] => Action::Uplink { cut: false },
        ["resolver", "fails"] => Action::Resolver { works: false },
        ["resolver", "works"] => Action::Resolver { works: true },
        ["maintenance", rest @ ..] => {
            let (scope, times, emergency) = maintenance(rest)?;
            Action::Maintain(scope, times, emergency)
        }
        ["umbrella", "update", text @ ..] if !text.is_empty() => Action::Update(text.join(" ")),
        ["group", name, rest @ ..] => match of_subject(group(name)?, rest)? {
            Some(action) => action,
            None => return Err(unknown(words)),
        },
        ["staff", name, "on"] => Action::Duty((*name).to_owned(), true),
        ["staff", name, "off"] => Action::Duty((*name).to_owned(), false),
        ["order", unit, ttr] => {
            let ttr = ttr.strip_prefix("ttr=").ok_or("say what the order has from now on: order UNIT ttr=2h")?;
            Action::Order((*unit).to_owned(), duration(ttr)?)
        }
        ["contract", id, tier] => {
            let tier =
                tier.strip_prefix("tier=").ok_or("say what the contract has from now on: contract ID tier=gold")?;
            Action::Contract((*id).to_owned(), one(tier, &Tier::ALL, Tier::name)?)
        }
        ["case", unit, "open", name, rest @ ..] => {
            let (report, wanted) = report(name, rest)?;
            Action::Open((*unit).to_owned(), Box::new(report), wanted)
        }
        ["case", unit, rest @ ..] => Action::Work((*unit).to_owned(), command(rest)?),
        ["expect", rest @ ..] => Action::Expect(expectation(rest)?),
        [who, rest @ ..] => match of_subject(subject(who), rest)? {
            Some(action) => action,
            None => return Err(unknown(words)),
        },
        [] => return Err("say what happens at that time".into()),
    })
}

fn unknown(words: &[&str]) -> String {
    format!(
        "{:?} is no event: use SUBJECT silent, SUBJECT answer 12ms [jitter 40ms], SUBJECT lose 30%, SUBJECT reboot, \
         SUBJECT interface …, SUBJECT snmp …, SUBJECT trap NAME, group KIND=NAME …, monitor …, clock +1h, mail \
         refuse|reject|accept, messenger NAME up|down|fails|refuses, mail from ADDRESS …, bounce ADDRESS, survey UNIT SCORE [TEXT], contact ID [off] customer=…, uplink cut|mend, resolver fails|works, maintenance …, umbrella \
         update TEXT, staff NAME on|off, order UNIT ttr=2h, contract ID tier=gold, case UNIT … or \
         expect …",
        words.join(" ")
    )
}

fn command(words: &[&str]) -> Result<Command, String> {
    let note = |words: &[&str]| (!words.is_empty()).then(|| words.join(" "));
    Ok(match words {
        ["take"] => Command::Take,
        ["note", text @ ..] if !text.is_empty() => Command::Note { text: text.join(" ") },
        ["update", "public", text @ ..] => Command::Tell { text: note(text).unwrap_or_else(|| "There is news.".into()) },
        ["promise", kind, within] => {
            let kind = PromiseKind::BY_STAFF.into_iter().find(|known| known.name() == *kind);
            let kind = kind.ok_or("staff promise an update, onsite, supplier or rfo")?;
            Command::Promise { kind, within: duration(within)? }
        }
        ["arrive"] => Command::Arrive,
        ["supplier", text @ ..] if !text.is_empty() => Command::Supplier { text: text.join(" ") },
        ["assign", to] => Command::Assign { to: (*to).to_owned() },
        ["escalate", rest @ ..] => Command::Escalate { note: note(rest) },
        ["wait", on, rest @ ..] => {
            let on = WaitingOn::ALL.into_iter().find(|party| party.name() == *on);
            Command::Wait { on: on.ok_or("a case waits for customer, supplier, access or force_majeure")?, note: note(rest) }
        }
        ["solve", rest @ ..] => Command::Solve { note: note(rest) },
        ["return", rest @ ..] => Command::Return { note: note(rest) },
        ["rfo"] => Command::Rfo,
        ["answer", "told", text @ ..] if !text.is_empty() => Command::Answer { text: text.join(" "), told: true },
        ["answer", text @ ..] if !text.is_empty() => Command::Answer { text: text.join(" "), told: false },
        [..] => return Err("a case can be told: open P1|P2|SUBJECT, answer [told] TEXT, take, note TEXT, update public [TEXT], promise update|onsite|supplier|rfo TIME, arrive, \
                             supplier TEXT, assign NAME, escalate, wait PARTY, solve, return or rfo"
                .into()),
    })
}

fn expectation(words: &[&str]) -> Result<Expectation, String> {
    Ok(match words {
        ["case", unit, name, stage] => Expectation::Case((*unit).to_owned(), priority(name)?, stage_name(stage)?),
        ["no", "case", unit] => Expectation::NoCase((*unit).to_owned()),
        ["verdict", device, name] => {
            let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.name() == *name);
            Expectation::Verdict((*device).to_owned(), verdict.ok_or_else(|| format!("{name:?} is no verdict"))?)
        }
        ["owner", unit, name] => {
            Expectation::Owner((*unit).to_owned(), (*name != "nobody").then(|| (*name).to_owned()))
        }
        ["queue", unit, name] => Expectation::Queue((*unit).to_owned(), (*name).to_owned()),
        ["level", unit, name] => Expectation::Level((*unit).to_owned(), level(name)?),
        ["cases", count] => Expectation::Cases(number(count)?),
        ["umbrellas", count] => Expectation::Umbrellas(number(count)?),
        ["letters", customer, count] => Expectation::Letters((*customer).to_owned(), number(count)?),
        ["surveys", customer, count] => Expectation::Surveys((*customer).to_owned(), number(count)?),
        ["notices", name, count] => Expectation::Notices((*name).to_owned(), number(count)?),
        ["alerts", count] => Expectation::Alerts(number(count)?),
        ["mails", name, count] => Expectation::Mails(outcome(name)?, number(count)?),
        ["alarm", name] => Expectation::Alarm(alarm(name)?, true),
        ["no", "alarm", name] => Expectation::Alarm(alarm(name)?, false),
        ["agent", device, state] => Expectation::Agent((*device).to_owned(), (*state).to_owned()),
        [..] => {
            return Err(
                "expect one of: case UNIT P1|P2|P3 STAGE, no case UNIT, level UNIT L1|L2|L3|none, owner UNIT NAME|nobody, \
                        queue UNIT NAME, verdict DEVICE VERDICT, \
                        cases N, umbrellas \
                        N, letters CUSTOMER N, surveys CUSTOMER N, notices MESSENGER N, alerts N, mails OUTCOME N, alarm NAME, no alarm NAME, agent DEVICE STATE"
                    .into(),
            );
        }
    })
}

fn level(name: &str) -> Result<Option<Level>, String> {
    if name == "none" {
        return Ok(None);
    }
    let known = Level::ALL.into_iter().find(|level| level.name() == name);
    known.map(Some).ok_or_else(|| format!("{name:?} is no level: use L1, L2, L3 or none"))
}

fn outcome(name: &str) -> Result<MailOutcome, String> {
    let known = MailOutcome::ALL.into_iter().find(|outcome| outcome.name() == name);
    known.ok_or_else(|| format!("{name:?} is no outcome: use {}", MailOutcome::ALL.map(MailOutcome::name).join(", ")))
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}

fn alarm(name: &str) -> Result<AlarmKind, String> {
    let known = AlarmKind::ALL.into_iter().find(|kind| kind.name() == name);
    known.ok_or_else(|| format!("{name:?} is no alarm: use isolation, impaired, canary or unstaffed"))
}

/// Reads "3/1h", or "off".
pub(super) fn count_within(text: &str) -> Result<Option<(u32, Duration)>, String> {
    if text == "off" {
        return Ok(None);
    }
    let usage = || format!("{text:?} is no count: write 3/1h, or off");
    let (count, over) = text.split_once('/').ok_or_else(usage)?;
    Ok(Some((count.parse().map_err(|_| usage())?, duration(over)?)))
}

/// Reads "10%", or "off".
pub(super) fn permille(text: &str) -> Result<Option<Permille>, String> {
    if text == "off" {
        return Ok(None);
    }
    percent(text).map(|share| Some(Permille((share * 1_000.0).round() as u16)))
}

/// Reads "100M" bits a second.
pub(super) fn rate(text: &str) -> Result<u64, String> {
    let (number, factor) = match text.strip_suffix(['k', 'M', 'G']) {
        Some(number) if text.ends_with('k') => (number, 1_000),
        Some(number) if text.ends_with('M') => (number, 1_000_000),
        Some(number) => (number, 1_000_000_000),
        None => (text, 1),
    };
    let rate = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    rate.ok_or_else(|| format!("{text:?} is no rate: write bits a second, such as 100M"))
}

/// Reads "500" probes a second.
pub(super) fn probe_rate(text: &str) -> Result<u32, String> {
    let (least, most) = (PROBE_RATES.start(), PROBE_RATES.end());
    let wanted = || format!("{text:?} is no probe_rate: write probes a second, {least} to {most}");
    text.parse().ok().filter(|rate| PROBE_RATES.contains(rate)).ok_or_else(wanted)
}

fn priority(name: &str) -> Result<Priority, String> {
    Priority::ALL
        .into_iter()
        .find(|priority| priority.name() == name)
        .ok_or_else(|| format!("{name:?} is no priority: use P1, P2 or P3"))
}

fn stage_name(name: &str) -> Result<&'static str, String> {
    Stage::NAMES
        .into_iter()
        .find(|stage| *stage == name)
        .ok_or_else(|| format!("{name:?} is no stage: use {}", Stage::NAMES.join(", ")))
}

pub(super) fn percent(text: &str) -> Result<f64, String> {
    let share = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    match share {
        Some(share) if (0.0..=100.0).contains(&share) => Ok(share / 100.0),
        Some(_) | None => Err(format!("{text:?} is no share: write 0% to 100%")),
    }
}

fn clock_step(text: &str) -> Result<i64, String> {
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        Some(_) | None => return Err("write a step of the clock as +1h or -1h".into()),
    };
    let millis = i64::try_from(duration(rest)?.as_millis()).map_err(|_| "that is too far")?;
    Ok(sign * millis)
}
