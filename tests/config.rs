//! The configuration: what is shipped reads as it is, and every faulty input is named at its place.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use ntuwatch::config::{self, Config, FORMS, Faults, Route, Shifts, Tls};
use ntuwatch::domain::maintenance::Scope;
use ntuwatch::domain::notice::Way;
use ntuwatch::domain::party::{Channel, Grade, Parties};
use ntuwatch::domain::plan::Canary;
use ntuwatch::domain::watch::{
    AuthProtocol, GroupKind, Limits, MAX_MAINTENANCE, Permille, Place, PrivProtocol, Role, SnmpVersion,
};
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, proptest};
use proptest::sample::{Index, select};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const MAIL: &str = "[mail]\nfrom = \"noc@example.net\"\nnoc = [\"noc@example.net\"]\n";
const ACME: &str = "[[customer]]\nid = \"acme\"\nname = \"Acme\"\nemail = [\"it@acme.example\"]\n";
const UNIT: &str =
    "customer = \"acme\"\naddress = \"192.0.2.1\"\norder = \"SO-1\"\nservice = \"DIA\"\nregion = \"EMEA\"\n";

/// Writes files into a folder of their own and reads `main.toml`.
fn read(files: &[(&str, &[u8])]) -> (Result<Config, Faults>, TempDir) {
    let folder = TempDir::new().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    (config::read(&folder.path().join("main.toml"), Some(&folder.path().join("cred"))), folder)
}

fn good(files: &[(&str, &[u8])]) -> (Config, TempDir) {
    let (config, folder) = read(files);
    (config.unwrap_or_else(|faults| panic!("{faults}")), folder)
}

/// The faults as "file:line:column: message", file names without their folder.
fn faults(files: &[(&str, &[u8])]) -> Vec<String> {
    let (config, folder) = read(files);
    let prefix = format!("{}/", folder.path().display());
    match config {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.iter().map(|fault| fault.to_string().replace(&prefix, "")).collect(),
    }
}

/// Each fault begins with its place and holds the fragment after " … ".
fn expect(files: &[(&str, &[u8])], wanted: &[&str]) {
    let found = faults(files);
    let fits = |(found, wanted): (&String, &&str)| {
        let (place, fragment) = wanted.split_once(' ').unwrap();
        found.starts_with(&format!("{place}: ")) && found.contains(fragment)
    };
    let all = found.len() == wanted.len() && found.iter().zip(wanted).all(fits);
    assert!(all, "\nwanted {wanted:#?}\nfound {found:#?}\nin {}", String::from_utf8_lossy(files[0].1));
}

/// The faults of a main file that begins with `body` and is in order otherwise.
fn expect_main(body: &str, wanted: &[&str]) {
    let mail = if body.contains("[mail]") { "" } else { MAIL };
    expect(&[("main.toml", format!("{body}\n{mail}").as_bytes())], wanted);
}

/// The faults of a unit whose table begins on line 1 with `keys` and has all else that it needs but a ttr.
fn expect_unit(keys: &str, wanted: &[&str]) {
    expect_main(&format!("[[unit]]\n{keys}\n{UNIT}{ACME}"), wanted);
}

/// The faults of a CSV file.
fn expect_csv(csv: &str, wanted: &[&str]) {
    let main = format!("[inventory]\nfiles = [\"units.csv\"]\n{MAIL}{ACME}");
    expect(&[("main.toml", main.as_bytes()), ("units.csv", csv.as_bytes())], wanted);
}

#[test]
fn the_shipped_files_read_as_they_are() {
    let config = config::read(Path::new("config/ntuwatch.toml"), None).unwrap_or_else(|faults| panic!("{faults}"));
    let ids: Vec<&str> = config.plan.devices.iter().map(|device| device.id.as_str()).collect();
    assert_eq!(ids, ["acme-lon-1", "acme-lon-2", "acme-par-1", "acme-nyc-1", "pop-lon"]);
    assert_eq!(config.store, Path::new("config/./ntuwatch.db"));
    let losses: Vec<Option<Permille>> = config.plan.devices.iter().map(|device| device.rules.limits.loss).collect();
    assert_eq!(losses, [200, 100, 200, 100, 100].map(|permille| Some(Permille(permille))));
    let [work] = config.plan.maintenance.as_slice() else { panic!("one maintenance") };
    assert_eq!(work.until.since(work.from), Duration::from_hours(4));

    let config = config::read(Path::new("config/quickstart.toml"), None).unwrap_or_else(|faults| panic!("{faults}"));
    let [answers, lost] = config.plan.devices.as_slice() else { panic!("two units") };
    assert!(answers.rules.icmp && answers.rules.snmp.is_none());
    assert!(!lost.rules.icmp && lost.rules.snmp.as_ref().is_some_and(|snmp| snmp.port == 16161));
    assert_eq!(config.plan.stability.p1, Duration::from_mins(2));
}

#[test]
fn the_example_shows_every_key_and_every_default() {
    let files = ["config/ntuwatch.toml", "config/units.d/example.toml", "config/units.csv"];
    let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let (mut form, mut shown) = ("", Vec::new());
    for line in text.lines() {
        if let Some(known) = FORMS.iter().find(|known| known.name == line) {
            form = known.name;
        } else if line == "[unit.snmp]" {
            form = "snmp";
        }
        if let Some((key, _)) = line.trim_start_matches('#').split_once(" = ") {
            shown.push((form, key));
        }
        if let Some((_, nested)) = line.split_once("snmp = {") {
            shown.extend(
                nested.split([',', '{']).filter_map(|pair| pair.split_once('=')).map(|(key, _)| ("snmp", key.trim())),
            );
        }
    }
    for form in FORMS {
        for key in form.keys {
            assert!(shown.contains(&(form.name, key)), "{key} of {} is not in the example", form.name);
        }
    }
    // What the example sets is what an almost empty file means.
    let example = config::read(Path::new("config/ntuwatch.toml"), None).unwrap();
    let (bare, _folder) =
        good(&[("main.toml", format!("{MAIL}{ACME}[[unit]]\nid = \"u\"\nttr = \"4h\"\n{UNIT}").as_bytes())]);
    assert_eq!(bare.http.listen, example.http.listen);
    assert_eq!(bare.plan.stability, example.plan.stability);
    assert_eq!(bare.plan.devices[0].rules.pace, example.plan.devices[0].rules.pace);
    assert_eq!(
        (bare.plan.devices[0].rules.limits, example.plan.devices[1].rules.limits),
        (Limits::DEFAULT, Limits::DEFAULT)
    );
    assert_eq!((bare.heartbeat, example.heartbeat), (None, None));
    assert_eq!((bare.plan.canary, example.plan.canary), (None, None));
    assert_eq!((bare.traps, example.traps), (None, None));
    assert!(
        matches!((bare.mail.route, example.mail.route), (Route::Folder(a), Route::Folder(b)) if a.ends_with("mail") && b.ends_with("mail"))
    );
}

