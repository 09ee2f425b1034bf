//! The engine's loop: what arrives is heard, counted, acknowledged and handed over.

use super::notification::Notification;
use super::ourselves::Ourselves;
use super::senders::{Ignored, Known, Senders};
use super::{Deliver, Sender, community, usm};
use crate::clock::Stopwatch;
use crate::domain::watch::Trap;
use async_snmp::ber::Decoder;
use async_snmp::{DecodeConfig, MessageSize};
use bytes::Bytes;
use core::net::SocketAddr;
use core::time::Duration;
use metrics::Counter;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::sync::watch;

/// Longest datagram that is heard, in octets; a longer one is cut off and so malformed. RFC 3417 asks for 1,472.
const MAX_DATAGRAM: usize = 8_192;

/// Datagrams that are read at once, and so traps in a batch at most.
const MAX_BATCH: usize = 64;

/// Pause after a full batch: it leaves the processor to others while more comes than any fleet sends.
const AFTER_FULL_BATCH: Duration = Duration::from_millis(1);

/// Pause after the socket failed to receive, lest an error that stays keeps a processor busy.
const AFTER_ERROR: Duration = Duration::from_millis(20);

/// What version 3 is in a message.
const VERSION_3: i32 = 3;

/// What somebody known said.
#[derive(Debug)]
pub(super) enum Heard {
    /// A trap or an inform, with the acknowledgement that an inform's sender waits for.
    Notification { what: Notification, answer: Option<Bytes> },
    /// The question who we are, with the answer.
    Discovery(Bytes),
}

/// Why something that somebody known said does not count.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unheard {
    /// The credentials are not the sender's, or the message is not of now. The report is for senders that can do better.
    Refused { report: Option<Bytes> },
    /// It is no trap.
    Malformed,
}

/// Where datagrams arrive.
pub(super) struct Ear {
    socket: UdpSocket,
    deliver: Deliver,
    senders: Senders,
    ourselves: Ourselves,
    since: Stopwatch,
    decoding: DecodeConfig,
    meters: Meters,
}

/// What one look at the socket brought.
#[derive(Default)]
struct Batch {
    traps: Vec<Trap>,
    /// To be sent when the traps have been taken.
    acknowledgements: Vec<(Bytes, SocketAddr)>,
}

/// What a look at the socket ended with.
enum Rest {
    /// Nothing more is there.
    Empty,
    /// There may be more.
    More,
    /// The socket failed.
    Failed(io::Error),
}

impl Ear {
    /// Hears what arrives at `socket`, which is bound to `address`.
    pub(super) fn new(socket: UdpSocket, address: SocketAddr, deliver: Deliver) -> io::Result<Self> {
        let largest = MessageSize::new(MAX_DATAGRAM).map_err(io::Error::other)?;
        Ok(Self {
            socket,
            deliver,
            senders: Senders::default(),
            ourselves: Ourselves::new(address.port(), largest)?,
            since: Stopwatch::start(),
            decoding: decoding(),
            meters: Meters::new(),
        })
    }

