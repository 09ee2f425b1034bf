//! The daemon's own metrics (Prometheus). Those of single units are in `unit_metrics`.
//!
//! Every series exists from the start, so that a missing one means something. What the loop does is counted here from
//! its turns; the engines count through the `metrics` macros, under the names in `register_engines`.

use super::board::Board;
use crate::domain::desk::{AlarmKind, CaseFact, Channel, MailOutcome, Priority};
use crate::domain::fact::{CustomerFact, Fact};
use crate::domain::letter::LetterState;
use crate::domain::maintenance::{Maintenance, Stage};
use crate::domain::time::Time;
use crate::domain::turn::Turn;
use crate::domain::watch::{Method, Obstacle, Symptom};
use crate::store::Audit;
use ::metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use axum::http::StatusCode;
use core::time::Duration;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::{Mutex, OnceLock, PoisonError};

const PROBES_SENT: &str = "ntuwatch_probes_sent_total";
const PROBES_ANSWERED: &str = "ntuwatch_probes_answered_total";
const PROBES_LOST: &str = "ntuwatch_probes_lost_total";
const PROBES_UNSENT: &str = "ntuwatch_probes_unsent_total";
const PROBES_REJECTED: &str = "ntuwatch_probes_rejected_total";
const IGNORED: &str = "ntuwatch_ignored_datagrams_total";
const ICMP_ERRORS: &str = "ntuwatch_icmp_errors_total";
const TRAPS_RECEIVED: &str = "ntuwatch_traps_received_total";
const HEARTBEATS: &str = "ntuwatch_heartbeats_total";
const OVERFLOWS: &str = "ntuwatch_receive_overflows_total";
const PROBE_DURATION: &str = "ntuwatch_probe_duration_seconds";
const COMMIT_DURATION: &str = "ntuwatch_commit_duration_seconds";
/// How soon who wrote has the reference of his case (R9): a few hundred milliseconds as a rule.
const ACKNOWLEDGEMENT: &str = "ntuwatch_acknowledgement_seconds";
const ACKNOWLEDGEMENT_BUCKETS: [f64; 9] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0];
const LATENESS: &str = "ntuwatch_schedule_lateness_seconds";

const PROBE_BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
const COMMIT_BUCKETS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];
const LATENESS_BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 10.0];

/// How content customers are, from 1, the worst.
const SCORES: [&str; 5] = ["1", "2", "3", "4", "5"];

/// Classes of HTTP status codes that are answered with.
const CLASSES: [&str; 3] = ["2xx", "4xx", "5xx"];

/// What may become of a datagram that arrives where traps do.
const TRAP_OUTCOMES: [&str; 5] = ["taken", "unknown_sender", "refused", "malformed", "flood"];
/// Why a datagram answers no probe in flight: its probe was answered before, or given up before, or it is none of ours.
const STRAYS: [(Method, &str); 4] =
    [(Method::Icmp, "duplicate"), (Method::Icmp, "late"), (Method::Icmp, "foreign"), (Method::Snmp, "foreign")];
/// What may become of a heartbeat.
const BEATS: [&str; 3] = ["sent", "failed", "withheld"];

/// With how much notice a maintenance may be announced.
const NOTICES: [&str; 3] = ["kept", "short", "emergency"];

/// How often histograms are folded into their buckets.
pub(super) const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// The handles of all metrics.
#[derive(Debug)]
pub struct Metrics {
    prometheus: PrometheusHandle,
    commits: Counter,
    commit_failures: Counter,
    commit_duration: Histogram,
    acknowledgement: Histogram,
    lateness: Histogram,
    letters_sent: Counter,
    letters_failed: Counter,
    letter_attempts_failed: Counter,
    cases_opened: [Counter; Priority::ALL.len()],
    answers: [Counter; CLASSES.len()],
    degraded: [Counter; Symptom::ALL.len()],
    announced: [Counter; NOTICES.len()],
    letters_bounced: Counter,
    mails: [Counter; MailOutcome::ALL.len()],
    channels: [Counter; Channel::ALL.len()],
    traps_ignored: Counter,
    misroutes: Counter,
    surveys_sent: Counter,
    surveys_answered: [Counter; SCORES.len()],
    /// When the canary's outage travelled the whole way last.
    canary_sang: Mutex<Option<Time>>,
    canary_success: Gauge,
    umbrellas: Gauge,
    maintenance: Gauge,
    letters_queued: Gauge,
    mails_aside: Gauge,
    audit: AuditGauges,
    unreachable: Gauge,
    oldest_letter: Gauge,
    isolated: Gauge,
    store_failing: Gauge,
    reload_success: Gauge,
    reload_timestamp: Gauge,
}

