-- Messages as they came have a table of their own: what is decided on one is written without its bytes, and they may be dropped.

CREATE TABLE originals (
    mail  INTEGER PRIMARY KEY REFERENCES mails (id),
    raw   BLOB NOT NULL
) STRICT;

INSERT INTO originals SELECT id, raw FROM mails;

-- Bytes of the original; NULL: it was dropped.
ALTER TABLE mails ADD COLUMN original INTEGER;
UPDATE mails SET original = length(raw);
ALTER TABLE mails DROP COLUMN raw;

CREATE INDEX mails_originals ON mails (received_at, outcome, original) WHERE original IS NOT NULL;
