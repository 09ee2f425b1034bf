-- The journal is sealed: each commit that adds to it adds one link to a chain of hashes.

-- seal = SHA-256 of the seal before it and of all rows of the journal after that one's, up to "seq": see seal.rs. The
-- first one is all zeros, and stands before the first row that is sealed.
CREATE TABLE journal_seals (
    seq   INTEGER PRIMARY KEY,             -- the last row that it covers
    seal  BLOB NOT NULL
) STRICT;

INSERT INTO journal_seals SELECT coalesce(max(seq), 0), zeroblob(32) FROM journal;

-- A customer's letter, and not the operations centre's copy. Nobody can say that of those from before.
ALTER TABLE letters ADD COLUMN to_customer INTEGER NOT NULL DEFAULT 0;

-- Reasons for outage that were issued: the bytes of each, never changed.
CREATE TABLE rfos (
    case_number  INTEGER NOT NULL REFERENCES cases (number),
    number       INTEGER NOT NULL,         -- from 1 in its case
    sha256       BLOB NOT NULL,            -- of the bytes of "json"; the journal's rfo_issued has it too
    json         TEXT NOT NULL,
    issued_at    INTEGER NOT NULL,
    seal         INTEGER NOT NULL,         -- the row of journal_seals that it stands on
    PRIMARY KEY (case_number, number)
) STRICT;

-- Where the reason for outage of a case stands; the last two are as they were pledged at the opening.
ALTER TABLE cases ADD COLUMN rfo_issued INTEGER NOT NULL DEFAULT 0;         -- so many
ALTER TABLE cases ADD COLUMN rfo_solved INTEGER NOT NULL DEFAULT 0;         -- as how often solved the last was ordered
ALTER TABLE cases ADD COLUMN rfo_step TEXT NOT NULL DEFAULT 'none';         -- ordered, issued, delivered, undelivered
ALTER TABLE cases ADD COLUMN rfo_by TEXT;                                   -- while ordered
ALTER TABLE cases ADD COLUMN rfo_since INTEGER;                             -- while ordered
ALTER TABLE cases ADD COLUMN rfo_p1_required INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN rfo_p2_required INTEGER NOT NULL DEFAULT 0;
