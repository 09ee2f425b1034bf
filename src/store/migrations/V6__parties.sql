-- Whom cases are with, and who of our own is there.

ALTER TABLE cases ADD COLUMN assigned_rule TEXT;            -- the rule that fired last
ALTER TABLE cases ADD COLUMN assigned_team TEXT;            -- the team that it is with
ALTER TABLE cases ADD COLUMN assigned_at INTEGER;           -- NULL: it was never given to anybody
ALTER TABLE cases ADD COLUMN assigned_times INTEGER;
ALTER TABLE cases ADD COLUMN misroutes INTEGER;             -- taken by a person from the team that a rule had chosen
ALTER TABLE cases ADD COLUMN chase_step TEXT;               -- who has heard that it takes too long: escalation, development
ALTER TABLE cases ADD COLUMN chased_since INTEGER;          -- since when the time to the next one runs; NULL: the opening

CREATE TABLE staff_off (
    id      TEXT PRIMARY KEY,
    since   INTEGER NOT NULL,
    by      TEXT NOT NULL                  -- who said so
) STRICT, WITHOUT ROWID;

-- The centre that has the shift.
CREATE TABLE shift (
    only      INTEGER PRIMARY KEY CHECK (only = 1),
    centre    TEXT NOT NULL,
    since     INTEGER NOT NULL,
    complete  INTEGER NOT NULL             -- whether all cases are handed over to it
) STRICT;

-- Contracts of whose end their customers were told.
CREATE TABLE contract_notices (
    contract  TEXT NOT NULL,
    last_day  INTEGER NOT NULL,            -- in days since 1970-01-01
    told_at   INTEGER NOT NULL,
    PRIMARY KEY (contract, last_day)
) STRICT, WITHOUT ROWID;
