-- A rental may hold several lanes: they move to a table of their own, where a lane of a lender's is in one rental at a time.
CREATE TABLE ch_lanes (
    lender text   NOT NULL,
    lane   bigint NOT NULL,
    rental text   NOT NULL REFERENCES ch_rentals (id),
    PRIMARY KEY (lender, lane)
);
CREATE INDEX ch_lanes_rental ON ch_lanes (rental);

INSERT INTO ch_lanes (lender, lane, rental) SELECT lender, lane, id FROM ch_rentals WHERE lane_held;

DROP INDEX ch_rentals_lane;
ALTER TABLE ch_rentals DROP COLUMN lane_held, DROP COLUMN lane;
