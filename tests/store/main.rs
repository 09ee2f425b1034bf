//! The store from outside: what goes in comes back, what must not happen is refused, and nothing is lost on the way.
#![expect(clippy::unwrap_used, reason = "a test may fail")]
#![expect(clippy::panic, reason = "a test may fail")]

mod any;
mod audit;
mod backup;
mod mails;
mod migration;
mod opening;
mod round_trip;
mod seal;
mod shared;
mod trouble;
mod works;
mod world;
