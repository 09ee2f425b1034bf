//! How a device is asked by SNMP.

use super::check::{Checked, shown};
use super::form;
use super::paths::Paths;
use super::section::Section;
use crate::domain::watch::{AuthProtocol, PrivProtocol, Secret, SnmpAccess, SnmpVersion};

/// Names of the authentication protocols.
const AUTH: [(&str, AuthProtocol); 6] = [
    ("md5", AuthProtocol::Md5),
    ("sha1", AuthProtocol::Sha1),
    ("sha224", AuthProtocol::Sha224),
    ("sha256", AuthProtocol::Sha256),
    ("sha384", AuthProtocol::Sha384),
    ("sha512", AuthProtocol::Sha512),
];
/// Names of the privacy protocols.
const PRIVACY: [(&str, PrivProtocol); 3] =
    [("aes128", PrivProtocol::Aes128), ("aes192", PrivProtocol::Aes192), ("aes256", PrivProtocol::Aes256)];
/// Keys that only version 3 has.
const USER_KEYS: [&str; 7] =
    ["user", "auth", "auth_password", "auth_password_file", "privacy", "privacy_password", "privacy_password_file"];
/// Shortest pass phrase (RFC 3414, section 11.2).
const MIN_PASS_PHRASE: usize = 8;
/// Longest security name (RFC 3414, usmUserName), and a sane bound for a community.
const MAX_NAME: usize = 32;
const MAX_COMMUNITY: usize = 255;

#[derive(Clone, Copy)]
enum Version {
    V1,
    V2c,
    V3,
}
const VERSIONS: [(&str, Version); 3] = [("1", Version::V1), ("2c", Version::V2c), ("3", Version::V3)];

/// Reads the `snmp` table of a device, if it has one that is in order.
pub(super) fn read(device: &Section<'_>, paths: &Paths<'_>) -> Option<SnmpAccess> {
    let snmp = device.optional_section("snmp", form::SNMP)?;
    let port = snmp.integer("port", 1..=i64::from(u16::MAX)).unwrap_or(161);
    let interface = snmp.integer("interface", 1..=i64::from(i32::MAX));
    let version = match snmp.require("version", |v| choice(v, &VERSIONS))? {
        Version::V1 => SnmpVersion::V1 { community: community(&snmp)? },
        Version::V2c => SnmpVersion::V2c { community: community(&snmp)? },
        Version::V3 => user(&snmp, paths)?,
    };
    Some(SnmpAccess { version, port, interface })
}

fn community(snmp: &Section<'_>) -> Option<Secret> {
    for key in USER_KEYS.iter().filter(|key| snmp.has(key)) {
        snmp.fault(key, format!("`{key}` belongs to version \"3\": versions \"1\" and \"2c\" have a community only"));
    }
    snmp.require("community", |word| {
        bounded(word, 1, MAX_COMMUNITY)?;
        Ok(Secret::new(word.to_owned()))
    })
}

fn user(snmp: &Section<'_>, paths: &Paths<'_>) -> Option<SnmpVersion> {
    if snmp.has("community") {
        snmp.fault("community", "`community` belongs to versions \"1\" and \"2c\": version \"3\" has a user");
    }
    if snmp.has("privacy") && !snmp.has("auth") {
        snmp.fault("privacy", "`privacy` needs authentication: add `auth` and its pass phrase (RFC 3414)");
    }
    let user = snmp.require("user", |name| bounded(name, 1, MAX_NAME).map(|()| name.to_owned()));
    let auth = protocol(snmp, paths, &AUTH, ["auth", "auth_password", "auth_password_file"]);
    let privacy = protocol(snmp, paths, &PRIVACY, ["privacy", "privacy_password", "privacy_password_file"]);
    Some(SnmpVersion::V3 { user: user?, auth, privacy })
}

/// A protocol with its pass phrase; either alone is a fault.
fn protocol<T: Copy>(
    snmp: &Section<'_>,
    paths: &Paths<'_>,
    names: &[(&str, T)],
    [key, word, file]: [&str; 3],
) -> Option<(T, Secret)> {
    let protocol = snmp.parse(key, |name| choice(name, names));
    let pass_phrase = paths.secret(snmp, Some(word), file, |w| bounded(w, MIN_PASS_PHRASE, usize::MAX));
    let given = snmp.has(word) || snmp.has(file);
    if snmp.has(key) && !given {
        snmp.fault(key, format!("`{key}` needs a pass phrase: add `{word}` or `{file}`"));
    }
    if given && !snmp.has(key) {
        let stray = if snmp.has(word) { word } else { file };
        snmp.fault(stray, format!("`{stray}` is of no use without `{key}`: add it, or remove the pass phrase"));
    }
    protocol.zip(pass_phrase)
}

fn choice<T: Copy>(name: &str, choices: &[(&str, T)]) -> Checked<T> {
    choices.iter().find(|(known, _)| *known == name).map(|&(_, value)| value).ok_or_else(|| {
        let known: Vec<&str> = choices.iter().map(|&(known, _)| known).collect();
        format!("is {}{}: write one of {}", shown(name), form::nearest(name, &known), known.join(", "))
    })
}

/// Whether the length is right. The word may be a secret, so it is not shown.
fn bounded(word: &str, min: usize, max: usize) -> Checked<()> {
    match word.len() {
        len if len < min => Err(format!("is too short: at least {min} characters are needed")),
        len if len > max => Err(format!("is too long: at most {max} characters are possible")),
        _ => Ok(()),
    }
}
