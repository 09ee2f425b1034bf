//! A small disk of the test's own.

use crate::net::run;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted tmpfs. Dropping it unmounts it.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// Mounts one of so many MiB.
    pub(crate) fn mount(path: PathBuf, mib: u32) -> Self {
        fs::create_dir(&path).unwrap();
        let size = format!("size={mib}m");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "ntuwatch-e2e"]).arg(&path));
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Nothing can be written to it any more.
    pub(crate) fn protect(&self) {
        run(Command::new("mount").args(["-o", "remount,ro"]).arg(&self.0));
    }

    /// Leaves not a byte of room.
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        for chunk in [&[0; 65_536][..], &[0; 1]] {
            loop {
                match file.write(chunk) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    /// Makes room again.
    pub(crate) fn make_room(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).output());
    }
}
