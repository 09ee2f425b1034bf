//! Room in the kernel for bursts.

use nix::sys::socket::{setsockopt, sockopt};
use socket2::Socket;

/// What a socket asks for in each direction. By default, 208 KiB, a burst of a few hundred answers overflows the one, and questions
/// to a few hundred dead neighbours, which wait for ARP, keep those to everybody else out of the other.
const BUFFER: usize = 8 << 20;

/// Makes the buffers of `socket` as large as we may: past `net.core.rmem_max` and `wmem_max` with `CAP_NET_ADMIN`, up to them
/// without.
pub(super) fn enlarge(socket: &Socket) {
    let received =
        setsockopt(socket, sockopt::RcvBufForce, &BUFFER).or_else(|_| setsockopt(socket, sockopt::RcvBuf, &BUFFER));
    let sent =
        setsockopt(socket, sockopt::SndBufForce, &BUFFER).or_else(|_| setsockopt(socket, sockopt::SndBuf, &BUFFER));
    if let Err(error) = received.and(sent) {
        tracing::warn!(%error, "a socket keeps the buffers of the system's default");
    }
}