    /// Listens until nobody is left who could say who is known.
    pub(super) async fn listen(mut self, mut news: watch::Receiver<Arc<[Sender]>>) {
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            tokio::select! {
                changed = news.changed() => match changed {
                    Ok(()) => self.senders.replace(&news.borrow_and_update()),
                    Err(_) => return,
                },
                ready = self.socket.readable() => {
                    let rest = match ready {
                        Ok(()) => self.read(&mut buffer, &mut news).await,
                        Err(error) => Rest::Failed(error),
                    };
                    match rest {
                        Rest::Empty => {}
                        Rest::More => tokio::time::sleep(AFTER_FULL_BATCH).await,
                        Rest::Failed(error) => {
                            tracing::debug!(%error, "cannot read from the socket for traps");
                            tokio::time::sleep(AFTER_ERROR).await;
                        }
                    }
                }
            }
        }
    }

    /// Reads and hands over a batch.
    async fn read(&mut self, buffer: &mut [u8], news: &mut watch::Receiver<Arc<[Sender]>>) -> Rest {
        let mut batch = Batch::default();
        let mut rest = Rest::More;
        for _ in 0..MAX_BATCH {
            match self.socket.try_recv_from(buffer) {
                Ok((len, from)) => {
                    // whoever was made known before he sent is known
                    if news.has_changed().unwrap_or(false) {
                        self.senders.replace(&news.borrow_and_update());
                    }
                    self.hear(&buffer[..len], from, &mut batch).await;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    rest = Rest::Empty;
                    break;
                }
                Err(error) => {
                    rest = Rest::Failed(error);
                    break;
                }
            }
        }
        self.hand_over(batch);
        rest
    }

    async fn hear(&mut self, datagram: &[u8], from: SocketAddr, batch: &mut Batch) {
        let (address, now) = (from.ip().to_canonical(), self.since.elapsed());
        let known = match self.senders.admit(address, now) {
            Ok(known) => known,
            Err(Ignored::Unknown) => return self.meters.unknown_sender.increment(1),
            Err(Ignored::Flood) => return self.meters.flood.increment(1),
        };
        let datagram = Bytes::copy_from_slice(datagram);
        match understand(datagram, self.decoding, known, &mut self.ourselves, now).await {
            Ok(Heard::Notification { what: Notification { says, interface }, answer }) => {
                batch.traps.push(Trap { from: address, says, interface });
                batch.acknowledgements.extend(answer.map(|answer| (answer, from)));
            }
            Ok(Heard::Discovery(answer)) => self.send(&answer, from),
            Err(Unheard::Refused { report }) => {
                tracing::debug!(%address, "refused a trap: its credentials or its time are wrong");
                self.meters.refused.increment(1);
                if let Some(report) = report {
                    self.send(&report, from);
                }
            }
            Err(Unheard::Malformed) => self.meters.malformed.increment(1),
        }
    }

    fn hand_over(&mut self, batch: Batch) {
        let count = batch.traps.len() as u64;
        if count == 0 {
            return;
        }
        if !(self.deliver)(batch.traps) {
            self.meters.flood.increment(count);
            return;
        }
        self.meters.taken.increment(count);
        for (answer, to) in batch.acknowledgements {
            self.send(&answer, to);
        }
    }

    /// Sends `answer`, if there is room for it now; who does not get it asks again.
    fn send(&self, answer: &[u8], to: SocketAddr) {
        if let Err(error) = self.socket.try_send_to(answer, to) {
            tracing::debug!(%error, %to, "cannot answer an inform");
        }
    }
}

/// What a message of somebody known says, whichever version it is of.
pub(super) async fn understand(
    datagram: Bytes,
    decoding: DecodeConfig,
    known: &mut Known,
    ourselves: &mut Ourselves,
    now: Duration,
) -> Result<Heard, Unheard> {
    match version(&datagram) {
        Some(VERSION_3) => usm::hear(datagram, decoding, known, ourselves, now).await,
        Some(_) => community::hear(datagram, decoding, known),
        None => Err(Unheard::Malformed),
    }
}

/// How strictly messages are read.
pub(super) fn decoding() -> DecodeConfig {
    let mut decoding = DecodeConfig::DEFAULT;
    // a signature covers the whole datagram
    decoding.trailing_bytes = false;
    decoding
}

/// The version of SNMP that a message claims to be of.
fn version(datagram: &Bytes) -> Option<i32> {
    Decoder::new(datagram.clone()).read_sequence().ok()?.read_integer().ok()
}

/// What became of the datagrams, registered once. Discoveries are no traps and are not counted.
struct Meters {
    taken: Counter,
    unknown_sender: Counter,
    refused: Counter,
    malformed: Counter,
    /// Over a limit, or without room in the loop.
    flood: Counter,
}

impl Meters {
    fn new() -> Self {
        let with = |outcome: &'static str| metrics::counter!("ntuwatch_traps_received_total", "outcome" => outcome);
        Self {
            taken: with("taken"),
            unknown_sender: with("unknown_sender"),
            refused: with("refused"),
            malformed: with("malformed"),
            flood: with("flood"),
        }
    }
}
