//! What comes of a cap that is too low, in words.

use super::many;
use crate::domain::watch::Strain;
use core::time::Duration;
use serde_json::{Value, json};

/// The warning that a cap is too low for what it holds.
#[must_use]
pub fn strain(strain: &Strain) -> String {
    let Strain { device, rate, devices, interval, every, .. } = strain;
    let devices = many(usize::try_from(*devices).unwrap_or(usize::MAX), "device");
    let (wanted, steady) = (tenths(strain.wanted / 100), tenths(strain.steady / 100));
    // Seconds to a tenth.
    let seconds = |duration: Duration| tenths(u64::try_from(duration.as_millis() / 100).unwrap_or(u64::MAX));
    let (interval, every) = (seconds(*interval), seconds(*every));
    format!(
        "{device}: the intervals of {devices} ask for {wanted} probes a second, but probe_rate = {rate} lets {steady} \
         through: rounds come {every} s apart, not {interval} s"
    )
}

/// The same for programs.
#[must_use]
pub fn strain_fields(what: &Strain) -> Value {
    let Strain { device, rate, steady, devices, wanted, interval, every } = what;
    let per_second = |thousandths: u64| thousandths as f64 / 1_000.0;
    json!({
        "device": device, "probe_rate": rate, "devices": devices, "wanted": per_second(*wanted),
        "let_through": per_second(*steady), "interval_s": interval.as_secs_f64(), "every_s": every.as_secs_f64(),
        "text": strain(what),
    })
}

fn tenths(tenths: u64) -> String {
    if tenths.is_multiple_of(10) { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) }
}
