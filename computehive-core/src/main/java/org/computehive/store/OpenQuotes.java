package org.computehive.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.computehive.market.GpuId;
import org.computehive.rental.Occupancy;
import org.computehive.rental.Quote;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;

/**
 * Keeps many quotes by one PostgreSQL statement: each whose listing is as it was read and whose gpus are free and not
 * quarantined. So what can't be had costs a look, and no more.
 *
 * <p>Doesn't wait for the disk: a quote binds nobody before it is taken up, and then it is durable with the reservation.
 */
final class OpenQuotes {
    /**
     * Says of each quote that is not kept why. Arrays are read as subqueries, so that one plan serves any number of quotes and
     * is kept.
     */
    private static final String INSERT = """
            WITH asked AS (
                SELECT * FROM unnest((SELECT ?::text[]), (SELECT ?::text[]), (SELECT ?::timestamptz[]),
                    (SELECT ?::text[]), (SELECT ?::text[]), (SELECT ?::bigint[]))
                a (id, payload, expires, listing, host, change), set_config('synchronous_commit', 'off', true)
            ), wanted AS (
                SELECT * FROM unnest((SELECT ?::text[]), (SELECT ?::text[]), (SELECT ?::timestamptz[]),
                    (SELECT ?::timestamptz[])) w (id, gpu, starts, ends)
            ), refused AS (
                SELECT a.id, 'CHANGED' AS why, NULL AS gpu FROM asked a WHERE a.change IS DISTINCT FROM
                    (SELECT l.changed FROM ch_listings l WHERE l.id = a.listing)
                    + (SELECT h.changed FROM ch_hosts h WHERE h.id = a.host)
                UNION ALL
                SELECT w.id, 'QUARANTINED', w.gpu FROM wanted w WHERE
                    (SELECT c.payload ->> 'state' FROM ch_gpu_conditions c WHERE c.id = w.gpu) = 'QUARANTINED'
                UNION ALL
                SELECT w.id, 'TAKEN', w.gpu FROM wanted w WHERE EXISTS (SELECT 1 FROM ch_bookings b
                    WHERE b.gpu = w.gpu AND tstzrange(b.starts, b.ends) && tstzrange(w.starts, w.ends))
            ), kept AS (
                INSERT INTO ch_quotes (id, format, payload, expires)
                SELECT id, ?, payload::json, expires FROM asked WHERE id NOT IN (SELECT id FROM refused) ORDER BY id
            )
            SELECT id, why, gpu FROM refused""";

    private final String format;
    private final List<Asked> asked;

    /**
     * Creates one.
     *
     * @param format the name and version of the quotes' JSON
     * @param asked the quotes, all new
     */
    OpenQuotes(String format, List<Asked> asked) {
        this.format = format;
        this.asked = asked;
    }

    /**
     * A quote that is to be kept.
     *
     * @param json the quote, as it is kept
     * @param change what it was made from
     */
    record Asked(Quote quote, String json, long change) {}

    private record Wanted(RentalId id, Occupancy occupancy) {}

    /** Why a quote is not kept; of several reasons the first is given. */
    private enum Why {
        CHANGED,
        QUARANTINED,
        TAKEN
    }

    private record Refusal(Why why, String gpu) {}

    /** Keeps those that can be taken up. Returns why the others can't. */
    Map<RentalId, RuntimeException> insert(Connection connection) throws SQLException {
        var refused = new HashMap<RentalId, Refusal>();
        try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
            set(statement);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    refused.merge(
                            new RentalId(rows.getString(1)),
                            new Refusal(Why.valueOf(rows.getString(2)), rows.getString(3)),
                            (one, other) -> one.why().compareTo(other.why()) <= 0 ? one : other);
                }
            }
        }
        var exceptions = new HashMap<RentalId, RuntimeException>();
        for (Asked each : asked) {
            Refusal refusal = refused.get(each.quote().id());
            if (refusal != null) {
                exceptions.put(each.quote().id(), exception(each.quote(), refusal));
            }
        }
        return exceptions;
    }

    private static RentalException exception(Quote quote, Refusal refusal) {
        return switch (refusal.why()) {
            case CHANGED -> Preconditions.changed(quote.listing());
            case QUARANTINED -> Preconditions.quarantined(GpuId.parse(refusal.gpu()));
            case TAKEN -> Preconditions.overlap(new Occupancy(GpuId.parse(refusal.gpu()), quote.occupied()));
        };
    }

    private void set(PreparedStatement statement) throws SQLException {
        Columns.texts(statement, 1, asked, each -> each.quote().id().value());
        Columns.texts(statement, 2, asked, Asked::json);
        Columns.texts(statement, 3, asked, each -> each.quote().expires().toString());
        Columns.texts(statement, 4, asked, each -> each.quote().listing().value());
        Columns.texts(statement, 5, asked, each -> each.quote().offered().host().value());
        Columns.longs(statement, 6, asked, Asked::change);
        List<Wanted> wanted = asked.stream()
                .map(Asked::quote)
                .flatMap(quote -> quote.offered().gpus().stream()
                        .map(gpu -> new Wanted(quote.id(), new Occupancy(gpu, quote.occupied()))))
                .toList();
        Columns.texts(statement, 7, wanted, each -> each.id().value());
        Columns.texts(statement, 8, wanted, each -> each.occupancy().gpu().toString());
        Columns.texts(
                statement, 9, wanted, each -> each.occupancy().window().start().toString());
        Columns.texts(
                statement, 10, wanted, each -> each.occupancy().window().end().toString());
        statement.setString(11, format);
    }
}
