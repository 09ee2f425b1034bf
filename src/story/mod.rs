//! Stories: the real core on a described world, in simulated time.
//!
//! A story is what tests are written in, and how an operator asks "what would it do if". The language is described in
//! `docs/stories.md`.

mod dice;
mod disk;
mod draft;
mod grammar;
mod people;
mod post;
pub mod replay;
mod report;
mod run;
mod sim;
mod site;
#[cfg(test)]
mod tests;
pub mod weather;
mod words;

pub use grammar::{Action, Agent, Event, Expectation, Misspelt, Story, Subject};
pub use post::{About, Post};
pub use run::{Outcome, Print, Unmet, run};
pub use sim::{Fate, Monitor, Receiver, Sim, World};
pub use site::Line;
