//! Output: lines and tables for people, JSON for programs.

use super::client::{Client, encode};
use super::{Exit, Failure};
use crate::text::many;
use serde::Deserialize;
use serde_json::Value;
use std::io::{self, BufWriter, StdoutLock, Write};

/// How many rows are fetched at once; the daemon gives no more.
const ROWS: usize = 1_000;

/// What is printed on.
pub(super) struct Page {
    out: BufWriter<StdoutLock<'static>>,
    /// Whether programs read it.
    pub(super) json: bool,
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Page {
    pub(super) fn new(json: bool) -> Self {
        Self { out: BufWriter::new(io::stdout().lock()), json }
    }

    pub(super) fn line(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{}", clean(line).trim_end())
    }

    /// What the daemon gave, as it is.
    pub(super) fn raw(&mut self, body: &[u8]) -> io::Result<()> {
        self.out.write_all(body)?;
        self.out.write_all(b"\n")
    }

    /// Prints JSON as it is, or what `show` makes of it.
    pub(super) fn answer(
        &mut self,
        body: &[u8],
        show: impl FnOnce(&mut Self, &Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if self.json {
            return Ok(self.raw(body)?);
        }
        show(self, &parse(body)?)
    }

    /// Prints a whole list, fetched piece by piece: never more than one piece is in memory.
    pub(super) fn list(&mut self, client: &Client, list: &List<'_>) -> Result<(), Failure> {
        let mut table = Table::new(list.columns);
        let mut left = list.limit.unwrap_or(usize::MAX);
        let mut cursor = None;
        let mut first = true;
        while left > 0 {
            let rows = left.min(ROWS);
            let mut path = format!("{}?limit={rows}", list.path);
            for (key, value) in list.query.iter().chain(&cursor) {
                path.push_str(&format!("&{key}={}", encode(value)));
            }
            let body = client.get(&path)?;
            let found: Vec<Value> = parse(&body)?;
            if self.json {
                self.piece(&body, first, found.is_empty())?;
            } else {
                self.table(&mut table, found.iter().map(list.row))?;
            }
            let last = found.last().and_then(|row| row.get(list.key)).and_then(Value::as_str);
            cursor = last.map(|last| (list.cursor, last.to_owned()));
            first = false;
            left -= found.len().min(left);
            if found.len() < rows {
                break;
            }
        }
        if self.json {
            self.out.write_all(if first { b"[]\n" } else { b"]\n" })?
        }
        Ok(())
    }

    /// The elements of a JSON array, as a part of a longer one.
    fn piece(&mut self, body: &[u8], first: bool, empty: bool) -> io::Result<()> {
        let elements = body.trim_ascii().strip_prefix(b"[").and_then(|body| body.strip_suffix(b"]"));
        if first {
            self.out.write_all(b"[")?;
        } else if !empty {
            self.out.write_all(b",")?;
        }
        self.out.write_all(elements.unwrap_or_default())
    }

    /// Prints rows of a table, and before the first ones its head.
    pub(super) fn table<const N: usize>(
        &mut self,
        table: &mut Table<N>,
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> io::Result<()> {
        let head = (!table.begun).then(|| table.columns.map(str::to_owned));
        table.begun = true;
        let rows: Vec<_> = head.into_iter().chain(rows.into_iter().map(|row| row.map(|cell| clean(&cell)))).collect();
        for row in &rows {
            for (width, cell) in table.widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in rows {
            let cells = row.iter().zip(table.widths).map(|(cell, width)| format!("{cell:width$}"));
            self.line(&cells.collect::<Vec<_>>().join("  "))?;
        }
        Ok(())
    }
}

/// A list of the API, and how it is printed.
pub(super) struct List<'a> {
    pub(super) path: &'a str,
    /// What narrows it down.
    pub(super) query: Vec<(&'a str, String)>,
    /// Names the row after which the next piece begins.
    pub(super) cursor: &'a str,
    /// The field of a row that the cursor takes.
    pub(super) key: &'a str,
    /// At most so many rows.
    pub(super) limit: Option<usize>,
    pub(super) columns: [&'static str; COLUMNS],
    pub(super) row: fn(&Value) -> [String; COLUMNS],
}

/// Columns of a list.
pub(super) const COLUMNS: usize = 7;

/// A table whose rows come in pieces. Columns get wider when they have to.
pub(super) struct Table<const N: usize> {
    columns: [&'static str; N],
    widths: [usize; N],
    begun: bool,
}

impl<const N: usize> Table<N> {
    pub(super) const fn new(columns: [&'static str; N]) -> Self {
        Self { columns, widths: [0; N], begun: false }
    }
}

/// Reads what the daemon gave.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|e| {
        let message = format!("the daemon's answer makes no sense ({e}): are program and daemon of the same version?");
        Failure::new(Exit::Software, message)
    })
}

/// Text that does nothing to a terminal: names and notes come from elsewhere.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// A field as text; "-" if it is not there.
pub(super) fn field(value: &Value, key: &str) -> String {
    match value.get(key) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.replace(['\n', '\t'], " "),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => other.to_string(),
    }
}

/// A time to the second, in UTC.
pub(super) fn time(value: &Value, key: &str) -> String {
    let stamp = field(value, key);
    match stamp.split_once('T') {
        Some((day, rest)) => format!("{day} {}Z", rest.get(..8).unwrap_or(rest)),
        None => stamp,
    }
}

/// A length of time in its two largest units.
pub(super) fn span(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// How many of them a field counts.
pub(super) fn count(value: &Value, key: &str, what: &str) -> String {
    let count = value.get(key).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
    count.map_or_else(|| "-".to_owned(), |count| many(count, what))
}

/// A length of time in a field, in seconds.
pub(super) fn span_field(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_u64).map_or_else(|| "-".to_owned(), span)
}

/// The elements of a field that is a list.
pub(super) fn elements<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The timeline and the letters of a case or an umbrella.
pub(super) fn papers(page: &mut Page, thing: &Value) -> Result<(), Failure> {
    timeline(page, thing)?;
    page.line("")?;
    if thing.get("letters_complete") == Some(&Value::Bool(false)) {
        page.line("(older letters are left out)")?;
    }
    let letters = elements(thing, "letters").iter();
    let letters =
        letters.map(|letter| [time(letter, "written_at"), field(letter, "kind"), field(letter, "to"), state(letter)]);
    page.table(&mut Table::new(["WRITTEN", "LETTER", "TO", "STATE"]), letters)?;
    held(page, thing)
}

/// What happened, as far as it is shown.
pub(super) fn timeline(page: &mut Page, thing: &Value) -> Result<(), Failure> {
    page.line("")?;
    if thing.get("timeline_complete") == Some(&Value::Bool(false)) {
        page.line("(older entries are left out)")?;
    }
    let entries = elements(thing, "timeline").iter().map(|entry| [time(entry, "at"), field(entry, "text")]);
    Ok(page.table(&mut Table::new(["AT", "WHAT"]), entries)?)
}

/// What became of a letter.
pub(super) fn state(letter: &Value) -> String {
    let (state, error) = (field(letter, "state"), letter.get("error").and_then(Value::as_str));
    error.map_or_else(|| state.clone(), |error| format!("{state}: {error}"))
}

/// Letters that are not written yet.
fn held(page: &mut Page, thing: &Value) -> Result<(), Failure> {
    let held = elements(thing, "held");
    if held.is_empty() {
        return Ok(());
    }
    page.line("")?;
    for letter in held {
        page.line(&field(letter, "sentence"))?;
    }
    if thing.get("held_complete") == Some(&Value::Bool(false)) {
        page.line("(more letters that are held back are left out)")?;
    }
    Ok(())
}
