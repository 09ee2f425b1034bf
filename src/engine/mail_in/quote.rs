//! What a message's writer wrote himself: without what is quoted, and without the signature.
//!
//! Nothing marks it for sure. So what is in doubt stays in: better a line too many on a case than the one that mattered missing.

/// Lines over which a mail program may break "On … wrote:".
const MAX_ATTRIBUTION: usize = 3;
/// Longest such line, in bytes.
const MAX_ATTRIBUTION_LEN: usize = 400;
/// Lines among which the fields of a quoted head stand.
const MAX_HEAD: usize = 10;
/// Lines of a signature. What is longer is none.
const MAX_SIGNATURE: usize = 15;

/// Words of which one is in "On … wrote:", in the languages of the mail programs that write it.
const WROTE: [&str; 18] = [
    "wrote:",
    "writes:",
    "schrieb",
    "geschrieben:",
    "écrit",
    "escribió:",
    "escribiu:",
    "escreveu:",
    "ha scritto:",
    "schreef",
    "skrev",
    "kirjoitti",
    "napisał",
    "napsal",
    "написал",
    "пише:",
    "写道：",
    "のメール:",
];

/// The first field of a quoted head, and those of which one must come with it, in languages of Outlook. The colon may stand apart (French).
const HEADS: [(&str, &[&str], &[&str]); 13] = [
    ("from", &["sent", "date"], &["subject", "to"]),
    ("von", &["gesendet", "datum"], &["betreff", "an"]),
    ("de", &["envoyé", "date"], &["objet", "à"]),
    ("de", &["enviado", "enviado el", "fecha"], &["asunto", "para"]),
    ("de", &["enviada", "enviada em", "enviado", "data"], &["assunto", "para"]),
    ("da", &["inviato", "data"], &["oggetto", "a"]),
    ("van", &["verzonden", "datum"], &["onderwerp", "aan"]),
    ("fra", &["sendt", "dato"], &["emne", "til"]),
    ("från", &["skickat", "datum"], &["ämne", "till"]),
    ("lähettäjä", &["lähetetty", "päivämäärä"], &["aihe", "vastaanottaja"]),
    ("od", &["wysłano", "data", "odesláno", "datum"], &["temat", "do", "předmět", "komu"]),
    ("от", &["отправлено", "дата"], &["тема", "кому"]),
    ("差出人", &["送信日時", "日付"], &["件名", "宛先"]),
];

/// Words on the line before a quoted head.
const ORIGINALS: [&str; 15] = [
    "original message",
    "original appointment",
    "ursprüngliche nachricht",
    "original-nachricht",
    "originalnachricht",
    "message d'origine",
    "message d’origine",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "oorspronkelijk bericht",
    "oprindelig meddelelse",
    "opprinnelig melding",
    "ursprungligt meddelande",
    "wiadomość oryginalna",
];

/// Beginnings of subjects by which somebody passes a message on: what he passes on is what he has to say.
const FORWARDED: [&str; 12] = ["fw:", "fwd:", "wg:", "tr:", "rv:", "enc:", "i:", "vs:", "vl:", "vb:", "doorst:", "pd:"];

/// What is left of `text`, a message with this subject.
pub(super) fn cut(text: &str, subject: &str) -> String {
    let lines: Vec<&str> = text.split('\n').map(|line| if line == "-- " { line } else { line.trim_end() }).collect();
    let subject = subject.trim_start().to_lowercase();
    let forwarded = FORWARDED.iter().any(|beginning| subject.starts_with(beginning));
    let end = if forwarded { lines.len() } else { quoted_head(&lines).unwrap_or(lines.len()) };
    let own = without_quotes(&lines[..end]);
    tidy(without_signature(&own))
}

/// Where a quoted head begins, below something that was written.
fn quoted_head(lines: &[&str]) -> Option<usize> {
    let at = (0..lines.len()).find(|at| is_head(&lines[*at..]))?;
    let above = |at: usize| lines[..at].iter().rposition(|line| !line.trim().is_empty());
    // A line, or some words on one, part it from what is above.
    let begin = match above(at) {
        Some(line) if is_rule(lines[line]) || is_original(lines[line]) => line,
        Some(_) | None => at,
    };
    let begin = above(begin).filter(|line| begin < at && is_rule(lines[*line])).unwrap_or(begin);
    // With nothing above it, what was written may stand below, or be the head itself.
    lines[..begin].iter().any(|line| !line.trim().is_empty() && !is_quoted(line)).then_some(begin)
}

/// Whether a head of a message begins here, as Outlook quotes one.
fn is_head(lines: &[&str]) -> bool {
    let Some(first) = field(lines[0]).filter(|first| HEADS.iter().any(|(from, ..)| first == from)) else {
        return false;
    };
    let others: Vec<String> = lines.iter().take(MAX_HEAD).skip(1).filter_map(|line| field(line)).collect();
    let with = |names: &[&str]| others.iter().any(|other| names.contains(&other.as_str()));
    HEADS.iter().any(|(from, dates, more)| first == *from && with(dates) && with(more))
}

