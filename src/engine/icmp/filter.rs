//! What the kernel keeps from our raw sockets: they would see all ICMP of the host.

use super::echo::{self, ECHO_LEN};
use super::family::{DATAGRAM_LEN, Version};
use super::rotation::IDENTIFIERS;
use nix::libc;
use nix::setsockopt_impl;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::SetStruct;
use socket2::{SockFilter, Socket};
use std::io;

/// `ICMP_FILTER` of `linux/icmp.h`: a bit for each type of ICMP that is not wanted.
const ICMP_FILTER: libc::c_int = 1;
/// `ICMPV6_FILTER` of `linux/icmpv6.h`: the same for the 256 types of ICMPv6.
const ICMPV6_FILTER: libc::c_int = 1;

#[derive(Clone, Copy)]
struct IcmpFilter;
setsockopt_impl!(IcmpFilter, libc::SOL_RAW, ICMP_FILTER, u32, SetStruct<'_, u32>);

#[derive(Clone, Copy)]
struct Icmpv6Filter;
setsockopt_impl!(Icmpv6Filter, libc::SOL_ICMPV6, ICMPV6_FILTER, [u32; 8], SetStruct<'_, [u32; 8]>);

/// Lets nothing through to a raw socket but echo replies to identifiers of `ident`'s turns.
///
/// The filter on types is asked before a datagram is copied for the socket, so our own requests on their way to an address of this
/// host cost nothing; that on identifiers after it.
pub(super) fn only_replies_to(socket: &Socket, version: Version, ident: u16) -> io::Result<()> {
    match version {
        Version::V4 => setsockopt(socket, IcmpFilter, &!(1 << echo::REPLY_V4))?,
        Version::V6 => {
            let mut unwanted = [u32::MAX; 8];
            unwanted[usize::from(echo::REPLY_V6 / 32)] = !(1 << (echo::REPLY_V6 % 32));
            setsockopt(socket, Icmpv6Filter, &unwanted)?;
        }
    }
    socket.attach_filter(&program(version, ident))
}

fn program(version: Version, ident: u16) -> [SockFilter; 8] {
    /// Both jumps of a comparison, counted in instructions.
    const NEXT: u8 = 0;
    let (offset_in_header, reply_type) = match version {
        // X = length of the IPv4 header, which precedes the message
        Version::V4 => ((libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0), echo::REPLY_V4),
        Version::V6 => ((libc::BPF_LDX | libc::BPF_W | libc::BPF_IMM, 0), echo::REPLY_V6),
    };
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let of_any_turn = u32::from(!(u16::from(IDENTIFIERS) - 1));
    [
        instruction(offset_in_header.0, NEXT, NEXT, offset_in_header.1),
        instruction(libc::BPF_LD | libc::BPF_B | libc::BPF_IND, NEXT, NEXT, 0),
        instruction(equal, NEXT, 4, u32::from(reply_type)),
        instruction(libc::BPF_LD | libc::BPF_H | libc::BPF_IND, NEXT, NEXT, 4),
        instruction(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, NEXT, NEXT, of_any_turn),
        instruction(equal, NEXT, 1, u32::from(ident)),
        instruction(libc::BPF_RET | libc::BPF_K, NEXT, NEXT, ECHO_LEN as u32 + DATAGRAM_LEN as u32),
        instruction(libc::BPF_RET | libc::BPF_K, NEXT, NEXT, 0),
    ]
}

const fn instruction(code: u32, when_true: u8, when_false: u8, operand: u32) -> SockFilter {
    SockFilter::new(code as u16, when_true, when_false, operand)
}