#[test]
fn everything_that_may_be_written_arrives() {
    let main = format!(
        "inventory.files = ['u.d/*.toml', 'u.csv', 'no/*.csv']\n[store]\npath = '/s.db'\n[http]\nlisten = 'off'\nsocket = 's'\n\
         token_file = '${{CREDENTIALS_DIRECTORY}}/token'\n[detection]\ninterval = '5s'\nsentinels = ['9.9.9.9', 'a.example']\n\
         [mail]\nfrom = 'NOC <n@example.net>'\nnoc = ['n@example.net']\nsmtp = 'smtps://mx.example'\nuser = 'u'\npassword_file = 'pw'\n\
         [heartbeat]\nurl = 'https://hc.example/KEY'\nevery = '30s'\n{ACME}"
    );
    let toml = format!(
        "[[node]]\nid = 'pop'\naddress = '::1'\n[[unit]]\nid = 'u1'\nttr = '4h'\nupstream = 'pop'\ntimeout = '2s'\n{UNIT}\
         [unit.snmp]\nversion = '3'\nuser = 'me'\nauth = 'sha512'\nauth_password = '12345678'\nprivacy = 'aes256'\nprivacy_password_file = 'pw'\n"
    );
    let csv = "\u{feff}id,customer,address,order,service,region,ttr,icmp,snmp_version,snmp_community,interval\r\n\
               u2,acme,192.0.2.2,SO-2,\"DIA, \"\"x\"\"\",EMEA,8h,false,2c,public,7s\r\n\
               u3 , acme,192.0.2.3,SO-3,DIA,EMEA,8h,,2c,public,\r\n";
    let (config, folder) = good(&[
        ("main.toml", main.as_bytes()),
        ("u.d/a.toml", toml.as_bytes()),
        ("u.d/.a.toml", b"unfinished"),
        ("u.csv", csv.as_bytes()),
        ("pw", b"  secret word\n"),
        ("cred/token", b"0123456789abcdef\n"),
    ]);
    assert_eq!((config.store.as_path(), config.http.listen), (Path::new("/s.db"), None));
    assert_eq!(config.http.socket, folder.path().join("s"));
    assert_eq!(config.http.token.as_ref().map(|t| t.expose()), Some("0123456789abcdef"));
    let beat = config.heartbeat.as_ref().map(|beat| (beat.url.expose(), beat.every));
    assert_eq!(beat, Some(("https://hc.example/KEY", Duration::from_secs(30))));
    assert!(!["secret word", "KEY"].iter().any(|secret| format!("{config:?}").contains(secret)));
    let Route::Smtp(smtp) = &config.mail.route else { panic!("a server") };
    assert_eq!((smtp.host.as_str(), smtp.port, smtp.tls), ("mx.example", 465, Tls::Wrapped));
    assert_eq!(
        smtp.credentials.as_ref().map(|(user, word)| (user.as_str(), word.expose())),
        Some(("u", "secret word"))
    );

    let devices = &config.plan.devices;
    let ids: Vec<&str> = devices.iter().map(|device| device.id.as_str()).collect();
    assert_eq!(ids, ["u1", "u2", "u3", "pop", "sentinel-9.9.9.9", "sentinel-a.example"]);
    let SnmpVersion::V3 { user, auth: Some(auth), privacy: Some(privacy) } =
        &devices[0].rules.snmp.as_ref().unwrap().version
    else {
        panic!("version 3")
    };
    assert_eq!((user.as_str(), auth.0, auth.1.expose()), ("me", AuthProtocol::Sha512, "12345678"));
    assert_eq!((privacy.0, privacy.1.expose()), (PrivProtocol::Aes256, "secret word"));
    assert_eq!(
        (devices[0].rules.pace.interval, devices[0].rules.pace.timeout),
        (Duration::from_secs(5), Duration::from_secs(2))
    );
    assert!(Arc::ptr_eq(devices[1].rules.snmp.as_ref().unwrap(), devices[2].rules.snmp.as_ref().unwrap()));
    assert!(!devices[1].rules.icmp && devices[2].rules.icmp);
    assert_eq!(devices[1].rules.pace.interval, Duration::from_secs(7));
    assert!(matches!(&devices[1].role, Role::Unit(circuit) if circuit.terms.service == "DIA, \"x\""));
    assert_eq!(devices[4].rules.pace.interval, Duration::from_secs(1));
    assert_eq!(devices[4].rules.pace.timeout, Duration::from_millis(900));
}

/// A main file with two units in one group, `u1` with a table of its own limits.
fn degraded(common: &str, own: &str) -> Config {
    let units = ["id = 'u1'\nttr = '4h'\npop = 'lon'", "id = 'u2'\nttr = '4h'\npop = 'lon'"];
    let [one, other] = units.map(|keys| format!("[[unit]]\n{keys}\n{UNIT}"));
    good(&[("main.toml", format!("{common}\n{MAIL}{ACME}{one}degraded = {{ {own} }}\n{other}").as_bytes())]).0
}

#[test]
fn limits_come_from_the_common_table_and_from_their_own() {
    let common = "[degraded]\nwindow = '5m'\ngood_windows = 100\nloss = '0.5%'\nrtt = 'off'\nrtt_factor = 'off'\nflaps = 32\n\
                  flap_window = '2h'\nreboots = 'off'\ninterface = false\nerrors = 'off'\nload = '100%'";
    let wanted = Limits {
        window: Duration::from_mins(5),
        good_windows: 100,
        loss: Some(Permille(5)),
        rtt: None,
        rtt_factor: None,
        flaps: Some((32, Duration::from_hours(2))),
        reboots: None,
        interface: false,
        errors: None,
        load: Some(Permille(1_000)),
    };
    let own = "rtt = '900ms', rtt_factor = 2, flaps = 2, reboots = 5, interface = true, load = 'off'";
    let config = degraded(common, own);
    assert_eq!(config.plan.devices[1].rules.limits, wanted);
    let hour = Duration::from_hours(1);
    assert_eq!(
        config.plan.devices[0].rules.limits,
        Limits {
            rtt: Some(Duration::from_millis(900)),
            rtt_factor: Some(2),
            flaps: Some((2, Duration::from_hours(2))),
            reboots: Some((5, hour)),
            interface: true,
            load: None,
            ..wanted
        }
    );
    let within = degraded("", "flap_window = '2h', reboots = 2, reboot_window = '30m'").plan.devices[0].rules.limits;
    assert_eq!((within.flaps, within.reboots), (Some((3, hour * 2)), Some((2, hour / 2))));
}

#[test]
fn what_is_alike_is_shared() {
    let head = "id,customer,address,upstream,order,service,region,ttr,degraded_loss,degraded_flaps,degraded_interface";
    let row = |id| format!("{id},acme,10.0.0.1,pop,S,D,E,4h,20%,off,false\n");
    let csv = format!("{head}\n{}{}", row("u3"), row("u4"));
    let main = format!("[inventory]\nfiles = ['u.csv']\n[[node]]\nid = 'pop'\naddress = '10.0.0.2'\n{MAIL}{ACME}");
    let (config, _folder) = good(&[("main.toml", main.as_bytes()), ("u.csv", csv.as_bytes())]);
    let [one, other, _pop] = config.plan.devices.as_slice() else { panic!("two units and a node") };
    assert!(Arc::ptr_eq(&one.rules, &other.rules));
    let limits = Limits { loss: Some(Permille(200)), flaps: None, interface: false, ..Limits::DEFAULT };
    assert_eq!(one.rules.limits, limits);
    assert!(Arc::ptr_eq(one.upstream.as_ref().unwrap(), other.upstream.as_ref().unwrap()));
    let [one, other] = [one, other].map(|unit| unit.circuit().unwrap());
    assert!(Arc::ptr_eq(&one.customer, &other.customer) && Arc::ptr_eq(&one.terms, &other.terms));
}

#[test]
fn no_device_keeps_more_rounds_than_it_may() {
    let main = format!(
        "[detection]\nhistory = '40h'\ngateway = ['g']\ncore = ['c']\nsentinels = ['f']\n{MAIL}{ACME}\
         [[unit]]\nid = 'u1'\nttr = '4h'\n{UNIT}[[unit]]\nid = 'u2'\nttr = '4h'\ninterval = '1m'\nhistory = '200h'\n{UNIT}"
    );
    let (config, _folder) = good(&[("main.toml", main.as_bytes())]);
    let histories = config.plan.devices.iter().map(|device| device.rules.pace.history.as_secs());
    assert!(histories.eq([40 * 3_600, 200 * 3_600, 16_384, 16_384, 16_384]));
    let roles = config.plan.devices.iter().skip(2).map(|device| device.role.clone());
    assert!(roles.eq(Place::ALL.map(Role::Sentinel)));
}

