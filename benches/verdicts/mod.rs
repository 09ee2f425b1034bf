//! Small models of how other monitors judge a line, each by its public documentation and with settings that make them
//! alike: a ping now and then, an alarm after about ten minutes of silence, a letter at the alarm and one at its end. And
//! the real core beside them.

pub(crate) mod kuma;
pub(crate) mod nagios;
pub(crate) mod own;
pub(crate) mod prometheus;
pub(crate) mod score;
pub(crate) mod site;
pub(crate) mod zabbix;
