//! The keys of every table: what the reader knows, and so what the operator may write.

/// A table of the configuration and its keys.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// As it is written, such as `[store]` or `[[unit]]`.
    pub name: &'static str,
    /// Its keys.
    pub keys: &'static [&'static str],
}

/// Every table but the files themselves.
pub const FORMS: [Form; 11] =
    [STORE, HTTP, DETECTION, STABILITY, MAIL, HEARTBEAT, INVENTORY, CUSTOMER, NODE, UNIT, SNMP];

pub(super) const MAIN_FILE: Form = Form {
    name: "the configuration file",
    keys: &["store", "http", "detection", "stability", "mail", "heartbeat", "inventory", "customer", "node", "unit"],
};
pub(super) const INVENTORY_FILE: Form = Form { name: "an inventory file", keys: &["customer", "node", "unit"] };

pub(super) const STORE: Form = Form { name: "[store]", keys: &["path"] };
pub(super) const HTTP: Form = Form { name: "[http]", keys: &["listen", "socket", "token_file"] };
pub(super) const DETECTION: Form = Form {
    name: "[detection]",
    keys: &["interval", "snmp_interval", "timeout", "down_after", "solve_after", "sentinels"],
};
pub(super) const STABILITY: Form = Form { name: "[stability]", keys: &["p1", "p2"] };
pub(super) const MAIL: Form =
    Form { name: "[mail]", keys: &["from", "noc", "smtp", "user", "password_file", "folder"] };
pub(super) const HEARTBEAT: Form = Form { name: "[heartbeat]", keys: &["url", "every"] };
pub(super) const INVENTORY: Form = Form { name: "[inventory]", keys: &["files"] };
pub(super) const CUSTOMER: Form = Form { name: "[[customer]]", keys: &["id", "name", "email"] };
pub(super) const NODE: Form = Form {
    name: "[[node]]",
    keys: &[
        "id",
        "address",
        "upstream",
        "icmp",
        "snmp",
        "interval",
        "snmp_interval",
        "timeout",
        "down_after",
        "solve_after",
    ],
};
pub(super) const UNIT: Form = Form {
    name: "[[unit]]",
    keys: &[
        "id",
        "customer",
        "address",
        "order",
        "service",
        "region",
        "ttr",
        "supplier",
        "upstream",
        "icmp",
        "snmp",
        "interval",
        "snmp_interval",
        "timeout",
        "down_after",
        "solve_after",
    ],
};
pub(super) const SNMP: Form = Form {
    name: "snmp",
    keys: &[
        "version",
        "community",
        "user",
        "auth",
        "auth_password",
        "auth_password_file",
        "privacy",
        "privacy_password",
        "privacy_password_file",
        "port",
        "interface",
    ],
};

/// ` (did you mean …?)`, if one of `known` is close enough to `word` to be what was meant.
pub(super) fn nearest(word: &str, known: &[&str]) -> String {
    // Longer words are no misspelt keys, and comparing them costs.
    if word.len() > 64 {
        return String::new();
    }
    known
        .iter()
        .map(|&key| (strsim::osa_distance(word, key), key))
        .min()
        .filter(|&(distance, key)| distance <= 1 + key.len() / 4 && distance < key.len())
        .map_or_else(String::new, |(_, key)| format!(" (did you mean `{key}`?)"))
}
