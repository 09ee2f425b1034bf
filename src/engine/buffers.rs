//! Room in the kernel for bursts, and what runs over.

use crate::domain::watch::{Method, Outcome};
use core::sync::atomic::{AtomicU32, Ordering};
use metrics::Counter;
use nix::sys::socket::sockopt::GetStruct;
use nix::sys::socket::{getsockopt, setsockopt, sockopt};
use nix::{getsockopt_impl, libc};
use socket2::Socket;
use std::os::fd::AsFd;

/// What a socket asks for in each direction. By default, 208 KiB, a burst of a few hundred answers overflows the one, and questions
/// to a few hundred dead neighbours, which wait for ARP, keep those to everybody else out of the other.
const BUFFER: usize = 8 << 20;

/// Datagrams read at once: more than two sockets hold, with [`BUFFER`] doubled by the kernel and 768 bytes for the shortest datagram,
/// so that no answer lies unread when its probe is given up. Bounded, so that a flood cannot stop the clock.
pub(super) const READS_AT_ONCE: usize = 1 << 16;

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

/// Leaves the least room that the kernel allows for what `socket` receives: one to three short datagrams.
#[cfg(test)]
pub(super) fn narrow(socket: &impl AsFd) {
    setsockopt(socket, sockopt::RcvBuf, &1).unwrap();
}

/// What became of a probe whose answer may have been among what the kernel dropped. That is our fault and not the device's.
pub(super) fn overflowed() -> Outcome {
    Outcome::NotSent { why: "our receive queue overflowed".to_owned() }
}

/// What the kernel had to drop because a socket's receive queue was full.
///
/// The kernel is asked for its count (`SO_MEMINFO`). The count that `SO_RXQ_OVFL` attaches to datagrams is as of the moment when
/// each was queued: of what is dropped after the last of a burst, it tells nothing until more comes, which may be too late. While
/// a raw socket's queue is full the kernel counts all ICMP of the host, filtered or not; a wrong checksum in UDP and ICMPv6 counts
/// at any time. So the count says whether answers may be missing, not how many.
pub(super) struct Overflows {
    counted: AtomicU32,
    total: Counter,
}

impl Overflows {
    /// Of a socket that was opened just now, for probes by `method`.
    pub(super) fn new(method: Method) -> Self {
        let total = metrics::counter!("ntuwatch_receive_overflows_total", "method" => method.name());
        Self { counted: AtomicU32::new(0), total }
    }

    /// Datagrams dropped since `socket` was opened; wraps. A probe is excused if this has changed since it was sent.
    pub(super) fn so_far(&self, socket: &impl AsFd) -> u32 {
        match getsockopt(socket, MemInfo) {
            Ok(info) => self.count(info[libc::SK_MEMINFO_DROPS as usize]),
            Err(error) => {
                tracing::debug!(%error, "the kernel does not tell what a receive queue dropped");
                self.counted.load(Ordering::Relaxed)
            }
        }
    }

    fn count(&self, so_far: u32) -> u32 {
        let before = self.counted.swap(so_far, Ordering::Relaxed);
        self.total.increment(so_far.wrapping_sub(before).into());
        so_far
    }
}

/// Numbers in a `SO_MEMINFO`; the kernel has as many since Linux 4.12, where it began, or more.
const MEM_INFO: usize = libc::SK_MEMINFO_DROPS as usize + 1;

/// The socket option that tells of a socket's memory.
#[derive(Clone, Copy)]
struct MemInfo;

getsockopt_impl!(MemInfo, libc::SOL_SOCKET, libc::SO_MEMINFO, [u32; MEM_INFO], GetStruct<[u32; MEM_INFO]>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_overflow_is_counted_once_across_the_wrap() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let overflows = metrics::with_local_recorder(&recorder, || Overflows::new(Method::Icmp));
        for so_far in [0, 3, 3, u32::MAX, 4] {
            assert_eq!(overflows.count(so_far), so_far);
        }
        let page = recorder.handle().render();
        let all = u64::from(u32::MAX) + 1 + 4;
        assert!(page.contains(&format!("ntuwatch_receive_overflows_total{{method=\"icmp\"}} {all}\n")), "{page}");
    }
}
