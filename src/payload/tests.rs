//! Bodies of requests, as receivers see them.

use super::*;
use crate::domain::watch::Secret;
use insta::assert_snapshot;
use serde_json::Value;

fn notice(signal: Signal, kind: &str) -> Notice {
    let [notice, _] = Notice::samples();
    Notice { kind: kind.into(), signal: signal.name().into(), ..notice }
}

fn pretty(form: &Form, notice: &Notice) -> String {
    let body: Value = serde_json::from_str(&form.body(notice).unwrap()).unwrap();
    serde_json::to_string_pretty(&body).unwrap()
}

fn pager() -> Form {
    Form::PagerDuty { routing_key: Secret::new("R0UT1NG".into()) }
}

#[test]
fn chats_get_one_line_that_mentions_nobody() {
    let notice = notice(Signal::Begins, "opened");
    assert_snapshot!("slack", pretty(&Form::Slack, &notice));
    assert_snapshot!("teams", pretty(&Form::Teams, &notice));
}

#[test]
fn pagers_are_triggered_acknowledged_and_resolved_under_one_key() {
    let bodies = [(Signal::Begins, "opened"), (Signal::WorkedOn, "news"), (Signal::Over, "solved")]
        .map(|(signal, kind)| pretty(&pager(), &notice(signal, kind)));
    assert_snapshot!("pagerduty", bodies.join("\n"));
}

#[test]
fn a_summary_is_cut_where_pager_duty_would_refuse_it() {
    let long = Notice { text: "ü".repeat(MAX_SUMMARY + 1), ..notice(Signal::Begins, "opened") };
    let body: Value = serde_json::from_str(&pager().body(&long).unwrap()).unwrap();
    assert_eq!(body["payload"]["summary"].as_str().unwrap().chars().count(), MAX_SUMMARY);
}

#[test]
fn alerts_fire_and_are_resolved_under_the_same_labels() {
    let bodies = [(Signal::Begins, "opened"), (Signal::Over, "solved")]
        .map(|(signal, kind)| pretty(&Form::Alertmanager, &notice(signal, kind)));
    assert_snapshot!("alertmanager", bodies.join("\n"));
    let worse = Notice { priority: "P2".into(), ..notice(Signal::Begins, "opened") };
    assert!(!Alert::new(&worse).is_same(&Alert::new(&notice(Signal::Begins, "upgraded"))));
    assert!(Alert::new(&notice(Signal::Begins, "opened")).is_same(&Alert::new(&notice(Signal::Over, "solved"))));
}

#[test]
fn a_template_writes_json_whatever_it_is_given() {
    let template = "{\"line\": {{ text }},\n \"loud\": {% if priority == 'P1' %}true{% else %}false{% endif %},\n \
                    \"who\": {{ customer ~ '/' ~ unit }}}";
    let form = Form::Template(Template::new(template).unwrap());
    let [full, _] = Notice::samples();
    let body: Value = serde_json::from_str(&form.body(&full).unwrap()).unwrap();
    assert_eq!(body["line"], full.text.as_str());
    assert_eq!((&body["loud"], &body["who"]), (&Value::Bool(true), &Value::from("\"acme\"/acme-lon-1")));
}

#[test]
fn a_template_that_is_none_is_refused_with_its_line() {
    let flaw = |template: &str| Template::new(template).unwrap_err();
    let cases = [
        ("{\n\"a\": {{ txet }}}", 2, "names \"txet\""),
        ("{\"a\": 1,\n\n\"b\": {% if priority == 'P9' %}{{ never }}{% else %}1{% endif %}}", 3, "names \"never\""),
        ("{\"a\":\n{{ text }", 2, "syntax error"),
        ("{\"a\":\n\"{{ text }}\"}", 2, "brings its own quotes"),
        ("just words", 1, "makes no JSON"),
        ("{\"a\": {{ text | nofilter }}}", 1, "unknown filter"),
    ];
    for (template, line, what) in cases {
        let flaw = flaw(template);
        assert!(flaw.line == line && flaw.what.contains(what), "{template}: {flaw:?}");
    }
}

#[test]
fn a_notice_is_read_as_it_was_stored() {
    for notice in Notice::samples() {
        assert_eq!(Notice::from_json(&notice.to_json()), Ok(notice));
    }
    assert!(Notice::from_json("nothing").is_err());
}
