-- A lender keeps gpus for itself: bookings without a rental, under the same exclusion.
CREATE TABLE ch_maintenances (
    id      TEXT NOT NULL PRIMARY KEY,
    host    TEXT NOT NULL,
    format  TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;
CREATE INDEX ch_maintenances_host ON ch_maintenances (host);

-- SQLite can't lift a column's NOT NULL: the table is made anew.
CREATE TABLE ch_bookings_anew (
    gpu         TEXT    NOT NULL,
    starts      INTEGER NOT NULL,
    ends        INTEGER NOT NULL CHECK (ends > starts),
    rental      TEXT REFERENCES ch_rentals (id),
    maintenance TEXT REFERENCES ch_maintenances (id),
    PRIMARY KEY (gpu, starts),
    CHECK ((rental IS NULL) <> (maintenance IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO ch_bookings_anew (gpu, starts, ends, rental) SELECT gpu, starts, ends, rental FROM ch_bookings;
DROP TABLE ch_bookings;
ALTER TABLE ch_bookings_anew RENAME TO ch_bookings;
CREATE INDEX ch_bookings_ends ON ch_bookings (gpu, ends);
CREATE INDEX ch_bookings_rental ON ch_bookings (rental);
CREATE INDEX ch_bookings_maintenance ON ch_bookings (maintenance) WHERE maintenance IS NOT NULL;

-- No gpu is in two overlapping bookings: an insert that would overlap inserts nothing.
CREATE TRIGGER ch_bookings_no_overlap BEFORE INSERT ON ch_bookings
WHEN EXISTS (
    SELECT 1 FROM ch_bookings taken
    WHERE taken.gpu = NEW.gpu AND taken.ends > NEW.starts AND taken.starts < NEW.ends)
BEGIN
    SELECT RAISE(IGNORE);
END;
CREATE TRIGGER ch_bookings_no_update BEFORE UPDATE ON ch_bookings
BEGIN
    SELECT RAISE(ABORT, 'bookings never change');
END;

-- When each session was last seen running: what is metered to if it is lost while nobody looks.
CREATE TABLE ch_sightings (
    rental TEXT    NOT NULL PRIMARY KEY REFERENCES ch_rentals (id),
    seen   INTEGER NOT NULL
) STRICT;

-- The few rentals that were ever stuck, for operators.
CREATE INDEX ch_events_stuck ON ch_events (rental) WHERE format = 'stuck.v1';
