-- Each engine has an audit log of its own: a place in one is the log's name and an index. What was noted before has the
-- empty name: the only log that there was then.
ALTER TABLE ch_events ADD COLUMN audit_log TEXT NOT NULL DEFAULT '';
DROP INDEX ch_events_audit_index;
CREATE UNIQUE INDEX ch_events_audit_index ON ch_events (audit_log, audit_index) WHERE audit_index IS NOT NULL;

-- Events are facts: only where in an audit log they are may be noted, once.
DROP TRIGGER ch_events_no_update;
CREATE TRIGGER ch_events_no_update BEFORE UPDATE OF seq, rental, version, format, payload, salt, wake ON ch_events
BEGIN
    SELECT RAISE(ABORT, 'events never change');
END;
CREATE TRIGGER ch_events_keep_place BEFORE UPDATE OF audit_log, audit_index ON ch_events
WHEN OLD.audit_index IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'events never change');
END;
