//! ntuwatch watches network termination units (NTUs) and turns lost contact into support cases.

extern crate alloc;

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod engine;
pub mod store;
pub mod story;
pub mod text;
pub mod web;
