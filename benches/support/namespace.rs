//! A network namespace, in which every address of 127.0.0.0/8 answers.

use std::process::Command;

/// A command that runs the program appended to it as root of a network of its own.
pub(crate) fn command() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]);
    command
}
