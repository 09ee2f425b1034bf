//! The engines: each talks to one thing in the world, and to nothing of ours but the domain.

mod buffers;
mod collector;
#[cfg(test)]
#[path = "../../tests/fuzz/mutator.rs"]
mod fuzz;
pub mod heartbeat;
pub mod icmp;
mod keys;
pub mod mail_in;
pub mod mail_out;
mod orders;
mod polling;
mod probing;
pub mod resolver;
pub mod snmp;
pub mod systemd;
pub mod tls;
pub mod traps;
pub mod webhook;

pub use probing::{Deliver, ProbeEngine, StartError};
