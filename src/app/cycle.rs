//! The loop: gather what is ready, let the watch take it into account, commit, and only then let anybody see it. Probes
//! show nothing to anybody and wait for no commit.

use super::inbox::{AnswerOf, Inbox, MAX_WAITING, Message};
use super::journal::warn_of;
use super::patience::Patience;
use super::rfo::Scribe;
use super::shifts::{self, RENEW_EVERY};
use super::writer::{Errands, Outcome, Record, Rows, View, Writer};
use super::{Fatal, Read};
use crate::clock::{Clock, Stopwatch};
use crate::config::{Config, Shifts};
use crate::domain::letter::{Delivery, LetterId, Mail};
use crate::domain::maintenance::Stage;
use crate::domain::notice::messenger;
use crate::domain::outbox::LaneState;
use crate::domain::plan::Plan;
use crate::domain::time::{Calendar, ClockMark, Time};
use crate::domain::turn::{Input, Request, Turn};
use crate::domain::watch::{Ask, MARK_EVERY, Probe, Slot, Watch, next_tick};
use crate::engine::mail_out::MailEngine;
use crate::engine::resolver::Resolver;
use crate::engine::traps::{Sender, TrapEngine};
use crate::engine::webhook::WebhookEngine;
use crate::engine::{ProbeEngine, systemd};
use crate::store::Reader;
use crate::text;
use crate::web::board::{Board, MessengerState, Reload, Row, Summary};
use crate::web::metrics::Metrics;
use crate::web::{Shift, StaffRow};
use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// Messages that one turn takes: all that waited when it began, so that an answer that is in counts before a deadline of
/// the same instant, and no more.
const MAX_MESSAGES_A_TURN: usize = MAX_WAITING;
/// How long a daemon that stops waits for letters under way.
const LAST_LETTERS: Duration = Duration::from_secs(2);
/// How often the overview is drawn up when nothing durable happens.
const OVERVIEW_EVERY: Duration = Duration::from_secs(1);
/// How long the loop goes on while a commit takes its time: what happens meanwhile is kept in memory. Then it waits.
const MAX_BEHIND: Duration = Duration::from_secs(30);

/// The engines that the loop gives orders to.
pub(super) struct Engines {
    pub(super) icmp: ProbeEngine,
    pub(super) snmp: ProbeEngine,
    pub(super) mail: MailEngine,
    pub(super) webhook: WebhookEngine,
    pub(super) resolver: Resolver,
    /// If traps are to be heard.
    pub(super) traps: Option<TrapEngine>,
}

impl Engines {
    /// Hands them the turn's probes.
    pub(super) fn ask(&self, turn: &mut Turn, metrics: &Metrics) {
        if turn.probes.is_empty() {
            return;
        }
        metrics.asked(mem::take(&mut turn.lateness));
        let (icmp, snmp): (Vec<Probe>, Vec<Probe>) = turn.probes.drain(..).partition(|probe| match probe.ask {
            Ask::Icmp => true,
            Ask::Snmp(_) => false,
        });
        for (engine, probes) in [(&self.icmp, icmp), (&self.snmp, snmp)] {
            if !probes.is_empty() {
                engine.send(probes);
            }
        }
    }
}

/// What the loop works with.
pub(super) struct Cycle {
    pub(super) clock: Clock,
    pub(super) calendar: Arc<Calendar>,
    pub(super) reader: Reader,
    /// It has a reader, too.
    pub(super) scribe: Scribe,
    /// Dropped after every reader: only then does the write-ahead log go into the file.
    pub(super) writer: Writer,
    pub(super) watch: Watch,
    pub(super) turn: Turn,
    pub(super) inbox: Receiver<Message>,
    pub(super) engines: Engines,
    pub(super) board: Arc<Board>,
    pub(super) metrics: &'static Metrics,
    pub(super) patience: Patience,
    /// The configuration in force.
    pub(super) config: Config,
    /// Reads the configuration again.
    pub(super) read: Read,
    /// Our own way into the inbox.
    pub(super) door: Inbox,
    pub(super) state: State,
}

