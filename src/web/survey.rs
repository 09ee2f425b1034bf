//! The page on which a customer says how a case went: the only one for people without a name, and without a script.
//!
//! It is shown to whoever has the link of a letter. Looking at it records nothing, for mail servers follow links to see where
//! they lead. A link that is wrong, too old or used leads to one and the same page.

use super::Web;
use super::desk::{ask, body};
use super::problem::Problem;
use crate::domain::desk::{MAX_COMMENT, Reference, Score};
use crate::domain::turn::Wish;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use core::time::Duration;
use std::sync::Arc;

/// The longest answer, in bytes: a comment whose every character takes four bytes, each written in three.
pub const MAX_FORM: usize = MAX_COMMENT * 12 + 256;
/// How long it may take to arrive.
const FORM_TIMEOUT: Duration = Duration::from_secs(10);
/// Who answers, for the journal knows a customer by its id and nobody there by name.
const CUSTOMER: &str = "customer";

/// What a browser may do with the page: nothing but show it, with our own style, and send the form back to us. Nobody is told
/// its address, for who knows it can answer.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex")),
];

const STYLE: &str = "\
:root { color-scheme: light dark; }
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 0 auto; padding: 2rem 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; }
fieldset { border: 1px solid #8888; border-radius: .5rem; padding: .75rem 1rem; margin: 0 0 1.25rem; }
legend { font-weight: 600; padding: 0 .25rem; }
fieldset label { display: block; padding: .35rem 0; cursor: pointer; }
input[type=radio] { width: 1.2rem; height: 1.2rem; margin: 0 .6rem 0 0; vertical-align: -.15rem; }
.remark { font-weight: 600; display: block; }
textarea { font: inherit; width: 100%; box-sizing: border-box; margin: .25rem 0 1.25rem; padding: .5rem; }
button { font: inherit; font-weight: 600; padding: .6rem 1.6rem; border: 0; border-radius: .5rem; color: #fff; \
background: #0b57a4; cursor: pointer; }
:focus-visible { outline: 3px solid #e08a00; outline-offset: 2px; }
.wrong { border-left: .3rem solid #b3261e; padding: .25rem .75rem; }
";

/// `GET /survey/style.css`.
pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"))], STYLE).into_response()
}

/// `GET /survey/{token}`: the form.
pub(super) async fn page(State(web): State<Arc<Web>>, token: Result<Path<String>, PathRejection>) -> Response {
    match open(&web, token).await {
        Ok(Some(case)) => form(StatusCode::OK, case, None, ""),
        Ok(None) => useless(),
        Err(_) => later(),
    }
}

/// `POST /survey/{token}`: the answer.
pub(super) async fn answer(
    State(web): State<Arc<Web>>,
    token: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Response {
    let case = match open(&web, token).await {
        Ok(Some(case)) => case,
        Ok(None) => return useless(),
        Err(_) => return later(),
    };
    let Ok(sent) = body(request, MAX_FORM, FORM_TIMEOUT).await else {
        return form(StatusCode::PAYLOAD_TOO_LARGE, case, Some(TOO_LONG), "");
    };
    let (score, comment) = read(&sent);
    if comment.chars().count() > MAX_COMMENT {
        return form(StatusCode::BAD_REQUEST, case, Some(TOO_LONG), &comment);
    }
    let Some(score) = score else { return form(StatusCode::BAD_REQUEST, case, Some(NO_SCORE), &comment) };
    match ask(&web, CUSTOMER.to_owned(), Wish::Answer { case, score, comment: Some(comment) }).await {
        Ok(_) => html(StatusCode::OK, "Thank you", "<h1>Thank you</h1>\n<p>Your answer is with us.</p>\n"),
        // Somebody else with the same link was faster.
        Err(Problem { status: StatusCode::NOT_FOUND, .. }) => useless(),
        Err(_) => later(),
    }
}

const TOO_LONG: &str = "Your remark is too long: please shorten it.";
const NO_SCORE: &str = "Please choose one of the five.";

/// The case that can be answered with this token.
async fn open(web: &Web, token: Result<Path<String>, PathRejection>) -> Result<Option<Reference>, Problem> {
    let Ok(Path(token)) = token else { return Ok(None) };
    let Some(case) = (web.services.surveyed)(&token) else { return Ok(None) };
    let now = web.scene().now;
    let is_open = web.readers.read(move |reader| Ok(reader.survey_is_open(case, now)?)).await?;
    Ok(is_open.then_some(case))
}

/// What a form says: the last of each field counts. Line breaks come as two characters, and count as one.
fn read(form: &[u8]) -> (Option<Score>, String) {
    let (mut score, mut comment) = (None, String::new());
    for (name, value) in form_urlencoded::parse(form) {
        match &*name {
            "score" => score = value.parse().ok().and_then(Score::new),
            "comment" => comment = value.replace("\r\n", "\n").replace(|c: char| c.is_control() && c != '\n', " "),
            _ => {}
        }
    }
    (score, comment)
}

/// What each score says, the best first.
const SCORES: [(u8, &str); 5] =
    [(5, "Very content"), (4, "Content"), (3, "Neither nor"), (2, "Not content"), (1, "Not content at all")];

fn form(status: StatusCode, case: Reference, wrong: Option<&str>, comment: &str) -> Response {
    let wrong = wrong.map(|wrong| format!("<p class=\"wrong\" role=\"alert\">{wrong}</p>\n")).unwrap_or_default();
    let choice = |(number, words): (u8, &str)| {
        format!("<label><input type=\"radio\" name=\"score\" value=\"{number}\" required>{words}</label>\n")
    };
    let choices: String = SCORES.map(choice).concat();
    let page = format!(
        "<h1>How did we do?</h1>\n<p>It is about case <strong>{case}</strong>, which is closed.</p>\n{wrong}\
         <form method=\"post\">\n<fieldset>\n<legend>How content are you with how we handled it?</legend>\n{choices}\
         </fieldset>\n<label class=\"remark\" for=\"comment\">What should we know? (optional)</label>\n\
         <textarea id=\"comment\" name=\"comment\" rows=\"5\" maxlength=\"{MAX_COMMENT}\">\n{}</textarea>\n\
         <button type=\"submit\">Send</button>\n</form>\n",
        escaped(comment)
    );
    html(status, "How did we do?", &page)
}

/// For every link that leads nowhere: it says nothing of why.
fn useless() -> Response {
    let words = "<h1>This link can't be used</h1>\n<p>It may have been used before, be too old, or be incomplete: then copy \
                 all of it from our letter. For anything else, please reply to that letter.</p>\n";
    html(StatusCode::NOT_FOUND, "This link can't be used", words)
}

fn later() -> Response {
    let words = "<h1>Please try again</h1>\n<p>We can't take your answer just now.</p>\n";
    html(StatusCode::SERVICE_UNAVAILABLE, "Please try again", words)
}

fn html(status: StatusCode, title: &str, content: &str) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"style.css\">\n</head>\n<body>\n<main>\n{content}</main>\n</body>\n</html>\n"
    );
    (status, HEADERS, page).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_send_it() {
        let read = |form: &str| {
            let (score, comment) = read(form.as_bytes());
            (score.map(Score::number), comment)
        };
        assert_eq!(read("score=4&comment=gr%C3%BC%C3%9F+%26+dank%0D%0Abye%1B"), (Some(4), "grüß & dank\nbye ".into()));
        for nothing in ["", "score=", "score=0", "score=6", "score=4.5", "score=%FF", "&&=", "comment="] {
            assert_eq!(read(nothing), (None, String::new()), "{nothing}");
        }
    }

    #[test]
    fn a_remark_is_shown_again_as_it_was_written() {
        assert_eq!(escaped("<b>\"it's\" & so</b>"), "&lt;b&gt;&quot;it&#39;s&quot; &amp; so&lt;/b&gt;");
    }

    #[test]
    fn the_longest_remark_fits() {
        let longest = form_urlencoded::Serializer::new(String::new())
            .append_pair("score", "5")
            .append_pair("comment", &"\u{1F600}".repeat(MAX_COMMENT))
            .finish();
        assert!(longest.len() <= MAX_FORM, "{}", longest.len());
    }
}
