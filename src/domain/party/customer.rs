//! Customers: who buys the line.

use crate::domain::desk::Matrix;
use alloc::string::String;
use alloc::vec::Vec;

/// A company whose lines are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Stable key, unique among customers.
    pub id: String,
    /// As it is written in letters.
    pub name: String,
    /// Whom letters go to; each address gets its own.
    pub email: Vec<String>,
    /// Whom of our own staff their escalated cases are brought to, where it is not the same as everybody's (R39).
    pub escalation: Matrix,
}
