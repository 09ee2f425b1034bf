//! Text out of HTML: what a person would read of it, never what it would do.
//!
//! What the mail programs mark as quoted comes out with `>` before each line, so that one place cuts all that is quoted.

use core::fmt::Write as _;

/// Longest tag and longest entity that are one; what is longer is text.
const MAX_TAG: usize = 4_096;
const MAX_ENTITY: usize = 10;
/// Quotes within quotes that are told apart.
const MAX_QUOTES: usize = 100;

/// Elements of which nothing is seen.
const UNSEEN: [&str; 7] = ["script", "style", "head", "title", "template", "noscript", "object"];
/// Elements that begin and end a line.
const BLOCKS: [&str; 26] = [
    "address",
    "article",
    "blockquote",
    "body",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "li",
    "ol",
    "pre",
    "section",
    "table",
    "tr",
    "ul",
];
/// Where Outlook begins what it quotes: all that comes after is.
const OUTLOOK_QUOTES: [&str; 2] = ["divrplyfwdmsg", "mail-editor-reference-message-container"];

/// The text of a page.
pub(super) fn text(page: &str) -> String {
    let mut reader = Reader {
        rest: page,
        text: String::new(),
        line: String::new(),
        quotes: Vec::new(),
        preformatted: 0,
        open: [false; 7],
    };
    reader.read();
    reader.text
}

struct Reader<'a> {
    rest: &'a str,
    text: String,
    /// The line that is being written.
    line: String,
    /// For each `blockquote` that is open, whether it quotes what somebody else wrote.
    quotes: Vec<bool>,
    preformatted: usize,
    /// Of which [`UNSEEN`] elements none is closed any more: nobody is to look for that again and again.
    open: [bool; UNSEEN.len()],
}

/// A tag: its name in lower case, whether it closes, and its attributes as they stand.
struct Tag<'a> {
    name: String,
    closes: bool,
    attributes: &'a str,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        while let Some(c) = self.rest.chars().next() {
            match c {
                '<' if self.rest.starts_with("<!--") => self.skip_past("-->"),
                '<' => match self.tag() {
                    Some(tag) => self.heed(&tag),
                    None => self.take(c),
                },
                '&' => self.entity(),
                other => self.take(other),
            }
        }
        self.end_line();
    }

    /// Takes a character of the page as text.
    fn take(&mut self, c: char) {
        self.rest = &self.rest[c.len_utf8()..];
        match c {
            '\n' if self.preformatted > 0 => self.end_line(),
            '\r' if self.preformatted > 0 => {}
            c if c.is_ascii_whitespace() && self.preformatted == 0 => self.space(),
            other => self.line.push(other),
        }
    }

    /// White space is one space, and none at the beginning of a line.
    fn space(&mut self) {
        if !self.line.is_empty() && !self.line.ends_with(' ') {
            self.line.push(' ');
        }
    }

    fn skip_past(&mut self, end: &str) {
        self.rest = self.rest.find(end).map_or("", |at| &self.rest[at + end.len()..]);
    }

    /// The tag that begins here, if one does.
    fn tag(&mut self) -> Option<Tag<'a>> {
        let inside = &self.rest[1..];
        let closes = inside.starts_with('/');
        let named = inside.strip_prefix('/').unwrap_or(inside);
        if !named.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '!' | '?')) {
            return None;
        }
        let end = end_of_tag(named)?;
        let (tag, rest) = (&named[..end], &named[end + 1..]);
        let name_end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(tag.len());
        self.rest = rest;
        Some(Tag { name: tag[..name_end].to_ascii_lowercase(), closes, attributes: &tag[name_end..] })
    }

    fn heed(&mut self, tag: &Tag<'_>) {
        let name = tag.name.as_str();
        if let Some(which) = UNSEEN.iter().position(|unseen| *unseen == name && !tag.closes) {
            return self.skip_element(which);
        }
        match name {
            "br" => self.end_line_even_if_empty(),
            "p" => {
                self.end_line();
                self.blank_line();
            }
            "td" | "th" => self.space(),
            "hr" => self.end_line(),
            block if BLOCKS.contains(&block) => self.end_line(),
            _ => {}
        }
        match (name, tag.closes) {
            ("pre", false) => self.preformatted += 1,
            ("pre", true) => self.preformatted = self.preformatted.saturating_sub(1),
            ("blockquote", false) if self.quotes.len() < MAX_QUOTES => self.quotes.push(cites(tag.attributes)),
            ("blockquote", true) => drop(self.quotes.pop()),
            ("li", false) => self.line.push_str("- "),
            ("div", false) if begins_outlook_quote(tag.attributes) => {
                self.text.push_str("-----Original Message-----\n")
            }
            _ => {}
        }
    }

    /// Passes over an element of which nothing is seen.
    fn skip_element(&mut self, which: usize) {
        if self.open[which] {
            return;
        }
        let end = format!("</{}", UNSEEN[which]);
        let lower = |at: usize| self.rest.get(at..at + end.len()).is_some_and(|found| found.eq_ignore_ascii_case(&end));
        // What is never closed hides nothing.
        match self.rest.match_indices("</").map(|(at, _)| at).find(|at| lower(*at)) {
            Some(at) => self.rest = &self.rest[at..],
            None => self.open[which] = true,
        }
    }

    fn entity(&mut self) {
        let bytes = &self.rest.as_bytes()[1..];
        let end = bytes.iter().take(MAX_ENTITY).position(|byte| *byte == b';');
        let decoded = end.and_then(|end| Some((end, decode_entity(self.rest.get(1..=end)?)?)));
        let Some((end, c)) = decoded else { return self.take('&') };
        self.rest = &self.rest[end + 2..];
        match c {
            // It holds words together; the reader's lines are of any length.
            '\u{a0}' => self.line.push(' '),
            other => self.line.push(other),
        }
    }

    fn end_line(&mut self) {
        if !self.line.trim().is_empty() {
            self.end_line_even_if_empty();
        }
        self.line.clear();
    }

    fn end_line_even_if_empty(&mut self) {
        let line = core::mem::take(&mut self.line);
        // The mark of a signature (RFC 3676, 4.3) ends with its space.
        let line = if line == "-- " { line.as_str() } else { line.trim_end() };
        let depth = self.quotes.iter().filter(|cites| **cites).count();
        if depth > 0 {
            self.text.push_str(&">".repeat(depth));
            self.text.push(' ');
        }
        // A string takes all.
        writeln!(self.text, "{line}").unwrap_or_default();
    }

    /// One empty line, but not at the beginning and not another one.
    fn blank_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") && self.quotes.is_empty() {
            self.text.push('\n');
        }
    }
}