/// What the self-audit has found.
#[derive(Debug)]
struct AuditGauges {
    overdue: Gauge,
    silent: Gauge,
    unwritten: Gauge,
}

impl AuditGauges {
    fn register() -> Self {
        Self {
            overdue: level(
                "ntuwatch_deadline_overdue_seconds",
                Some(Unit::Seconds),
                "For how long the oldest deadline has not come about that should have, as the self-audit finds; 0 if none.",
            ),
            silent: level(
                "ntuwatch_audit_silent_promises",
                None,
                "Promises missed within the last hour that escalated nothing.",
            ),
            unwritten: level(
                "ntuwatch_audit_unwritten_escalations",
                None,
                "Escalations of the last hour that no letter tells of.",
            ),
        }
    }

    fn set(&self, audit: &Audit, now: Time) {
        let overdue = audit.overdue.as_ref().map_or(0.0, |overdue| now.since(overdue.due).as_secs_f64());
        self.overdue.set(overdue);
        self.silent.set(audit.silent as f64);
        self.unwritten.set(audit.unwritten as f64);
    }
}

/// Installs the recorder for the whole program; later calls return the same metrics.
///
/// # Panics
/// If something else has installed a recorder before.
pub fn install() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| {
        let installed = recorder().and_then(PrometheusBuilder::install_recorder);
        Metrics::register(installed.expect("no bucket list is empty, and this is the only recorder"))
    })
}

fn recorder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(PROBE_DURATION.to_owned()), &PROBE_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(COMMIT_DURATION.to_owned()), &COMMIT_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(ACKNOWLEDGEMENT.to_owned()), &ACKNOWLEDGEMENT_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(LATENESS.to_owned()), &LATENESS_BUCKETS)
}

impl Metrics {
    fn register(prometheus: PrometheusHandle) -> Self {
        register_engines();
        describe_labelled();
        Self {
            prometheus,
            commits: total("ntuwatch_commits_total", "Commits to the store."),
            commit_failures: total("ntuwatch_commit_failures_total", "Attempts to commit that failed."),
            commit_duration: seconds(COMMIT_DURATION, "How long a commit took."),
            acknowledgement: seconds(
                ACKNOWLEDGEMENT,
                "From the taking of a message that opened a case until its acknowledgement was written.",
            ),
            lateness: seconds(LATENESS, "How late the latest probe of a turn was handed over."),
            letters_sent: total("ntuwatch_letters_sent_total", "Letters that were delivered."),
            letters_failed: total("ntuwatch_letters_failed_total", "Letters that were refused for good."),
            letter_attempts_failed: total(
                "ntuwatch_letter_attempts_failed_total",
                "Attempts to deliver a letter that failed, for good or not.",
            ),
            cases_opened: Priority::ALL
                .map(|priority| counter!("ntuwatch_cases_opened_total", "priority" => priority.name())),
            degraded: Symptom::ALL.map(|symptom| counter!("ntuwatch_degraded_total", "symptom" => symptom.name())),
            letters_bounced: total("ntuwatch_letters_bounced_total", "Letters that were taken and came back."),
            mails: MailOutcome::ALL.map(|outcome| counter!("ntuwatch_mails_total", "outcome" => outcome.name())),
            channels: Channel::ALL
                .map(|channel| counter!("ntuwatch_cases_by_channel_total", "channel" => channel.name())),
            announced: NOTICES.map(|notice| counter!("ntuwatch_maintenance_announced_total", "notice" => notice)),
            misroutes: total(
                "ntuwatch_misroutes_total",
                "Cases that a person took from the team that a rule had chosen to another one.",
            ),
            surveys_sent: total("ntuwatch_surveys_sent_total", "Customers who were asked how a case went."),
            surveys_answered: SCORES.map(|score| counter!("ntuwatch_surveys_answered_total", "score" => score)),
            traps_ignored: total(
                "ntuwatch_traps_ignored_total",
                "Traps that the watch did not look at: of no device that it knows, or too many at once.",
            ),
            canary_sang: Mutex::new(None),
            canary_success: level(
                "ntuwatch_canary_last_success_timestamp_seconds",
                Some(Unit::Seconds),
                "When the canary's simulated outage travelled the whole way last; 0 until then.",
            ),
            umbrellas: level("ntuwatch_umbrellas", None, "Umbrellas that are not over."),
            maintenance: level("ntuwatch_maintenance_active", None, "Maintenances that are on just now."),
            answers: CLASSES.map(|class| counter!("ntuwatch_http_responses_total", "class" => class)),
            mails_aside: level("ntuwatch_mails_quarantined", None, "Messages that wait for people."),
            audit: AuditGauges::register(),
            unreachable: level("ntuwatch_unreachable_addresses", None, "Addresses of readers that do not work."),
            letters_queued: level("ntuwatch_letters_queued", None, "Letters that wait for their delivery."),
            oldest_letter: level(
                "ntuwatch_letters_oldest_age_seconds",
                Some(Unit::Seconds),
                "Age of the oldest waiting letter; 0 if none waits.",
            ),
            isolated: level("ntuwatch_isolated", None, "Whether the monitor itself is cut off."),
            store_failing: level("ntuwatch_store_failing", None, "Whether the store takes no commits."),
            reload_success: level(
                "ntuwatch_config_reload_success",
                None,
                "Whether the configuration file was accepted the last time it was read.",
            ),
            reload_timestamp: level(
                "ntuwatch_config_reload_timestamp_seconds",
                Some(Unit::Seconds),
                "When the configuration in force was taken over.",
            ),
        }
    }

