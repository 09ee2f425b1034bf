//! The mail room's reader: a thread that looks into messages which the store has kept, and tells the watch what they say.

use super::inbox::{Inbox, OFFER_AGAIN};
use super::worker::{Stopping, Worker};
use crate::domain::desk::claim;
use crate::domain::letter::LetterLabel;
use crate::domain::mail::{Incoming, MailId, Message, Nature, Parcel, Unreadable};
use crate::domain::time::Time;
use crate::domain::turn::Input;
use crate::engine::mail_in::{self, Us};
use crate::store::{ReadError, Reader};
use crate::text::Stamp;
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Who has begun so often to read a message broke down over it, and reads it no more.
const MAX_TRIES: u32 = 2;
/// Pause before a store that can't be read is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// Messages whose copies are known before anything of them is on the disk.
const MAX_RECENT: usize = 1_000;
/// Cases of one letter that are looked up.
const MAX_CASES: usize = 16;

/// The way to the reader.
pub(super) struct MailRoom(Worker<Sender<(MailId, u32)>>);

impl MailRoom {
    /// Starts to read: first what was kept before, each with how often somebody has begun to.
    pub(super) fn start(
        reader: Reader,
        (us, stamp): (Us, Stamp),
        inbox: Inbox,
        unread: Vec<(MailId, u32)>,
    ) -> io::Result<Self> {
        let (orders, mails) = channel();
        let before = unread.last().map_or(0, |(id, _)| *id);
        let desk = ReadingDesk { reader, us, stamp, inbox, recent: RefCell::default(), before };
        let room = Self(Worker::start("mail-room", orders, move |stopping| desk.work(&mails, stopping))?);
        unread.into_iter().for_each(|(id, tries)| room.order(id, tries));
        Ok(room)
    }

    /// Lets a message be read that is on the disk.
    pub(super) fn read(&self, id: MailId) {
        self.order(id, 1);
    }

    fn order(&self, id: MailId, tries: u32) {
        // A reader that has ended leaves it to the next start.
        self.0.orders().into_iter().for_each(|orders| orders.send((id, tries)).unwrap_or_default());
    }
}

/// Messages that were read lately: what was decided on them may not be on the disk yet.
#[derive(Default)]
struct Recent(VecDeque<(Sameness, MailId)>);

/// A digest of what copies of a message have in common.
type Sameness = [u8; 32];

fn sameness(Message { message_id, from, subject, text, attachments, .. }: &Message) -> Sameness {
    Sha256::digest(format!("{:?}", (message_id, from, subject, text, attachments))).into()
}

impl Recent {
    /// The earlier message that is the same, if there was one lately. Else this is noted.
    fn noted(&mut self, id: MailId, same: Sameness) -> Option<MailId> {
        let earlier = self.0.iter().find(|(known, earlier)| *known == same && *earlier != id);
        if let Some((_, earlier)) = earlier {
            return Some(*earlier);
        }
        if self.0.len() == MAX_RECENT {
            self.0.pop_front();
        }
        self.0.push_back((same, id));
        None
    }
}

struct ReadingDesk {
    reader: Reader,
    us: Us,
    stamp: Stamp,
    inbox: Inbox,
    recent: RefCell<Recent>,
    /// The last message that came before the start.
    before: MailId,
}

impl ReadingDesk {
    fn work(&self, mails: &Receiver<(MailId, u32)>, stopping: &Stopping) {
        for (id, tries) in mails {
            let incoming = stopping.persist(PAUSE, || {
                self.read(id, tries).inspect_err(|error| {
                    tracing::error!(id, %error, "a message can't be read from the store");
                })
            });
            if let Some(incoming) = incoming.flatten() {
                self.inbox.bring(Input::Mailed(Box::new(incoming)), stopping);
                if id <= self.before {
                    // If somebody broke down over one of these, the first that is not settled is it.
                    stopping.persist(OFFER_AGAIN, || self.settled(id));
                }
            }
        }
    }

    fn settled(&self, id: MailId) -> Result<(), ()> {
        let row = self.reader.mail_row(id).map_err(drop)?;
        if row.is_none_or(|row| row.outcome.is_some()) { Ok(()) } else { Err(()) }
    }

    fn read(&self, id: MailId, tries: u32) -> Result<Option<Incoming>, ReadError> {
        let received_at = self.reader.received_at(id)?.unwrap_or(Time::from_millis(0));
        let nothing = |unreadable| Incoming {
            id,
            received_at,
            message: Err(unreadable),
            head: None,
            letters: Vec::new(),
            copy_of: None,
            cases: Vec::new(),
        };
        if tries > MAX_TRIES {
            return Ok(Some(nothing(Unreadable::Crashed)));
        }
        let Some(Parcel { raw, whole }) = self.reader.parcel(id)? else { return Ok(None) };
        match mail_in::read(&raw, &self.us) {
            Ok(message) if whole => self.look_up(id, received_at, message).map(Some),
            // Of one that is too large the head was kept.
            Ok(head) => self.look_up(id, received_at, head).map(|found| {
                let head = found.message.ok();
                Some(Incoming { message: Err(Unreadable::TooLarge), head, copy_of: None, ..found })
            }),
            Err(_) if !whole => Ok(Some(nothing(Unreadable::TooLarge))),
            Err(unreadable) => Ok(Some(nothing(unreadable))),
        }
    }

    /// Adds what the store knows of a message.
    fn look_up(&self, id: MailId, received_at: Time, message: Message) -> Result<Incoming, ReadError> {
        let mut copy_of = None;
        if message.message_id.is_some() && message.from.is_some() {
            copy_of = self.recent.borrow_mut().noted(id, sameness(&message));
            if copy_of.is_none() {
                copy_of = self.reader.copy_of(id, &message)?;
            }
        }
        let letters = self.letters(&message)?;
        let mut cases = Vec::new();
        if let Some(letter) = letters.first() {
            cases = self.reader.cases_of_letter(letter.id, MAX_CASES)?;
        }
        if let Some(claimed) = claim(&message.subject) {
            cases.extend(self.reader.known_case(claimed)?);
        }
        Ok(Incoming { id, received_at, message: Ok(Box::new(message)), head: None, letters, copy_of, cases })
    }

    /// Our letters that a message answers, or that a mail server reports on; the latest first.
    fn letters(&self, message: &Message) -> Result<Vec<LetterLabel>, ReadError> {
        let mut letters = Vec::new();
        let reported = match &message.nature {
            Nature::Report(fates) => fates.iter().filter_map(|fate| fate.letter.as_ref()).collect(),
            Nature::Person | Nature::Automatic(_) | Nature::Own => Vec::new(),
        };
        for message_id in reported.into_iter().chain(&message.answers) {
            let Some((key, mark)) = Stamp::claimed_letter(message_id) else { continue };
            // What is written in the store is believed no more than the message: the secret has to agree.
            let marked = self.reader.letters_marked(&key, mark)?;
            let is_it = |letter: &LetterLabel| self.stamp.message_id(&letter.thread, mark, &letter.to) == *message_id;
            letters.extend(marked.into_iter().filter(is_it));
        }
        for address in &message.recipients {
            let Some(letter) = self.stamp.claimed_by(address) else { continue };
            let letter = self.reader.letter(letter)?;
            letters.extend(letter.filter(|letter| self.stamp.is_reply_to(address, letter)));
        }
        Ok(letters)
    }
}
