-- Where in which audit log each event is, and which events are in none yet: beside the events, as on PostgreSQL.
CREATE TABLE ch_audit_places (
    event INTEGER NOT NULL PRIMARY KEY,
    log   TEXT    NOT NULL,
    place INTEGER NOT NULL
) STRICT;
CREATE TABLE ch_unaudited (
    event INTEGER NOT NULL PRIMARY KEY
) STRICT;
INSERT INTO ch_audit_places (event, log, place)
    SELECT seq, audit_log, audit_index FROM ch_events WHERE audit_index IS NOT NULL;
INSERT INTO ch_unaudited (event) SELECT seq FROM ch_events WHERE audit_index IS NULL;
-- A place in a log is one event's.
CREATE UNIQUE INDEX ch_audit_places_place ON ch_audit_places (log, place);

DROP TRIGGER ch_events_keep_place;
DROP INDEX ch_events_audit_index;
DROP INDEX ch_events_unaudited;
ALTER TABLE ch_events DROP COLUMN audit_log;
ALTER TABLE ch_events DROP COLUMN audit_index;

CREATE TRIGGER ch_events_come AFTER INSERT ON ch_events
BEGIN
    INSERT INTO ch_unaudited (event) VALUES (NEW.seq);
END;

-- Which place was noted first stays.
CREATE TRIGGER ch_audit_places_no_update BEFORE UPDATE ON ch_audit_places
BEGIN
    SELECT RAISE(ABORT, 'places in an audit log never change');
END;
CREATE TRIGGER ch_audit_places_no_delete BEFORE DELETE ON ch_audit_places
BEGIN
    SELECT RAISE(ABORT, 'places in an audit log never change');
END;