/// The name of the field in this line, in lower case. Outlook's HTML makes it bold, and some make stars of that.
fn field(line: &str) -> Option<String> {
    let (name, _) = line.trim_start_matches(['*', ' ']).split_once([':', '：'])?;
    let name = name.trim_end_matches(['*', ' ', '\u{a0}']);
    (name.len() <= 40).then(|| name.to_lowercase())
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 10 && line.bytes().all(|byte| matches!(byte, b'_' | b'-' | b'='))
}

fn is_original(line: &str) -> bool {
    let words = line.trim().trim_matches('-').trim().to_lowercase();
    line.trim().starts_with("--") && ORIGINALS.contains(&words.as_str())
}

fn is_quoted(line: &str) -> bool {
    // Mailbox files (RFC 4155) put the same sign before a line of one's own.
    line.starts_with('>') && !line.starts_with(">From ")
}

/// Without quoted lines, and without those that introduce them.
fn without_quotes<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut own = Vec::new();
    let mut in_quote = false;
    for line in lines {
        let quoted = is_quoted(line);
        if quoted && !in_quote {
            drop_attribution(&mut own);
        }
        if !quoted {
            own.push(*line);
        }
        in_quote = quoted || in_quote && line.is_empty();
    }
    own
}

/// Takes "On … wrote:" off the end of what was written, if that is how it ends.
fn drop_attribution(own: &mut Vec<&str>) {
    let written = own.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    for lines in 1..=MAX_ATTRIBUTION.min(written) {
        let from = written - lines;
        let words = own[from..written].join(" ");
        let ends = words.trim_end().ends_with([':', '：']);
        let begins_a_block = from == 0 || own[from - 1].trim().is_empty();
        if !ends || words.len() > MAX_ATTRIBUTION_LEN || own[from].trim().is_empty() {
            return;
        }
        let lower = words.to_lowercase();
        let says_when_or_who = lower.contains('@') || lower.contains(|c: char| c.is_ascii_digit());
        if begins_a_block && says_when_or_who && WROTE.iter().any(|wrote| lower.contains(wrote)) {
            own.truncate(from);
            return;
        }
    }
}

/// Without what comes after the last line that says that a signature begins (RFC 3676, 4.3).
fn without_signature<'a, 'b>(lines: &'b [&'a str]) -> &'b [&'a str] {
    let begin = lines.iter().rposition(|line| *line == "-- ");
    let filled = |at: usize| lines[at..].iter().filter(|line| !line.trim().is_empty()).count();
    match begin {
        Some(at) if filled(at) <= MAX_SIGNATURE + 1 => &lines[..at],
        Some(_) | None => lines,
    }
}

/// At most one empty line at once, and none at either end.
fn tidy(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines.iter().map(|line| line.trim_end()) {
        if !line.is_empty() || !(text.is_empty() || text.ends_with("\n\n")) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_who_is_quoted_are_cut() {
        for (text, wanted) in [
            ("Still down.\n\nOn 1 May 2026, NOC wrote:\n> It is up.\n>\n> -- \n> NOC", "Still down."),
            ("Ja.\n\nAm Fr., 1. Mai 2026 um 10:00 Uhr schrieb NOC\n<noc@example.net>:\n\n> Text", "Ja."),
            ("One:\n> first?\nYes.\n> second?\nNo.", "One:\nYes.\nNo."),
            ("He wrote:\nnothing is quoted", "He wrote:\nnothing is quoted"),
            ("> only quoted", ""),
            (">From here on it was down.", ">From here on it was down."),
            ("5 > 3\n a > b", "5 > 3\n a > b"),
        ] {
            assert_eq!(cut(text, "Re: x"), wanted, "{text}");
        }
    }

    #[test]
    fn the_head_of_a_quoted_message_begins_what_is_cut() {
        for text in [
            "Danke.\n\nVon: NOC <noc@example.net>\nGesendet: Freitag, 1. Mai 2026 10:00\nAn: IT\nBetreff: Störung\n\nalt",
            "Danke.\n\n________________________________\nFrom: NOC\nSent: Friday\nTo: IT\nSubject: Down\n\nold",
            "Danke.\n\n-----Message d'origine-----\nDe : NOC\nEnvoyé : vendredi\nÀ : IT\nObjet : Panne\n\nold",
            "Danke.\n\n-----Original Message-----\n*From:* NOC\n*Sent:* Friday\n*To:* IT\n*Subject:* Down\n\nold",
        ] {
            assert_eq!(cut(text, "AW: x"), "Danke.", "{text}");
        }
        let forwarded = "See below.\n\nFrom: NOC\nSent: Friday\nTo: IT\nSubject: Down\n\nthe words";
        assert_eq!(cut(forwarded, "FW: x"), forwarded);
        let below = "From: NOC\nSent: Friday\nSubject: Down\n\nI answer down here.";
        assert_eq!(cut(below, "Re: x"), below);
        let prose = "From: London\nTo: Paris\nthe line is slow.";
        assert_eq!(cut(prose, "x"), prose);
    }

    #[test]
    fn a_signature_is_cut_if_it_is_short() {
        assert_eq!(cut("Down.\n\n-- \nJane\nAcme", "x"), "Down.");
        assert_eq!(cut("Down.\n--\nnot a signature", "x"), "Down.\n--\nnot a signature");
        let long = format!("Down.\n-- \n{}", "line\n".repeat(MAX_SIGNATURE + 1));
        assert_eq!(cut(&long, "x").lines().count(), MAX_SIGNATURE + 3);
    }
}
