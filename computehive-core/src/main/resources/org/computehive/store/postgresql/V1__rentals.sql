-- Payloads are JSON whose format the column beside them names; json, not jsonb, keeps every character as it was written.

-- Lets an exclusion constraint compare text. Trusted since PostgreSQL 13: the database's owner may create it.
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE ch_hosts (
    id      text NOT NULL PRIMARY KEY,
    format  text NOT NULL,
    payload json NOT NULL
);

CREATE TABLE ch_listings (
    id      text NOT NULL PRIMARY KEY,
    format  text NOT NULL,
    payload json NOT NULL
);

CREATE TABLE ch_gpu_conditions (
    id      text NOT NULL PRIMARY KEY,
    format  text NOT NULL,
    payload json NOT NULL
);

CREATE TABLE ch_quotes (
    id      text NOT NULL PRIMARY KEY,
    format  text NOT NULL,
    payload json NOT NULL
);

CREATE TABLE ch_rentals (
    id          text        NOT NULL PRIMARY KEY,
    version     bigint      NOT NULL CHECK (version > 0),
    state       text        NOT NULL,
    renter      text        NOT NULL,
    lender      text        NOT NULL,
    lane        bigint      NOT NULL,
    lane_held   boolean     NOT NULL,
    reserved_at timestamptz NOT NULL
);
-- A lane of a lender's is in one rental at a time.
CREATE UNIQUE INDEX ch_rentals_lane ON ch_rentals (lender, lane) WHERE lane_held;
CREATE INDEX ch_rentals_state ON ch_rentals (state, reserved_at, id);
CREATE INDEX ch_rentals_renter ON ch_rentals (renter, reserved_at, id);
CREATE INDEX ch_rentals_lender ON ch_rentals (lender, reserved_at, id);

CREATE TABLE ch_events (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rental      text   NOT NULL REFERENCES ch_rentals (id),
    version     bigint NOT NULL,
    format      text   NOT NULL,
    payload     json   NOT NULL,
    salt        text   NOT NULL,
    wake        text,
    audit_index bigint,
    UNIQUE (rental, version)
);
CREATE UNIQUE INDEX ch_events_audit_index ON ch_events (audit_index);
CREATE INDEX ch_events_unaudited ON ch_events (seq) WHERE audit_index IS NULL;

-- Events are facts: only where in the audit log they are may be noted, once.
CREATE FUNCTION ch_events_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'events are never deleted';
    END IF;
    IF OLD.audit_index IS NOT NULL
        OR (NEW.seq, NEW.rental, NEW.version, NEW.format, NEW.payload::text, NEW.salt, NEW.wake) IS DISTINCT FROM
           (OLD.seq, OLD.rental, OLD.version, OLD.format, OLD.payload::text, OLD.salt, OLD.wake) THEN
        RAISE EXCEPTION 'events never change';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER ch_events_keep BEFORE UPDATE OR DELETE ON ch_events FOR EACH ROW EXECUTE FUNCTION ch_events_keep();

-- Who has a gpu when, turnover included: [starts, ends). Rows go when the gpu is free again.
-- No gpu is in two overlapping bookings.
CREATE TABLE ch_bookings (
    gpu    text        NOT NULL,
    starts timestamptz NOT NULL,
    ends   timestamptz NOT NULL CHECK (ends > starts),
    rental text        NOT NULL REFERENCES ch_rentals (id),
    CONSTRAINT ch_bookings_no_overlap EXCLUDE USING gist (gpu WITH =, tstzrange(starts, ends) WITH &&)
);
CREATE INDEX ch_bookings_rental ON ch_bookings (rental);

-- The wake-ups, in the form that db-scheduler asks for.
CREATE TABLE ch_wakes (
    task_name            text    NOT NULL,
    task_instance        text    NOT NULL,
    task_data            bytea,
    execution_time       timestamptz,
    picked               boolean NOT NULL,
    picked_by            text,
    last_success         timestamptz,
    last_failure         timestamptz,
    consecutive_failures integer,
    last_heartbeat       timestamptz,
    version              bigint  NOT NULL,
    priority             smallint,
    PRIMARY KEY (task_name, task_instance)
);
CREATE INDEX ch_wakes_execution_time ON ch_wakes (execution_time);
CREATE INDEX ch_wakes_last_heartbeat ON ch_wakes (last_heartbeat);
