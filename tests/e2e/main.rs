//! The program on a real network: namespaces of the tests' own, real ICMP, Debian's snmpd and a real mail server.
//!
//! Needs root, and prints "skipped: " with the reason where it or a tool is missing.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[cfg(test)]
mod crashes;
#[cfg(test)]
mod cut_off;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod life;
#[cfg(test)]
mod net;
#[cfg(test)]
mod post;
#[cfg(test)]
mod signals;
#[cfg(test)]
#[path = "../engine/snmpd.rs"]
mod snmpd;
#[cfg(test)]
mod systemd;
#[cfg(test)]
mod world;