    /// Probes were handed over, the latest of them so late.
    pub fn asked(&self, lateness: Duration) {
        self.lateness.record(lateness);
    }

    /// Counts what a turn brought about. To be called once for each, when it may be seen.
    pub fn count(&self, turn: &Turn) {
        for change in &turn.letter_changes {
            match change.state {
                LetterState::Sent => self.letters_sent.increment(1),
                LetterState::Queued if change.attempts == 0 => {}
                LetterState::Queued => self.letter_attempts_failed.increment(1),
                LetterState::Failed | LetterState::Bounced => {
                    self.letter_attempts_failed.increment(1);
                    self.letters_failed.increment(1);
                }
                LetterState::Reserve | LetterState::Spared => {}
            }
        }
        turn.acknowledged.iter().for_each(|took| self.acknowledgement.record(*took));
        self.traps_ignored.increment(u64::from(turn.traps_ignored));
        turn.facts.iter().for_each(|fact| self.count_fact(fact, turn.at));
    }

    fn count_fact(&self, fact: &Fact, at: Time) {
        match fact {
            Fact::CaseOpened(opening) => {
                count(&self.cases_opened, Priority::ALL.iter().position(|&known| known == opening.priority));
                count(&self.channels, Channel::ALL.iter().position(|&known| known == opening.channel));
                if let Some(finding) = &opening.finding {
                    self.count_symptom(finding.symptom);
                }
            }
            Fact::Case { fact: CaseFact::Degraded(finding), .. } => self.count_symptom(finding.symptom),
            Fact::MaintenancePlanned(maintenance) if maintenance.stage == Stage::Planned => {
                count(&self.announced, NOTICES.iter().position(|&known| known == notice(maintenance)));
            }
            Fact::LetterBounced { .. } => self.letters_bounced.increment(1),
            Fact::MailSorted { outcome, .. } => self.count_mail(*outcome),
            Fact::Case { fact: CaseFact::Heard(_), .. } => self.count_mail(MailOutcome::Joined),
            Fact::CanarySang { .. } => {
                *self.canary_sang.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
            }
            Fact::Case { fact: CaseFact::Assigned { misrouted: true, .. }, .. } => self.misroutes.increment(1),
            Fact::Customer(CustomerFact::SurveySent { .. }) => self.surveys_sent.increment(1),
            Fact::Customer(CustomerFact::SurveyAnswered { score, .. }) => {
                count(&self.surveys_answered, usize::from(score.number()).checked_sub(1));
            }
            Fact::Customer(
                CustomerFact::ContactChanged { .. }
                | CustomerFact::ContactInvalid { .. }
                | CustomerFact::ContactValid { .. },
            )
            | Fact::Case { .. }
            | Fact::StaffDuty { .. }
            | Fact::ShiftBegan { .. }
            | Fact::ContractEnding(_)
            | Fact::MaintenancePlanned(_)
            | Fact::MonitorStarted { .. }
            | Fact::MonitorStopped
            | Fact::MonitorStalled { .. }
            | Fact::IsolationBegan { .. }
            | Fact::IsolationEnded { .. }
            | Fact::InventoryChanged { .. }
            | Fact::ClockStepped { .. }
            | Fact::VerdictChanged { .. }
            | Fact::AgentChanged { .. }
            | Fact::Rebooted { .. }
            | Fact::Trapped { .. }
            | Fact::UmbrellaOpened(_)
            | Fact::UmbrellaUpdated { .. }
            | Fact::UmbrellaClosed { .. }
            | Fact::MaintenanceBegan { .. }
            | Fact::MaintenanceEnded { .. }
            | Fact::AlarmRaised(_)
            | Fact::AlarmCleared { .. }
            | Fact::CanaryBegan { .. }
            | Fact::LetterQueued { .. }
            | Fact::LetterSent(_)
            | Fact::LetterFailed { .. }
            | Fact::NoticeFellBack { .. }
            | Fact::AddressFailed { .. }
            | Fact::AddressWorks { .. } => {}
        }
    }