/// What the loop remembers from turn to turn.
pub(super) struct State {
    started_at: Time,
    marked: Option<Time>,
    /// Where the clocks stood when the daemon was told to stop.
    last_mark: Option<ClockMark>,
    overview: Option<Time>,
    calendar_step: Option<(Time, i64)>,
    answers: HashMap<u64, oneshot::Sender<AnswerOf>>,
    next_ticket: u64,
    reload: Reload,
    mail_fault: Option<String>,
    /// What came up after a commit, for the next turn.
    backlog: Vec<Input>,
    fed: Stopwatch,
    feed_every: Option<Duration>,
    stopping: bool,
    reading: Reading,
    /// Whether the trap engine knows of other addresses.
    senders_changed: bool,
    /// Devices of which the board shows what was.
    stale: Vec<Slot>,
    /// When the roster of shifts was made.
    rostered: Option<Time>,
    /// Whether it shows nothing yet.
    blank: bool,
    /// Whether the service manager knows that all is ready.
    announced: bool,
}

/// Whether the configuration is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    No,
    Once,
    /// It may have changed since the reading began.
    Again,
}

impl State {
    pub(super) fn new(started_at: Time) -> Self {
        Self {
            started_at,
            marked: None,
            last_mark: None,
            overview: None,
            calendar_step: None,
            answers: HashMap::new(),
            next_ticket: 0,
            reload: Reload::default(),
            mail_fault: None,
            backlog: Vec::new(),
            fed: Stopwatch::start(),
            feed_every: systemd::watchdog_interval(),
            stopping: false,
            reading: Reading::No,
            senders_changed: true,
            stale: Vec::new(),
            rostered: Some(started_at),
            blank: true,
            announced: false,
        }
    }
}

impl Cycle {
    /// Goes round until the daemon is to stop, or the store can't be written for too long.
    pub(super) fn run(&mut self) -> Result<(), Fatal> {
        self.watch_names(&self.config.plan);
        while !self.state.stopping {
            self.gather()?;
            self.finish_turn()?;
            self.feed_watchdog();
        }
        systemd::stopping();
        self.settle_letters()
    }

    /// Waits a moment for what became of the letters under way: one that the server took is not to be sent again.
    fn settle_letters(&mut self) -> Result<(), Fatal> {
        self.settle(None)?;
        for input in mem::take(&mut self.state.backlog) {
            self.watch.step(input, &mut self.turn);
        }
        self.engines.mail.wind_up();
        self.engines.webhook.wind_up();
        let waited = Stopwatch::start();
        while self.watch.desk().outbox().in_flight() > 0 {
            let Ok(message) = self.inbox.recv_timeout(LAST_LETTERS.saturating_sub(waited.elapsed())) else { break };
            if let Message::Input(input @ Input::Attempted(..)) = message {
                // The moment is still that of the stop: nobody has watched since.
                self.watch.step(input, &mut self.turn);
            }
        }
        self.finish_turn()?;
        self.settle(None)
    }

