//! Every story in `tests/stories` holds.

use ntuwatch::story::{Print, Story, run};
use std::fs;

#[test]
fn every_story_holds() {
    let mut stories: Vec<_> = fs::read_dir("tests/stories").unwrap().map(|entry| entry.unwrap().path()).collect();
    stories.sort();
    assert!(!stories.is_empty());
    let mut failures = String::new();
    for path in stories {
        let story = match Story::parse(&fs::read_to_string(&path).unwrap()) {
            Ok(story) => story,
            Err(faults) => panic!("{}: {faults:?}", path.display()),
        };
        let mut out = Vec::new();
        let outcome = run(&story, Print::Words, &mut out).unwrap();
        for unmet in &outcome.unmet {
            failures += &format!("{}:{}: {}\n", path.display(), unmet.line, unmet.message);
        }
        if std::env::var_os("STORY").is_some() || !outcome.unmet.is_empty() {
            println!("{}\n{}", path.display(), String::from_utf8(out).unwrap());
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