#[test]
fn circuits_and_maintenance_arrive() {
    let main = format!(
        "[inventory]\nfiles = ['m.toml', 'u.csv']\n[traps]\nlisten = '[::]:162'\n[canary]\nunit = 'u1'\nevery = '61m'\n\
         {MAIL}{ACME}[[maintenance]]\nid = 'M-1'\nscope = 'pop'\nfrom = 2027-03-01T22:00:00Z\nuntil = 2027-03-01 23:30:00+01:00\n"
    );
    let toml = "[[node]]\nid = 'pop'\naddress = '::1'\n[[maintenance]]\nid = 'M-2'\nscope = 'access=fibre'\n\
                from = '1970-01-01T00:00:00.5Z'\nuntil = '1970-01-08T00:00:00.5Z'\nemergency = true\nnote = 'Splices'\n";
    let csv = "id,customer,address,order,service,region,ttr,pop,access,rate\nu1,acme,10.0.0.1,SO-1,DIA,EMEA,4h,lon,fibre,2.5G\n";
    let (config, _folder) =
        good(&[("main.toml", main.as_bytes()), ("m.toml", toml.as_bytes()), ("u.csv", csv.as_bytes())]);
    assert_eq!(config.traps.map(|listen| listen.to_string()).as_deref(), Some("[::]:162"));
    assert_eq!(config.plan.canary, Some(Canary { unit: "u1".to_owned(), every: Duration::from_mins(61) }));
    let Role::Unit(circuit) = &config.plan.devices[0].role else { panic!("a unit") };
    assert_eq!((circuit.terms.pop.as_deref(), circuit.terms.access.as_deref()), (Some("lon"), Some("fibre")));
    assert_eq!((circuit.terms.rate, circuit.terms.supplier.as_deref()), (Some(2_500_000_000), None));
    let [device, group] = config.plan.maintenance.as_slice() else { panic!("two") };
    assert_eq!((device.id.as_str(), &device.scope), ("M-1", &Scope::Device("pop".to_owned())));
    assert_eq!((device.emergency, &device.note), (false, &None));
    assert_eq!(device.until.since(device.from), Duration::from_mins(30));
    assert_eq!(group.scope, Scope::Group(GroupKind::Access, "fibre".to_owned()));
    assert_eq!((group.from.as_millis(), group.until.as_millis()), (500, 500 + 7 * 24 * 3_600_000));
    assert_eq!((group.emergency, group.note.as_deref()), (true, Some("Splices")));
}

#[test]
fn taking_traps_elsewhere_needs_a_restart() {
    let (before, _folder) = good(&[("main.toml", MAIL.as_bytes())]);
    let traps = "0.0.0.0:162".parse().unwrap();
    assert!(Config { traps: Some(traps), ..before.clone() }.needs_restart_after(&before));
    assert!(!before.clone().needs_restart_after(&before));
}

#[test]
fn faults_of_limits() {
    for (body, wanted) in [
        ("[degraded]\nlos = 1", "main.toml:2:1 did you mean `loss`"),
        ("[degraded]\nloss = '10'", "main.toml:2:8 write a share from \"0.1%\" to \"100%\", or \"off\""),
        ("[degraded]\nerrors = '0.05%'", "main.toml:2:10 write a share"),
        ("[degraded]\nload = 90", "main.toml:2:8 TOML integer: it must be a string"),
        ("[degraded]\nrtt = 'slow'", "main.toml:2:7 or \"off\""),
        ("[degraded]\ngood_windows = 0", "main.toml:2:16 a whole number from 1 to 100"),
        (
            "[[node]]\nid = 'a'\naddress = '192.0.2.1'\nprobe_rate = 1",
            "main.toml:4:14 a whole number from 2 to 1000000",
        ),
        (
            "[[node]]\nid = 'a'\naddress = '192.0.2.1'\nprobe_rate = '9'",
            "main.toml:4:14 a whole number from 2 to 1000000",
        ),
        ("[degraded]\ngood_windows = 101", "main.toml:2:16 a whole number from 1 to 100"),
        ("[degraded]\nrtt_factor = 1", "main.toml:2:14 a whole number from 2 to 100 or \"off\""),
        ("[degraded]\nrtt_factor = 'on'", "main.toml:2:14 a whole number from 2 to 100 or \"off\""),
        ("[degraded]\nflaps = 1", "main.toml:2:9 from 2 to 32"),
        ("[degraded]\nreboots = 33", "main.toml:2:11 from 2 to 32"),
        ("[degraded]\nflaps = 'off'\nflap_window = '1h'", "main.toml:3:15 of no use while `flaps` is off"),
        ("[degraded]\nreboot_window = '1h'\nreboots = 'off'", "main.toml:2:17 of no use while `reboots` is off"),
        ("[degraded]\ninterface = 'off'", "main.toml:2:13 true or false"),
        ("[degraded]\nwindow = '9s'", "main.toml:2:10 must not be shorter than `interval` (10s)"),
        ("[degraded]\nwindow = '23h'\n[detection]\nhistory = '23h'", "main.toml:2:10 at most 8192 times `interval`"),
        ("[degraded]\nwindow = '4h'", "main.toml:2:10 `history` (10800s) must not be shorter than `window`"),
        ("[detection]\nhistory = '9m'", "main.toml:2:11 `history` (540s) must not be shorter than `window`"),
        ("[detection]\nhistory = '46h'", "main.toml:2:11 at most 16384 times `interval` (163840s)"),
        ("[detection]\ninterval = '70ms'\ntimeout = '50ms'", "main.toml:2:12 at most 8192 times `interval`"),
        ("[degraded]\nrtt = '1s'", "main.toml:2:7 must be shorter than `timeout` (1s)"),
        ("[detection]\ngateway = ['1.2.3']", "main.toml:2:12 neither an IP address nor a host name"),
        ("[detection]\ngateway = ['a']\ncore = ['a']", "main.toml:3:9 taken at main.toml:2"),
    ] {
        expect_main(body, &[wanted]);
    }
    for (keys, wanted) in [
        ("degraded = 'off'", "main.toml:4:12 one table"),
        ("degraded = { los = 1 }", "main.toml:4:14 did you mean `loss`"),
        ("degraded = { window = '5s' }", "main.toml:4:23 must not be shorter than `interval`"),
        ("degraded = { rtt = '2s' }", "main.toml:4:20 must be shorter than `timeout` (1s)"),
        (
            "interval = '11m'\ndown_after = '1h'",
            "main.toml:4:12 `window` (600s) must not be shorter than `interval` (660s)",
        ),
        ("history = '9m'", "main.toml:4:11 `history` (540s) must not be shorter than `window`"),
        ("rate = '100'", "main.toml:4:8 write bits a second"),
        ("rate = 100", "main.toml:4:8 must be a string"),
        ("pop = ''", "main.toml:4:7 is empty"),
    ] {
        expect_unit(&format!("id = 'a'\nttr = '4h'\n{keys}"), &[wanted]);
    }
    // What a device inherits is not complained of there.
    expect_unit("id = 'a'\nttr = '4h'\ninterval = '100ms'\ntimeout = '50ms'", &[]);
}

