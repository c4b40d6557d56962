-- How often each party revoked its calendar feeds: a feed's token is worth something at one count alone.
CREATE TABLE ch_feed_generations (
    party      TEXT    NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL CHECK (generation > 0)
) STRICT;