    /// Takes what is ready, after waiting for it as long as nothing else is due.
    fn gather(&mut self) -> Result<(), Fatal> {
        // What comes meanwhile is taken in one turn with what is due then: a wake-up costs more than a probe.
        let tick = next_tick(self.turn.at);
        self.settle(Some(tick))?;
        thread::sleep(tick.since(self.clock.now()));
        let due = self.watch.next_due().since(self.clock.now());
        let wait = if self.writer.is_busy() { Duration::ZERO } else { due };
        let first = match self.inbox.recv_timeout(wait) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Message::Stop),
        };
        self.turn.at = self.clock.now();
        self.notice_clock_step();
        self.renew_roster();
        for input in mem::take(&mut self.state.backlog) {
            self.watch.step(input, &mut self.turn);
        }
        let mut next = first;
        for _ in 0..MAX_MESSAGES_A_TURN {
            let Some(message) = next.take().or_else(|| self.inbox.try_recv().ok()) else { break };
            self.take(message);
            if self.state.stopping {
                return Ok(());
            }
        }
        self.watch.step(Input::Tick, &mut self.turn);
        Ok(())
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Input(input) => {
                match &input {
                    Input::Attempted(letter, delivery) => self.notice_delivery(*letter, delivery),
                    Input::Resolved { .. } => self.state.senders_changed = true,
                    Input::Tick
                    | Input::Probed(_)
                    | Input::Asked(_)
                    | Input::Mailed(_)
                    | Input::Trapped(_)
                    | Input::RfoWritten(_)
                    | Input::Planned(_)
                    | Input::Rostered(_)
                    | Input::ClockStepped { .. }
                    | Input::Stopped => {}
                }
                self.watch.step(input, &mut self.turn);
            }
            Message::Asked { by, wish, answer } => {
                let ticket = self.state.next_ticket;
                self.state.next_ticket += 1;
                self.state.answers.insert(ticket, answer);
                self.watch.step(Input::Asked(Request { ticket, by, wish }), &mut self.turn);
            }
            Message::Reload => self.start_reading(),
            Message::Reloaded(config) => self.reload(*config),
            Message::Stop => {
                self.state.stopping = true;
                self.watch.step(Input::Stopped, &mut self.turn);
            }
        }
    }

    fn notice_clock_step(&mut self) {
        if let Some((by_ms, offset_ms)) = self.clock.notice_step() {
            tracing::warn!(by_ms, "the wall clock was set; no deadline moves");
            Arc::make_mut(&mut self.calendar).step(self.turn.at, offset_ms);
            self.state.calendar_step = Some((self.turn.at, offset_ms));
            self.watch.step(Input::ClockStepped { by_ms }, &mut self.turn);
            self.state.rostered = None;
        }
    }

    /// Tells the watch who has the shift in the coming days, before it runs out of them.
    fn renew_roster(&mut self) {
        let at = self.turn.at;
        if self.state.rostered.is_some_and(|rostered| at.since(rostered) < RENEW_EVERY) {
            return;
        }
        self.state.rostered = Some(at);
        if self.config.shifts != Shifts::default() {
            let roster = shifts::roster(&self.config, at, self.calendar.offset_ms(at));
            self.watch.step(Input::Rostered(roster), &mut self.turn);
        }
    }

    fn notice_delivery(&mut self, letter: LetterId, delivery: &Delivery) {
        let to = self.watch.desk().outbox().label(letter).map_or("", |label| label.to.as_str());
        let Some(messenger) = messenger(to) else { return self.notice_mail(delivery) };
        match delivery {
            Delivery::Sent => {}
            Delivery::Unreachable(why)
            | Delivery::Deferred(why)
            | Delivery::Refused(why)
            | Delivery::Throttled { why, .. } => tracing::warn!(messenger, why, "a notice was not taken"),
        }
    }

    fn notice_mail(&mut self, delivery: &Delivery) {
        match delivery {
            Delivery::Sent => self.state.mail_fault = None,
            Delivery::Unreachable(why) => {
                if self.state.mail_fault.is_none() {
                    tracing::warn!(why, "no letter can be delivered");
                }
                self.state.mail_fault = Some(why.clone());
            }
            Delivery::Deferred(why) | Delivery::Refused(why) | Delivery::Throttled { why, .. } => {
                tracing::warn!(why, "a letter was not taken");
            }
        }
    }

    /// Lets the configuration be read again, off the loop: a large inventory on a slow disk must not stop the watch.
    fn start_reading(&mut self) {
        systemd::reloading();
        match self.state.reading {
            Reading::No => self.state.reading = Reading::Once,
            Reading::Once | Reading::Again => {
                self.state.reading = Reading::Again;
                return;
            }
        }
        let (read, inbox) = (Arc::clone(&self.read), self.door.clone());
        let work = move || inbox.send(Message::Reloaded(Box::new(read())));
        if let Err(error) = thread::Builder::new().name("reload".to_owned()).spawn(work) {
            self.reload(Err(format!("cannot start a thread to read the configuration: {error}")));
        }
    }

    /// Takes over the configuration that was read. One with faults changes nothing.
    fn reload(&mut self, read: Result<Config, String>) {
        let again = mem::replace(&mut self.state.reading, Reading::No) == Reading::Again;
        match read {
            Ok(config) => {
                if config.needs_restart_after(&self.config) {
                    tracing::warn!(
                        "changes in [store], [http], [heartbeat], [traps], [mail] (but for noc), [mail_in] and [[messenger]] take effect at the next start"
                    );
                }
                self.foretell(&config.plan);
                self.watch_names(&config.plan);
                let plan = shifts::plan(&config, self.turn.at, self.calendar.offset_ms(self.turn.at));
                self.watch.step(Input::Planned(Box::new(plan)), &mut self.turn);
                self.config.plan = config.plan;
                self.config.shifts = config.shifts;
                self.state.reload = Reload { at: Some(self.turn.at), fault: None };
                tracing::info!("the configuration was taken over");
                self.ready("watching");
            }
            Err(faults) => {
                tracing::error!("the configuration is refused, the one before stays in force:\n{faults}");
                self.state.reload.fault = Some(faults);
                self.ready("watching; the last configuration was refused");
            }
        }
        self.state.overview = None;
        if again {
            self.start_reading();
        }
    }

    /// Tells the service manager that all is ready, unless the first commit is still to say so.
    fn ready(&self, words: &str) {
        if self.state.announced {
            systemd::ready(words);
        }
    }

    /// Says what taking over `plan` will change at once.
    fn foretell(&self, plan: &Plan) {
        warn_of(&self.watch.preview(plan, self.turn.at), text::effect, |more| {
            format!("and {more} more such effects; before a reload, ntuwatch check lists them all")
        });
    }

    fn watch_names(&self, plan: &Plan) {
        let named = plan.devices.iter().filter_map(|device| Some((device, device.host.name()?)));
        self.engines.resolver.watch(named.map(|(device, name)| (device.id.to_string(), name.to_owned())).collect());
    }

    /// Ends the turn: what must be on the disk before it may be seen is sent there.
    fn finish_turn(&mut self) -> Result<(), Fatal> {
        self.engines.ask(&mut self.turn, self.metrics);
        let at = self.turn.at;
        self.state.stale.append(&mut self.turn.touched);
        if mem::take(&mut self.turn.replanned) {
            self.state.senders_changed = true;
        }
        self.know_senders();
        let mark_due = self.state.marked.is_none_or(|marked| at.since(marked) >= MARK_EVERY);
        let is_durable = self.turn.is_durable() || mark_due;
        // Nobody is told of a turn before those that came before it.
        let must_wait = self.writer.is_busy() && Errands::are_in(&self.turn);
        if is_durable || must_wait {
            let mark = self.mark();
            self.state.marked = Some(at);
            let (turn, calendar) = (self.turn.take(), Arc::clone(&self.calendar));
            self.writer.queue(Record { turn, calendar, mark, calendar_step: self.state.calendar_step.take() });
            return self.write();
        }
        self.metrics.count(&self.turn);
        if !self.writer.is_busy() {
            self.publish(at);
            let errands = Errands::take(&mut self.turn);
            self.act(errands);
        }
        self.turn.clear();
        Ok(())
    }

    /// Where the clocks stand, and until when somebody watched: not beyond the stop, however long the last commits take.
    fn mark(&mut self) -> ClockMark {
        if let Some(mark) = &self.state.last_mark {
            return mark.clone();
        }
        let mark = self.clock.mark();
        let mark = ClockMark { at: mark.at.max(self.turn.at), ..mark };
        self.state.last_mark = self.state.stopping.then(|| mark.clone());
        mark
    }

    /// Sends to the disk what waits for it, if nothing is on its way there.
    fn write(&mut self) -> Result<(), Fatal> {
        if self.writer.is_busy() || !self.writer.has_waiting() {
            return Ok(());
        }
        let at = self.turn.at;
        self.state.overview = Some(at);
        let view = self.view(at);
        self.writer.write(view)
    }

    /// Acts on what has reached the disk, and waits for it until `until`: to the end if there is no such moment, if it
    /// takes too long, and while the store fails, for then nothing new begins.
    fn settle(&mut self, until: Option<Time>) -> Result<(), Fatal> {
        while self.writer.is_busy() {
            let to_the_end = self.patience.is_tried() || self.writer.busy_for() >= MAX_BEHIND;
            let until = until.filter(|_| !to_the_end);
            let wait = until.map_or(Duration::MAX, |until| until.since(self.clock.now()));
            match self.writer.outcome(wait)? {
                Some(Outcome::Committed(errands)) => self.committed(errands)?,
                Some(Outcome::Failed(batch, why)) => {
                    self.patience.wait(&why, &self.board, &self.engines.mail, &self.config.plan.noc)?;
                    self.writer.send(*batch)?;
                }
                None => break,
            }
        }
        Ok(())
    }

    fn committed(&mut self, errands: Errands) -> Result<(), Fatal> {
        self.patience.restore(&self.board);
        self.act(errands);
        if !mem::replace(&mut self.state.announced, true) {
            systemd::ready("watching");
        }
        self.write()
    }

    /// Shows what is known now; all of it is on the disk.
    fn publish(&mut self, at: Time) {
        if self.state.overview.is_none_or(|drawn| at.since(drawn) >= OVERVIEW_EVERY) {
            self.state.overview = Some(at);
            self.view(at).show(&self.board);
        } else if !self.state.stale.is_empty() {
            self.news().show(&self.board);
        }
    }

    fn view(&mut self, at: Time) -> View {
        View { rows: self.news(), summary: self.summary(at), drawn: Stopwatch::start() }
    }

    /// What the board does not show yet.
    fn news(&mut self) -> Rows {
        let mut stale = mem::take(&mut self.state.stale);
        if mem::take(&mut self.state.blank) {
            return Rows::All(self.all_rows());
        }
        stale.sort_unstable();
        stale.dedup();
        let news = stale.drain(..).map(|slot| (slot, self.row(slot))).collect();
        self.state.stale = stale;
        Rows::Changed(news)
    }

    /// Tells the trap engine who has which address now.
    fn know_senders(&mut self) {
        if !mem::take(&mut self.state.senders_changed) {
            return;
        }
        if let Some(traps) = &self.engines.traps {
            let sender = |(slot, device): (_, &Arc<crate::domain::watch::Device>)| {
                Some(Sender { address: self.watch.address(slot)?, access: device.rules.snmp.clone() })
            };
            traps.know(self.watch.devices().filter_map(sender).collect());
        }
    }

    fn all_rows(&self) -> Vec<Option<Row>> {
        let mut rows = Vec::new();
        for (slot, _) in self.watch.devices() {
            if rows.len() <= slot.index() {
                rows.resize(slot.index() + 1, None);
            }
            rows[slot.index()] = self.row(slot);
        }
        rows
    }

    fn row(&self, slot: Slot) -> Option<Row> {
        let device = Arc::clone(self.watch.device(slot)?);
        Some(Row::new(device, self.watch.address(slot), self.watch.status(slot)))
    }

    fn summary(&self, at: Time) -> Summary {
        let outbox = self.watch.desk().outbox();
        Summary {
            at,
            started_at: self.state.started_at,
            calendar: Arc::clone(&self.calendar),
            cut_off: self.watch.isolation().cut_off(),
            store_fault: None,
            reload: self.state.reload.clone(),
            cases: self.watch.desk().counts().clone(),
            letters_queued: outbox.len(),
            mails_aside: self.watch.desk().aside(),
            unreachable: self.watch.desk().unreachable(),
            oldest_letter: outbox.oldest(),
            held: self.watch.desk().held(),
            mail_fault: self.state.mail_fault.clone(),
            messengers: self.messengers(),
            alarms: self.watch.desk().alarms().cloned().collect(),
            umbrellas: self.watch.desk().umbrellas().count(),
            maintenance: self.watch.maintenance().filter(|known| known.stage == Stage::Active).count(),
            parties: Arc::clone(self.watch.desk().parties()),
            customers: Arc::clone(self.watch.desk().customers()),
            out_of_reach: Arc::clone(self.watch.desk().out_of_reach()),
            staff: self.staff(),
            shift: self.shift(at),
        }
    }

    /// Those that are configured, and those that notices still wait for.
    fn messengers(&self) -> BTreeMap<String, MessengerState> {
        let desk = self.watch.desk();
        let known = desk.parties().ways.messengers.keys().map(|name| (name.clone(), MessengerState::default()));
        let busy = desk.outbox().lanes().filter_map(|lane| {
            let LaneState { messenger, waiting, trouble } = lane;
            Some((messenger?, MessengerState { waiting, trouble }))
        });
        known.chain(busy).collect()
    }

    fn staff(&self) -> Vec<StaffRow> {
        let row = |(staff, off, on_duty, cases): (&Arc<_>, _, _, _)| {
            let staff = Arc::clone(staff);
            StaffRow { staff, off, on_duty, cases }
        };
        self.watch.desk().staff().map(row).collect()
    }

    fn shift(&self, at: Time) -> Shift {
        let (centre, next) = self.watch.desk().shift(at);
        Shift { centre: centre.cloned(), next: next.cloned() }
    }

    /// Answers people, hands letters over and has documents written, now that the cause is on the disk.
    fn act(&mut self, Errands { replies, deliver, rfo_orders }: Errands) {
        rfo_orders.into_iter().for_each(|order| self.scribe.write(order));
        for reply in replies {
            if let Some(answer) = self.state.answers.remove(&reply.ticket) {
                // Whoever asked may have gone away meanwhile.
                drop(answer.send(reply.result));
            }
        }
        for letter in deliver {
            match self.reader.mail(letter) {
                Ok(Some(mail)) => {
                    if let Err(delivery) = self.send(mail) {
                        self.state.backlog.push(Input::Attempted(letter, delivery));
                    }
                }
                // It was committed before it was due; only a person's hand can have taken it out.
                Ok(None) => {
                    let why = "the store has lost the letter".to_owned();
                    self.state.backlog.push(Input::Attempted(letter, Delivery::Refused(why)));
                }
                Err(error) => {
                    tracing::error!(letter, %error, "a letter can't be read from the store");
                    self.state.backlog.push(Input::Attempted(letter, Delivery::Deferred(error.to_string())));
                }
            }
        }
    }

    /// Hands a letter to the engine of its lane.
    fn send(&self, mail: Mail) -> Result<(), Delivery> {
        match messenger(&mail.to) {
            None => self.engines.mail.send(mail),
            // The engine knows the messengers of the start.
            Some(name) if !self.engines.webhook.has(name) && self.is_configured(name) => {
                Err(Delivery::Deferred("this messenger is new: restart the daemon".to_owned()))
            }
            Some(_) => self.engines.webhook.send(mail),
        }
    }

    fn is_configured(&self, messenger: &str) -> bool {
        self.watch.desk().parties().ways.messengers.contains_key(messenger)
    }

    fn feed_watchdog(&mut self) {
        if self.state.feed_every.is_some_and(|every| self.state.fed.elapsed() >= every) {
            self.state.fed = Stopwatch::start();
            systemd::alive();
        }
    }
}
