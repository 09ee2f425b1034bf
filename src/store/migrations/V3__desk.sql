-- Promises of cases, how far they were escalated, and what staff had to tell.

ALTER TABLE cases ADD COLUMN promises TEXT;                 -- one a line: kind, milliseconds it has, counted, since when on
ALTER TABLE cases ADD COLUMN repairing_ms INTEGER NOT NULL DEFAULT 0;  -- of the time to repair, used up before it was solved
ALTER TABLE cases ADD COLUMN escalation_level TEXT;
ALTER TABLE cases ADD COLUMN escalated_for TEXT;            -- the promise that was missed, or staff:NAME
ALTER TABLE cases ADD COLUMN escalated_times INTEGER;
ALTER TABLE cases ADD COLUMN news_number INTEGER;
ALTER TABLE cases ADD COLUMN news TEXT;
ALTER TABLE cases ADD COLUMN first_response_ms INTEGER;     -- from here on: as it was pledged at the opening
ALTER TABLE cases ADD COLUMN update_p1_ms INTEGER;
ALTER TABLE cases ADD COLUMN update_p2_ms INTEGER;
ALTER TABLE cases ADD COLUMN repair_pledged INTEGER NOT NULL DEFAULT 0;
