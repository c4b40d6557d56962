-- Instants are microseconds since 1970-01-01 UTC; payloads are JSON whose format the column beside them names.

CREATE TABLE ch_hosts (
    id      TEXT NOT NULL PRIMARY KEY,
    format  TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;

CREATE TABLE ch_listings (
    id      TEXT NOT NULL PRIMARY KEY,
    format  TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;

CREATE TABLE ch_gpu_conditions (
    id      TEXT NOT NULL PRIMARY KEY,
    format  TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;

CREATE TABLE ch_quotes (
    id      TEXT NOT NULL PRIMARY KEY,
    format  TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;

CREATE TABLE ch_rentals (
    id          TEXT    NOT NULL PRIMARY KEY,
    version     INTEGER NOT NULL CHECK (version > 0),
    state       TEXT    NOT NULL,
    renter      TEXT    NOT NULL,
    lender      TEXT    NOT NULL,
    lane        INTEGER NOT NULL,
    lane_held   INTEGER NOT NULL CHECK (lane_held IN (0, 1)),
    reserved_at INTEGER NOT NULL
) STRICT;
-- A lane of a lender's is in one rental at a time.
CREATE UNIQUE INDEX ch_rentals_lane ON ch_rentals (lender, lane) WHERE lane_held;
CREATE INDEX ch_rentals_state ON ch_rentals (state, reserved_at, id);
CREATE INDEX ch_rentals_renter ON ch_rentals (renter, reserved_at, id);
CREATE INDEX ch_rentals_lender ON ch_rentals (lender, reserved_at, id);

CREATE TABLE ch_events (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    rental      TEXT    NOT NULL REFERENCES ch_rentals (id),
    version     INTEGER NOT NULL,
    format      TEXT    NOT NULL,
    payload     TEXT    NOT NULL,
    salt        TEXT    NOT NULL,
    wake        TEXT,
    audit_index INTEGER,
    UNIQUE (rental, version)
) STRICT;
CREATE UNIQUE INDEX ch_events_audit_index ON ch_events (audit_index);
CREATE INDEX ch_events_unaudited ON ch_events (seq) WHERE audit_index IS NULL;

-- Events are facts: only where in the audit log they are may be noted, once.
CREATE TRIGGER ch_events_no_update BEFORE UPDATE ON ch_events
WHEN OLD.audit_index IS NOT NULL
  OR (NEW.seq, NEW.rental, NEW.version, NEW.format, NEW.payload, NEW.salt) IS NOT
     (OLD.seq, OLD.rental, OLD.version, OLD.format, OLD.payload, OLD.salt)
  OR NEW.wake IS NOT OLD.wake
BEGIN
    SELECT RAISE(ABORT, 'events never change');
END;
CREATE TRIGGER ch_events_no_delete BEFORE DELETE ON ch_events
BEGIN
    SELECT RAISE(ABORT, 'events are never deleted');
END;

-- Who has a gpu when, turnover included: [starts, ends). Rows go when the gpu is free again.
CREATE TABLE ch_bookings (
    gpu    TEXT    NOT NULL,
    starts INTEGER NOT NULL,
    ends   INTEGER NOT NULL CHECK (ends > starts),
    rental TEXT    NOT NULL REFERENCES ch_rentals (id),
    PRIMARY KEY (gpu, starts)
) STRICT, WITHOUT ROWID;
CREATE INDEX ch_bookings_ends ON ch_bookings (gpu, ends);
CREATE INDEX ch_bookings_rental ON ch_bookings (rental);

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

-- The wake-ups, in the form that db-scheduler asks for (its times are in milliseconds).
CREATE TABLE ch_wakes (
    task_name            TEXT    NOT NULL,
    task_instance        TEXT    NOT NULL,
    task_data            BLOB,
    execution_time       TIMESTAMP,
    picked               BIT     NOT NULL,
    picked_by            TEXT,
    last_success         TIMESTAMP,
    last_failure         TIMESTAMP,
    consecutive_failures INTEGER,
    last_heartbeat       TIMESTAMP,
    version              INTEGER NOT NULL,
    priority             INTEGER,
    PRIMARY KEY (task_name, task_instance)
);
CREATE INDEX ch_wakes_execution_time ON ch_wakes (execution_time);
CREATE INDEX ch_wakes_last_heartbeat ON ch_wakes (last_heartbeat);