#[test]
fn faults_of_the_canary_and_the_traps() {
    for (body, wanted) in [
        ("[traps]\nlisten = ':162'", "main.toml:2:10 write an IP address and a port"),
        ("[traps]\nport = 162", "main.toml:2:1 unknown key"),
        ("[canary]\nevery = '1h'", "main.toml:2:9 without `unit`"),
        ("[canary]\nunit = 'a b'", "main.toml:2:8 letters, digits"),
        ("[canary]\nunit = 'c'", "main.toml:2:8 no unit has this id"),
        ("[canary]\nunit = 'sentinel-s'\n[detection]\nsentinels = ['s']", "main.toml:2:8 no unit has this id"),
        ("[canary]\nunit = 'n'\n[[node]]\nid = 'n'\naddress = '::1'", "main.toml:2:8 which is a node"),
        ("[canary]\nunit = 'n'\nevery = '59m'", "main.toml:3:9 at least 3600s"),
    ] {
        let more =
            if wanted.contains("3600s") { vec!["main.toml:2:8 no unit has this id", wanted] } else { vec![wanted] };
        expect_main(body, &more);
    }
    let canary = |every: &str| {
        format!(
            "[canary]\nunit = 'c'\nevery = '{every}'\n[[unit]]\nid = 'c'\nttr = '4h'\ndown_after = '1h'\n{UNIT}{ACME}"
        )
    };
    expect_main(
        &canary("2h10s"),
        &["main.toml:3:9 longer than twice `down_after` and an `interval` of unit `c` (7210s)"],
    );
    expect_main(&canary("2h11s"), &[]);
    // The unit may be in a file that cannot be read.
    expect_main("[canary]\nunit = 'c'\n[inventory]\nfiles = ['none.toml']", &["main.toml:4:10 No such file"]);
}

#[test]
fn faults_of_maintenance() {
    const FROM: &str = "from = 2027-03-01T22:00:00Z";
    const UNTIL: &str = "until = 2027-03-02T02:00:00Z";
    let unit = format!("\n[[unit]]\nid = 'u'\nttr = '4h'\nsupplier = 'telco-a'\n{UNIT}{ACME}");
    for (keys, wanted) in [
        (format!("id = 'm'\nscope = 'u'\n{FROM}"), "main.toml:1:1 `until` is missing"),
        (format!("id = 'm'\nscope = 'u'\n{UNTIL}"), "main.toml:1:1 `from` is missing"),
        (format!("scope = 'u'\n{FROM}\n{UNTIL}"), "main.toml:1:1 `id` is missing"),
        (format!("id = 'm'\n{FROM}\n{UNTIL}"), "main.toml:1:1 `scope` is missing"),
        (format!("id = 'm:1'\nscope = 'u'\n{FROM}\n{UNTIL}"), "main.toml:2:6 letters, digits"),
        (format!("id = 'm'\nscope = ''\n{FROM}\n{UNTIL}"), "main.toml:3:9 is empty"),
        (format!("id = 'm'\nscope = 'v'\n{FROM}\n{UNTIL}"), "main.toml:3:9 no [[node]] and no unit"),
        (format!("id = 'm'\nscope = 'site=x'\n{FROM}\n{UNTIL}"), "main.toml:3:9 \"site\" is no kind of group"),
        (format!("id = 'm'\nscope = 'supplier=telco-b'\n{FROM}\n{UNTIL}"), "main.toml:3:9 no unit has this supplier"),
        (format!("id = 'm'\nscope = 'u'\nfrom = 2027-03-01T22:00:00\n{UNTIL}"), "main.toml:4:8 no time with an offset"),
        (format!("id = 'm'\nscope = 'u'\nfrom = '2027-03-01 22:00'\n{UNTIL}"), "main.toml:4:8 no time with an offset"),
        (format!("id = 'm'\nscope = 'u'\nfrom = 5\n{UNTIL}"), "main.toml:4:8 a date and time with an offset"),
        (
            format!("id = 'm'\nscope = 'u'\n{FROM}\nuntil = 2027-03-01T23:00:00+01:00"),
            "main.toml:5:9 later than `from`",
        ),
        (format!("id = 'm'\nscope = 'u'\n{FROM}\nuntil = 2027-03-08T22:00:01Z"), "main.toml:5:9 more than 7 days"),
        (format!("id = 'm'\nscope = 'u'\nemergency = 1\n{FROM}\n{UNTIL}"), "main.toml:4:13 true or false"),
        (format!("id = 'm'\nscope = 'u'\nnote = ''\n{FROM}\n{UNTIL}"), "main.toml:4:8 is empty"),
        (
            format!("id = 'm'\nscope = 'u'\nend = 1\n{FROM}\n{UNTIL}"),
            "main.toml:4:1 unknown key \"end\" in [[maintenance]]",
        ),
    ] {
        expect_main(&format!("[[maintenance]]\n{keys}{unit}"), &[wanted]);
    }
    let good = format!("[[maintenance]]\nid = 'm'\nscope = 'supplier=telco-a'\n{FROM}\n{UNTIL}\n");
    expect_main(&format!("{good}{good}{unit}"), &["main.toml:7:6 maintenance id `m` is taken at main.toml:2"]);
    // What it is about may be in a file that cannot be read.
    let gap = format!("[inventory]\nfiles = ['none.csv']\n{}", good.replace("telco-a", "telco-b"));
    expect_main(&gap, &["main.toml:2:10 No such file"]);
}

#[test]
fn there_is_a_limit_to_maintenance() {
    let table = |number: usize| {
        let times = "from = 2027-03-01T22:00:00Z\nuntil = 2027-03-02T02:00:00Z";
        format!("[[maintenance]]\nid = 'm{number}'\nscope = 'n'\n{times}\n")
    };
    let most: String = (0..MAX_MAINTENANCE).map(table).collect();
    let node = "[[node]]\nid = 'n'\naddress = '::1'\n";
    expect_main(&format!("{most}{node}"), &[]);
    let place = format!("main.toml:{}:6 more than {MAX_MAINTENANCE}", MAX_MAINTENANCE * 5 + 2);
    expect_main(&format!("{most}{}{node}", table(MAX_MAINTENANCE)), &[&place]);
}

#[test]
fn faults_of_the_daemons_tables() {
    for (body, wanted) in [
        ("[store]\npth = 'x'", "main.toml:2:1 did you mean `path`"),
        ("[stor]", "main.toml:1:2 did you mean `store`"),
        ("[store]\npath = 3", "main.toml:2:8 is a TOML integer: it must be a string"),
        ("[[store]]\npath = 'x'", "main.toml:1:1 single brackets"),
        ("[customer]\nid = 'a'", "main.toml:1:1 write [[customer]]"),
        ("[http]\nlisten = 'localhost'", "main.toml:2:10 write an IP address and a port"),
        ("[http]\ntoken_file = 'none'", "main.toml:2:14 No such file"),
        ("[http]\ntoken_file = 'main.toml'", "main.toml:2:14 is no token"),
        ("[detection]\ninterval = 'ten'", "main.toml:2:12 is no duration"),
        ("[detection]\ninterval = 10", "main.toml:2:12 TOML integer"),
        ("[detection]\ninterval = '0s'", "main.toml:2:12 between"),
        ("[detection]\nsolve_after = '-5m'", "main.toml:2:15 between"),
        ("[detection]\ninterval = '1s'", "main.toml:2:12 `timeout` (1s) must be shorter than `interval` (1s)"),
        ("[detection]\ntimeout = '2m'\ninterval = '3m'", "main.toml:2:11 shorter than `snmp_interval`"),
        ("[detection]\ninterval = '11m'", "main.toml:2:12 must not be longer than `down_after`"),
        ("[detection]\nsentinels = ['ok', '1.2.3']", "main.toml:2:20 neither an IP address nor a host name"),
        ("[detection]\nsentinels = ['a', 'a']", "main.toml:2:19 taken at main.toml:2"),
        ("[detection]\nsentinels = 'a'", "main.toml:2:13 a list of strings"),
        ("[stability]\nä = 1\np1 = 'x'\n", "main.toml:2:1 TOML syntax"),
        ("stability = { p3 = '1h', p1 = 'é' }", "main.toml:1:15 did you mean `p1`"),
        ("[heartbeat]\nurl = 'hc.example/KEY'", "main.toml:2:7 does not begin with http:// or https://"),
        ("[heartbeat]\nurl = 'https://1.2.3.4.5/KEY'", "main.toml:2:7 is no URL"),
        ("[heartbeat]\nurl = 'https://hc.example/'\nevery = '999ms'", "main.toml:3:9 at least 1s"),
        ("[heartbeat]\nevery = '30s'", "main.toml:2:9 without `url`"),
        ("[heartbeat]\nurls = 'x'", "main.toml:2:1 did you mean `url`"),
        ("[inventory]\nfiles = ['none.toml']", "main.toml:2:10 No such file"),
        ("[inventory]\nfiles = ['x.ini']", "main.toml:2:10 neither a .toml nor a .csv"),
        ("[inventory]\nfiles = ['***/a.toml']", "main.toml:2:10 is no pattern"),
    ] {
        let mut wanted = vec![wanted];
        if body.contains("p3") {
            wanted.push("main.toml:1:31 is no duration");
        }
        expect_main(body, &wanted);
    }
}

