-- A lender keeps gpus for itself: bookings without a rental, under the same exclusion.
CREATE TABLE ch_maintenances (
    id      text NOT NULL PRIMARY KEY,
    host    text NOT NULL,
    format  text NOT NULL,
    payload json NOT NULL
);
CREATE INDEX ch_maintenances_host ON ch_maintenances (host);

ALTER TABLE ch_bookings
    ALTER COLUMN rental DROP NOT NULL,
    ADD COLUMN maintenance text REFERENCES ch_maintenances (id),
    ADD CONSTRAINT ch_bookings_holder CHECK ((rental IS NULL) <> (maintenance IS NULL));
CREATE INDEX ch_bookings_maintenance ON ch_bookings (maintenance) WHERE maintenance IS NOT NULL;

-- When each session was last seen running: what is metered to if it is lost while nobody looks.
CREATE TABLE ch_sightings (
    rental text        NOT NULL PRIMARY KEY REFERENCES ch_rentals (id),
    seen   timestamptz NOT NULL
);

-- The few rentals that were ever stuck, for operators.
CREATE INDEX ch_events_stuck ON ch_events (rental) WHERE format = 'stuck.v1';
