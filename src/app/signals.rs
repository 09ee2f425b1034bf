//! Signals: SIGTERM and SIGINT stop the daemon, SIGHUP lets it read its configuration again.

use super::inbox::{Inbox, Message};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Passes signals on to the loop. `stopping` is set first, for a loop that is waiting for its store.
pub(super) fn listen(inbox: Inbox, stopping: Arc<AtomicBool>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (terminate, interrupt, hang_up) = {
        let _in_runtime = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?)
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || runtime.block_on(pass_on(inbox, &stopping, terminate, interrupt, hang_up)))?;
    Ok(())
}

async fn pass_on(
    inbox: Inbox,
    stopping: &AtomicBool,
    mut terminate: Signal,
    mut interrupt: Signal,
    mut hang_up: Signal,
) {
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {
                // Waiting here would leave a SIGTERM unheard, too.
                if !inbox.offer(Message::Reload) {
                    tracing::error!("too busy to read the configuration again: send SIGHUP once more later");
                }
                continue;
            }
        }
        stopping.store(true, Ordering::Relaxed);
        inbox.send(Message::Stop);
    }
}
