//! The people and companies that cases are about.

mod customer;

pub use customer::Customer;
