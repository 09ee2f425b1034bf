//! What a single value must look like. An error completes the sentence that begins with the key's name.

use super::{Mailbox, Smtp, Tls};
use crate::domain::party::Asked;
use crate::domain::plan::{IdRule, is_id};
use crate::domain::watch::{Permille, Secret};
use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;
use core::time::Duration;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::friendly::SpanParser;
use lettre::Address;
use reqwest::Url;

/// The domain's clock counts milliseconds.
const SHORTEST: Duration = Duration::from_millis(1);
/// A year; nothing that is watched or promised takes longer, and sums of it stay far from any overflow.
const LONGEST: Duration = Duration::from_hours(366 * 24);
/// Whoever counts heartbeats counts in minutes; more than one a second is a nuisance.
const SHORTEST_BEAT: Duration = Duration::from_secs(1);
/// Simulated outages more often than this would drown the others.
const SHORTEST_SONG: Duration = Duration::from_hours(1);
/// Whatever is decided on a message, whoever decided has a day to look at it again.
const SHORTEST_AGE: Duration = Duration::from_hours(24);
/// Smallest and largest room for messages, in bytes: four of the largest, and less than any sum of them overflows.
const ROOMS: RangeInclusive<u64> = 100 << 20..=1_000 << 40;
/// A link that ends sooner is of no use.
const SHORTEST_SURVEY: Duration = Duration::from_hours(24);
/// Longest free text, in characters; it ends up in a mail's subject.
const MAX_TEXT: usize = 200;

/// Smallest and largest committed rate, in bits a second: a slip in its unit is not taken for a line that is always full.
const RATES: RangeInclusive<u64> = 1_000..=10_000_000_000_000;
/// What switches something off.
pub(super) const OFF: &str = "off";

/// What a check makes of a value.
pub(super) type Checked<T> = Result<T, String>;

/// A value as messages show it: quoted, escaped and cut.
pub(super) fn shown(value: &str) -> String {
    match value.char_indices().nth(60) {
        Some((cut, _)) => format!("{:?}…", value.get(..cut).unwrap_or_default()),
        None => format!("{value:?}"),
    }
}

/// A positive duration such as "10m".
pub(super) fn duration(value: &str) -> Checked<Duration> {
    let signed = SpanParser::new().parse_duration(value).map_err(|_| {
        let units = "write numbers and units, such as \"500ms\", \"10s\", \"1h30m\" or \"72h\"";
        format!("is {}, which is no duration: {units}", shown(value))
    })?;
    match Duration::try_from(signed) {
        Ok(duration) if (SHORTEST..=LONGEST).contains(&duration) => Ok(duration),
        Ok(_) | Err(_) => Err(format!("is {}: write a duration between \"1ms\" and \"8784h\"", shown(value))),
    }
}

/// A duration from one heartbeat to the next.
pub(super) fn beat(value: &str) -> Checked<Duration> {
    at_least(value, SHORTEST_BEAT)
}

/// A duration from one canary to the next.
pub(super) fn song(value: &str) -> Checked<Duration> {
    at_least(value, SHORTEST_SONG)
}

fn at_least(value: &str, shortest: Duration) -> Checked<Duration> {
    let every = duration(value)?;
    if every < shortest {
        return Err(format!("is {}: write a duration of at least {shortest:?}", shown(value)));
    }
    Ok(every)
}

/// What `check` makes of the value, or `None` if it is "off".
pub(super) fn or_off<T>(value: &str, check: impl FnOnce(&str) -> Checked<T>) -> Checked<Option<T>> {
    if value == OFF {
        return Ok(None);
    }
    check(value).map(Some).map_err(|message| format!("{message}, or \"{OFF}\""))
}

/// Whether something has to be given, or is given when somebody asks for it.
pub(super) fn required(value: &str) -> Checked<bool> {
    match value {
        "required" => Ok(true),
        "on_request" => Ok(false),
        _ => Err(format!("is {}: write \"required\" or \"on_request\"", shown(value))),
    }
}

/// How often a customer is asked how a case went.
pub(super) fn asked(value: &str) -> Checked<Asked> {
    let words = "write \"every\", \"every 3rd\" (up to 1000th), \"monthly\" or \"never\"";
    Asked::parse(value).ok_or_else(|| format!("is {}: {words}", shown(value)))
}

/// For how long a survey can be answered: people read their mail days later.
pub(super) fn answerable(value: &str) -> Checked<Duration> {
    at_least(value, SHORTEST_SURVEY)
}

