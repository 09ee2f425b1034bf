//! An SNMP agent that does not know our credentials any more is a matter for whoever runs it; the line is well.

use crate::daemon::until;
use crate::net::{Net, Place, V4};
use crate::world::{Setup, World, unit};
use std::fs;
use std::process::{Child, Stdio};
use tempfile::TempDir;

const PORT: u16 = 1161;
const OURS: &str = "\
createUser watch SHA-256 authpass256 AES privpass256
rouser watch priv
rocommunity public
";
const OTHERS: &str = "\
createUser stranger SHA-256 authpass256 AES privpass256
rouser stranger priv
rocommunity secret
";
const RULES: &str = r#"
interval = "500ms"
snmp_interval = "500ms"
timeout = "300ms"
down_after = "4s"
solve_after = "3s"
"#;

/// A running snmpd of this test's own. Dropping it kills it.
struct Agent {
    process: Child,
    /// A new one each time: snmpd remembers its users.
    _folder: TempDir,
}

impl Agent {
    fn start(net: &Net, credentials: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("test.conf");
        fs::write(&config, format!("agentaddress udp:{PORT}\nengineID agents\n{credentials}")).unwrap();
        let mut command = net.command(Place::Units, "/usr/sbin/snmpd");
        command.args(["-f", "-C", "-Lf", "/dev/null", "-c"]).arg(config);
        command.env("SNMP_PERSISTENT_DIR", folder.path()).env("MIBS", "");
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { process, _folder: folder }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn wait_for(world: &World, unit: &str, state: &str) {
    let agent = || Some(world.json(&format!("/api/units/{unit}"))?["agent"].clone());
    until(&format!("the agent of {unit} {state}"), || agent().filter(|now| now == state));
}

#[test]
fn an_agent_that_refuses_us_is_no_lost_line() {
    let v2c = format!(r#"snmp = {{ version = "2c", community = "public", port = {PORT} }}"#);
    let v3 = format!(
        r#"snmp = {{ version = "3", user = "watch", auth = "sha256", auth_password = "authpass256", privacy = "aes128", privacy_password = "privpass256", port = {PORT} }}"#
    );
    let units = vec![unit("v2c", V4[0], &v2c), unit("v3", V4[1], &v3)];
    let Some(mut world) = World::new(&Setup { units, rules: RULES, ..Setup::default() }) else { return };
    let agent = Agent::start(&world.net, OURS);
    for id in ["v2c", "v3"] {
        wait_for(&world, id, "answers");
    }
    drop(agent);
    let agent = Agent::start(&world.net, OTHERS);
    // A community that is wrong is not answered at all; a user who is not known is told so.
    wait_for(&world, "v2c", "silent");
    wait_for(&world, "v3", "rejects");
    for id in ["v2c", "v3"] {
        assert_eq!(world.verdict(id), "UP", "{id} answers ICMP");
    }
    for (state, id) in [("silent", "v2c"), ("rejects", "v3")] {
        let ours = world.json(&format!("/api/units?agent={state}")).unwrap();
        assert_eq!((ours.as_array().unwrap().len(), ours[0]["id"].as_str()), (1, Some(id)), "{ours:#}");
        assert_eq!(world.metric(&format!("ntuwatch_agents{{state=\"{state}\"}}")), 1.0);
    }
    drop(agent);
    let _agent = Agent::start(&world.net, OURS);
    for id in ["v2c", "v3"] {
        wait_for(&world, id, "answers");
        let ledger = world.json(&format!("/api/units/{id}")).unwrap()["ledger"].to_string();
        assert!(!ledger.contains("LOSS") && !ledger.contains("DEGRADED"), "{ledger}");
        assert!(world.cases(id).is_empty(), "{id} was never lost");
    }
    assert!(world.letters().is_empty(), "nobody is told");
    assert!(world.daemon.stop().0.success());
}
