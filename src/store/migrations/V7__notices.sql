-- Notices to messengers: what is held back in case a reader's other channel fails, and who was told that something is wrong.

-- A letter's state is 'reserve' while it is held back, and 'spared' once nobody needs it any more.
CREATE TABLE reserves (
    letter  INTEGER PRIMARY KEY REFERENCES letters (id),
    rank    INTEGER NOT NULL,              -- how many channels are tried before it
    behind  TEXT NOT NULL                  -- the letters for which it stands in, a space between them
) STRICT;

CREATE INDEX reserve_letters ON letters (id) WHERE state = 'reserve';

-- Messengers that were told that something is wrong, and not yet that it is over.
CREATE TABLE alerts (
    recipient   TEXT NOT NULL,
    thread_key  TEXT NOT NULL,
    letter      INTEGER NOT NULL REFERENCES letters (id),  -- the one that said so last
    PRIMARY KEY (recipient, thread_key)
) STRICT, WITHOUT ROWID;
