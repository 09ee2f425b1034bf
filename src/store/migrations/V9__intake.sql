-- How cases came in, and requests, which stand beside the fault of their line: their "fault" is their own.

ALTER TABLE cases ADD COLUMN subject TEXT;                  -- NULL: it follows from the first priority
ALTER TABLE cases ADD COLUMN prechecks TEXT;                -- "power=yes cables=no"; '': a person reported it and was not asked
ALTER TABLE cases ADD COLUMN caller TEXT;                   -- who called, as he is called
ALTER TABLE cases ADD COLUMN caller_email TEXT;             -- NULL: he is nobody whom we know
ALTER TABLE cases ADD COLUMN wanted_at INTEGER;             -- when an engineer or an activation is wanted
ALTER TABLE cases ADD COLUMN lapsed INTEGER;                -- 1: its contract had lapsed, so the sales team has it
ALTER TABLE cases ADD COLUMN update_p3_ms INTEGER;
ALTER TABLE cases ADD COLUMN answer_number INTEGER;         -- of the news that answer it; NULL: it is not answered
ALTER TABLE cases ADD COLUMN answer_undelivered INTEGER;    -- 1: they reached nobody

CREATE INDEX requests ON cases (number) WHERE fault <> 'line';
