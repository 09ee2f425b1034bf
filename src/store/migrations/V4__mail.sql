-- Mail that comes in: every message as it came, what was decided, and why.

-- A message is kept before anybody looks into it.
CREATE TABLE mails (
    id           INTEGER PRIMARY KEY,
    received_at  INTEGER NOT NULL,
    digest       BLOB NOT NULL UNIQUE,     -- SHA-256 of raw: the same bytes are the same message
    raw          BLOB NOT NULL,
    whole        INTEGER NOT NULL,         -- 0: it was too large, and this is its beginning
    tries        INTEGER NOT NULL,         -- how often somebody began to read it
    outcome      TEXT,                     -- NULL: nobody has read it yet
    why          TEXT,                     -- why people have to decide, or nothing is to be done
    case_number  INTEGER REFERENCES cases (number),
    sender       TEXT,
    message_id   TEXT,
    subject      TEXT,
    body         TEXT,                     -- what its writer wrote, without what he quotes
    nature       TEXT,                     -- person, report, own, or how a program shows
    attachments  TEXT,                     -- a JSON array
    letter       INTEGER REFERENCES letters (id),  -- witnesses, from here on: the letter that it answers
    tenant       TEXT,                     -- customer:ID, staff, several or stranger
    authentic    TEXT,                     -- pass, fail or unknown
    claim        TEXT                      -- the reference in its subject
) STRICT;

CREATE INDEX mails_to_read ON mails (id) WHERE outcome IS NULL;
CREATE INDEX mails_aside ON mails (id) WHERE outcome = 'quarantined';
CREATE INDEX mails_of_case ON mails (case_number, id) WHERE case_number IS NOT NULL;
CREATE INDEX mails_by_message_id ON mails (message_id) WHERE message_id IS NOT NULL;

-- Addresses of readers that do not work; a row goes when somebody writes from there.
CREATE TABLE unreachable (
    address  TEXT PRIMARY KEY,
    since    INTEGER NOT NULL,
    why      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What this store alone knows. "letters" makes Message-IDs and reply addresses that nobody can guess.
CREATE TABLE secrets (
    name   TEXT PRIMARY KEY,
    value  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE letters ADD COLUMN reply_to TEXT;

ALTER TABLE cases ADD COLUMN channel TEXT NOT NULL DEFAULT 'monitoring';
UPDATE cases SET channel = 'api' WHERE opened_by <> 'watch';
ALTER TABLE cases ADD COLUMN informed TEXT;    -- a letter and its readers, then what was promised before it
ALTER TABLE cases ADD COLUMN heard TEXT;       -- how many messages, the latest one's number, writer and sender; its text
