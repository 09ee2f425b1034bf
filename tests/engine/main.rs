//! The engines against real peers.

#[cfg(test)]
mod ber;
#[cfg(test)]
#[path = "../common/certificate.rs"]
mod certificate;
#[cfg(test)]
mod dovecot;
#[cfg(test)]
mod icmp;
#[cfg(test)]
mod mail_in;
#[cfg(test)]
mod mailbox;
#[cfg(test)]
mod odd_agents;
#[cfg(test)]
mod pinned;
#[cfg(test)]
mod postfix;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod snmp;
#[cfg(test)]
mod snmpd;
#[cfg(test)]
mod traps;