#[test]
fn faults_of_the_mail_table() {
    let from = "[mail]\nfrom = 'noc@example.net'\nnoc = ['noc@example.net']\n";
    for (body, wanted) in [
        ("[mail]\nnoc = ['a@b.c']", "main.toml:1:1 `from` is missing"),
        ("[mail]\nfrom = 'a@b.c'", "main.toml:1:1 `noc` is missing"),
        ("[mail]\nfrom = 'a@b.c'\nnoc = []", "main.toml:3:7 `noc` is empty"),
        ("[mail]\nfrom = 'a@b.c'\nnoc = ['a@b.c', 'a@b.c']", "main.toml:3:17 the same twice"),
        ("[mail]\nfrom = 'a@b.c'\nnoc = ['a@b@c']", "main.toml:3:8 no e-mail address"),
        ("[mail]\nfrom = \"A\\nB <a@b.c>\"\nnoc = ['a@b.c']", "main.toml:2:8 control characters"),
        (&format!("{from}smtp = 'mx'"), "main.toml:4:8 is no URL"),
        (&format!("{from}smtp = 'smtp://mx'\nfolder = 'x'"), "main.toml:5:10 remove one"),
        (&format!("{from}smtp = 'smtp://mx'\nuser = 'x'"), "main.toml:5:8 without `password_file`"),
        (&format!("{from}smtp = 'smtp://mx'\nuser = 'x'\npassword_file = 'main.toml'"), "main.toml:4:8 in clear"),
    ] {
        expect_main(body, &[wanted]);
    }
    let local = format!("{from}smtp = 'smtp://localhost'\nuser = 'x'\npassword_file = 'main.toml'");
    expect_main(&local, &[]);
}

#[test]
fn faults_of_units() {
    for (keys, wanted) in [
        ("id = 'a'", "main.toml:1:1 ttr of order SO-1 is missing: the service order form states it"),
        ("id = 'a'\nttr = '0h'", "main.toml:3:7 between"),
        ("id = 'a b'\nttr = '4h'", "main.toml:2:6 letters, digits"),
        ("ttr = '4h'", "main.toml:1:1 `id` is missing"),
        ("id = 'a'\nttr = '4h'\nsuplier = 'x'", "main.toml:4:1 did you mean `supplier`"),
        ("id = 'a'\nttr = '4h'\nicmp = false", "main.toml:4:8 nothing would ask"),
        ("id = 'a'\nttr = '4h'\nicmp = 'no'", "main.toml:4:8 true or false"),
        ("id = 'a'\nttr = '4h'\ntimeout = '10s'", "main.toml:4:11 shorter than `interval`"),
        ("id = 'a'\nttr = '4h'\nupstream = 'b'", "main.toml:4:12 upstream `b` is unknown"),
        ("id = 'a'\nttr = '4h'\nupstream = 'a'", "main.toml:4:12 a -> a:"),
        ("id = 'a'\nttr = '4h'\nsnmp = 'x'", "main.toml:4:8 one table"),
        ("id = 'a'\nttr = '4h'\nsnmp = {}", "main.toml:4:8 `version` is missing"),
        ("id = 'a'\nttr = '4h'\nsnmp = { version = '2' }", "main.toml:4:20 one of 1, 2c, 3"),
        ("id = 'a'\nttr = '4h'\nsnmp = { version = '1' }", "main.toml:4:8 `community` is missing"),
        (
            "id = 'a'\nttr = '4h'\nsnmp = { version = '1', community = 'c', port = 65536 }",
            "main.toml:4:49 from 1 to 65535",
        ),
        (
            "id = 'a'\nttr = '4h'\nsnmp = { version = '1', community = 'c', user = 'x' }",
            "main.toml:4:49 belongs to version",
        ),
        ("id = 'a'\nttr = '4h'\nsnmp = { version = '3' }", "main.toml:4:8 `user` is missing"),
        (
            "id = 'a'\nttr = '4h'\nsnmp = { version = '3', user = 'x', auth = 'sha256' }",
            "main.toml:4:44 needs a pass phrase",
        ),
        (
            "id = 'a'\nttr = '4h'\nsnmp = { version = '3', user = 'x', auth = 'sha256', auth_password = '1234567' }",
            "main.toml:4:70 at least 8",
        ),
        (
            "id = 'a'\nttr = '4h'\nsnmp = { version = '3', user = 'x', auth_password = '12345678' }",
            "main.toml:4:53 without `auth`",
        ),
        (
            "id = 'a'\nttr = '4h'\nsnmp = { version = '3', user = 'x', privacy = 'aes128', privacy_password = '12345678' }",
            "main.toml:4:47 needs authentication",
        ),
    ] {
        expect_unit(keys, &[wanted]);
    }
    let bad_address = UNIT.replace("192.0.2.1", "300.1.1.1");
    expect_main(
        &format!("[[unit]]\nid = 'a'\nttr = '4h'\n{bad_address}{ACME}"),
        &["main.toml:5:11 neither an IP address"],
    );
    let unknown = "main.toml:4:12 customer `acme` is unknown: add a [[customer]]";
    expect_main(&format!("[[unit]]\nid = 'a'\nttr = '4h'\n{UNIT}"), &[unknown]);
    expect_main("[[customer]]\nid = 'a'\nname = 'A'", &["main.toml:1:1 `email` is missing"]);
}