/// Place of the `>` that ends a tag. One in quotes ends nothing.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate().take(MAX_TAG) {
        match (byte, quote) {
            (b'>', None) => return Some(at),
            (b'<', None) => return None,
            (b'"' | b'\'', None) if tag.as_bytes()[..at].trim_ascii_end().ends_with(b"=") => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
    }
    // A quote that is never closed is none.
    quote.and_then(|_| tag.bytes().take(MAX_TAG).position(|byte| byte == b'>'))
}

/// Whether a `blockquote` is what a mail program puts around what is answered: Gmail, Apple Mail, Thunderbird.
fn cites(attributes: &str) -> bool {
    let attributes = attributes.to_ascii_lowercase();
    ["type=\"cite\"", "type='cite'", "type=cite", "gmail_quote", "protonmail_quote", "cite=\"mid:"]
        .iter()
        .any(|mark| attributes.contains(mark))
}

fn begins_outlook_quote(attributes: &str) -> bool {
    let attributes = attributes.to_ascii_lowercase();
    let Some((_, id)) = attributes.split_once("id=") else { return false };
    let id = id.trim_start_matches(['"', '\'']);
    OUTLOOK_QUOTES.iter().any(|mark| id.starts_with(mark) || id.starts_with(&format!("x_{mark}")))
}

fn decode_entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).map(|c| if c.is_control() { ' ' } else { c });
    }
    ENTITIES.iter().find(|(theirs, _)| *theirs == name).map(|(_, c)| *c)
}

/// The entities that mail programs write; all others stay as they stand.
const ENTITIES: [(&str, char); 53] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("ensp", ' '),
    ("emsp", ' '),
    ("auml", 'ä'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("Auml", 'Ä'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
    ("szlig", 'ß'),
    ("agrave", 'à'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("atilde", 'ã'),
    ("aring", 'å'),
    ("aelig", 'æ'),
    ("ccedil", 'ç'),
    ("egrave", 'è'),
    ("eacute", 'é'),
    ("ecirc", 'ê'),
    ("euml", 'ë'),
    ("igrave", 'ì'),
    ("iacute", 'í'),
    ("icirc", 'î'),
    ("iuml", 'ï'),
    ("ntilde", 'ñ'),
    ("ograve", 'ò'),
    ("oacute", 'ó'),
    ("ocirc", 'ô'),
    ("otilde", 'õ'),
    ("oslash", 'ø'),
    ("ugrave", 'ù'),
    ("uacute", 'ú'),
    ("ucirc", 'û'),
    ("Eacute", 'É'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("bull", '•'),
    ("euro", '€'),
    ("deg", '°'),
    ("copy", '©'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_lines() {
        for (page, wanted) in [
            ("<p>One <b>bold</b>\nword</p><p>Two</p>", "One bold word\n\nTwo\n\n"),
            ("a<br>b<br/><br>c", "a\nb\n\nc\n"),
            ("<div>a<div>b</div></div>c", "a\nb\nc\n"),
            ("<style>p { color: red }</style>seen<SCRIPT>alert(1)</Script >!", "seen!\n"),
            ("<script>never closed", "never closed\n"),
            ("1 &lt; 2 &amp;&amp; 3 &#62; 2 &unknown; & &#x41; &#0;", "1 < 2 && 3 > 2 &unknown; & A\n"),
            ("<a href=\"a>b\" title='<c>'>link</a>", "link\n"),
            ("<!-- a <b> --->x<!-- never closed", "x\n"),
            ("5 < 6 <7> <", "5 < 6 <7> <\n"),
            ("<pre>a\n  b</pre>", "a\n  b\n"),
            ("<ul><li>one<li>two</ul>", "- one\n- two\n"),
            ("<b", "<b\n"),
        ] {
            assert_eq!(text(page), wanted, "{page}");
        }
    }

    #[test]
    fn what_is_cited_is_marked() {
        assert_eq!(
            text("yes<blockquote type=\"cite\">a<br>b<blockquote type=cite>c</blockquote></blockquote>no"),
            "yes\n> a\n> b\n>> c\nno\n"
        );
        assert_eq!(text("<blockquote>mine</blockquote>"), "mine\n");
    }
}
