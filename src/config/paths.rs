//! Paths and the secrets behind them.

use super::check::Checked;
use super::section::Section;
use crate::domain::watch::Secret;
use core::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What a path begins with if systemd hands the file over (LoadCredential=).
const CREDENTIALS: &str = "${CREDENTIALS_DIRECTORY}/";
/// Longest secret, in bytes.
const MAX_SECRET: u64 = 4096;

/// What relative paths are relative to.
pub(super) struct Paths<'a> {
    /// The folder of the configuration file.
    pub(super) folder: &'a Path,
    /// Where systemd put the credentials.
    pub(super) credentials: Option<&'a Path>,
    /// Secrets read so far: thousands of units may name the same file.
    secrets: RefCell<HashMap<PathBuf, Checked<String>>>,
}

impl<'a> Paths<'a> {
    /// Paths of the configuration file `file`.
    pub(super) fn new(file: &'a Path, credentials: Option<&'a Path>) -> Self {
        Self { folder: file.parent().unwrap_or(Path::new("")), credentials, secrets: RefCell::default() }
    }

    /// A path as seen from where the program runs.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// The secret at `key`, or in the file that `file_key` names; `check` says what it must look like.
    pub(super) fn secret(
        &self,
        section: &Section<'_>,
        key: Option<&str>,
        file_key: &str,
        check: impl Fn(&str) -> Checked<()>,
    ) -> Option<Secret> {
        let checked = |word: &str| check(word).map(|()| Secret::new(word.to_owned()));
        let Some(key) = key.filter(|key| section.has(key)) else {
            return section.parse(file_key, |path| {
                let word = self.read(path)?;
                checked(&word).map_err(|e| format!("names {path:?}, and what that file holds {e}"))
            });
        };
        if section.has(file_key) {
            section.fault(file_key, format!("`{key}` and `{file_key}` are both given: remove one"));
        }
        section.parse(key, checked)
    }

    fn read(&self, path: &str) -> Checked<String> {
        let file = match path.strip_prefix(CREDENTIALS) {
            None => self.resolve(path),
            Some(rest) => self.credentials.map(|folder| folder.join(rest)).ok_or_else(|| {
                format!("is {path:?}, but CREDENTIALS_DIRECTORY is not set: run under systemd with LoadCredential=, or write a plain path")
            })?,
        };
        let mut secrets = self.secrets.borrow_mut();
        let read = || {
            let mut word = String::new();
            let size = File::open(&file).and_then(|f| f.take(MAX_SECRET + 1).read_to_string(&mut word));
            match size {
                Ok(size) if size as u64 <= MAX_SECRET => Ok(word.trim().to_owned()),
                Ok(_) => Err(format!("names {}, which holds more than {MAX_SECRET} bytes", file.display())),
                Err(e) => Err(format!("names {}, which cannot be read: {e}", file.display())),
            }
        };
        secrets.entry(file.clone()).or_insert_with(read).clone()
    }
}