#[test]
fn faults_of_rows() {
    const HEAD: &str = "id,customer,address,order,service,region,ttr";
    for (csv, wanted) in [
        (String::new(), "units.csv:1:1 no header row"),
        (format!("{HEAD},suplier\n"), "units.csv:1:46 did you mean `supplier`"),
        (format!("{HEAD},id\n"), "units.csv:1:46 there twice"),
        (format!("{HEAD}\na,acme,10.0.0.1,SO-1,DIA,EMEA\n"), "units.csv:2:1 row of 6 fields under a header of 7"),
        (
            format!("{HEAD}\r\n\r\n# note\r\na,acme,10.0.0.1,SO-1,DIA,EMEA,\r\n"),
            "units.csv:4:1 ttr of order SO-1 is missing",
        ),
        (format!("{HEAD}\r\n\"ä,\",acme,10.0.0.1,SO-1,DIA,EMEA,4h\r\n"), "units.csv:2:1 letters, digits"),
        (format!("{HEAD}\nä,acme,10.0.0.1,SO-1,DIA,EMEA,4h\n"), "units.csv:2:1 letters, digits"),
        (format!("{HEAD}\na,acme,10.0.0.1,SÖ,\"D, \"\"A\"\"\",EMEA,4x\n"), "units.csv:2:36 is no duration"),
        (
            format!("{HEAD}\na,acme,10.0.0.1,SO-1,\"D\",EMEA,4h\nb,acme,1.2.3,SO-1,\"D\",EMEA,4h\n"),
            "units.csv:3:8 neither an IP address",
        ),
        (
            format!("{HEAD},snmp_version\na,acme,10.0.0.1,SO-1,D,EMEA,4h,2c\n"),
            "units.csv:2:1 `snmp_community` is missing",
        ),
        (format!("{HEAD},snmp\n"), "units.csv:1:46 unknown column \"snmp\""),
        (format!("{HEAD},degraded\n"), "units.csv:1:46 unknown column \"degraded\""),
        (format!("{HEAD},degraded_los\n"), "units.csv:1:46 did you mean `degraded_loss`"),
        (format!("{HEAD},degraded_loss,degraded_loss\n"), "units.csv:1:60 there twice"),
        (
            format!("{HEAD},degraded_flaps\na,acme,10.0.0.1,SO-1,D,EMEA,4h,1\n"),
            "units.csv:2:32 `degraded_flaps` is 1: it must be a whole number from 2 to 32 or \"off\"",
        ),
        (
            format!("{HEAD},degraded_window\na,acme,10.0.0.1,SO-1,D,EMEA,4h,1s\n"),
            "units.csv:2:32 must not be shorter than `interval`",
        ),
        (format!("{HEAD},rate\na,acme,10.0.0.1,SO-1,D,EMEA,4h,1T\n"), "units.csv:2:32 write bits a second"),
        (format!("{HEAD},icmp\na,acme,10.0.0.1,SO-1,D,EMEA,4h,no\n"), "units.csv:2:32 true or false"),
        (format!("{HEAD}\na,acm,10.0.0.1,SO-1,D,EMEA,4h\n"), "units.csv:2:3 customer `acm` is unknown"),
    ] {
        expect_csv(&csv, &[wanted]);
    }
}

#[test]
fn faults_of_all_files_come_out_together_and_in_order() {
    // No fault: customer "nobody" (none.toml may hold it) and upstream "u9" (the malformed file has it).
    let main = format!(
        "[inventory]\nfiles = ['c.csv', '*.d/*.toml', 'none.toml']\n[detection]\ntimout = '1s'\ninterval = 5\n{MAIL}{ACME}"
    );
    let toml = format!(
        "[mail]\n[[node]]\nid = 'n1'\naddress = '::1'\nupstream = 'n2'\n[[node]]\nid = 'n2'\naddress = '::1'\nupstream = 'n1'\n[[unit]]\nid = 'n1'\nttr = '1h'\n{UNIT}"
    );
    let broken = format!("[[unit]]\nid = \nttr = 'x\n[[unit]]\nid = 'u9'\n{ACME}");
    let csv = "id,customer,address,order,service,region,ttr,upstream\nu1,nobody,10.0.0.1,SO-1,DIA,EMEA,4h,u9\nu1,acme,10.0.0.1,SO-1,DIA,EMEA,4h,\n";
    expect(
        &[
            ("main.toml", main.as_bytes()),
            ("b.d/b.toml", broken.as_bytes()),
            ("b.d/c.toml", toml.as_bytes()),
            ("b.d/d.toml", b"# \xff\n[[unit]]\n"),
            ("c.csv", csv.as_bytes()),
        ],
        &[
            "b.d/b.toml:2:6 TOML syntax",
            "b.d/b.toml:3:9 TOML syntax",
            "b.d/c.toml:1:2 does not belong in an inventory file",
            "b.d/c.toml:5:12 n1 -> n2 -> n1:",
            "b.d/c.toml:11:6 device id `n1` is taken at b.d/c.toml:3",
            "b.d/d.toml:1:3 not UTF-8",
            "c.csv:3:1 device id `u1` is taken at c.csv:2",
            "main.toml:2:33 No such file",
            "main.toml:4:1 did you mean `timeout`",
            "main.toml:5:12 a TOML integer",
        ],
    );
}

#[test]
fn a_missing_main_file_is_a_fault() {
    let faults = config::read(Path::new("/nowhere/x.toml"), None).unwrap_err();
    assert_eq!(faults.to_string(), "/nowhere/x.toml:1:1: cannot be read: No such file or directory (os error 2)");
    expect(
        &[("main.toml", b"[http]\ntoken_file = '${CREDENTIALS_DIRECTORY}/t'\n[mail]\nfrom = 'a@b.c'\nnoc = ['a@b.c']")],
        &["main.toml:2:14 cred/t, which cannot be read"],
    );
}

proptest! {
    /// Damage anywhere in any file is never worse than a list of faults, and each points into its file.
    #[test]
    fn damaged_files_give_faults_and_nothing_worse(
        file in 0_usize..3,
        damage in vec((any::<Index>(), 0_usize..8, vec(select(b"\"'[]{}=,#\n\r\\.\0\xffa1-@".as_slice()), 0..4)), 1..6),
    ) {
        let names = ["config/ntuwatch.toml", "config/units.d/example.toml", "config/units.csv"];
        let mut contents = names.map(|name| fs::read(name).unwrap());
        for (at, removed, added) in damage {
            let start = at.index(contents[file].len());
            let end = (start + removed).min(contents[file].len());
            contents[file].splice(start..end, added);
        }
        let [main, toml, csv] = &contents;
        let (config, folder) = read(&[("main.toml", main), ("units.d/x.toml", toml), ("units.csv", csv)]);
        for fault in config.err().map_or_else(Vec::new, |faults| faults.0) {
            let content = fs::read(&fault.file).unwrap();
            let lines = content.split(|&b| b == b'\n').count();
            prop_assert!(fault.file.starts_with(folder.path()) && (1..=lines).contains(&fault.line) && fault.column >= 1);
        }
    }
}

/// People with whom all that a test does not speak of is in order.
const PEOPLE: &str = "[[team]]\nid = 'noc'\ntier = 2\n[[team]]\nid = 'sales'\n[[staff]]\nid = 'ann'\nname = 'Ann'\nemail = 'ann@x.example'\n\
     team = 'noc'\nskills = ['bgp']\n[[contact]]\nid = 'joe'\ncustomer = 'acme'\nname = 'Joe'\nphone = '+44 1'\n[[contract]]\nid = 'C-1'\n\
     customer = 'acme'\nvalid_until = 2027-03-31\n[[supplier]]\nid = 'telco'\nname = 'Telco'\n[[centre]]\nid = 'lon'\n\
     time_zone = 'Europe/London'\nshifts = ['mon-sun 00:00-24:00']\n";

/// The faults of a main file that begins with `body` and has people, a customer and a unit.
fn expect_people(body: &str, wanted: &[&str]) {
    let wanted: Vec<String> = wanted.iter().map(|wanted| format!("main.toml:{wanted}")).collect();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    expect_main(&format!("{body}\n{PEOPLE}{ACME}[[unit]]\nid = \"u\"\nttr = \"4h\"\n{UNIT}"), &wanted);
}

