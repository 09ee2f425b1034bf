//! Stories: the real core on a described world, in simulated time.
//!
//! A story is what tests are written in, and how an operator asks "what would it do if". The language is described in
//! `docs/stories.md`.

mod dice;
mod grammar;
mod run;
mod sim;
#[cfg(test)]
mod tests;
pub mod weather;

pub use grammar::{Action, Event, Expectation, Misspelt, Story, Subject};
pub use run::{Outcome, Print, Unmet, run};
pub use sim::{Fate, Line, Monitor, Sim, World};
