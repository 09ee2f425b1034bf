//! The program on a real network: namespaces of the tests' own, real ICMP, Debian's snmpd and a real mail server.
//!
//! Needs root, and prints "skipped: " with the reason where it or a tool is missing.

#[cfg(test)]
mod agents;
#[cfg(test)]
mod at_length;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod cut_off;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod degraded;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod life;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod net;
#[cfg(test)]
mod post;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod shared;
#[cfg(test)]
mod signals;
#[cfg(test)]
mod slow_disk;
#[cfg(test)]
#[path = "../engine/snmpd.rs"]
mod snmpd;
#[cfg(test)]
mod systemd;
#[cfg(test)]
mod traps;
#[cfg(test)]
mod unreachable;
#[cfg(test)]
mod works;
#[cfg(test)]
mod world;