/// What addresses of pages begin with.
pub(super) fn base_url(value: &str) -> Checked<String> {
    let url = web(value)?;
    let url = url.expose().trim_end_matches('/');
    match Url::parse(url) {
        Ok(parsed) if parsed.query().is_none() && parsed.fragment().is_none() && parsed.username().is_empty() => {
            Ok(url.to_owned())
        }
        Ok(_) | Err(_) => Err(format!("is {}: leave out user, ? and #", shown(value))),
    }
}

/// A share such as "10%" or "0.5%".
pub(super) fn share(value: &str) -> Checked<Permille> {
    let permille = |text: &str| {
        let (whole, tenths) = decimal(text.strip_suffix('%')?, 1)?;
        u16::try_from(whole.checked_mul(10)?.checked_add(tenths)?).ok()
    };
    match permille(value) {
        Some(share @ 1..=1_000) => Ok(Permille(share)),
        Some(_) | None => Err(format!("is {}: write a share from \"0.1%\" to \"100%\"", shown(value))),
    }
}

/// A rate in bits a second, such as "100M".
pub(super) fn rate(value: &str) -> Checked<u64> {
    let bits = |text: &str| {
        let (number, places) = match text.split_at_checked(text.len().checked_sub(1)?)? {
            (number, "k") => (number, 3),
            (number, "M") => (number, 6),
            (number, "G") => (number, 9),
            (_, _) => (text, 0),
        };
        let (whole, parts) = decimal(number, places)?;
        whole.checked_mul(10_u64.checked_pow(places)?)?.checked_add(parts)
    };
    bits(value).filter(|bits| RATES.contains(bits)).ok_or_else(|| {
        let shown = shown(value);
        format!("is {shown}: write bits a second from \"1k\" to \"10000G\", such as \"100M\" or \"2.5G\"")
    })
}

/// A number with up to so many decimal places: what stands before the point, and what stands behind it in units of the
/// last possible place.
fn decimal(text: &str, places: u32) -> Option<(u64, u64)> {
    let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let digits = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    let Some(part) = part else { return Some((digits(whole)?, 0)) };
    let missing = places.checked_sub(u32::try_from(part.len()).ok()?)?;
    Some((digits(whole)?, digits(part)?.checked_mul(10_u64.checked_pow(missing)?)?))
}

/// A point in time in milliseconds of Unix time, from its form in RFC 3339. What a clock on the wall shows is no point in
/// time without an offset, and names of time zones say another time after the next change of their rules.
pub(super) fn moment(value: &str) -> Checked<i64> {
    let time = value.parse::<Timestamp>().ok().filter(|_| !value.contains('['));
    time.map(Timestamp::as_millisecond).ok_or_else(|| {
        let usage = "write one such as 2027-03-01T22:00:00Z or 2027-03-01T23:00:00+01:00";
        format!("is {}, which is no time with an offset from UTC: {usage}", shown(value))
    })
}

/// A day of the calendar, within some reason.
pub(super) fn day(value: &str) -> Checked<Date> {
    let day = value.parse::<Date>().ok().filter(|day| value.len() == 10 && (2000..=2200).contains(&day.year()));
    day.ok_or_else(|| format!("is {}, which is no day: write one such as 2027-03-31", shown(value)))
}

/// A stable key.
pub(super) fn id(value: &str) -> Checked<String> {
    if !is_id(value) {
        let shown = shown(value);
        return Err(format!("is {shown}: write {IdRule}"));
    }
    Ok(value.to_owned())
}

/// Free text of one line.
pub(super) fn text(value: &str) -> Checked<String> {
    if value.trim().is_empty() {
        return Err("is empty: write a text".to_owned());
    }
    if value.chars().any(char::is_control) {
        return Err(format!("is {}: control characters and line breaks are not allowed", shown(value)));
    }
    if value.len() > MAX_TEXT && value.chars().count() > MAX_TEXT {
        return Err(format!("is longer than {MAX_TEXT} characters: shorten it"));
    }
    Ok(value.to_owned())
}

/// A path.
pub(super) fn path(value: &str) -> Checked<&str> {
    if value.is_empty() || value.contains('\0') {
        return Err(format!("is {}: write a path", shown(value)));
    }
    Ok(value)
}

/// An IP address or a host name.
pub(super) fn host(value: &str) -> Checked<String> {
    if let Ok(address) = value.parse::<IpAddr>() {
        if address.is_unspecified() || address.is_multicast() {
            return Err(format!("is {}, which is the address of no single host", shown(value)));
        }
        return Ok(value.to_owned());
    }
    if is_host_name(value) {
        return Ok(value.to_owned());
    }
    Err(format!("is {}, which is neither an IP address nor a host name", shown(value)))
}

