-- Each replica has an audit log of its own: a place in one is the log's name and an index. What was noted before has the
-- empty name: the only log that there was then.
ALTER TABLE ch_events ADD COLUMN audit_log text NOT NULL DEFAULT '';
DROP INDEX ch_events_audit_index;
CREATE UNIQUE INDEX ch_events_audit_index ON ch_events (audit_log, audit_index) WHERE audit_index IS NOT NULL;

-- Events are facts: only where in an audit log they are may be noted, once. Said so that noting it costs no function call.
DROP TRIGGER ch_events_keep ON ch_events;
DROP FUNCTION ch_events_keep();
CREATE FUNCTION ch_events_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events never change and are never deleted';
END
$$;
CREATE TRIGGER ch_events_keep BEFORE DELETE OR UPDATE OF seq, rental, version, format, payload, salt, wake
    ON ch_events FOR EACH ROW EXECUTE FUNCTION ch_events_keep();
CREATE TRIGGER ch_events_keep_place BEFORE UPDATE OF audit_log, audit_index
    ON ch_events FOR EACH ROW WHEN (OLD.audit_index IS NOT NULL) EXECUTE FUNCTION ch_events_keep();

-- Reservations that are stored together take gpus and lanes first and give back what was taken in vain.
ALTER TABLE ch_bookings ALTER CONSTRAINT ch_bookings_rental_fkey DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ch_lanes ALTER CONSTRAINT ch_lanes_rental_fkey DEFERRABLE INITIALLY DEFERRED;
