//! `run`: the daemon.

use super::{Common, Exit, Failure};
use crate::app::{self, Fatal, warn_of};
use crate::config;
use crate::domain::watch::strains;
use crate::engine::{StartError, traps};
use crate::store::OpenError;
use crate::text;
use std::io::{self, ErrorKind, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

/// What is logged if NTUWATCH_LOG does not say: the SNMP library reports every silent agent as an error of its own.
const LOG: &str = "info,async_snmp=off";

pub(super) fn perform(common: &Common) -> Result<(), Failure> {
    log();
    let file = common.config()?.to_owned();
    let credentials = credentials();
    let read = move || {
        let config = config::read(&file, credentials.as_deref()).map_err(|faults| faults.to_string())?;
        warn_of(&strains(&config.plan.devices), text::strain, |more| {
            format!("and {} that are too low: `ntuwatch check` names them all", text::many(more, "other cap"))
        });
        Ok(config)
    };
    app::run(Arc::new(read)).map_err(|fatal| match &fatal {
        Fatal::Config(faults) => Failure::Listed(exit(&fatal), faults.clone()),
        Fatal::Directory(..)
        | Fatal::Open(_)
        | Fatal::Store(_)
        | Fatal::Bind(_)
        | Fatal::Probe(_)
        | Fatal::Mail(_)
        | Fatal::Webhook(_)
        | Fatal::MailIn(_)
        | Fatal::Heartbeat(_)
        | Fatal::Traps(_)
        | Fatal::System(_) => Failure::new(exit(&fatal), fatal.to_string()),
    })
}

/// Where systemd put our secrets (`LoadCredential=`).
#[expect(clippy::disallowed_methods, reason = "the environment is read in the command line only")]
pub(super) fn credentials() -> Option<PathBuf> {
    std::env::var("CREDENTIALS_DIRECTORY").ok().map(PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "the environment is read in the command line only")]
fn log() {
    let filter = std::env::var("NTUWATCH_LOG").unwrap_or_else(|_| LOG.to_owned());
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(LOG));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        // It would complain on standard error, where nothing can be written, and panic.
        .log_internal_errors(false);
    // The journal stamps lines itself.
    if std::env::var("JOURNAL_STREAM").is_ok() {
        subscriber.without_time().init();
    } else {
        subscriber.init();
    }
}

const fn exit(fatal: &Fatal) -> Exit {
    match fatal {
        Fatal::Config(_) => Exit::Config,
        Fatal::Directory(..) | Fatal::Open(OpenError::Unusable { .. }) => Exit::CantCreate,
        Fatal::Open(OpenError::InUse { .. }) => Exit::Unavailable,
        Fatal::Open(
            OpenError::Foreign { .. } | OpenError::Damaged { .. } | OpenError::Newer { .. } | OpenError::Older { .. },
        ) => Exit::Data,
        Fatal::Store(_) => Exit::Io,
        Fatal::Bind(error) if matches!(error.kind, ErrorKind::PermissionDenied) => Exit::NoPermission,
        Fatal::Bind(_) => Exit::Unavailable,
        Fatal::Probe(StartError::NoRight) => Exit::NoPermission,
        Fatal::Probe(StartError::Socket(_) | StartError::Thread(_))
        | Fatal::Webhook(_)
        | Fatal::MailIn(_)
        | Fatal::Heartbeat(_)
        | Fatal::System(_) => Exit::OsError,
        Fatal::Mail(_) => Exit::CantCreate,
        Fatal::Traps(traps::StartError::NoRight(_)) => Exit::NoPermission,
        Fatal::Traps(traps::StartError::Taken(_)) => Exit::Unavailable,
        Fatal::Traps(traps::StartError::Socket(..) | traps::StartError::Thread(_)) => Exit::OsError,
    }
}
