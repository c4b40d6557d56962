-- Where in which audit log each event is, and which events are in none yet: beside the events, so that noting a place copies
-- no event. An event is known here by its seq; events are never deleted, so nothing else has to be checked.
CREATE TABLE ch_audit_places (
    event bigint NOT NULL PRIMARY KEY,
    log   text   NOT NULL,
    place bigint NOT NULL
);
CREATE TABLE ch_unaudited (
    event bigint NOT NULL PRIMARY KEY
);
INSERT INTO ch_audit_places (event, log, place)
    SELECT seq, audit_log, audit_index FROM ch_events WHERE audit_index IS NOT NULL;
INSERT INTO ch_unaudited (event) SELECT seq FROM ch_events WHERE audit_index IS NULL;
-- A place in a log is one event's.
CREATE UNIQUE INDEX ch_audit_places_place ON ch_audit_places (log, place);

DROP TRIGGER ch_events_keep_place ON ch_events;
DROP INDEX ch_events_audit_index;
DROP INDEX ch_events_unaudited;
ALTER TABLE ch_events DROP COLUMN audit_log, DROP COLUMN audit_index;

CREATE FUNCTION ch_events_are_unaudited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ch_unaudited (event) SELECT seq FROM come;
    RETURN NULL;
END
$$;
CREATE TRIGGER ch_events_come AFTER INSERT ON ch_events REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION ch_events_are_unaudited();

-- Which place was noted first stays.
CREATE TRIGGER ch_audit_places_keep BEFORE UPDATE OR DELETE ON ch_audit_places
    FOR EACH ROW EXECUTE FUNCTION ch_events_keep();

-- Few wake-ups are being worked on at a time.
DROP INDEX ch_wakes_last_heartbeat;
CREATE INDEX ch_wakes_last_heartbeat ON ch_wakes (last_heartbeat) WHERE picked;
