//! The page for customers: who sees it, what it records, and what it gives away.

use crate::cases::{at, opening};
use crate::harness::{DROPPED, NOW, World, stamp, unit};
use ntuwatch::domain::desk::{Case, MAX_COMMENT, OpenSurvey, Reference, Score, SurveyChange};
use ntuwatch::domain::turn::Turn;
use ntuwatch::domain::watch::Verdict;
use ntuwatch::web::MAX_FORM;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Cases with a survey: that can be answered, whose answer somebody else is about to give, that was answered, that is over.
const OPEN: u64 = 1;
const USED: u64 = 4;
const OVER: u64 = 5;

fn world() -> World {
    let world = World::new(None);
    let mut turn = Turn::new(at(80_000));
    for (number, until) in [(OPEN, 600), (DROPPED, 600), (USED, 600), (OVER, 0)] {
        turn.cases.push(Arc::new(Case::open(Arc::new(opening(number, &format!("acme-{number}"), 0, None)), at(100))));
        let until = NOW + Duration::from_secs(until);
        let survey = OpenSurvey { case: Reference::from_number(number), customer: "acme".into(), until };
        turn.surveys.push(SurveyChange::Sent(survey, 1));
    }
    let (case, score) = (Reference::from_number(USED), Score::new(4).unwrap());
    turn.surveys.push(SurveyChange::Answered { case, score, comment: None });
    world.store(&turn, &[]);
    world
}

fn path(number: u64) -> String {
    format!("/survey/{}", stamp().survey_token(Reference::from_number(number)))
}

#[test]
fn the_page_is_for_whoever_has_the_link_and_looking_records_nothing() {
    let world = world();
    for _ in 0..2 {
        let page = world.get_tcp(&path(OPEN));
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.head.contains("content-type: text/html"), "{}", page.head);
        assert!(page.head.contains("default-src 'none'; style-src 'self'; form-action 'self'"), "{}", page.head);
        assert!(page.head.contains("referrer-policy: no-referrer"), "{}", page.head);
        assert!(page.body.contains("<form method=\"post\">") && !page.body.contains("<script"), "{}", page.body);
        assert!(page.body.contains(&Reference::from_number(OPEN).to_string()), "{}", page.body);
        assert!(!page.body.contains("acme"), "nothing of the case but its number: {}", page.body);
    }
    assert!(world.asked.lock().unwrap().is_empty());
    let style = world.get_tcp("/survey/style.css");
    assert_eq!((style.status, style.head.contains("content-type: text/css")), (200, true), "{style:?}");
}

#[test]
fn an_answer_needs_no_token_of_the_interface() {
    let world = world();
    let thanks = world.post_tcp(&path(OPEN), "", "score=4&comment=quick%0D%0Abut+late");
    assert_eq!((thanks.status, thanks.body.contains("Thank you")), (200, true), "{thanks:?}");
    let asked = world.last_asked();
    assert!(asked.starts_with("customer: Answer {") && asked.contains("Score(4)"), "{asked}");
    assert!(asked.contains(r#"Some("quick\nbut late")"#), "{asked}");
}

#[test]
fn a_form_without_a_score_is_shown_again_with_what_was_written() {
    let world = world();
    for (form, status) in [("comment=%3Cb%3Eso", 400), ("score=9&comment=%3Cb%3Eso", 400)] {
        let again = world.post(&path(OPEN), form);
        assert_eq!(again.status, status, "{again:?}");
        assert!(
            again.body.contains("Please choose") && again.body.contains("&lt;b&gt;so</textarea>"),
            "{}",
            again.body
        );
    }
    let comment = |length: usize| format!("score=1&comment={}", "x".repeat(length));
    assert_eq!(world.post(&path(OPEN), &comment(MAX_COMMENT + 1)).status, 400);
    assert_eq!(world.post(&path(OPEN), &"x".repeat(MAX_FORM + 1)).status, 413);
    assert!(world.asked.lock().unwrap().is_empty());
    assert_eq!(world.post(&path(OPEN), &comment(MAX_COMMENT)).status, 200);
}

#[test]
fn every_link_that_leads_nowhere_leads_to_the_same_page() {
    let world = world();
    let good = path(OPEN);
    let nobodys = good.replace(&Reference::from_number(OPEN).to_string(), &Reference::from_number(OVER).to_string());
    let cut = good[..good.len() - 1].to_owned();
    let links = [path(USED), path(OVER), path(99), nobodys, cut, "/survey/x".into(), "/survey/%ff".into()];
    let pages: Vec<_> = links
        .iter()
        .flat_map(|link| [world.get_tcp(link), world.post_tcp(link, "", "score=5")])
        .chain([world.post_tcp(&path(DROPPED), "", "score=5")])
        .map(|page| (page.status, page.body))
        .collect();
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
    assert_eq!((pages[0].0, pages[0].1.contains("NTU-")), (404, false));
    assert_eq!(world.asked.lock().unwrap().len(), 1, "only the one that was open a moment ago");
}

/// R63, R106.
#[test]
fn scores_are_told_with_how_many_they_are_of() {
    let world = world();
    world.board.replace(vec![Some(unit("acme-1", "acme", Verdict::Up))]);
    let report = world.get("/api/reports/surveys?ago_s=86400").json();
    assert_eq!(
        (&report["rows"][0]["rate"], &report["rows"][0]["score"]),
        (&json!("25% (1 of 4)"), &json!("4.0 (1 of 4)"))
    );
    assert_eq!((&report["total"]["score"], &report["total"]["answered"]), (&json!("4.0 (1 of 4)"), &json!(1)));
    let csv = world.cli(&["report", "surveys", "--since", "1d", "--format", "csv"]);
    let csv = String::from_utf8(csv.stdout).unwrap();
    assert!(csv.contains("acme,1,4,25% (1 of 4),4.0 (1 of 4),4,"), "{csv}");
    let table = world.cli(&["report", "surveys", "--since", "1d"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("1 of 4") && table.contains("4.0 (1 of 4)"), "{table}");
}
