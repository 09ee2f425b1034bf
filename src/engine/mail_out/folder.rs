//! Letters as files: the way without a mail server.

use crate::domain::letter::{Delivery, Mail};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Longest file name made from a Message-ID, in bytes; with room for what is added to it.
const MAX_NAME: usize = 200;
/// Permissions of a letter, and of a folder that is made for them: as those of the store.
const MODE: u32 = 0o640;
const FOLDER_MODE: u32 = 0o750;

/// A folder that letters are written to.
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder if it is missing.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Writes a letter. The same letter again takes the place of the first.
    pub(super) fn put(&self, mail: &Mail, message: &[u8]) -> Delivery {
        match self.write(&file_name(mail), message) {
            Ok(()) => Delivery::Sent,
            // A full or missing disk: nothing that is about this letter.
            Err(error) => Delivery::Unreachable(format!("{}: {error}", self.path.display())),
        }
    }

    /// Once this returns, the file is whole and on the disk; until then there is none.
    fn write(&self, name: &str, message: &[u8]) -> io::Result<()> {
        let unfinished = self.path.join(format!(".{name}.tmp"));
        let mut file = File::options().create(true).truncate(true).write(true).mode(MODE).open(&unfinished)?;
        file.write_all(message)?;
        file.sync_all()?;
        fs::rename(&unfinished, self.path.join(name))?;
        File::open(&self.path)?.sync_all()
    }
}

/// Different for different letters; never hidden, never a path.
pub(super) fn file_name(mail: &Mail) -> String {
    let mut name = String::new();
    for byte in mail.message_id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'@' | b'-' | b'_' => name.push(char::from(byte)),
            b'.' if !name.is_empty() => name.push('.'),
            other => name.push_str(&format!("%{other:02X}")),
        }
    }
    if name.is_empty() || name.len() > MAX_NAME {
        name = format!("letter-{}", mail.id);
    }
    name + ".eml"
}
