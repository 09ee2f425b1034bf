-- The first schema. Files in this directory are only ever added, never changed: see schema.rs.
--
-- Times are milliseconds of the watch's timeline, sums of time are milliseconds. "calendar" tells what a wall clock
-- showed at a time; the views at the end do the sum.

PRAGMA application_id = 1314149719;  -- "NTUW"

-- What is known of each device of the inventory. From first_loss on: the loss since its last contact, if any.
CREATE TABLE devices (
    id                  TEXT PRIMARY KEY,
    verdict             TEXT NOT NULL,
    reason              TEXT NOT NULL,
    since               INTEGER NOT NULL,
    last_contact        INTEGER,
    first_loss          INTEGER,
    detected            INTEGER,
    loss_ms             INTEGER,
    loss_running_since  INTEGER,
    fault_at_ms         INTEGER,           -- so much loss makes the next fault; NULL: it is reported
    address             TEXT
) STRICT, WITHOUT ROWID;

-- Stretches of verdicts that are over. A device that left the inventory keeps its ledger.
CREATE TABLE ledger (
    device   TEXT NOT NULL,
    since    INTEGER NOT NULL,
    until    INTEGER NOT NULL,             -- the first millisecond that it does not cover
    verdict  TEXT NOT NULL,
    reason   TEXT NOT NULL,
    PRIMARY KEY (device, since)
) STRICT, WITHOUT ROWID;

-- Cases: first what is, then how it began.
CREATE TABLE cases (
    number                      INTEGER PRIMARY KEY,
    reference                   TEXT NOT NULL UNIQUE,
    unit                        TEXT NOT NULL,
    fault                       TEXT NOT NULL DEFAULT 'line',
    priority                    TEXT NOT NULL,
    stage                       TEXT NOT NULL,
    stage_since                 INTEGER,   -- NULL while New
    waiting_on                  TEXT,
    solved_by                   TEXT,
    solved_at                   INTEGER,   -- from here on: while Solved, and kept when Closed
    window_ms                   INTEGER,   -- so much observed time closes the case
    window_observed_ms          INTEGER,
    window_running_since        INTEGER,
    owner                       TEXT,
    line                        TEXT NOT NULL,
    line_reason                 TEXT,
    line_since                  INTEGER NOT NULL,
    fault_seen                  INTEGER NOT NULL,  -- 1: the watch has seen the fault itself
    confirmed_last_contact      INTEGER,   -- the loss that the watch found on a case that a person had opened
    confirmed_first_loss        INTEGER,
    confirmed_detected          INTEGER,
    back_ms                     INTEGER,
    back_running_since          INTEGER,
    recovered_at                INTEGER,
    downtime_ms                 INTEGER NOT NULL,
    downtime_running_since      INTEGER,
    solved                      INTEGER NOT NULL,
    returned                    INTEGER NOT NULL,
    last_letter_kind            TEXT,
    last_letter_number          INTEGER,
    opened_at                   INTEGER NOT NULL,
    opened_by                   TEXT NOT NULL,
    opening_priority            TEXT NOT NULL,
    customer                    TEXT NOT NULL,
    service_order               TEXT NOT NULL,
    service                     TEXT NOT NULL,
    region                      TEXT NOT NULL,
    ttr_ms                      INTEGER NOT NULL,
    supplier                    TEXT,
    queue                       TEXT NOT NULL,
    note                        TEXT,
    last_contact                INTEGER,
    first_loss                  INTEGER,
    detected                    INTEGER,
    opening_loss_ms             INTEGER NOT NULL,
    opening_loss_running_since  INTEGER,
    opening_line                TEXT NOT NULL,
    opening_line_reason         TEXT,
    opening_line_since          INTEGER NOT NULL,
    solve_after_ms              INTEGER NOT NULL,
    previous                    INTEGER    -- number of the closed case that the unit had before
) STRICT;

CREATE UNIQUE INDEX one_open_case_per_unit_and_fault ON cases (unit, fault) WHERE stage <> 'Closed';
CREATE INDEX open_cases ON cases (number) WHERE stage <> 'Closed';
CREATE INDEX cases_of_unit ON cases (unit, number, stage);

-- The outbox, and every letter that ever went through it.
CREATE TABLE letters (
    id               INTEGER PRIMARY KEY,
    case_number      INTEGER NOT NULL REFERENCES cases (number),
    kind             TEXT NOT NULL,
    number           INTEGER NOT NULL,
    recipient        TEXT NOT NULL,
    message_id       TEXT NOT NULL UNIQUE,
    in_reply_to      TEXT,
    thread           TEXT NOT NULL,        -- the References header: Message-IDs, a space between them
    subject          TEXT NOT NULL,
    body             TEXT NOT NULL,
    written_at       INTEGER NOT NULL,
    written_unix_ms  INTEGER NOT NULL,     -- the Date header
    state            TEXT NOT NULL DEFAULT 'queued',
    attempts         INTEGER NOT NULL DEFAULT 0,
    error            TEXT,
    sent_at          INTEGER,
    UNIQUE (case_number, kind, number, recipient)
) STRICT;

CREATE INDEX queued_letters ON letters (id) WHERE state = 'queued';

-- What happened, for people. Rows are only ever added.
CREATE TABLE journal (
    seq          INTEGER PRIMARY KEY,
    at           INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    device       TEXT,
    case_number  INTEGER REFERENCES cases (number),
    text         TEXT NOT NULL,
    data         TEXT NOT NULL
) STRICT;

CREATE INDEX journal_of_case ON journal (case_number, seq) WHERE case_number IS NOT NULL;

-- From "since" on a wall clock was offset_ms ahead of the timeline.
CREATE TABLE calendar (
    since      INTEGER PRIMARY KEY,
    offset_ms  INTEGER NOT NULL
) STRICT;

-- One row: where the clocks stood at the last commit, and the number of the next case, which never goes back.
CREATE TABLE daemon (
    only           INTEGER PRIMARY KEY CHECK (only = 1),
    watched_until  INTEGER NOT NULL,
    boot_id        TEXT NOT NULL,
    boot_ms        INTEGER NOT NULL,
    unix_ms        INTEGER NOT NULL,
    next_case      INTEGER NOT NULL
) STRICT;

-- For the sqlite3 shell: what a wall clock showed, as UTC.
CREATE VIEW cases_readable AS
SELECT
    x.reference, x.unit, x.customer, x.priority, x.stage, x.waiting_on, x.owner, x.queue, x.line,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.opened_at + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.opened_at ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS opened,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.last_contact + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.last_contact ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS last_contact,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.first_loss + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.first_loss ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS first_loss,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.detected + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.detected ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS detected,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.recovered_at + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.recovered_at ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS recovered,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.stage_since + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.stage_since ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS stage_since,
    p.reference AS previous
FROM cases AS x LEFT JOIN cases AS p ON p.number = x.previous;

CREATE VIEW ledger_readable AS
SELECT
    x.device,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.since + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.since ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS since,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.until + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.until ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS until,
    x.verdict, x.reason, (x.until - x.since) / 1000.0 AS seconds
FROM ledger AS x;

CREATE VIEW journal_readable AS
SELECT
    x.seq,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.at + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.at ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS at,
    x.kind, x.device, k.reference, x.text
FROM journal AS x LEFT JOIN cases AS k ON k.number = x.case_number;
