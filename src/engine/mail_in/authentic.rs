//! What our own boundary server says of a sender (RFC 8601).
//!
//! The boundary server is the one that puts `Authentication-Results` with its own name on top of what it takes, and strips any with
//! that name which came along (RFC 8601, 5). So the topmost with its name is its own, and no other counts: what stands further down,
//! or has another name, anybody may have written.

use super::head::{Head, without_comments};
use crate::domain::mail::Authentic;

/// What the server named `id` says of a message from `from`.
pub(super) fn authentic(head: &Head<'_>, id: Option<&str>, from: Option<&str>) -> Authentic {
    let (Some(id), Some(from)) = (id, from) else { return Authentic::Unknown };
    let topmost =
        head.values("Authentication-Results").map(|value| without_comments(&value)).find(|value| is_of(value, id));
    topmost.map_or(Authentic::Unknown, |value| verdict(&value, from))
}

/// Whether the server named `id` wrote this.
fn is_of(value: &str, id: &str) -> bool {
    let first = sections(value).into_iter().next().unwrap_or_default();
    // The version of the field may come after the name.
    first.split_whitespace().next().is_some_and(|name| name.trim_matches('"').eq_ignore_ascii_case(id))
}

fn verdict(value: &str, from: &str) -> Authentic {
    let results: Vec<Authentic> = sections(value).iter().skip(1).filter_map(|section| dmarc(section, from)).collect();
    match results.as_slice() {
        [] => Authentic::Unknown,
        [first, others @ ..] if others.iter().all(|other| other == first) => *first,
        // It contradicts itself.
        [_, ..] if results.contains(&Authentic::Fail) => Authentic::Fail,
        [_, ..] => Authentic::Unknown,
    }
}

/// The result of DMARC, if this section has one.
fn dmarc(section: &str, from: &str) -> Option<Authentic> {
    let words = words(section);
    let (method, result) = words.first()?;
    // The method may have a version.
    if method.split('/').next() != Some("dmarc") {
        return None;
    }
    let looked_at = words.iter().find(|(name, _)| name == "header.from").map(|(_, domain)| domain.as_str());
    Some(match result.as_str() {
        "pass" => about(looked_at, from),
        "fail" => Authentic::Fail,
        _ => Authentic::Unknown,
    })
}

/// A pass counts for the domain that it is about.
fn about(looked_at: Option<&str>, from: &str) -> Authentic {
    let domain = from.rsplit('@').next().unwrap_or_default();
    match looked_at.map(|theirs| theirs.rsplit('@').next().unwrap_or_default()) {
        None => Authentic::Pass,
        Some(theirs) if theirs.eq_ignore_ascii_case(domain) => Authentic::Pass,
        // One may be written in the letters of DNS, and the other not.
        Some(theirs) if theirs.is_ascii() != domain.is_ascii() => Authentic::Unknown,
        Some(_) => Authentic::Fail,
    }
}

/// What semicolons part, outside of quotes.
fn sections(value: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in value.chars() {
        let as_it_is = core::mem::take(&mut escaped);
        match c {
            '\\' if quoted && !as_it_is => escaped = true,
            '"' if !as_it_is => quoted = !quoted,
            ';' if !quoted => {
                sections.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(section) = sections.last_mut() {
            section.push(c);
        }
    }
    sections
}

/// `name = value` pairs in lower case; white space may be around the sign. What is quoted is one value.
fn words(section: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = section.trim();
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        let name = name.split_whitespace().collect::<String>();
        pairs.push((name.to_ascii_lowercase(), value.to_ascii_lowercase()));
        rest = next;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(head: &str) -> Authentic {
        let raw = format!("{head}\n\n");
        authentic(&Head::split(raw.as_bytes()).0, Some("mx.example.net"), Some("it@acme.example"))
    }

    #[test]
    fn only_the_topmost_result_of_our_own_server_counts() {
        for (head, wanted) in [
            ("Authentication-Results: mx.example.net; dmarc=pass header.from=acme.example", Authentic::Pass),
            ("Authentication-Results: MX.Example.NET 1; spf=fail; DMARC = PASS (p=none)", Authentic::Pass),
            (
                "Authentication-Results: mx.example.net;\n\tdkim=pass header.d=evil.example;\n\tdmarc=fail",
                Authentic::Fail,
            ),
            ("Authentication-Results: mx.example.net; dmarc=fail (dmarc=pass; dmarc=pass)", Authentic::Fail),
            ("Authentication-Results: mx.example.net; dmarc=fail reason=\"x; dmarc=pass\"", Authentic::Fail),
            ("Authentication-Results: mx.example.net; spf=pass reason=\"; dmarc=pass\"", Authentic::Unknown),
            ("Authentication-Results: mx.example.net (\\) ; dmarc=pass); none", Authentic::Unknown),
            ("Authentication-Results: mx.example.net; dmarc=none", Authentic::Unknown),
            ("Authentication-Results: mx.example.net; dmarc=bestguesspass", Authentic::Unknown),
            ("Authentication-Results: mx.example.net; dmarc=pass header.from=evil.example", Authentic::Fail),
            ("Authentication-Results: mx.example.net; dmarc=pass; dmarc=fail", Authentic::Fail),
            ("Authentication-Results: mx.example.net.evil.example; dmarc=pass", Authentic::Unknown),
            (
                "Authentication-Results: evil.example; dmarc=pass\nAuthentication-Results: mx.example.net; dmarc=fail",
                Authentic::Fail,
            ),
            (
                "Authentication-Results: mx.example.net; spf=pass\nAuthentication-Results: mx.example.net; dmarc=pass",
                Authentic::Unknown,
            ),
            ("X-Authentication-Results: mx.example.net; dmarc=pass", Authentic::Unknown),
            ("Subject: dmarc=pass", Authentic::Unknown),
        ] {
            assert_eq!(of(head), wanted, "{head}");
        }
    }

    #[test]
    fn without_a_server_of_ours_or_a_sender_nothing_is_known() {
        let (head, _) = Head::split(b"Authentication-Results: mx.example.net; dmarc=pass\n\n");
        assert_eq!(authentic(&head, None, Some("it@acme.example")), Authentic::Unknown);
        assert_eq!(authentic(&head, Some("mx.example.net"), None), Authentic::Unknown);
    }
}
