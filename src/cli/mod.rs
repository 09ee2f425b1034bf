//! The command line. Verbs that need the daemon talk to it through its Unix socket.
//!
//! Results go to standard output, as tables or with `--json` as the API gives them; errors go to standard error, with
//! an exit code by sysexits.

mod backup;
mod case;
mod check;
mod client;
mod contact;
mod mail;
mod maintenance;
mod ping;
mod print;
mod replay;
mod report;
mod rfo;
mod run;
mod staff;
mod status;
mod story;
mod umbrella;
mod unit;

use clap::{Args, Parser, Subcommand};
use client::Client;
use print::{Page, clean};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where the configuration is looked for if `--config` does not say.
const CONFIG_FILES: [&str; 2] = ["./ntuwatch.toml", "/etc/ntuwatch/ntuwatch.toml"];

/// Watches network termination units, opens support cases for lost lines and keeps the promises made on them.
#[derive(Debug, Parser)]
#[command(name = "ntuwatch", version)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Args, Debug)]
struct Common {
    /// Configuration file; without it ./ntuwatch.toml or /etc/ntuwatch/ntuwatch.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Unix socket of the daemon, instead of the one in the configuration
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the daemon
    Run,
    /// Check the configuration and report all its faults at once
    Check(check::Check),
    /// Show how the daemon and its watch are doing
    Status,
    /// Look at units
    #[command(subcommand)]
    Unit(unit::Verb),
    /// Look at cases and work on them
    #[command(subcommand)]
    Case(case::Verb),
    /// Check a reason for outage, and the journal
    #[command(subcommand)]
    Rfo(rfo::Verb),
    Report(report::Report),
    /// Look at shared causes, and tell everybody under one
    #[command(subcommand)]
    Umbrella(umbrella::Verb),
    /// Look at mail that came in, and decide on what waits for people
    #[command(subcommand)]
    Mail(mail::Verb),
    MailIn(mail::MailIn),
    ExplainMail(mail::ExplainMail),
    /// Look at maintenance, and plan it
    #[command(subcommand)]
    Maintenance(maintenance::Verb),
    Staff(staff::Staff),
    Customer(contact::Customer),
    /// Add, change or switch off people of customers, beside the inventory
    #[command(subcommand)]
    Contact(contact::Verb),
    Route(staff::Route),
    Ping(ping::Ping),
    /// Copy the store to a new file, also while the daemon runs
    Backup(backup::Backup),
    Replay(replay::Replay),
    /// Run the real core on a described world in simulated time
    Story(story::StoryFile),
}

/// Exit codes (sysexits.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All is well.
    Ok = 0,
    /// A story's expectation does not hold, or nothing came back for a ping.
    Unmet = 1,
    /// The command line is wrong.
    Usage = 64,
    /// What was asked for is refused: no such case, not in this stage.
    Data = 65,
    /// A file that is to be read cannot be.
    NoInput = 66,
    /// No daemon answers, or it cannot now.
    Unavailable = 69,
    /// The daemon answered with what this program does not understand.
    Software = 70,
    /// The system refuses a socket or a thread.
    OsError = 71,
    /// A file cannot be made.
    CantCreate = 73,
    /// Writing failed.
    Io = 74,
    /// What can't be done now can be later: mail servers try again.
    TempFail = 75,
    /// The user may not do this.
    NoPermission = 77,
    /// The configuration has faults.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a verb did not do what it should.
#[derive(Debug)]
enum Failure {
    /// Nobody reads our output any more, such as behind `| head`.
    NobodyReads,
    /// Anything else: what, why, and what to do.
    Said(Exit, String),
    /// The same of many places, each on a line that names its place.
    Listed(Exit, String),
}

impl Failure {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self::Said(exit, message.into())
    }
}

