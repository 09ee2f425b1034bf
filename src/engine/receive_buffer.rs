//! Room in the kernel for a burst of answers.

use nix::sys::socket::{setsockopt, sockopt::RcvBufForce};
use socket2::Socket;

/// What a socket asks for. The usual default of 208 KiB holds a few hundred answers and drops the rest of a burst.
const RECEIVE_BUFFER: usize = 8 << 20;

/// Makes the receive buffer of `socket` as large as we may: past `net.core.rmem_max` with `CAP_NET_ADMIN`, up to it without.
pub(super) fn enlarge(socket: &Socket) {
    if setsockopt(socket, RcvBufForce, &RECEIVE_BUFFER).is_err()
        && let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER)
    {
        tracing::warn!(%error, "the receive buffer of a probe socket keeps its default size");
    }
}
