//! Who or what wrote a message, as far as it is no report (RFC 3834).
//!
//! `Auto-Submitted` decides where it is: that is what it is for. All else are habits of programs, each named here.

use super::head::Head;
use super::part::Part;
use crate::domain::mail::Automatic;

/// Fields that only a program which answers by itself writes. Of some, `no` says that it did not.
const ANSWERERS: [&str; 6] =
    ["X-Autoreply", "X-Autorespond", "X-Autoresponse", "X-Autoreply-From", "X-Mail-Autoreply", "X-Autoresponder"];
/// Fields of a mailing list (RFC 2919, RFC 2369).
const LISTS: [&str; 5] = ["List-Id", "List-Post", "List-Unsubscribe", "List-Help", "X-Mailing-List"];

/// What Exchange writes before the subject that it answers, with a colon after it. Nobody types this.
const EXCHANGE: [&str; 17] = [
    "automatic reply",
    "automatische antwort",
    "réponse automatique",
    "respuesta automática",
    "resposta automática",
    "risposta automatica",
    "automatisch antwoord",
    "autosvar",
    "automatisk svar",
    "automatiskt svar",
    "automaattinen vastaus",
    "odpowiedź automatyczna",
    "automatická odpověď",
    "automatikus válasz",
    "автоматический ответ",
    "自動応答",
    "自动答复",
];
/// What other programs write, and people as well.
const ABSENT: [&str; 14] = [
    "out of office",
    "out of the office",
    "out-of-office",
    "auto reply",
    "auto-reply",
    "autoreply",
    "abwesenheitsnotiz",
    "abwesenheit",
    "absence du bureau",
    "absent du bureau",
    "fuera de la oficina",
    "fuori sede",
    "afwezig",
    "poza biurem",
];

/// By what the message shows that a program wrote it, if it does.
pub(super) fn automatic(message: &Part<'_>, subject: &str) -> Option<Automatic> {
    let head = &message.head;
    if is_report_on(message, "disposition-notification") {
        return Some(Automatic::Receipt);
    }
    if let Some(said) = submitted(head) {
        return said;
    }
    let precedence = head.word("Precedence").unwrap_or_default();
    if answers_by_itself(head)
        || matches!(precedence.as_str(), "auto_reply" | "auto-reply")
        || is_absence(head, subject)
    {
        return Some(Automatic::Replied);
    }
    if message.media == "multipart/report" {
        return Some(Automatic::Generated);
    }
    if has_null_sender(head) {
        return Some(Automatic::NullSender);
    }
    let by_list = LISTS.iter().any(|list| head.has(list));
    (matches!(precedence.as_str(), "bulk" | "junk") && !by_list).then_some(Automatic::Bulk)
}

/// Whether it is a `multipart/report` (RFC 6522) of this type.
pub(super) fn is_report_on(message: &Part<'_>, kind: &str) -> bool {
    let says = message.parameter("report-type").is_some_and(|theirs| theirs.eq_ignore_ascii_case(kind));
    message.media == "multipart/report" && says
}

/// Whether nobody is to answer: its return path is null, or its sender the mail server itself.
pub(super) fn has_null_sender(head: &Head<'_>) -> bool {
    let null = head.value("Return-Path").is_some_and(|path| path.split_whitespace().collect::<String>() == "<>");
    let daemon = |address: &String| address.starts_with("mailer-daemon@");
    null || head.addresses("From").iter().flatten().any(daemon)
}

/// What `Auto-Submitted` says (RFC 3834, 5): outermost `None` if nothing, innermost if a person.
#[expect(clippy::option_option, reason = "not said, said to be a person, and said to be a program are three things")]
fn submitted(head: &Head<'_>) -> Option<Option<Automatic>> {
    // A field that was added on the way takes nothing back: any that names a program counts.
    let said = head.values("Auto-Submitted").map(|value| word(&value)).filter(|word| !word.is_empty());
    let said: Vec<_> = said
        .map(|word| match word.as_str() {
            "no" => None,
            "auto-replied" => Some(Automatic::Replied),
            _ => Some(Automatic::Generated),
        })
        .collect();
    said.iter().copied().find(Option::is_some).or_else(|| said.first().copied())
}

/// Its keyword, without comments and parameters.
fn word(value: &str) -> String {
    let bare = super::head::without_comments(value);
    bare.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn answers_by_itself(head: &Head<'_>) -> bool {
    let says = |name: &&str| head.word(name).is_some_and(|word| !matches!(word.as_str(), "no" | "false"));
    ANSWERERS.iter().any(says) || head.word("Preference").is_some_and(|word| word == "auto_reply")
}

/// Whether the subject says that somebody is away: as Exchange says it, or in any way if it answers something.
///
/// A person who writes "Re: Automatic reply: …" begins in another way.
fn is_absence(head: &Head<'_>, subject: &str) -> bool {
    let subject = subject.to_lowercase();
    let rest_after = |beginnings: &[&str]| {
        beginnings.iter().find_map(|beginning| subject.strip_prefix(beginning)).map(str::to_owned)
    };
    if rest_after(&EXCHANGE).is_some_and(|rest| rest.trim_start().starts_with([':', '：'])) {
        return true;
    }
    let answers = !head.ids("In-Reply-To").is_empty() || !head.ids("References").is_empty();
    answers && rest_after(&ABSENT).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}
