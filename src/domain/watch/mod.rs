//! Detection: from probe results to verdicts.

mod device;
mod probe;

pub use device::{AuthProtocol, Circuit, Device, Pace, PrivProtocol, Role, Secret, Slot, SnmpAccess, SnmpVersion};
pub use probe::{Ask, Method, Outcome, Probe, ProbeResult, Round, SnmpSample};
