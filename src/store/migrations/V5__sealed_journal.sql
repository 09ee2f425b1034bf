-- The journal is sealed: each commit that adds to it adds one link to a chain of hashes.

-- seal = SHA-256 of the seal before it and of all rows of the journal after that one's, up to "seq": see seal.rs. The
-- first one is all zeros, and stands before the first row that is sealed.
CREATE TABLE journal_seals (
    seq   INTEGER PRIMARY KEY,             -- the last row that it covers
    seal  BLOB NOT NULL
) STRICT;

INSERT INTO journal_seals SELECT coalesce(max(seq), 0), zeroblob(32) FROM journal;