/// Of writing our output: nothing else here turns an [`io::Error`] into a failure.
impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Self {
        if e.kind() == ErrorKind::BrokenPipe {
            Self::NobodyReads
        } else {
            Self::Said(Exit::Io, format!("cannot write the output: {e}"))
        }
    }
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version come this way as well. If even this can't be printed, there is nobody to tell.
            return match e.print() {
                _ if e.use_stderr() => Exit::Usage,
                Err(fault) if fault.kind() != ErrorKind::BrokenPipe => Exit::Io,
                Ok(()) | Err(_) => Exit::Ok,
            }
            .into();
        }
    };
    let (exit, message) = match perform(&cli) {
        Ok(()) | Err(Failure::NobodyReads) => return Exit::Ok.into(),
        Err(Failure::Said(exit, message)) => (exit, format!("ntuwatch: {}\n", clean(&message))),
        Err(Failure::Listed(exit, lines)) => (exit, lines.lines().map(|line| clean(line) + "\n").collect()),
    };
    // Written at once, so that lines of two programs do not mix.
    drop(io::stderr().write_all(message.as_bytes()));
    exit.into()
}

fn perform(cli: &Cli) -> Result<(), Failure> {
    let mut page = Page::new(cli.common.json);
    match &cli.verb {
        Verb::Run => run::perform(&cli.common)?,
        Verb::Check(check) => check::perform(check, &cli.common, &mut page)?,
        Verb::Replay(replay) => replay::perform(replay, &cli.common, &mut page)?,
        Verb::Story(story) => story::perform(story, &mut page)?,
        Verb::Ping(ping) => ping::perform(ping, &cli.common, &mut page)?,
        Verb::Status => status::show(&cli.common.client()?, &mut page)?,
        Verb::Unit(verb) => unit::perform(verb, &cli.common.client()?, &mut page)?,
        Verb::Case(verb) => case::perform(verb, &cli.common.client()?, &mut page)?,
        Verb::Rfo(verb) => rfo::perform(verb, &cli.common, &mut page)?,
        Verb::Report(report) => report::perform(report, &cli.common.client()?, &mut page)?,
        Verb::Umbrella(verb) => umbrella::perform(verb, &cli.common.client()?, &mut page)?,
        Verb::Mail(verb) => mail::perform(verb, &cli.common.client()?, &mut page)?,
        Verb::MailIn(_) => mail::take(&cli.common.client()?, &mut page)?,
        Verb::ExplainMail(explain) => mail::explain(&explain.message, &cli.common.client()?, &mut page)?,
        Verb::Maintenance(verb) => maintenance::perform(verb, &cli.common.client()?, &mut page)?,
        Verb::Staff(staff) => staff::perform(staff, &cli.common.client()?, &mut page)?,
        Verb::Customer(customer) => contact::show(customer, &cli.common.client()?, &mut page)?,
        Verb::Contact(verb) => contact::perform(verb, &cli.common.client()?, &mut page)?,
        Verb::Route(route) => staff::route(route, &cli.common.client()?, &mut page)?,
        Verb::Backup(backup) => backup::perform(backup, &cli.common, &mut page)?,
    }
    Ok(page.flush()?)
}

/// The configuration file that is there.
fn usual_config() -> Option<&'static Path> {
    CONFIG_FILES.into_iter().map(Path::new).find(|file| file.exists())
}

impl Common {
    /// The configuration file.
    fn config(&self) -> Result<&Path, Failure> {
        self.config.as_deref().or(usual_config()).ok_or_else(|| {
            let [here, there] = CONFIG_FILES;
            Failure::new(
                Exit::Usage,
                format!("there is neither {here} nor {there}: give --config FILE or --socket PATH"),
            )
        })
    }

    /// What the configuration says about where the daemon is.
    fn places(&self) -> Result<crate::config::Places, Failure> {
        let file = self.config()?;
        crate::config::places(file).map_err(|e| {
            let exit = if e.kind() == ErrorKind::PermissionDenied { Exit::NoPermission } else { Exit::NoInput };
            Failure::new(exit, format!("cannot read {}: {e}", file.display()))
        })
    }

    fn client(&self) -> Result<Client, Failure> {
        match &self.socket {
            Some(socket) => Client::new(socket.clone(), None),
            None => Client::new(self.places()?.socket, Some(self.config()?.to_owned())),
        }
    }
}
