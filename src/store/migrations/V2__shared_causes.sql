-- Shared causes, maintenance, degraded lines, alarms, and letters that belong to a thread and not to one case.

-- Causes that lines share. Numbers and references come from the same counter as those of cases.
CREATE TABLE umbrellas (
    number      INTEGER PRIMARY KEY,
    reference   TEXT NOT NULL UNIQUE,
    cause       TEXT NOT NULL,             -- device=ID, below=ID, supplier=ID and the like, or moment
    opened_at   INTEGER NOT NULL,
    first_loss  INTEGER NOT NULL,
    lost        INTEGER NOT NULL,          -- lines that were lost together
    sharing     INTEGER NOT NULL,          -- lines that share the cause
    within_ms   INTEGER NOT NULL,          -- from the first to the last of these losses
    closed_at   INTEGER                    -- NULL: it is open
) STRICT;

CREATE INDEX open_umbrellas ON umbrellas (number) WHERE closed_at IS NULL;

-- Lines of umbrellas whose letters wait for those of the customer's other lines, in the order in which they came.
CREATE TABLE held_lines (
    umbrella     INTEGER NOT NULL REFERENCES umbrellas (number),
    customer     TEXT NOT NULL,
    case_number  INTEGER NOT NULL REFERENCES cases (number),
    kind         TEXT NOT NULL,
    number       INTEGER NOT NULL,
    due          INTEGER NOT NULL,
    UNIQUE (case_number, kind, number)
) STRICT;

-- What is wrong with the watch itself; a row goes when it is well again.
CREATE TABLE alarms (
    kind    TEXT PRIMARY KEY,
    since   INTEGER NOT NULL,
    cause   TEXT NOT NULL,                 -- own_side, everybody or canary
    reason  TEXT,                          -- of own_side
    unit    TEXT,                          -- of canary
    step    TEXT                           -- of canary: how far its outage came
) STRICT, WITHOUT ROWID;

