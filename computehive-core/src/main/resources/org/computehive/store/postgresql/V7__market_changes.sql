-- Hosts and listings number their latest change, so that whoever keeps an index of them reads what changed alone.
CREATE SEQUENCE ch_market_changes;
ALTER TABLE ch_hosts ADD COLUMN changed bigint NOT NULL DEFAULT nextval('ch_market_changes');
ALTER TABLE ch_listings ADD COLUMN changed bigint NOT NULL DEFAULT nextval('ch_market_changes');
CREATE INDEX ch_hosts_changed ON ch_hosts (changed);
CREATE INDEX ch_listings_changed ON ch_listings (changed);

CREATE FUNCTION ch_market_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed := nextval('ch_market_changes');
    RETURN NEW;
END
$$;
CREATE TRIGGER ch_hosts_change BEFORE UPDATE ON ch_hosts FOR EACH ROW EXECUTE FUNCTION ch_market_change();
CREATE TRIGGER ch_listings_change BEFORE UPDATE ON ch_listings FOR EACH ROW EXECUTE FUNCTION ch_market_change();
