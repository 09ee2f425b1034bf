-- How cases went, as customers see it; and customers' people.

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

-- What staff have changed of customers' people: it counts more than the inventory.
CREATE TABLE contact_changes (
    id        TEXT PRIMARY KEY,
    customer  TEXT NOT NULL,
    name      TEXT NOT NULL,
    email     TEXT,
    phone     TEXT,
    address   TEXT,
    role      TEXT NOT NULL,                -- primary, technical, escalation
    prefers   TEXT NOT NULL,                -- email, phone
    letters   INTEGER NOT NULL,             -- whether the customer's letters go there
    removed   INTEGER NOT NULL,
    by        TEXT NOT NULL,
    at        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Letters that never reached their readers, and by which others they went to whom.
CREATE TABLE passed_on (
    letter    INTEGER PRIMARY KEY REFERENCES letters (id),
    original  INTEGER NOT NULL,             -- the letter that it brings
    kind      TEXT NOT NULL,                -- and what that one says
    number    INTEGER NOT NULL,
    at        INTEGER NOT NULL
) STRICT;
CREATE INDEX passed_on_by_time ON passed_on (at);

-- Times in which no letter reached a customer.
CREATE TABLE out_of_reach (
    customer  TEXT NOT NULL,
    since     INTEGER NOT NULL,
    until     INTEGER,                      -- NULL: still
    address   TEXT NOT NULL,                -- the one that failed last
    PRIMARY KEY (customer, since)
) STRICT, WITHOUT ROWID;