CREATE TABLE maintenance (
    id            TEXT PRIMARY KEY,
    scope_group   TEXT,                    -- kind of group, such as supplier; NULL: scope is a device
    scope         TEXT NOT NULL,
    begins        INTEGER NOT NULL,
    ends          INTEGER NOT NULL,
    emergency     INTEGER NOT NULL,        -- 1: it can't wait
    note          TEXT,
    origin        TEXT NOT NULL,           -- config, or staff:NAME
    revision      INTEGER NOT NULL,
    announced_at  INTEGER NOT NULL,
    planned_at    INTEGER NOT NULL,          -- in its first revision
    stage         TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Single rounds that are worth keeping: a byte each, from one that was due at "since". A device that left the inventory
-- keeps its strips.
CREATE TABLE strips (
    device       TEXT NOT NULL,
    since        INTEGER NOT NULL,
    interval_ms  INTEGER NOT NULL,
    cells        BLOB NOT NULL,
    PRIMARY KEY (device, since)
) STRICT, WITHOUT ROWID;

ALTER TABLE devices ADD COLUMN symptoms INTEGER NOT NULL DEFAULT 0;         -- a bit each
ALTER TABLE devices ADD COLUMN baseline_level INTEGER NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN baseline_windows INTEGER NOT NULL DEFAULT 0; -- windows that it was learnt from
ALTER TABLE devices ADD COLUMN agent TEXT NOT NULL DEFAULT 'unknown';

-- The cases anew, without an index of their references: each is its number in other words, and they are scattered, so that
-- in a storm nearly every case would have a page of that index written. Letters and journal refer to the same numbers.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE old_cases AS SELECT * FROM cases;
DROP TABLE cases;
CREATE TABLE cases (
    number                      INTEGER PRIMARY KEY,
    reference                   TEXT NOT NULL,
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
    previous                    INTEGER,   -- number of the closed case that the unit had before
    closed_at                   INTEGER    -- NULL: it is open
) STRICT;

-- None of them is about the stage: a case goes through its stages without a page of theirs being written.
CREATE UNIQUE INDEX one_open_case_per_unit_and_fault ON cases (unit, fault) WHERE closed_at IS NULL;
CREATE INDEX open_cases ON cases (number) WHERE closed_at IS NULL;
CREATE INDEX cases_of_unit ON cases (unit, number);

INSERT INTO cases SELECT *, CASE WHEN stage = 'Closed' THEN stage_since END FROM old_cases;
DROP TABLE old_cases;

ALTER TABLE cases ADD COLUMN umbrella INTEGER REFERENCES umbrellas (number);
ALTER TABLE cases ADD COLUMN finding_symptom TEXT;          -- how the line was found degraded the last time
ALTER TABLE cases ADD COLUMN finding_measured INTEGER;
ALTER TABLE cases ADD COLUMN finding_limit INTEGER;
ALTER TABLE cases ADD COLUMN finding_over_ms INTEGER;
ALTER TABLE cases ADD COLUMN site_cause TEXT;               -- what the witnesses support
ALTER TABLE cases ADD COLUMN witnesses TEXT;                -- one a line
ALTER TABLE cases ADD COLUMN pop TEXT;                      -- from here on: as it was at the opening
ALTER TABLE cases ADD COLUMN access TEXT;
ALTER TABLE cases ADD COLUMN rate INTEGER;                  -- committed rate, in bits a second
ALTER TABLE cases ADD COLUMN opening_finding_symptom TEXT;
ALTER TABLE cases ADD COLUMN opening_finding_measured INTEGER;
ALTER TABLE cases ADD COLUMN opening_finding_limit INTEGER;
ALTER TABLE cases ADD COLUMN opening_finding_over_ms INTEGER;

CREATE INDEX cases_of_umbrella ON cases (umbrella, number) WHERE umbrella IS NOT NULL;

-- The letters anew: a column can't lose its NOT NULL, nor a table its UNIQUE. No other table refers to this one.
CREATE TABLE new_letters (
    id               INTEGER PRIMARY KEY,
    thread_key       TEXT NOT NULL,        -- case:REFERENCE:UNIT, umbrella:REFERENCE:CUSTOMER (nobody: the operations
                                           -- centre), maintenance:ID:TIME:CUSTOMER or alarm:KIND:SINCE
    case_number      INTEGER REFERENCES cases (number),  -- of a thread about one case
    kind             TEXT NOT NULL,
    number           INTEGER NOT NULL,
    recipient        TEXT NOT NULL,
    message_id       TEXT NOT NULL,        -- made of what is unique below
    in_reply_to      TEXT,
    mail_references  TEXT NOT NULL,        -- the References header: Message-IDs, a space between them
    subject          TEXT NOT NULL,
    body             TEXT NOT NULL,
    written_at       INTEGER NOT NULL,
    written_unix_ms  INTEGER NOT NULL,     -- the Date header
    state            TEXT NOT NULL DEFAULT 'queued',
    attempts         INTEGER NOT NULL DEFAULT 0,
    error            TEXT,
    sent_at          INTEGER,
    UNIQUE (thread_key, kind, number, recipient)
) STRICT;

INSERT INTO new_letters
SELECT
    l.id, 'case:' || c.reference || ':' || c.unit, l.case_number, l.kind, l.number, l.recipient, l.message_id,
    l.in_reply_to, l.thread, l.subject, l.body, l.written_at, l.written_unix_ms, l.state, l.attempts, l.error, l.sent_at
FROM letters AS l JOIN cases AS c ON c.number = l.case_number
ORDER BY l.id;

DROP TABLE letters;
ALTER TABLE new_letters RENAME TO letters;
CREATE INDEX queued_letters ON letters (id) WHERE state = 'queued';

-- Which letters tell of a case, and what. A letter about an umbrella tells of many.
CREATE TABLE letter_lines (
    letter       INTEGER NOT NULL REFERENCES letters (id),
    case_number  INTEGER NOT NULL REFERENCES cases (number),
    kind         TEXT NOT NULL,
    number       INTEGER NOT NULL,
    recipient    TEXT NOT NULL,
    PRIMARY KEY (case_number, letter)
) STRICT, WITHOUT ROWID;

-- News of staff are counted by umbrella, and a case may come under another one: their threads keep them apart.
CREATE UNIQUE INDEX one_letter_per_case_kind_number_and_reader
    ON letter_lines (case_number, kind, number, recipient) WHERE kind <> 'updated';

INSERT INTO letter_lines SELECT id, case_number, kind, number, recipient FROM letters;

-- What is about an umbrella has it here, and no case.
ALTER TABLE journal ADD COLUMN umbrella INTEGER REFERENCES umbrellas (number);
CREATE INDEX journal_of_umbrella ON journal (umbrella, seq) WHERE umbrella IS NOT NULL;

-- What is about a maintenance: there is little of it among very much.
CREATE INDEX journal_of_maintenance ON journal (json_extract(data, '$.maintenance'), seq)
    WHERE kind GLOB 'maintenance_*';
CREATE INDEX ledger_of_maintenance ON ledger (until) WHERE reason = 'maintenance';

-- For the sqlite3 shell, as before.
DROP VIEW cases_readable;
CREATE VIEW cases_readable AS
SELECT
    x.reference, x.unit, x.customer, x.priority, x.stage, x.waiting_on, x.owner, x.queue, x.line,
    u.reference AS umbrella, x.finding_symptom AS symptom, x.site_cause,
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
FROM cases AS x LEFT JOIN cases AS p ON p.number = x.previous LEFT JOIN umbrellas AS u ON u.number = x.umbrella;

CREATE VIEW umbrellas_readable AS
SELECT
    x.reference, x.cause, x.lost, x.sharing, x.within_ms / 1000.0 AS within_seconds,
    (SELECT count(*) FROM cases AS k WHERE k.umbrella = x.number) AS cases,
    (SELECT count(*) FROM cases AS k WHERE k.umbrella = x.number AND k.stage IN ('New', 'Working', 'Waiting')) AS at_work,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.first_loss + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.first_loss ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS first_loss,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.opened_at + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.opened_at ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS opened,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.closed_at + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.closed_at ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS closed
FROM umbrellas AS x;

CREATE VIEW maintenance_readable AS
SELECT
    x.id, coalesce(x.scope_group || '=', '') || x.scope AS scope, x.stage,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.begins + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.begins ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS begins,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.ends + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.ends ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS ends,
    x.emergency, x.origin, x.revision,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.announced_at + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.announced_at ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS announced,
    x.note
FROM maintenance AS x;

DROP VIEW journal_readable;
CREATE VIEW journal_readable AS
SELECT
    x.seq,
    strftime('%Y-%m-%d %H:%M:%fZ', (x.at + coalesce((SELECT c.offset_ms FROM calendar AS c
        WHERE c.since <= x.at ORDER BY c.since DESC LIMIT 1), 0)) / 1000.0, 'unixepoch') AS at,
    x.kind, x.device, coalesce(k.reference, u.reference) AS reference, x.text
FROM journal AS x LEFT JOIN cases AS k ON k.number = x.case_number LEFT JOIN umbrellas AS u ON u.number = x.umbrella;
