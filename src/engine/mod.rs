//! The engines: each talks to one thing in the world.

pub mod mail_out;
pub mod resolver;
pub mod systemd;
