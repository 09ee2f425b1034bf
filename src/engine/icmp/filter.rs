//! What the kernel keeps from our raw sockets: they would see all ICMP of the host.

use super::echo::{self, ECHO_LEN};
use super::errors;
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

/// Lets nothing through to a raw socket but echo replies to identifiers of `ident`'s turns, and errors about echoes with them.
///
/// The filter on types is asked before a datagram is copied for the socket, so our own requests on their way to an address of this
/// host cost nothing; that on identifiers after it.
pub(super) fn only_what_is_to(socket: &Socket, version: Version, ident: u16) -> io::Result<()> {
    match version {
        Version::V4 => {
            let wanted = [echo::REPLY_V4, errors::UNREACHABLE_V4, errors::EXCEEDED_V4];
            setsockopt(socket, IcmpFilter, &wanted.iter().fold(u32::MAX, |unwanted, kind| unwanted & !(1 << kind)))?;
        }
        Version::V6 => {
            let mut unwanted = [u32::MAX; 8];
            for kind in [echo::REPLY_V6, errors::UNREACHABLE_V6, errors::EXCEEDED_V6] {
                unwanted[usize::from(kind / 32)] &= !(1 << (kind % 32));
            }
            setsockopt(socket, Icmpv6Filter, &unwanted)?;
        }
    }
    match version {
        Version::V4 => socket.attach_filter(&program_v4(ident)),
        Version::V6 => socket.attach_filter(&program_v6(ident)),
    }
}

/// Both jumps of a comparison, counted in instructions.
const NEXT: u8 = 0;
const BYTE: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_IND;
const WORD: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_IND;
const EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;

/// The message follows the IPv4 header, and the echo that an error is about follows another one. A read past the end lets
/// nothing through.
fn program_v4(ident: u16) -> [SockFilter; 16] {
    let header = errors::HEADER_LEN as u32;
    let [load, mask, compare, take, drop] = tail(ident);
    [
        // X = length of the IPv4 header
        plain(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0),
        plain(BYTE, 0),
        SockFilter::new(EQUAL as u16, 8, NEXT, echo::REPLY_V4.into()),
        // X += length of the quoted one, and of what precedes that
        plain(BYTE, header),
        plain(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, 0x0f),
        plain(libc::BPF_ALU | libc::BPF_LSH | libc::BPF_K, 2),
        plain(libc::BPF_ALU | libc::BPF_ADD | libc::BPF_X, 0),
        plain(libc::BPF_ALU | libc::BPF_ADD | libc::BPF_K, header),
        plain(libc::BPF_MISC | libc::BPF_TAX, 0),
        plain(BYTE, 0),
        SockFilter::new(EQUAL as u16, NEXT, 4, echo::REQUEST_V4.into()),
        load,
        mask,
        compare,
        take,
        drop,
    ]
}

/// The message comes without IPv6 header; that of the echo that an error is about has a fixed length.
fn program_v6(ident: u16) -> [SockFilter; 11] {
    let quoted = (errors::HEADER_LEN + errors::IPV6_HEADER) as u32;
    let [load, mask, compare, take, drop] = tail(ident);
    [
        plain(libc::BPF_LDX | libc::BPF_W | libc::BPF_IMM, 0),
        plain(BYTE, 0),
        SockFilter::new(EQUAL as u16, 3, NEXT, echo::REPLY_V6.into()),
        plain(libc::BPF_LDX | libc::BPF_W | libc::BPF_IMM, quoted),
        plain(BYTE, 0),
        SockFilter::new(EQUAL as u16, NEXT, 4, echo::REQUEST_V6.into()),
        load,
        mask,
        compare,
        take,
        drop,
    ]
}

/// Looks whether the echo that begins at X has one of our identifiers.
fn tail(ident: u16) -> [SockFilter; 5] {
    let of_any_turn = u32::from(!(u16::from(IDENTIFIERS) - 1));
    [
        plain(WORD, 4),
        plain(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, of_any_turn),
        SockFilter::new(EQUAL as u16, NEXT, 1, ident.into()),
        plain(libc::BPF_RET | libc::BPF_K, ECHO_LEN as u32 + DATAGRAM_LEN as u32),
        plain(libc::BPF_RET | libc::BPF_K, 0),
    ]
}

const fn plain(code: u32, operand: u32) -> SockFilter {
    SockFilter::new(code as u16, NEXT, NEXT, operand)
}
