//! The least that a probe can cost on this kernel: one thread that sends and receives in bursts, at a pace, and does nothing else. No
//! schedule, no token, no timeout; an answer is a datagram of the right length.

use crate::agents::{self, PORT};
use crate::cpu;
use crate::peers::{Paced, Trip, address};
use core::time::Duration;
use nix::sys::socket::sockopt::SetStruct;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, SockFlag, SockProtocol, SockType,
    SockaddrIn, recvmmsg, sendmmsg, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeSpec;
use nix::{cmsg_space, libc, setsockopt_impl};
use ntuwatch::clock::{Stopwatch, unix_time};
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::thread::sleep;

const BURST: usize = 16;
const TICK: Duration = Duration::from_millis(5);

/// Of `linux/icmp.h`.
const ICMP_FILTER: libc::c_int = 1;

#[derive(Clone, Copy)]
struct IcmpFilter;
setsockopt_impl!(IcmpFilter, libc::SOL_RAW, ICMP_FILTER, u32, SetStruct<'_, u32>);

#[derive(Clone, Copy)]
struct PathMtu;
setsockopt_impl!(PathMtu, libc::SOL_IP, libc::IP_MTU_DISCOVER, libc::c_int, SetStruct<'_, libc::c_int>);

/// What is sent, and what comes of it.
pub(crate) struct Question {
    socket: OwnedFd,
    message: Vec<u8>,
    /// Where four octets differ from message to message.
    number_at: Option<usize>,
    port: u16,
    answer_len: usize,
}

impl Question {
    pub(crate) fn icmp() -> Self {
        let socket = socket(AddressFamily::Inet, SockType::Raw, SockFlag::SOCK_NONBLOCK, SockProtocol::Icmp)
            .expect("root may open a raw socket");
        setsockopt(&socket, IcmpFilter, &!1).expect("the kernel filters by type");
        // Type 8, checksum 0xf7ff, and nothing but zeros.
        let mut message = vec![0; 24];
        (message[0], message[2], message[3]) = (8, 0xf7, 0xff);
        Self { socket, message, number_at: None, port: 0, answer_len: 44 }
    }

    pub(crate) fn snmp() -> Self {
        let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_NONBLOCK, SockProtocol::Udp)
            .expect("anybody may open a UDP socket");
        // as ntuwatch has it: spares the kernel a number for each datagram
        setsockopt(&socket, PathMtu, &libc::IP_PMTUDISC_PROBE).expect("the kernel knows this");
        let message = agents::request();
        let number_at = Some(agents::number_at(&message));
        Self { socket, message, number_at, port: PORT, answer_len: agents::response().len() }
    }
}

/// Asks `rate` times a second, or as often as it can if that is 0.
pub(crate) fn run(question: &Question, rate: u64, targets: u32, lasting: Duration) -> Paced {
    let mut limit = Limit::new(question, targets);
    let before = cpu::used();
    let clock = Stopwatch::start();
    while clock.elapsed() < lasting {
        let due = if rate == 0 { u64::MAX } else { clock.elapsed().as_micros() as u64 * rate / 1_000_000 };
        while limit.sent < due && clock.elapsed() < lasting {
            limit.send((due - limit.sent).min(BURST as u64) as usize);
            limit.receive();
        }
        while limit.receive() {}
        if rate != 0 {
            sleep(TICK);
        }
    }
    let cpu = cpu::used() - before;
    // what is under way still
    sleep(20 * TICK);
    while limit.receive() {}
    Paced { sent: limit.sent, answered: limit.trips.len() as u64, cpu, trip: Trip::of(limit.trips) }
}

struct Limit<'a> {
    question: &'a Question,
    targets: u32,
    messages: Vec<Vec<u8>>,
    outgoing: MultiHeaders<SockaddrIn>,
    incoming: MultiHeaders<SockaddrIn>,
    datagrams: Box<[[u8; 512]; BURST]>,
    sent: u64,
    /// When the last burst to each target was handed to the kernel.
    handed: Vec<Duration>,
    /// From there to the kernel's stamp on the answer, as in earnest.
    trips: Vec<Duration>,
}

impl<'a> Limit<'a> {
    fn new(question: &'a Question, targets: u32) -> Self {
        setsockopt(&question.socket, sockopt::ReceiveTimestampns, &true).expect("the kernel stamps");
        setsockopt(&question.socket, sockopt::RcvBuf, &(8 << 20)).expect("the buffer can be set");
        Self {
            question,
            targets,
            messages: vec![question.message.clone(); BURST],
            outgoing: MultiHeaders::preallocate(BURST, None),
            incoming: MultiHeaders::preallocate(BURST, Some(cmsg_space!(TimeSpec))),
            datagrams: Box::new([[0; 512]; BURST]),
            sent: 0,
            handed: vec![Duration::ZERO; targets as usize],
            trips: Vec::new(),
        }
    }

    fn send(&mut self, count: usize) {
        let Question { socket, number_at, port, .. } = self.question;
        let now = unix_time();
        let mut addresses = [None; BURST];
        for ((to, message), number) in addresses.iter_mut().zip(&mut self.messages).zip(self.sent..).take(count) {
            let target = (number % u64::from(self.targets)) as u32;
            self.handed[target as usize] = now;
            let [a, b, c, d] = address(target).octets();
            *to = Some(SockaddrIn::new(a, b, c, d, *port));
            if let Some(at) = *number_at {
                message[at + 1..at + 4].copy_from_slice(&number.to_be_bytes()[5..]);
            }
        }
        let slices: [_; BURST] = core::array::from_fn(|place| [IoSlice::new(&self.messages[place])]);
        let nothing: [ControlMessage<'_>; 0] = [];
        let (slices, addresses) = (slices[..count].iter(), &addresses[..count]);
        let went = sendmmsg(socket.as_raw_fd(), &mut self.outgoing, slices, addresses, nothing, MsgFlags::empty());
        self.sent += went.expect("loopback takes it").count() as u64;
    }

    /// Takes in what is there, up to a burst; says whether there was something.
    fn receive(&mut self) -> bool {
        let mut slices = self.datagrams.each_mut().map(|datagram| [IoSliceMut::new(datagram)]);
        let fd = self.question.socket.as_raw_fd();
        let Ok(received) = recvmmsg(fd, &mut self.incoming, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None) else {
            return false;
        };
        for message in received.filter(|message| message.bytes == self.question.answer_len) {
            let from = message.address.map_or(0, |address| u32::from(address.ip()));
            let handed = self.handed.get(from.wrapping_sub(u32::from(address(0))) as usize);
            let header = message.cmsgs().ok().and_then(|mut headers| headers.next());
            let stamp = if let Some(ControlMessageOwned::ScmTimestampns(at)) = header {
                Some(Duration::from(at))
            } else {
                None
            };
            self.trips.extend(handed.zip(stamp).map(|(handed, stamp)| stamp.saturating_sub(*handed)));
        }
        true
    }
}
