-- How cases went, as customers see it.

CREATE TABLE surveys (
    case_number  INTEGER PRIMARY KEY REFERENCES cases (number),  -- the first one that its letter was about
    customer     TEXT NOT NULL,
    lines        INTEGER NOT NULL,          -- cases that the letter was about
    sent_at      INTEGER NOT NULL,
    until        INTEGER NOT NULL,          -- it can be answered before
    answered_at  INTEGER,
    score        INTEGER CHECK (score BETWEEN 1 AND 5),
    comment      TEXT
) STRICT;
CREATE INDEX surveys_by_time ON surveys (sent_at);
CREATE INDEX open_surveys ON surveys (until) WHERE answered_at IS NULL;

-- How often customers were asked lately.
CREATE TABLE survey_tallies (
    customer  TEXT PRIMARY KEY,
    closed    INTEGER NOT NULL,             -- letters about closed cases since then
    asked_at  INTEGER
) STRICT, WITHOUT ROWID;