    fn count_mail(&self, outcome: MailOutcome) {
        count(&self.mails, MailOutcome::ALL.iter().position(|&known| known == outcome));
    }

    fn count_symptom(&self, symptom: Symptom) {
        count(&self.degraded, Symptom::ALL.iter().position(|&known| known == symptom));
    }

    /// Counts a commit.
    pub fn committed(&self, took: Duration) {
        self.commits.increment(1);
        self.commit_duration.record(took);
    }

    /// Counts an attempt to commit that failed.
    pub fn commit_failed(&self) {
        self.commit_failures.increment(1);
    }

    /// Counts an answer over HTTP.
    pub(super) fn answered(&self, status: StatusCode) {
        let [good, refused, failed] = &self.answers;
        let counter = if status.is_server_error() {
            failed
        } else if status.is_client_error() {
            refused
        } else {
            good
        };
        counter.increment(1);
    }

    /// All metrics in the text exposition format, the gauges as the board has them.
    pub(super) fn render(&self, board: &Board) -> String {
        let (summary, age) = board.summary();
        let now = summary.at + age;
        let units = board.units();
        for (verdict, count) in units.iter() {
            gauge!("ntuwatch_units", "verdict" => verdict.name()).set(count as f64);
        }
        for (state, count) in units.agents() {
            gauge!("ntuwatch_agents", "state" => state.name()).set(count as f64);
        }
        for kind in AlarmKind::ALL {
            let stands = summary.alarms.iter().any(|alarm| alarm.kind == kind);
            gauge!("ntuwatch_alarms", "alarm" => kind.name()).set(flag(stands));
        }
        self.umbrellas.set(summary.umbrellas as f64);
        self.maintenance.set(summary.maintenance as f64);
        let sang = *self.canary_sang.lock().unwrap_or_else(PoisonError::into_inner);
        self.canary_success.set(sang.map_or(0.0, |at| summary.calendar.unix_millis(at) as f64 / 1000.0));
        for (priority, stage, count) in summary.cases.iter() {
            gauge!("ntuwatch_cases", "priority" => priority.name(), "stage" => stage).set(count as f64);
        }
        self.mails_aside.set(summary.mails_aside as f64);
        self.audit.set(&board.audit(), now);
        self.unreachable.set(summary.unreachable as f64);
        self.letters_queued.set(summary.letters_queued as f64);
        self.oldest_letter.set(summary.oldest_letter.map_or(0.0, |written| now.since(written).as_secs_f64()));
        for (name, messenger) in &summary.messengers {
            gauge!("ntuwatch_notices_queued", "sink" => name.clone()).set(messenger.waiting as f64);
        }
        self.isolated.set(flag(summary.cut_off.is_some()));
        self.store_failing.set(flag(summary.store_fault.is_some()));
        self.reload_success.set(flag(summary.reload.fault.is_none()));
        let reloaded = summary.calendar.unix_millis(summary.reload.at.unwrap_or(summary.started_at));
        self.reload_timestamp.set(reloaded as f64 / 1000.0);
        self.prometheus.render()
    }

    /// Folds the histograms into their buckets; without that they grow until the next scrape.
    pub(super) fn upkeep(&self) {
        self.prometheus.run_upkeep();
    }
}

/// With how much notice it was announced, as in [`NOTICES`].
fn notice(maintenance: &Maintenance) -> &'static str {
    let [kept, short, emergency] = NOTICES;
    match (maintenance.window.emergency, maintenance.is_short_notice()) {
        (true, _) => emergency,
        (false, true) => short,
        (false, false) => kept,
    }
}

