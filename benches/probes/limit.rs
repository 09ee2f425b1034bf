//! The least that a probe can cost on this kernel: one thread that sends and receives in bursts, at a pace, and does nothing else. No
//! schedule, no token, no timeout; an answer is a datagram of the right length.

use crate::agents::{self, PORT};
use crate::cpu;
use core::net::Ipv4Addr;
use core::time::Duration;
use nix::sys::socket::sockopt::SetStruct;
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, MultiHeaders, SockFlag, SockProtocol, SockType, SockaddrIn, recvmmsg,
    sendmmsg, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeSpec;
use nix::{cmsg_space, libc, setsockopt_impl};
use ntuwatch::clock::Stopwatch;
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

/// Asks `rate` times a second, or as often as it can if that is 0, at `targets` addresses from 127.1.0.1 on; prints what that took.
#[expect(clippy::print_stdout, reason = "its caller reads that")]
pub(crate) fn run(question: &Question, rate: u64, targets: u32, lasting: Duration) {
    let Question { socket, message, number_at, port, answer_len } = question;
    setsockopt(socket, sockopt::ReceiveTimestampns, &true).expect("the kernel stamps");
    setsockopt(socket, sockopt::RcvBuf, &(8 << 20)).expect("the buffer can be set");
    let fd = socket.as_raw_fd();
    let mut outgoing = MultiHeaders::<SockaddrIn>::preallocate(BURST, None);
    let mut incoming = MultiHeaders::<SockaddrIn>::preallocate(BURST, Some(cmsg_space!(TimeSpec)));
    let mut datagrams = [[0; 512]; BURST];
    let mut messages = vec![message.clone(); BURST];
    let (mut sent, mut answered) = (0_u64, 0_u64);
    let mut receive = |answered: &mut u64| {
        let mut slices = datagrams.each_mut().map(|datagram| [IoSliceMut::new(datagram)]);
        match recvmmsg(fd, &mut incoming, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None) {
            Ok(received) => {
                *answered += received.map(|message| u64::from(message.bytes == *answer_len)).sum::<u64>();
                true
            }
            Err(_) => false,
        }
    };
    let before = cpu::used();
    let clock = Stopwatch::start();
    while clock.elapsed() < lasting {
        let due = if rate == 0 { u64::MAX } else { clock.elapsed().as_micros() as u64 * rate / 1_000_000 };
        while sent < due && clock.elapsed() < lasting {
            let count = (due - sent).min(BURST as u64) as usize;
            let mut addresses = [None; BURST];
            for ((address, message), number) in addresses.iter_mut().zip(&mut messages).zip(sent..).take(count) {
                let to = u32::from(Ipv4Addr::new(127, 1, 0, 1)) + (number % u64::from(targets)) as u32;
                let [a, b, c, d] = to.to_be_bytes();
                *address = Some(SockaddrIn::new(a, b, c, d, *port));
                if let Some(at) = *number_at {
                    message[at + 1..at + 4].copy_from_slice(&number.to_be_bytes()[5..]);
                }
            }
            let slices: [_; BURST] = core::array::from_fn(|place| [IoSlice::new(&messages[place])]);
            let nothing: [ControlMessage<'_>; 0] = [];
            let (slices, addresses) = (slices[..count].iter(), &addresses[..count]);
            let went = sendmmsg(fd, &mut outgoing, slices, addresses, nothing, MsgFlags::empty());
            sent += went.expect("loopback takes it").count() as u64;
            receive(&mut answered);
        }
        while receive(&mut answered) {}
        if rate != 0 {
            sleep(TICK);
        }
    }
    let took = cpu::used() - before;
    // what is under way still
    sleep(20 * TICK);
    while receive(&mut answered) {}
    println!("{sent} {answered} {}", took.as_micros());
}
