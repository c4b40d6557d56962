-- What was answered to requests with an idempotency key, so that it can be answered again.
CREATE TABLE ch_answers (
    caller          TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    request         TEXT    NOT NULL,
    answered_at     INTEGER NOT NULL,
    format          TEXT    NOT NULL,
    payload         TEXT    NOT NULL,
    PRIMARY KEY (caller, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX ch_answers_answered_at ON ch_answers (answered_at);

-- Quotes are forgotten some time after they expired. Those of before get it from their JSON.
ALTER TABLE ch_quotes ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;
UPDATE ch_quotes SET expires = CAST(strftime('%s', json_extract(payload, '$.expires')) AS INTEGER) * 1000000;
CREATE INDEX ch_quotes_expires ON ch_quotes (expires);
