//! Everything that reaches the loop from other threads, in one bounded queue.

use super::worker::Stopping;
use crate::config::Config;
use crate::domain::letter::{Delivery, LetterId};
use crate::domain::turn::{Input, Wish};
use crate::domain::watch::ProbeResult;
use crate::engine::{Deliver, mail_out, resolver, traps};
use crate::web::{Answer, Ask, Busy};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// Messages that may wait for the loop. Probe engines keep what does not fit and offer it again; so does
/// the resolver; people are told to come back; the mail engine waits.
pub(super) const MAX_WAITING: usize = 4_096;

/// Before something is offered again to a loop that has no room for it.
pub(super) const OFFER_AGAIN: Duration = Duration::from_millis(20);

/// What the loop is told.
pub(super) enum Message {
    /// Something for the watch.
    Input(Input),
    /// A person wants something, and waits.
    Asked { by: String, wish: Wish, answer: oneshot::Sender<AnswerOf> },
    /// The configuration is to be read again.
    Reload,
    /// It was read.
    Reloaded(Box<Result<Config, String>>),
    /// The daemon is to stop.
    Stop,
}

/// What a person is told after the commit.
pub(super) type AnswerOf = Result<crate::domain::turn::Done, crate::domain::turn::Refusal>;

/// The way into the queue.
#[derive(Clone)]
pub(super) struct Inbox(SyncSender<Message>);

impl Inbox {
    pub(super) fn new() -> (Self, Receiver<Message>) {
        let (sender, receiver) = sync_channel(MAX_WAITING);
        (Self(sender), receiver)
    }

    /// Whether there was room. A loop that has ended has room for everything.
    pub(super) fn offer(&self, message: Message) -> bool {
        match self.0.try_send(message) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => true,
            Err(TrySendError::Full(_)) => false,
        }
    }

    /// Waits until there is room. A loop that has ended needs to know nothing any more.
    pub(super) fn send(&self, message: Message) {
        drop(self.0.send(message));
    }

    /// Offers an input of which there is a record on the disk, until there is room, or the daemon stops.
    pub(super) fn bring(&self, input: Input, stopping: &Stopping) {
        let offer = || if self.offer(Message::Input(input.clone())) { Ok(()) } else { Err(()) };
        stopping.persist(OFFER_AGAIN, offer);
    }

    /// For a probe engine.
    pub(super) fn deliver(&self) -> Deliver {
        let inbox = self.0.clone();
        Box::new(move |results: Vec<ProbeResult>| match inbox.try_send(Message::Input(Input::Probed(results))) {
            Err(TrySendError::Full(Message::Input(Input::Probed(results)))) => Err(results),
            Ok(()) | Err(TrySendError::Disconnected(_) | TrySendError::Full(_)) => Ok(()),
        })
    }

    /// For the trap engine.
    pub(super) fn trapped(&self) -> traps::Deliver {
        let inbox = self.clone();
        Box::new(move |heard| inbox.offer(Message::Input(Input::Trapped(heard))))
    }

    /// For the mail engine.
    pub(super) fn attempted(&self) -> mail_out::Report {
        let inbox = self.clone();
        Box::new(move |letter: LetterId, delivery: Delivery| {
            inbox.send(Message::Input(Input::Attempted(letter, delivery)));
        })
    }

    /// For the resolver.
    pub(super) fn resolved(&self) -> resolver::Report {
        let inbox = self.clone();
        Box::new(move |device, host, address| {
            let (device, host) = (device.to_owned(), host.to_owned());
            inbox.offer(Message::Input(Input::Resolved { device, host, address }))
        })
    }

    /// For the interface.
    pub(super) fn ask(&self) -> Ask {
        // The interface is shared by all its requests, a sender is not: each takes a copy.
        let inbox = self.clone();
        Arc::new(move |by, wish| {
            let (answer, receiver) = oneshot::channel();
            let question: Result<Answer, Busy> = match inbox.0.try_send(Message::Asked { by, wish, answer }) {
                Ok(()) => Ok(receiver),
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(Busy),
            };
            question
        })
    }
}
