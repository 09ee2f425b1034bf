//! Faults, and the places in files that they point at.

use core::cell::{Cell, OnceCell, RefCell};
use core::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Largest file that is read; a million units in CSV are about 100 MB.
const MAX_FILE: u32 = 512 * 1024 * 1024;

/// Most faults that [`Faults`] prints; past this many it says how many more there are.
pub const MAX_PRINTED: usize = 1000;

/// One thing wrong in one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, as it was named.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.message)
    }
}

/// Everything wrong in all files, by file, line and column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().take(MAX_PRINTED).enumerate() {
            let line_end = if i == 0 { "" } else { "\n" };
            write!(f, "{line_end}{fault}")?;
        }
        match self.0.len().saturating_sub(MAX_PRINTED) {
            0 => Ok(()),
            more => write!(f, "\n… and {more} more faults"),
        }
    }
}

impl core::error::Error for Faults {}

/// Where something stands. Lines and columns are worked out only when a fault needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    file: FileNo,
    spot: Spot,
}

/// A file, by the order of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileNo(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Spot {
    /// A byte of the text.
    Byte(u32),
    /// The n-th cell of the CSV row that begins at or after a byte.
    Cell(u32, u32),
}

impl FileNo {
    /// The place `offset` bytes into the file.
    pub(super) fn byte(self, offset: usize) -> Place {
        Place { file: self, spot: Spot::Byte(narrow(offset)) }
    }

    /// The `cell`-th cell, from 0, of the CSV row that begins at or after byte `row`.
    pub(super) fn cell(self, row: u64, cell: usize) -> Place {
        Place { file: self, spot: Spot::Cell(u32::try_from(row).unwrap_or(u32::MAX), narrow(cell)) }
    }
}

/// Offsets fit: no file is longer than [`MAX_FILE`].
fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// The files read so far and what is wrong in them.
#[derive(Default)]
pub(super) struct Report {
    sources: Vec<Source>,
    faults: RefCell<Vec<(Place, String)>>,
}

struct Source {
    path: PathBuf,
    text: Rc<String>,
    /// Where each line begins.
    lines: OnceCell<Vec<u32>>,
    /// Whether the text is malformed: what else seems wrong in it may only follow from that.
    broken: Cell<bool>,
}

impl Report {
    /// Reads a file. An error is the system's reason why it cannot be read.
    pub(super) fn load(&mut self, path: &Path) -> io::Result<FileNo> {
        let mut bytes = Vec::new();
        File::open(path)?.take(u64::from(MAX_FILE) + 1).read_to_end(&mut bytes)?;
        if bytes.len() > MAX_FILE as usize {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {MAX_FILE} bytes")));
        }
        // A byte order mark is no character that an editor shows.
        if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        let (text, bad_byte) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(e) => (String::from_utf8_lossy(e.as_bytes()).into_owned(), Some(e.utf8_error().valid_up_to())),
        };
        let file = self.push(path, text);
        if let Some(offset) = bad_byte {
            self.fault(file.byte(offset), "not UTF-8 text: save the file in UTF-8");
            self.break_off(file);
        }
        Ok(file)
    }

    /// Stands for a file that cannot be read, so that a fault can name it.
    pub(super) fn absent(&mut self, path: &Path) -> FileNo {
        self.push(path, String::new())
    }

    fn push(&mut self, path: &Path, text: String) -> FileNo {
        let (lines, broken) = (OnceCell::new(), Cell::new(false));
        self.sources.push(Source { path: path.to_owned(), text: text.into(), lines, broken });
        FileNo(narrow(self.sources.len() - 1))
    }

    /// The text of a file.
    pub(super) fn text(&self, file: FileNo) -> Rc<String> {
        Rc::clone(&self.source(file).text)
    }

    /// Notes a fault.
    pub(super) fn fault(&self, place: Place, message: impl Into<String>) {
        if !self.source(place.file).broken.get() {
            self.faults.borrow_mut().push((place, message.into()));
        }
    }

    /// Takes no more faults of `file`: it is malformed, and more would only be echoes of that.
    pub(super) fn break_off(&self, file: FileNo) {
        self.source(file).broken.set(true);
    }

    /// How many faults were noted.
    pub(super) fn count(&self) -> usize {
        self.faults.borrow().len()
    }

    /// `file:line` of a place, for messages that name another one.
    pub(super) fn line_name(&self, place: Place) -> String {
        let (line, _) = self.position(place);
        format!("{}:{line}", self.source(place.file).path.display())
    }

    /// Line and column of a place, from 1.
    pub(super) fn position(&self, place: Place) -> (usize, usize) {
        let source = self.source(place.file);
        let offset = match place.spot {
            Spot::Byte(offset) => offset as usize,
            Spot::Cell(row, cell) => cell_offset(&source.text, row as usize, cell),
        };
        let line = source.line_starts().partition_point(|&start| start as usize <= offset);
        let start = source.line_starts().get(line.saturating_sub(1)).map_or(0, |&start| start as usize);
        let before = source.text.get(start..offset).unwrap_or_default();
        (line.max(1), before.chars().count() + 1)
    }

    /// All faults with their positions, in order.
    pub(super) fn into_faults(self) -> Faults {
        let noted = self.faults.take();
        let mut faults: Vec<Fault> = noted
            .into_iter()
            .map(|(place, message)| {
                let (line, column) = self.position(place);
                Fault { file: self.source(place.file).path.clone(), line, column, message }
            })
            .collect();
        faults.sort();
        faults.dedup();
        Faults(faults)
    }

    /// There is one: a `FileNo` is only made for a source that was pushed.
    fn source(&self, file: FileNo) -> &Source {
        &self.sources[file.0 as usize]
    }
}

impl Source {
    fn line_starts(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let after_breaks = self.text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(i, _)| narrow(i + 1));
            core::iter::once(0).chain(after_breaks).collect()
        })
    }
}

/// Where the `cell`-th cell of a CSV row begins. The row may be preceded by line breaks and comment lines.
fn cell_offset(text: &str, row: usize, cell: u32) -> usize {
    let mut rest = text.get(row..).unwrap_or_default().trim_start_matches(['\r', '\n']);
    while rest.starts_with('#') {
        rest = rest.split_once('\n').map_or("", |(_, after)| after).trim_start_matches(['\r', '\n']);
    }
    let start = text.len() - rest.len();
    let (mut quoted, mut commas) = (false, 0);
    if cell == 0 {
        return start;
    }
    for (i, byte) in rest.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            b',' if !quoted => commas += 1,
            _ => {}
        }
        if commas == cell {
            return start + i + 1;
        }
    }
    start
}
