-- Hosts and listings number their latest change, so that whoever keeps an index of them reads what changed alone.
CREATE TABLE ch_market_changes (
    last INTEGER NOT NULL
) STRICT;
INSERT INTO ch_market_changes (last) VALUES (0);

ALTER TABLE ch_hosts ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX ch_hosts_changed ON ch_hosts (changed);
CREATE TRIGGER ch_hosts_put AFTER INSERT ON ch_hosts
BEGIN
    UPDATE ch_market_changes SET last = last + 1;
    UPDATE ch_hosts SET changed = (SELECT last FROM ch_market_changes) WHERE id = NEW.id;
END;
CREATE TRIGGER ch_hosts_change AFTER UPDATE OF format, payload ON ch_hosts
BEGIN
    UPDATE ch_market_changes SET last = last + 1;
    UPDATE ch_hosts SET changed = (SELECT last FROM ch_market_changes) WHERE id = NEW.id;
END;
UPDATE ch_hosts SET payload = payload;

ALTER TABLE ch_listings ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX ch_listings_changed ON ch_listings (changed);
CREATE TRIGGER ch_listings_put AFTER INSERT ON ch_listings
BEGIN
    UPDATE ch_market_changes SET last = last + 1;
    UPDATE ch_listings SET changed = (SELECT last FROM ch_market_changes) WHERE id = NEW.id;
END;
CREATE TRIGGER ch_listings_change AFTER UPDATE OF format, payload ON ch_listings
BEGIN
    UPDATE ch_market_changes SET last = last + 1;
    UPDATE ch_listings SET changed = (SELECT last FROM ch_market_changes) WHERE id = NEW.id;
END;
UPDATE ch_listings SET payload = payload;
