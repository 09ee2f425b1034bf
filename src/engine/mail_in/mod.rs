//! Mail in: the way of a message from an IMAP mailbox, or from bytes, into the house.
//!
//! [`read`] is pure: it tells what a message says and believes none of it. [`imap`] fetches messages and hands on their bytes; it
//! reads none of them.

mod authentic;
mod auto;
mod base64;
mod flowed;
#[cfg(test)]
mod fuzz_tests;
mod head;
mod html;
pub mod imap;
mod part;
mod quote;
mod quoted;
mod reader;
mod report;

pub use reader::{Us, read};
