-- What was answered to requests with an idempotency key, so that it can be answered again.
CREATE TABLE ch_answers (
    caller          text        NOT NULL,
    idempotency_key text        NOT NULL,
    request         text        NOT NULL,
    answered_at     timestamptz NOT NULL,
    format          text        NOT NULL,
    payload         json        NOT NULL,
    PRIMARY KEY (caller, idempotency_key)
);
CREATE INDEX ch_answers_answered_at ON ch_answers (answered_at);

-- Quotes are forgotten some time after they expired. Those of before get it from their JSON.
ALTER TABLE ch_quotes ADD COLUMN expires timestamptz;
UPDATE ch_quotes SET expires = (payload ->> 'expires')::timestamptz;
ALTER TABLE ch_quotes ALTER COLUMN expires SET NOT NULL;
CREATE INDEX ch_quotes_expires ON ch_quotes (expires);
