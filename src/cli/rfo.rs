//! `ntuwatch rfo verify`: whether a reason for outage is the one that was issued, and the journal it stands on as it was
//! written. Reads the store itself: who verifies does not ask the daemon.

use super::backup::{open_exit, store};
use super::print::Page;
use super::{Common, Exit, Failure};
use crate::domain::desk::Reference;
use crate::store::{Hash, Inspection, IssuedRfo, ReadError, Reader};
use clap::Subcommand;
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// The longest file that is taken for a document, in bytes.
const MAX_DOCUMENT: u64 = 16 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Check that a reason for outage is as it was issued, and that the journal it stands on is as it was written
    Verify {
        /// A document in its JSON form, or the reference of a case
        what: String,
    },
}

pub(super) fn perform(verb: &Verb, common: &Common, page: &mut Page) -> Result<(), Failure> {
    let Verb::Verify { what } = verb;
    let reader = Reader::open(&store(common)?).map_err(|error| Failure::new(open_exit(&error), error.to_string()))?;
    let (shown, issued) = claimed(what, &reader)?;
    let faults = faults(&shown, &issued, &reader).map_err(unreadable)?;
    let journal = reader.inspect_journal().map_err(unreadable)?;
    report(page, &issued, &faults, &journal)
}

fn unreadable(error: ReadError) -> Failure {
    Failure::new(Exit::NoInput, error.to_string())
}

/// The bytes that are to be verified, and the document that they claim to be.
fn claimed(what: &str, reader: &Reader) -> Result<(Vec<u8>, IssuedRfo), Failure> {
    let none = |reference: Reference| {
        Failure::new(Exit::Data, format!("no such reason for outage of case {reference} was ever issued"))
    };
    if let Some(reference) = Reference::parse(what).ok().filter(|_| !Path::new(what).exists()) {
        let issued = reader.rfo(reference).map_err(unreadable)?.ok_or_else(|| none(reference))?;
        return Ok((issued.json.clone().into_bytes(), issued));
    }
    let bytes = read(Path::new(what))?;
    let strange = |why: &str| Failure::new(Exit::Data, format!("{what} is no reason for outage of ours: {why}"));
    let document: Value = serde_json::from_slice(&bytes).map_err(|error| strange(&error.to_string()))?;
    // A document that answers a request is recorded there.
    let named = document.get("request").or_else(|| document.get("reference"));
    let reference = named.and_then(Value::as_str).and_then(|text| Reference::parse(text).ok());
    let reference = reference.ok_or_else(|| strange("it names no case"))?;
    let number = document.get("number").and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let number = number.ok_or_else(|| strange("it is a draft, of which nothing is recorded"))?;
    let issued = reader.one_rfo(reference, number).map_err(unreadable)?.ok_or_else(|| none(reference))?;
    Ok((bytes, issued))
}

/// What a file holds; whatever printed it may have ended it with a line break.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let fail = |why: String| Failure::new(Exit::NoInput, format!("cannot read {}: {why}", file.display()));
    let size = fs::metadata(file).map_err(|error| fail(error.to_string()))?.len();
    if size > MAX_DOCUMENT {
        return Err(fail(format!("it has {size} bytes, but no document has more than {MAX_DOCUMENT}")));
    }
    let mut bytes = fs::read(file).map_err(|error| fail(error.to_string()))?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}

/// What of the document does not fit.
fn faults(shown: &[u8], issued: &IssuedRfo, reader: &Reader) -> Result<Vec<String>, ReadError> {
    let mut faults = Vec::new();
    let stored = issued.json.as_bytes();
    if let Some(byte) = first_difference(shown, stored) {
        faults.push(format!("byte {byte} of the document is not as it was issued"));
    }
    let hash = Hash::of(stored);
    if hash != issued.sha256 {
        faults.push(format!("the store's copy has the SHA-256 {hash}, but was kept as {}", issued.sha256));
    }
    match reader.rfo_fact(issued.reference, issued.number)? {
        None => faults.push("the journal knows of no such document".to_owned()),
        Some((_, fact)) if fact == hash.to_string() => {}
        Some((seq, fact)) => {
            faults.push(format!("row {seq} of the journal has the SHA-256 {fact}, but the store's copy {hash}"));
        }
    }
    let document: Value = serde_json::from_slice(shown).unwrap_or_default();
    let named = document.get("journal").and_then(|journal| journal.get("seal")).and_then(Value::as_str);
    let seal = reader.seal(issued.seal)?.map(|seal| seal.hash.to_string());
    if seal.is_none() || seal.as_deref() != named {
        faults.push(format!("the journal has no seal {} at row {}", named.unwrap_or("-"), issued.seal));
    }
    Ok(faults)
}

/// The first byte, from 0, in which two texts differ.
fn first_difference(one: &[u8], other: &[u8]) -> Option<usize> {
    let differ = one.iter().zip(other).position(|(one, other)| one != other);
    differ.or_else(|| (one.len() != other.len()).then(|| one.len().min(other.len())))
}

fn report(page: &mut Page, issued: &IssuedRfo, faults: &[String], journal: &Inspection) -> Result<(), Failure> {
    let tampered = journal.tampered.as_ref().map(ToString::to_string);
    let (reference, number) = (issued.reference, issued.number);
    if page.json {
        let found = json!({
            "reference": reference.to_string(), "number": number, "sha256": issued.sha256.to_string(),
            "faults": faults, "journal": { "sealed": journal.sealed, "unsealed": journal.unsealed,
            "seals": journal.seals, "fault": tampered },
        });
        page.raw(found.to_string().as_bytes())?;
    } else if faults.is_empty() {
        page.line(&format!("{reference}: reason for outage {number} is as it was issued, SHA-256 {}", issued.sha256))?;
    }
    if !page.json && tampered.is_none() {
        page.line(&format!(
            "the journal is as it was written: {} rows under {} seals, {} rows from before the first one",
            journal.sealed, journal.seals, journal.unsealed
        ))?;
    }
    let all: Vec<String> = faults.iter().cloned().chain(tampered).collect();
    if all.is_empty() {
        return Ok(());
    }
    page.flush()?;
    Err(Failure::new(Exit::Unmet, format!("{reference}: reason for outage {number}: {}", all.join("; "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_differs_is_named() {
        let first = |one: &str, other: &str| first_difference(one.as_bytes(), other.as_bytes());
        assert_eq!(first("abc", "abc"), None);
        assert_eq!((first("abc", "abd"), first("abc", "ab"), first("", "a")), (Some(2), Some(2), Some(0)));
    }
}
