//! A monitor that is cut off blames nobody else for it.

use crate::daemon::until;
use crate::net::{Net, V4, V6};
use crate::post::Letter;
use crate::world::{Setup, V2C, World, unit};
use serde_json::json;

const UNITS: [&str; 3] = ["dual", "snmp", "six"];

fn units() -> Vec<String> {
    vec![unit("dual", V4[0], V2C), unit("snmp", V4[1], &format!("icmp = false\n{V2C}")), unit("six", V6[0], "")]
}

#[test]
fn silent_sentinels_make_everything_inconclusive() {
    let setup = Setup { units: units(), ..Setup::default() };
    cut_off(&setup, Net::swallow, Net::pass, "sentinels_silent");
}

/// As long as it takes until the operations centre is told.
pub(crate) fn a_cut_of_a_minute_is_one_alarm() {
    let Some(mut world) = World::new(&Setup { units: units(), ..Setup::default() }) else { return };
    UNITS.iter().for_each(|id| world.wait_for_verdict(id, "UP"));
    world.net.swallow();
    let alarms = || world.json("/api/status").map(|status| status["alarms"].clone());
    let alarm = until("an alarm", || alarms()?.get(0).cloned());
    assert_eq!(alarm["kind"], "isolation", "{alarm:#}");
    let letters = || world.letters().iter().map(|letter| (kind(letter), letter.to().to_owned())).collect::<Vec<_>>();
    let noc = |kind: &str| (kind.to_owned(), "noc@example.net".to_owned());
    until("its letter", || (letters() == [noc("alarm.1")]).then_some(()));
    world.net.pass();
    UNITS.iter().for_each(|id| world.wait_for_verdict(id, "UP"));
    until("the all-clear", || (letters() == [noc("alarm.1"), noc("all_clear.1")]).then_some(()));
    assert_eq!(until("a status", alarms), json!([]));
    let [alarm, all_clear] = <[Letter; 2]>::try_from(world.letters()).unwrap();
    assert!(alarm.body.contains("No customer is told of this."), "{}", alarm.body);
    assert_eq!(all_clear.header("In-Reply-To"), alarm.id());
    world.wait_for_empty_outbox();
    assert!(UNITS.iter().all(|id| world.cases(id).is_empty()), "nobody is blamed");
    assert!(world.daemon.stop().0.success());
}

/// Kind and number of a letter about an alarm.
fn kind(letter: &Letter) -> String {
    let mark = letter.mark();
    let (about, kind) = mark.split_once('.').unwrap();
    assert!(about.starts_with("alarm=isolation="), "{mark}");
    kind.to_owned()
}

#[test]
fn a_machine_that_cannot_send_blames_nobody() {
    let setup = Setup { units: units(), sentinels: &[], ..Setup::default() };
    cut_off(&setup, Net::unplug, Net::plug, "sends_failing");
}

fn cut_off(setup: &Setup<'_>, cut: fn(&Net), mend: fn(&Net), why: &str) {
    let Some(mut world) = World::new(setup) else { return };
    UNITS.iter().for_each(|id| world.wait_for_verdict(id, "UP"));
    assert_eq!((world.health()["status"].as_str(), world.metric("ntuwatch_isolated")), (Some("ok"), 0.0));

    cut(&world.net);
    UNITS.iter().for_each(|id| world.wait_for_verdict(id, "INCONCLUSIVE"));
    // For longer than a loss would need to open a case.
    until("enough of it", || {
        let status = world.json("/api/status")?;
        let now: jiff::Timestamp = status["at"].as_str()?.parse().unwrap();
        let since: jiff::Timestamp = status["isolation"]["since"].as_str()?.parse().unwrap();
        (now.duration_since(since).as_secs() >= 10).then_some(())
    });
    for id in UNITS {
        let unit = world.json(&format!("/api/units/{id}")).unwrap();
        assert_eq!((unit["verdict"].as_str(), unit["reason"].as_str()), (Some("INCONCLUSIVE"), Some(why)), "{unit:#}");
    }
    assert!(UNITS.iter().all(|id| world.cases(id).is_empty()), "nobody is blamed");
    let to_customers = world.letters().into_iter().filter(|letter| letter.to() != "noc@example.net").count();
    assert_eq!(to_customers, 0, "nor told");
    assert_eq!(world.metric("ntuwatch_isolated"), 1.0);
    let health = world.health();
    assert_eq!(health["status"], "degraded");
    assert!(health["why"][0].as_str().unwrap().contains(why), "{health}");
    let shown = String::from_utf8(crate::daemon::cli(world.home(), &["status"]).stdout).unwrap();
    assert!(shown.contains("degraded") && shown.contains(why), "{shown}");

    mend(&world.net);
    UNITS.iter().for_each(|id| world.wait_for_verdict(id, "UP"));
    // units may answer up to a second before a sentinel is asked again
    until("the end of it", || (world.metric("ntuwatch_isolated") == 0.0).then_some(()));
    assert_eq!(world.health()["status"], "ok");
    // What is really lost afterwards is found.
    world.net.kill(&V4[..1]);
    world.wait_for_case("dual", 1, "New");
    assert!(world.cases("snmp").is_empty() && world.cases("six").is_empty());
    assert!(world.daemon.stop().0.success());
}
