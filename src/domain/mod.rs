//! The pure core: no IO, no clock, no randomness, no serialisation, no logging.

pub mod party;
pub mod plan;
pub mod time;
pub mod watch;