#[test]
fn people_arrive_as_they_are_written() {
    let unit = format!("[[unit]]\nid = 'u'\nttr = '4h'\ncontract = 'C-1'\nlpoc = 'joe'\n{UNIT}");
    let rules = "[routing]\nsales = 'sales'\nescalate_after = '4h'\nescalation_team = 'noc'\ncontract_notice = 30\n\
         [[route]]\nname = 'down'\npriority = ['P1']\nfault = ['loss', 'flapping']\nlevel = 'L2'\nafter = '2h'\nteam = 'noc'\ntier = 2\n\
         skill = 'bgp'\nlanguage = 'es'\n";
    let csv = b"id,customer,address,order,ttr,contract,lpoc\nv,acme,192.0.2.9,SO-9,4h,,joe\n";
    let main = format!("inventory.files = ['u.csv']\n{rules}{PEOPLE}{MAIL}{ACME}languages = ['fr', 'en']\n{unit}");
    let (config, _folder) = good(&[("main.toml", main.as_bytes()), ("u.csv", csv)]);
    let parties = &config.plan.parties;
    let ann = &parties.staff["ann"];
    assert_eq!((ann.grade, ann.team.as_deref()), (Grade::T2, Some("noc")), "the tier is the team's");
    assert_eq!(parties.lpoc("u").map(|joe| (joe.name.as_str(), joe.prefers)), Some(("Joe", Channel::Phone)));
    assert_eq!(parties.lpoc("v").map(|joe| joe.id.as_str()), Some("joe"));
    assert_eq!(parties.sites["u"].contract.as_deref(), Some("C-1"));
    let contract = parties.contracts.values().next().unwrap();
    assert_eq!(contract.ends.as_millis(), 1_806_537_600_000, "2027-04-01T00:00:00Z");
    assert_eq!(contract.last_day, 20_908);
    let names: Vec<&str> = parties.routing.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["lapsed contract", "down"]);
    assert_eq!(parties.routing.rules[1].when.fault.len(), 2);
    assert_eq!(config.plan.customers[0].languages.len(), 2);
    assert!(Arc::ptr_eq(
        &config.plan.devices[0].circuit().unwrap().customer,
        &config.plan.devices[1].circuit().unwrap().customer
    ));
    let roster = config.shifts.roster(0, 86_400_000);
    assert_eq!(roster.len(), 1, "who has every shift takes over once: {roster:?}");
}

#[test]
fn nobody_named_is_nobody_there() {
    let (config, _folder) = good(&[("main.toml", format!("{MAIL}{ACME}").as_bytes())]);
    assert_eq!((&*config.plan.parties, config.shifts), (&Parties::default(), Shifts::default()));
}

#[test]
fn people_are_checked() {
    for (body, wanted) in [
        ("[[staff]]\nid = 'bob'\nname = 'Bob'\nemail = 'bob'", "4:9 `email` is \"bob\", which is no e-mail address"),
        (
            "[[staff]]\nid = 'bob'\nname = 'Bob'\nemail = 'b@x.example'\ntier = 4",
            "5:8 `tier` is 4: it must be a whole number from 1 to 3",
        ),
        (
            "[[staff]]\nid = 'bob'\nname = 'Bob'\nemail = 'b@x.example'\nteam = 'nok'",
            "5:8 `team` is `nok`, but no [[team]] has this id",
        ),
        (
            "[[staff]]\nid = 'bob'\nname = 'Bob'\nemail = 'b@x.example'\nmanager = 'max'",
            "5:11 `manager` is `max`, but no [[staff]] has this id",
        ),
        (
            "[[staff]]\nid = 'bob'\nname = 'Bob'\nemail = 'b@x.example'\nmanager = 'bob'",
            "5:11 `manager` of `bob` is the same person",
        ),
        (
            "[[staff]]\nid = 'bob'\nname = 'Bob'\nemail = 'b@x.example'\ncentre = 'nyc'",
            "5:10 `centre` is `nyc`, but no [[centre]] has this id",
        ),
        (
            "[[staff]]\nid = 'bob'\nname = 'Bob'\nemail = 'b@x.example'\nlanguages = ['en', 'gb']",
            "5:20 `languages` is \"gb\", which is no language",
        ),
        (
            "[[staff]]\nid = 'bob'\nname = 'Bob'\nemail = 'b@x.example'\nskill = 'bgp'",
            "5:1 unknown key \"skill\" in [[staff]] (did you mean `skills`?)",
        ),
    ] {
        expect_people(body, &[wanted]);
    }
}

#[test]
fn contacts_contracts_and_centres_are_checked() {
    for (body, wanted) in [
        ("[[contact]]\nid = 'jim'\ncustomer = 'acme'\nname = 'Jim'", "1:1 `email` and `phone` are both missing"),
        (
            "[[contact]]\nid = 'jim'\ncustomer = 'acme'\nname = 'Jim'\nphone = '1'\nprefers = 'email'",
            "6:11 `prefers` is \"email\", but there is no `email`",
        ),
        (
            "[[contact]]\nid = 'jim'\ncustomer = 'acme'\nname = 'Jim'\nphone = '1'\nrole = 'boss'",
            "6:8 `role` is \"boss\": write one of primary, technical, escalation",
        ),
        (
            "[[contact]]\nid = 'jim'\ncustomer = 'acne'\nname = 'Jim'\nphone = '1'",
            "3:12 `customer` is `acne`, but no [[customer]] has this id",
        ),
        (
            "[[contract]]\nid = 'C-2'\ncustomer = 'acme'\nvalid_until = '2027-02-30'",
            "4:15 `valid_until` is \"2027-02-30\", which is no day",
        ),
        (
            "[[contract]]\nid = 'C-2'\ncustomer = 'acme'\nvalid_until = 2027-03-31T00:00:00Z",
            "4:15 `valid_until` is \"2027-03-31T00:00:00Z\", which is no day",
        ),
        (
            "[[contract]]\nid = 'C-2'\ncustomer = 'acme'\nvalid_until = 2027",
            "4:15 `valid_until` is a TOML integer: it must be a date",
        ),
        ("[[contract]]\nid = 'C-2'\ncustomer = 'acme'", "1:1 `valid_until` is missing"),
        (
            "[[contract]]\nid = 'C-2'\ncustomer = 'acme'\nvalid_until = 2027-03-31\ntier = 'golden'",
            "5:8 `tier` is \"golden\" (did you mean `gold`?)",
        ),
        (
            "[[customer]]\nid = 'bolt'\nname = 'Bolt'\nemail = ['b@x.example']\ntier = 'gold'",
            "5:1 unknown key \"tier\" in [[customer]]",
        ),
        ("[[supplier]]\nid = 'telco'\nname = 'Another'", "25:6 supplier id `telco` is taken at"),
        (
            "[[centre]]\nid = 'nyc'\ntime_zone = 'America/New_Yrok'\nshifts = ['mon-sun 00:00-24:00']",
            "3:13 `time_zone` is \"America/New_Yrok\", which is no time zone",
        ),
        (
            "[[centre]]\nid = 'nyc'\ntime_zone = 'UTC'\nshifts = ['mon-sun 8-16']",
            "4:11 `shifts` is \"mon-sun 8-16\": write days and local times",
        ),
        ("[[centre]]\nid = 'nyc'\ntime_zone = 'UTC'\nshifts = []", "4:10 `shifts` is empty"),
        (
            "[[centre]]\nid = 'nyc'\ntime_zone = 'UTC'\nshifts = ['mon-sun 12:00-13:00']",
            "4:10 `shifts` do not meet: two shifts are on from Mon 12:00 to Mon 13:00 UTC",
        ),
    ] {
        expect_people(body, &[wanted]);
    }
}

