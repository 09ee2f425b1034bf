//! The least that a probe by ICMP can cost on this kernel: one thread that sends and receives in bursts, at a pace, and does nothing
//! else. No schedule, no token, no timeout.

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
use std::os::fd::AsRawFd as _;
use std::thread::sleep;

const BURST: usize = 16;
const TICK: Duration = Duration::from_millis(5);

/// Of `linux/icmp.h`.
const ICMP_FILTER: libc::c_int = 1;

#[derive(Clone, Copy)]
struct IcmpFilter;
setsockopt_impl!(IcmpFilter, libc::SOL_RAW, ICMP_FILTER, u32, SetStruct<'_, u32>);

/// Sends `rate` echoes a second, or as many as it can if that is 0, to `targets` addresses from 127.1.0.1 on; prints what that took.
#[expect(clippy::print_stdout, reason = "its caller reads that")]
pub(crate) fn run(rate: u64, targets: u32, lasting: Duration) {
    let icmp = socket(AddressFamily::Inet, SockType::Raw, SockFlag::SOCK_NONBLOCK, SockProtocol::Icmp)
        .expect("root may open a raw socket");
    setsockopt(&icmp, IcmpFilter, &!1).expect("the kernel filters by type");
    setsockopt(&icmp, sockopt::ReceiveTimestampns, &true).expect("the kernel stamps");
    setsockopt(&icmp, sockopt::RcvBuf, &(8 << 20)).expect("the buffer can be set");
    let fd = icmp.as_raw_fd();
    let mut outgoing = MultiHeaders::<SockaddrIn>::preallocate(BURST, None);
    let mut incoming = MultiHeaders::<SockaddrIn>::preallocate(BURST, Some(cmsg_space!(TimeSpec)));
    let mut datagrams = [[0; 128]; BURST];
    // Type 8, checksum 0xf7ff, and nothing but zeros.
    let mut echo = [0_u8; 24];
    (echo[0], echo[2], echo[3]) = (8, 0xf7, 0xff);
    let (mut sent, mut answered) = (0_u64, 0_u64);
    let mut receive = |answered: &mut u64| {
        let mut slices = datagrams.each_mut().map(|datagram| [IoSliceMut::new(datagram)]);
        match recvmmsg(fd, &mut incoming, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None) {
            Ok(received) => {
                *answered += received.map(|message| u64::from(message.bytes == 44)).sum::<u64>();
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
            for (address, number) in addresses.iter_mut().zip(sent..).take(count) {
                let to = u32::from(Ipv4Addr::new(127, 1, 0, 1)) + (number % u64::from(targets)) as u32;
                let [a, b, c, d] = to.to_be_bytes();
                *address = Some(SockaddrIn::new(a, b, c, d, 0));
            }
            let slices = [[IoSlice::new(&echo)]; BURST];
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
    println!("{sent} {answered} {}", took.as_micros());
}
