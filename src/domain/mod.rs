//! The pure core: no IO, no clock, no randomness, no serialisation, no logging.
//!
//! Everything enters as an [`turn::Input`] to [`watch::Watch::step`] and leaves in a [`turn::Turn`].

pub mod desk;
pub mod fact;
pub mod letter;
pub mod mail;
pub mod maintenance;
pub mod notice;
pub mod outbox;
pub mod party;
pub mod plan;
pub mod preview;
pub mod rfo;
pub mod time;
pub mod turn;
pub mod view;
pub mod watch;
pub mod word;
