//! Mail that comes in, as it was read: nothing in it is believed yet.

use super::desk::{Reference, Subject};
use super::letter::LetterLabel;
use super::time::Time;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// Number of a message in the store, in the order of arrival.
pub type MailId = u64;

/// Largest message that is taken, in bytes; a larger one is refused where it can be, and set aside where it can't.
pub const MAX_MESSAGE: usize = 25 << 20;
/// Message-IDs of `In-Reply-To` and `References` that are looked at: the latest, and the first.
pub const MAX_ANSWERED: usize = 64;
/// Addresses of a message that are looked at.
pub const MAX_RECIPIENTS: usize = 64;
/// Attachments that are listed. What is beyond stays in the raw message.
pub const MAX_ATTACHMENTS: usize = 64;
/// Longest text that goes onto a case, in bytes; the raw message keeps the rest.
pub const MAX_TEXT: usize = 16 << 10;
/// Longest subject that is kept, in bytes.
pub const MAX_SUBJECT: usize = 500;

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Its bytes.
    pub raw: Vec<u8>,
    /// Whether that is all of it: of one that is larger than [`MAX_MESSAGE`] there may be only the beginning.
    pub whole: bool,
}

/// A message as its headers and parts say. Addresses are bare and in lower case; Message-IDs have no angle brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Address in `From` (RFC 5322, 3.6.2), if there is exactly one.
    pub from: Option<String>,
    /// Its own Message-ID.
    pub message_id: Option<String>,
    /// Messages that it answers: `In-Reply-To` and `References`, the latest first, each once.
    pub answers: Vec<String>,
    /// Whom it was sent to: `To`, `Cc`, `Delivered-To`, `X-Original-To` and `Envelope-To`, each once.
    pub recipients: Vec<String>,
    /// Its subject, decoded, in one line.
    pub subject: String,
    /// What its writer wrote, without what is quoted and without the signature; empty if there is no text.
    pub text: String,
    /// Who or what wrote it.
    pub nature: Nature,
    /// What our own boundary server says of its sender.
    pub authentic: Authentic,
    /// What comes with it; never opened.
    pub attachments: Vec<Attachment>,
}

/// Who or what wrote a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nature {
    /// A person, also one who writes by way of a mailing list.
    Person,
    /// A program (RFC 3834): an out-of-office reply, a ticket system, a read receipt.
    Automatic(Automatic),
    /// A mail server, on letters that it could or could not deliver (RFC 3464).
    Report(Vec<Fate>),
    /// We ourselves: it went round in a loop.
    Own,
}

/// By what a message shows that a program wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Automatic {
    /// `Auto-Submitted: auto-replied`, or another header that says the same: it answers by itself.
    Replied,
    /// `Auto-Submitted` with anything else but `no`.
    Generated,
    /// `Precedence: bulk` or `junk` without a list's headers.
    Bulk,
    /// Nobody is to answer it: its return path is null.
    NullSender,
    /// It tells that a letter was read or deleted (RFC 8098).
    Receipt,
}

impl Automatic {
    /// Every way.
    pub const ALL: [Self; 5] = [Self::Replied, Self::Generated, Self::Bulk, Self::NullSender, Self::Receipt];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replied => "auto_reply",
            Self::Generated => "auto_generated",
            Self::Bulk => "bulk",
            Self::NullSender => "null_sender",
            Self::Receipt => "receipt",
        }
    }
}

/// What became of a letter for one of its readers, as a mail server reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// The reader: `Original-Recipient`, else `Final-Recipient`.
    pub recipient: String,
    /// `Action`.
    pub action: Action,
    /// `Status` (RFC 3463), such as `5.1.1`; empty if there is none.
    pub status: String,
    /// `Diagnostic-Code`, else the words of the report: why.
    pub why: String,
    /// Message-ID of the letter, from what the report returns of it.
    pub letter: Option<String>,
}

/// What a mail server did with a letter (RFC 3464, 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It gave up.
    Failed,
    /// It goes on trying.
    Delayed,
    /// It handed it over, or on to a server that reports nothing.
    Delivered,
}

/// What our own boundary server says of a sender by DMARC (RFC 8601, RFC 7489).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentic {
    /// The domain in `From` vouches for it.
    Pass,
    /// It does not: somebody else may have written it.
    Fail,
    /// Nobody whom we trust has looked, or the domain says nothing.
    Unknown,
}

impl Authentic {
    /// Every result.
    pub const ALL: [Self; 3] = [Self::Pass, Self::Fail, Self::Unknown];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// Something that comes with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its file name, without folders and control characters; may be empty.
    pub name: String,
    /// Its media type as the message claims it, such as `image/png`.
    pub media_type: String,
    /// Its size in bytes, decoded.
    pub size: u64,
}

/// Why a message can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is empty, or no message at all.
    NoMessage,
    /// It is larger than [`MAX_MESSAGE`].
    TooLarge,
    /// The reader broke down over it.
    Crashed,
}

impl Unreadable {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::NoMessage, Self::TooLarge, Self::Crashed];

    /// As it is stored and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoMessage => "no_message",
            Self::TooLarge => "too_large",
            Self::Crashed => "crashed",
        }
    }
}

/// A message with what the store knows of it.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Its number.
    pub id: MailId,
    /// When it was taken.
    pub received_at: Time,
    /// What it says.
    pub message: Result<Box<Message>, Unreadable>,
    /// What its head says, of one that is too large.
    pub head: Option<Box<Message>>,
    /// Our letters that it answers, by a Message-ID or reply address that only their readers know; the latest first.
    pub letters: Vec<LetterLabel>,
    /// An earlier copy: the same sender's message with the same Message-ID that says the same.
    pub copy_of: Option<MailId>,
    /// The cases that it may be about, whatever their stage.
    pub cases: Vec<KnownCase>,
}

/// A case as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCase {
    /// Its reference.
    pub reference: Reference,
    /// The unit that it is about.
    pub unit: String,
    /// Whose it is.
    pub customer: String,
    /// What it is about.
    pub subject: Subject,
}