/// Whether `value` is a host name (RFC 1123) that no resolver would take for an IPv4 address, such as "1.2.3" or "0x7f".
fn is_host_name(value: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &str| {
        let hex = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
        hex.map_or_else(|| label.bytes().all(|b| b.is_ascii_digit()), |h| h.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    value.len() <= 253 && value.split('.').all(is_label) && !value.rsplit('.').next().is_some_and(is_number)
}

/// A bare e-mail address.
pub(super) fn email(value: &str) -> Checked<String> {
    let odd = |c: char| c.is_control() || c.is_whitespace();
    let one_at = value.bytes().filter(|&b| b == b'@').count() == 1;
    if !one_at || value.contains(odd) || value.parse::<Address>().is_err() {
        return Err(format!("is {}, which is no e-mail address: write one like \"it@acme.example\"", shown(value)));
    }
    Ok(value.to_owned())
}

/// An e-mail address, with or without a name before it.
pub(super) fn mailbox(value: &str) -> Checked<Mailbox> {
    let Some((name, address)) = value.strip_suffix('>').and_then(|v| v.rsplit_once('<')) else {
        return Ok(Mailbox { name: None, address: email(value)? });
    };
    let name = name.trim();
    let name = name.strip_prefix('"').and_then(|n| n.strip_suffix('"')).unwrap_or(name);
    let name = if name.is_empty() { None } else { Some(text(name)?) };
    Ok(Mailbox { name, address: email(address)? })
}

/// Where to listen, or "off".
pub(super) fn listen(value: &str) -> Checked<Option<SocketAddr>> {
    or_off(value, |value| {
        value.parse().map_err(|_| {
            let usage = "write an IP address and a port, such as \"127.0.0.1:9640\" or \"[::1]:9640\"";
            format!("is {}: {usage}", shown(value))
        })
    })
}

/// Longest local part that leaves room for a plus sign, a letter's number and a token (RFC 5321, 4.5.3.1.1).
const MAX_INBOX: usize = 24;

/// An address behind whose local part a plus sign and a token fit.
pub(super) fn inbox(value: &str) -> Checked<String> {
    let address = email(value)?;
    let local = address.rsplit_once('@').map_or("", |(local, _)| local);
    if local.contains('+') || local.len() > MAX_INBOX {
        let rule = format!("use one with at most {MAX_INBOX} characters and no + before the @");
        return Err(format!("leaves no room for a token behind a plus sign: {rule}"));
    }
    Ok(address)
}

/// For how long something is kept.
pub(super) fn age(value: &str) -> Checked<Duration> {
    at_least(value, SHORTEST_AGE)
}

/// How much may be kept of messages, in bytes: a whole number of MiB, GiB or TiB.
pub(super) fn room(value: &str) -> Checked<u64> {
    let usage = "write a number and a unit, such as \"500 MiB\", \"10 GiB\" or \"2 TiB\"";
    let units = [("MiB", 20), ("GiB", 30), ("TiB", 40)];
    let read = units.into_iter().find_map(|(unit, shift)| {
        let number: u64 = value.strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(1 << shift)
    });
    let bytes = read.ok_or_else(|| format!("is {}, which is no size: {usage}", shown(value)))?;
    if ROOMS.contains(&bytes) {
        return Ok(bytes);
    }
    Err(format!("is {}: write a size between \"100 MiB\" and \"1000 TiB\"", shown(value)))
}

/// The URL of a mail server. Its text may hold a password that was put in the wrong place, so it is not shown.
pub(super) fn smtp(value: &str) -> Checked<Smtp> {
    let (host, port, tls) = mail_server(value, "smtp", [25, 587, 465])?;
    Ok(Smtp { host, port, tls, credentials: None })
}

/// The URL of a mailbox's server.
pub(super) fn imap(value: &str) -> Checked<(String, u16, Tls)> {
    mail_server(value, "imap", [143, 143, 993])
}

/// Host, port and protection of a server for `protocol`. `ports`: the usual ones without protection, where the connection
/// is upgraded, and where it is protected from the first byte.
fn mail_server(value: &str, protocol: &str, ports: [u16; 3]) -> Checked<(String, u16, Tls)> {
    let usage =
        format!("write \"{protocol}://HOST:PORT\", \"{protocol}+starttls://HOST:PORT\" or \"{protocol}s://HOST:PORT\"");
    let (scheme, rest) = value.split_once("://").ok_or_else(|| format!("is no URL: {usage}"))?;
    let protection = scheme.strip_prefix(protocol).and_then(|rest| match rest {
        "" => Some((Tls::None, ports[0])),
        "+starttls" => Some((Tls::StartTls, ports[1])),
        "s" => Some((Tls::Wrapped, ports[2])),
        _ => None,
    });
    let (tls, usual_port) = protection.ok_or_else(|| format!("has the unknown scheme {}: {usage}", shown(scheme)))?;
    if rest.contains('@') {
        return Err("holds a user: name it by the keys `user` and `password_file` instead".to_owned());
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (name, port) = match rest.strip_prefix('[').map(|r| r.split_once(']')) {
        Some(Some((name, after))) => (name, if after.is_empty() { None } else { after.strip_prefix(':').or(Some("")) }),
        Some(None) => return Err(format!("lacks a closing bracket: {usage}")),
        None => rest.split_once(':').map_or((rest, None), |(name, port)| (name, Some(port))),
    };
    let name = host(name).map_err(|e| format!("names a host that {e}: {usage}"))?;
    let port = match port.map(str::parse::<u16>) {
        None => usual_port,
        Some(Ok(port)) if port > 0 => port,
        Some(Ok(_) | Err(_)) => return Err("has a bad port: write a number from 1 to 65535".to_owned()),
    };
    Ok((name, port, tls))
}

/// The URL of a page. It mostly holds a key, so it is not shown.
pub(super) fn web(value: &str) -> Checked<Secret> {
    let usage = "write \"https://HOST/PATH\" or \"http://HOST/PATH\"";
    if !["http://", "https://"].iter().any(|scheme| value.starts_with(scheme)) {
        return Err(format!("does not begin with http:// or https://: {usage}"));
    }
    if value.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(format!("holds white space: {usage}"));
    }
    let url = Url::parse(value).map_err(|e| format!("is no URL ({e}): {usage}"))?;
    let name = url.host_str().unwrap_or_default();
    host(name.trim_start_matches('[').trim_end_matches(']')).map_err(|e| format!("names a host that {e}: {usage}"))?;
    Ok(Secret::new(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for good in ["10.0.0.1", "::1", "ntu-1.acme.example", "localhost", "1.2.3.a", "a_b"] {
            assert_eq!(host(good).as_deref(), Ok(good));
        }
        let long = "a.".repeat(127);
        for bad in [
            "",
            "300.1.1.1",
            "1.2.3",
            "0x7f",
            "7",
            "a..b",
            "-a",
            "a-",
            "a b",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "a.",
            "ä",
            &long,
        ] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(duration("8784h"), Ok(LONGEST));
        for bad in ["", "10", "0s", "-5s", "1us", "8784h1ms", "1d", "ten", "10s ago", "PT5S"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn mail_addresses() {
        let named = Mailbox { name: Some("NOC, London".to_owned()), address: "noc@example.net".to_owned() };
        assert_eq!(mailbox("NOC, London <noc@example.net>"), Ok(named.clone()));
        assert_eq!(mailbox("\"NOC, London\" <noc@example.net>"), Ok(named));
        assert_eq!(mailbox("noc@example.net").map(|m| m.name), Ok(None));
        for bad in ["", "noc", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\r\nBcc: c@d", "a@b\0", "\"a b\"@c", "a@b>"] {
            assert!(email(bad).is_err(), "{bad}");
            assert!(mailbox(&format!("N <{bad}>")).is_err(), "{bad}");
        }
        assert!(mailbox("N\nBcc: x <a@b.example>").is_err());
    }

    #[test]
    fn mail_servers() {
        let server = |url| smtp(url).map(|s| (s.host, s.port, s.tls));
        assert_eq!(server("smtp://127.0.0.1:1025"), Ok(("127.0.0.1".to_owned(), 1025, Tls::None)));
        assert_eq!(server("smtp+starttls://mx.example"), Ok(("mx.example".to_owned(), 587, Tls::StartTls)));
        assert_eq!(server("smtps://[::1]/"), Ok(("::1".to_owned(), 465, Tls::Wrapped)));
        for bad in [
            "",
            "mx",
            "http://mx",
            "smtp://",
            "smtp://u:p@mx",
            "smtp://mx:0",
            "smtp://mx:x",
            "smtp://[::1",
            "smtp://[::1]x",
            "smtp://mx/a",
        ] {
            assert!(smtp(bad).is_err_and(|e| !e.contains("u:p")), "{bad}");
        }
    }

    #[test]
    fn rooms() {
        for (text, bytes) in [("100 MiB", 100 << 20), ("10GiB", 10 << 30), ("1000 TiB", 1_000 << 40)] {
            assert_eq!(room(text), Ok(bytes));
        }
        for bad in ["", "10", "10 GB", "1.5 GiB", "-1 GiB", "GiB", "18446744073709551615 TiB"] {
            assert!(room(bad).is_err_and(|why| why.contains("is no size")), "{bad}");
        }
        for bad in ["99 MiB", "0 GiB", "1001 TiB"] {
            assert!(room(bad).is_err_and(|why| why.contains("between")), "{bad}");
        }
        assert_eq!(age("24h"), Ok(Duration::from_hours(24)));
        assert!(age("23h59m").is_err());
    }

    #[test]
    fn inboxes() {
        assert_eq!(inbox("support@example.net"), Ok("support@example.net".to_owned()));
        let at_most = "s".repeat(MAX_INBOX);
        assert!(inbox(&format!("{at_most}@example.net")).is_ok());
        for bad in [format!("{at_most}s@example.net"), "support+x@example.net".to_owned()] {
            assert!(inbox(&bad).is_err_and(|why| why.contains("at most 24")), "{bad}");
        }
    }

    #[test]
    fn mailboxes() {
        assert_eq!(imap("imaps://mx.example"), Ok(("mx.example".to_owned(), 993, Tls::Wrapped)));
        assert_eq!(imap("imap+starttls://mx.example:10143"), Ok(("mx.example".to_owned(), 10143, Tls::StartTls)));
        assert!(imap("smtps://mx.example").is_err_and(|e| e.contains("imaps://HOST:PORT")));
        assert!(imap("imaps://u:p@mx").is_err_and(|e| !e.contains("u:p")));
    }

    #[test]
    fn pages() {
        for good in
            ["https://hc.example/ping/KEY?a=b", "http://127.0.0.1:8000", "http://[::1]/KEY", "https://u:p@hc.example"]
        {
            assert_eq!(web(good), Ok(Secret::new(good.to_owned())));
        }
        for bad in [
            "",
            "KEY",
            "hc.example/KEY",
            "ftp://hc.example/KEY",
            "https:hc.example/KEY",
            "https://",
            "https:///",
            "https://hc.example:x/KEY",
            "https://0.0.0.0/KEY",
            "https://a..b/KEY",
            "https://hc.example/KEY ",
            "https://hc.example/\nKEY",
        ] {
            assert!(web(bad).is_err_and(|e| !e.contains("KEY")), "{bad}");
        }
    }

    #[test]
    fn shares() {
        for (good, permille) in [("10%", 100), ("0.1%", 1), ("12.5%", 125), ("100%", 1_000), ("100.0%", 1_000)] {
            assert_eq!(share(good), Ok(Permille(permille)), "{good}");
        }
        for bad in
            ["", "%", "10", "10 %", "0%", "0.0%", "0.05%", "100.1%", "6553.7%", "-1%", "+1%", "1.%", ".5%", "1e1%"]
        {
            assert!(share(bad).is_err(), "{bad}");
        }
        assert_eq!(or_off("off", share), Ok(None));
        assert!(or_off("of", share).is_err_and(|e| e.ends_with("\"100%\", or \"off\"")));
    }

    #[test]
    fn rates() {
        for (good, bits) in
            [("1k", 1_000), ("100M", 100_000_000), ("2.5G", 2_500_000_000), ("1.544M", 1_544_000), ("64000", 64_000)]
        {
            assert_eq!(rate(good), Ok(bits), "{good}");
        }
        for bad in [
            "",
            "M",
            "100",
            "0M",
            "100m",
            "100K",
            "100 M",
            "100Mbit",
            "10001G",
            "1.0005k",
            "64000.5",
            "-1M",
            "1.M",
            "é",
            "99999999999999999999",
            "18446744073709551615G",
        ] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn moments() {
        for good in ["1970-01-02T00:00:00Z", "1970-01-02T01:00:00+01:00", "1970-01-01 19:00-05:00"] {
            assert_eq!(moment(good), Ok(24 * 3_600_000), "{good}");
        }
        for bad in [
            "",
            "1970-01-02",
            "00:00:00Z",
            "1970-01-02T00:00:00",
            "1970-02-30T00:00:00Z",
            "1970-01-02T01:00:00+01:00[Europe/Paris]",
            "tomorrow",
        ] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn beats() {
        assert_eq!(beat("1s"), Ok(Duration::from_secs(1)));
        assert!(beat("999ms").is_err_and(|e| e.contains("at least 1s")));
    }
}
