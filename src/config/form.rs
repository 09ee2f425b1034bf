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
pub const FORMS: [Form; 30] = [
    STORE,
    HTTP,
    DETECTION,
    DEGRADED,
    STABILITY,
    MAIL,
    MAIL_IN,
    HEARTBEAT,
    CANARY,
    TRAPS,
    INVENTORY,
    CUSTOMER,
    NODE,
    UNIT,
    SNMP,
    MAINTENANCE,
    PROMISES,
    RFO,
    SURVEY,
    ESCALATION,
    ROUTING,
    ROUTE,
    CONTACT,
    CONTRACT,
    SUPPLIER,
    TEAM,
    STAFF,
    CENTRE,
    MESSENGER,
    NOTIFY,
];

pub(super) const MAIN_FILE: Form = Form {
    name: "the configuration file",
    keys: &[
        "store",
        "http",
        "detection",
        "degraded",
        "stability",
        "promises",
        "rfo",
        "survey",
        "escalation",
        "mail",
        "mail_in",
        "heartbeat",
        "canary",
        "traps",
        "inventory",
        "customer",
        "node",
        "unit",
        "maintenance",
        "routing",
        "route",
        "contact",
        "contract",
        "supplier",
        "team",
        "staff",
        "centre",
        "messenger",
        "notify",
    ],
};
pub(super) const INVENTORY_FILE: Form = Form {
    name: "an inventory file",
    keys: &["customer", "node", "unit", "maintenance", "contact", "contract", "supplier", "team", "staff", "centre"],
};

pub(super) const STORE: Form = Form { name: "[store]", keys: &["path"] };
pub(super) const HTTP: Form = Form { name: "[http]", keys: &["listen", "socket", "token_file"] };
pub(super) const DETECTION: Form = Form {
    name: "[detection]",
    keys: &[
        "interval",
        "snmp_interval",
        "timeout",
        "down_after",
        "solve_after",
        "history",
        "gateway",
        "core",
        "sentinels",
    ],
};
/// In the configuration file for all, and in a node's or a unit's table for itself.
pub(super) const DEGRADED: Form = Form {
    name: "[degraded]",
    keys: &[
        "window",
        "good_windows",
        "loss",
        "rtt",
        "rtt_factor",
        "flaps",
        "flap_window",
        "reboots",
        "reboot_window",
        "interface",
        "errors",
        "load",
    ],
};
pub(super) const STABILITY: Form = Form { name: "[stability]", keys: &["p1", "p2"] };
pub(super) const PROMISES: Form = Form {
    name: "[promises]",
    keys: &[
        "first_response",
        "update_p1",
        "update_p2",
        "update_p3",
        "supplier",
        "rfo",
        "repair",
        "gold",
        "silver",
        "bronze",
    ],
};
/// The same of a tier.
pub(super) const TIER_PROMISES: Form = Form {
    name: "[promises.TIER]",
    keys: &["first_response", "update_p1", "update_p2", "update_p3", "supplier", "rfo", "repair"],
};
pub(super) const RFO: Form = Form { name: "[rfo]", keys: &["p1", "p2"] };
pub(super) const SURVEY: Form = Form { name: "[survey]", keys: &["base_url", "valid_for"] };
pub(super) const ESCALATION: Form = Form { name: "[escalation]", keys: &LEVELS };
/// Levels of an escalation, in the order of `Level::ALL`.
pub(super) const LEVELS: [&str; 3] = ["l1", "l2", "l3"];
pub(super) const MAIL: Form =
    Form { name: "[mail]", keys: &["from", "noc", "smtp", "user", "password_file", "folder"] };
pub(super) const MAIL_IN: Form = Form {
    name: "[mail_in]",
    keys: &["address", "authserv_id", "imap", "user", "password_file", "mailbox", "archive", "keep_raw", "raw_limit"],
};
pub(super) const HEARTBEAT: Form = Form { name: "[heartbeat]", keys: &["url", "every"] };
pub(super) const CANARY: Form = Form { name: "[canary]", keys: &["unit", "every"] };
pub(super) const TRAPS: Form = Form { name: "[traps]", keys: &["listen"] };
pub(super) const INVENTORY: Form = Form { name: "[inventory]", keys: &["files"] };
pub(super) const CUSTOMER: Form = Form {
    name: "[[customer]]",
    keys: &["id", "name", "email", "languages", "escalation", "survey", "address", "phone"],
};
pub(super) const NODE: Form = Form {
    name: "[[node]]",
    keys: &[
        "id",
        "address",
        "upstream",
        "probe_rate",
        "icmp",
        "snmp",
        "degraded",
        "interval",
        "snmp_interval",
        "timeout",
        "down_after",
        "solve_after",
        "history",
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
        "pop",
        "access",
        "rate",
        "contract",
        "lpoc",
        "upstream",
        "probe_rate",
        "icmp",
        "snmp",
        "degraded",
        "interval",
        "snmp_interval",
        "timeout",
        "down_after",
        "solve_after",
        "history",
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

pub(super) const MAINTENANCE: Form =
    Form { name: "[[maintenance]]", keys: &["id", "scope", "from", "until", "emergency", "note"] };

pub(super) const ROUTING: Form = Form {
    name: "[routing]",
    keys: &[
        "management",
        "sales",
        "escalate_after",
        "escalation_team",
        "second_after",
        "development_team",
        "contract_notice",
    ],
};
pub(super) const ROUTE: Form = Form {
    name: "[[route]]",
    keys: &[
        "name",
        "priority",
        "customer_tier",
        "contract",
        "service",
        "region",
        "supplier",
        "fault",
        "level",
        "after",
        "team",
        "tier",
        "skill",
        "language",
    ],
};
pub(super) const CONTACT: Form = Form {
    name: "[[contact]]",
    keys: &["id", "customer", "name", "email", "phone", "address", "role", "prefers", "letters"],
};
pub(super) const CONTRACT: Form =
    Form { name: "[[contract]]", keys: &["id", "customer", "services", "tier", "valid_until"] };
pub(super) const SUPPLIER: Form =
    Form { name: "[[supplier]]", keys: &["id", "name", "email", "phone", "languages", "territory"] };
pub(super) const TEAM: Form = Form { name: "[[team]]", keys: &["id", "name", "tier", "domain", "notify"] };
pub(super) const STAFF: Form = Form {
    name: "[[staff]]",
    keys: &[
        "id",
        "name",
        "email",
        "phone",
        "team",
        "tier",
        "skills",
        "languages",
        "territory",
        "products",
        "manager",
        "centre",
        "notify",
    ],
};
pub(super) const MESSENGER: Form = Form {
    name: "[[messenger]]",
    keys: &[
        "name",
        "preset",
        "url",
        "url_file",
        "token_file",
        "user",
        "password_file",
        "header",
        "header_file",
        "secret_file",
        "routing_key_file",
        "body",
        "body_file",
        "timeout",
    ],
};
pub(super) const NOTIFY: Form = Form { name: "[[notify]]", keys: &["to", "by"] };
pub(super) const CENTRE: Form = Form { name: "[[centre]]", keys: &["id", "name", "time_zone", "languages", "shifts"] };

/// ` (did you mean …?)`, if one of `known` is close enough to `word` to be what was meant.
pub(crate) fn nearest(word: &str, known: &[&str]) -> String {
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
