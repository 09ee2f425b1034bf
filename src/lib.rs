//! ntuwatch watches network termination units (NTUs) and turns lost contact into support cases, promises and letters.
//!
//! # The circle
//!
//! ```text
//! sockets, SMTP, HTTP, signals, clock
//!     -> Input                      a closed enum; nothing else runs domain code
//!     -> Watch::step(input, turn)   pure: no IO, no clock, no randomness, cannot fail
//!     -> Store::commit              one SQLite transaction: state rows + journal + letters
//!     -> only then: answer callers, publish the board, send probes, hand over letters
//!     -> results come back as Input
//! ```
//!
//! # The laws
//!
//! 1. Nothing is visible before it is committed.
//! 2. A turn takes all inputs that are ready, up to a bound, in one transaction.
//! 3. If a commit fails, the turn is kept and tried again; no new turn starts; the operator is told.
//! 4. What was not seen is UNOBSERVED, never guessed.
//! 5. A letter exists once, whatever crashes; its Message-ID derives from what it is.
//! 6. The journal is for people; start-up reads state rows. A case is the sum of its own facts.
//! 7. Time is an argument. One module reads clocks; no deadline runs on the wall clock.
//! 8. Every queue, batch, body, list and retry has a named limit.
//!
//! # Reading order
//!
//! [`domain::time`], [`domain::watch`] (detection), [`domain::desk`] (cases), [`domain::letter`], [`domain::turn`];
//! then [`app`] for the loop, [`store`] for the disk, [`engine`] for the world, [`web`] and [`cli`] for people. To see
//! it all move, read [`story`] and run one.
//!
//! `docs/architecture.md` says the same at more length, and what is deliberately absent.

extern crate alloc;

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod engine;
pub mod payload;
pub mod store;
pub mod story;
pub mod text;
pub mod web;