fn count(counters: &[Counter], place: Option<usize>) {
    if let Some(counter) = place.and_then(|place| counters.get(place)) {
        counter.increment(1);
    }
}

/// The engines count for themselves; their series have to exist before the first event.
/// Says what the metrics are that have labels.
fn describe_labelled() {
    describe_gauge!("ntuwatch_units", "Units by the verdict that stands.");
    describe_gauge!("ntuwatch_cases", "Cases that are not closed, by priority and stage.");
    describe_gauge!("ntuwatch_build_info", "Always 1; the label says which version runs.");
    gauge!("ntuwatch_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    describe_gauge!("ntuwatch_agents", "Units that are asked by SNMP, by what their agent does.");
    describe_gauge!("ntuwatch_alarms", "Whether something is wrong with the watch itself, by what that is.");
    describe_counter!("ntuwatch_degraded_total", "Lines found degraded in a case of theirs, by symptom.");
    describe_counter!(
        "ntuwatch_maintenance_announced_total",
        "Maintenances announced or changed before they began, by whether the notice was kept, short, or could not be."
    );
    describe_gauge!("ntuwatch_notices_queued", "Notices that wait for a messenger.");
    describe_counter!("ntuwatch_notices_total", "Requests to messengers, by what became of them.");
    describe_counter!("ntuwatch_http_responses_total", "Answers over HTTP, by class of their status code.");
    describe_counter!("ntuwatch_mails_total", "Messages that came in, by what became of them.");
    describe_counter!(
        "ntuwatch_cases_by_channel_total",
        "Cases opened since the start, by the way in which they were reported."
    );
    describe_counter!("ntuwatch_surveys_answered_total", "Answers of customers, by how content they are.");
    describe_counter!("ntuwatch_cases_opened_total", "Cases opened since the start, by their first priority.");
}

fn register_engines() {
    let totals = [
        (PROBES_SENT, "Probes sent, by method."),
        (PROBES_ANSWERED, "Probes with an authentic answer, by method."),
        (PROBES_LOST, "Probes without an authentic answer in time, by method."),
        (PROBES_UNSENT, "Probes that our own machine could not send or whose answers it had no room for, by method."),
        (PROBES_REJECTED, "Probes whose answer refuses the question, by method."),
        (OVERFLOWS, "Datagrams that the kernel dropped, for the receive queue of a probe socket was full, by method."),
    ];
    describe_counter!(ICMP_ERRORS, "What routers said of our echoes that they could not pass on.");
    for why in Obstacle::ALL {
        counter!(ICMP_ERRORS, "what" => why.name()).increment(0);
    }
    describe_counter!(IGNORED, "Datagrams that answer no probe in flight, by method and by why not.");
    for (method, why) in STRAYS {
        counter!(IGNORED, "method" => method.name(), "why" => why).increment(0);
    }
    for (name, help) in totals {
        describe_counter!(name, help);
        for method in Method::ALL {
            counter!(name, "method" => method.name()).increment(0);
        }
    }
    describe_histogram!(PROBE_DURATION, Unit::Seconds, "From sending a probe to its answer, by method.");
    for method in Method::ALL {
        drop(histogram!(PROBE_DURATION, "method" => method.name()));
    }
    describe_counter!(TRAPS_RECEIVED, "Traps and informs that arrived, by what became of them.");
    for outcome in TRAP_OUTCOMES {
        counter!(TRAPS_RECEIVED, "outcome" => outcome).increment(0);
    }
    describe_counter!(
        HEARTBEATS,
        "Heartbeats to the dead man's switch: taken, not taken, or held back as nobody watched."
    );
    for outcome in BEATS {
        counter!(HEARTBEATS, "outcome" => outcome).increment(0);
    }
    total("ntuwatch_resolve_failures_total", "Look-ups of host names that failed.").increment(0);
}

fn total(name: &'static str, help: &'static str) -> Counter {
    describe_counter!(name, help);
    counter!(name)
}

fn seconds(name: &'static str, help: &'static str) -> Histogram {
    describe_histogram!(name, Unit::Seconds, help);
    histogram!(name)
}

fn level(name: &'static str, unit: Option<Unit>, help: &'static str) -> Gauge {
    match unit {
        Some(unit) => describe_gauge!(name, unit, help),
        None => describe_gauge!(name, help),
    }
    gauge!(name)
}

const fn flag(set: bool) -> f64 {
    if set { 1.0 } else { 0.0 }
}
