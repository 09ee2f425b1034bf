-- What suppliers owe, until when a reason for outage is owed, and agreements that changed.

ALTER TABLE cases ADD COLUMN agreed TEXT;              -- NULL: as at the opening. Milliseconds, or -: to repair, then what is
                                                       -- promised: first response, update of a P1 and a P2, supplier, RFO, repair
ALTER TABLE cases ADD COLUMN supplier_ms INTEGER;      -- as it was pledged at the opening
ALTER TABLE cases ADD COLUMN rfo_within_ms INTEGER;