#[test]
fn rules_are_checked() {
    for (body, wanted) in [
        ("[[route]]\nname = 'r'", "1:1 `team` and `tier` are both missing"),
        ("[[route]]\nteam = 'noc'", "1:1 `name` is missing"),
        ("[[route]]\nname = 'r'\nteam = 'nok'", "3:8 `team` is `nok`, but no [[team]] has this id"),
        ("[[route]]\nname = 'r'\nteam = 'noc'\npriority = ['P4']", "4:13 `priority` is \"P4\""),
        (
            "[[route]]\nname = 'r'\nteam = 'noc'\npriority = 'P1'",
            "4:12 `priority` is a TOML string: it must be a list of strings",
        ),
        ("[[route]]\nname = 'r'\nteam = 'noc'\ncustomer_tier = ['iron']", "4:18 `customer_tier` is \"iron\""),
        ("[[route]]\nname = 'r'\nteam = 'noc'\ncontract = ['expired']", "4:13 `contract` is \"expired\""),
        (
            "[[route]]\nname = 'r'\nteam = 'noc'\nfault = ['rain']",
            "4:10 `fault` is \"rain\", which is no kind of fault",
        ),
        ("[[route]]\nname = 'r'\nteam = 'noc'\nlevel = 'L4'", "4:9 `level` is \"L4\""),
        ("[[route]]\nname = 'r'\nteam = 'noc'\nafter = '2'", "4:9 `after` is \"2\", which is no duration"),
        (
            "[[route]]\nname = 'r'\nteam = 'noc'\nservice = ['DAI']",
            "4:12 `service` is \"DAI\", but no unit has this service",
        ),
        (
            "[[route]]\nname = 'r'\nteam = 'noc'\nregion = ['APAC']",
            "4:11 `region` is \"APAC\", but no unit has this region",
        ),
        (
            "[[route]]\nname = 'r'\nteam = 'noc'\nsupplier = ['telco', 'telka']",
            "4:22 `supplier` is \"telka\", but no unit has this supplier",
        ),
        (
            "[[route]]\nname = 'r'\nteam = 'noc'\nskill = 'mpls'",
            "4:9 `skill` is \"mpls\", but nobody of the staff has this skill",
        ),
        (
            "[[route]]\nname = 'r'\nteam = 'noc'\nlanguage = 'english'",
            "4:12 `language` is \"english\", which is no language",
        ),
        ("[[route]]\nname = 'r'\nteam = 'noc'\n[[route]]\nname = 'r'\ntier = 1", "5:8 route id `r` is taken at"),
        (
            "[routing]\nsecond_after = '2h'\nmanagement = ['m@x.example']",
            "2:16 `second_after` is of no use without `escalate_after`",
        ),
        ("[routing]\nescalation_team = 'noc'", "2:19 `escalation_team` is of no use without `escalate_after`"),
        ("[routing]\nescalate_after = '2h'", "2:18 `escalate_after` tells nobody"),
        ("[routing]\nsales = 'sale'", "2:9 `sales` is `sale`, but no [[team]] has this id"),
        ("[routing]\ncontract_notice = 0", "2:19 `contract_notice` is 0"),
        ("[routing]\nmanagement = ['nobody']", "2:15 `management` is \"nobody\", which is no e-mail address"),
    ] {
        expect_people(body, &[wanted]);
    }
    let rules = "[[route]]\nname = 'r'\nteam = 'noc'\n";
    let main = format!("inventory.files = ['inv.toml']\n{MAIL}{ACME}");
    let found = faults(&[("main.toml", main.as_bytes()), ("inv.toml", rules.as_bytes())]);
    assert!(found.len() == 1 && found[0].contains("`route` does not belong in an inventory file"), "{found:?}");
}

#[test]
fn what_an_order_names_is_of_its_customer() {
    let bolt = "[[customer]]\nid = 'bolt'\nname = 'Bolt'\nemail = ['b@x.example']\n";
    let unit = |keys: &str| {
        let circuit = UNIT.replace("acme", "bolt");
        format!("[[unit]]\nid = 'w'\nttr = '4h'\n{keys}\n{circuit}{bolt}")
    };
    for (keys, wanted) in [
        ("lpoc = 'joe'", "4:8 `lpoc` is `joe`, which is of customer `acme` and not of `bolt`"),
        ("contract = 'C-1'", "4:12 `contract` is `C-1`, which is of customer `acme` and not of `bolt`"),
        ("lpoc = 'jim'", "4:8 `lpoc` is `jim`, but no [[contact]] has this id"),
        ("contract = 'C-9'", "4:12 `contract` is `C-9`, but no [[contract]] has this id"),
    ] {
        expect_people(&unit(keys), &[wanted]);
    }
}

#[test]
fn messengers_and_who_hears_by_them() {
    let slack = "[[messenger]]\nname = \"chat\"\npreset = \"slack\"\nurl = \"https://chat.example.net/KEY\"\n";
    let (config, _folder) = good(&[
        (
            "main.toml",
            format!(
                "{MAIL}{ACME}{slack}[[messenger]]\nname = \"own\"\npreset = \"template\"\nurl = \"http://x/\"\n\
                 body_file = \"own.json\"\nsecret_file = \"secret\"\ntimeout = \"5s\"\n\
                 [[notify]]\nto = [\"NOC@example.net\"]\nby = [\"chat + own\", \"mail\"]\n\
                 [[team]]\nid = \"t\"\nnotify = [\"own\"]\n\
                 [[staff]]\nid = \"ann\"\nname = \"Ann\"\nemail = \"ann@example.net\"\nteam = \"t\"\n\
                 [[staff]]\nid = \"bob\"\nname = \"Bob\"\nemail = \"bob@example.net\"\nteam = \"t\"\nnotify = [\"mail\"]\n"
            )
            .as_bytes(),
        ),
        ("own.json", b"{\"t\": {{ text }}}"),
        ("secret", b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"),
    ]);
    let ways = &config.plan.parties.ways;
    let by = |name: &str| Way::Messenger(name.to_owned());
    assert_eq!(ways.of["noc@example.net"], [vec![by("chat"), by("own")], vec![Way::Mail]]);
    assert_eq!(ways.of["ann@example.net"], [vec![by("own")]]);
    assert_eq!(ways.of["bob@example.net"], [vec![Way::Mail]]);
    let [chat, own] = config.messengers.as_slice() else { panic!("two messengers") };
    assert_eq!((chat.timeout, own.timeout), (Duration::from_secs(10), Duration::from_secs(5)));
    assert!(own.signing.is_some() && chat.signing.is_none());
    assert!(!format!("{config:?}").contains("KEY"), "a URL is a secret");
}

#[test]
fn messengers_that_are_none_are_refused() {
    let messenger = |keys: &str| format!("[[messenger]]\nname = \"m\"\n{keys}");
    expect_main(
        &messenger("preset = \"template\"\nurl = \"http://x/\"\nbody = \"{ {{ txet }} }\""),
        &["main.toml:5:8 `body` holds a template, line 1: names \"txet\", which no notice has"],
    );
    expect_main(&messenger("preset = \"irc\"\nurl = \"http://x/\""), &["main.toml:3:10 `preset` is \"irc\""]);
    expect_main(&messenger("preset = \"slack\""), &["main.toml:1:1 `url` is missing"]);
    expect_main(&messenger("preset = \"pagerduty\""), &["main.toml:1:1 `routing_key_file` is missing"]);
    expect_main(
        "[[notify]]\nto = [\"noc@example.net\", \"cat@example.net\"]\nby = [\"chat\"]",
        &[
            "main.toml:2:26 `to` has cat@example.net, which is none of our own",
            "main.toml:3:7 \"chat\" is no [[messenger]]",
        ],
    );
}
