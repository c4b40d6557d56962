package org.computehive.usage;

import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Token;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalId;

/**
 * What a party was paid, or paid, in a month: one line per settlement, with sums that equal the chain's to the unit.
 *
 * <p>A settlement belongs to the month, in UTC, in which it was seen on the chain; so a month that is over never changes.
 * Immutable and thread-safe.
 *
 * @param party whose it is
 * @param role whether it lists what the party earned as a lender, or paid as a renter
 * @param month the month
 * @param complete whether the month was over when it was made
 * @param lines the settlements, by time
 */
public record Invoice(Account party, Role role, YearMonth month, boolean complete, List<Line> lines) {
    /** Copies the list. */
    public Invoice {
        lines = List.copyOf(lines);
    }

    /** Which side of its rentals a party is on. */
    public enum Role {
        /** Is paid. */
        LENDER,
        /** Pays. */
        RENTER
    }

    /**
     * One settlement.
     *
     * @param usage the rental it is about
     * @param charge what was settled
     */
    public record Line(UsageRecord usage, UsageRecord.Charge charge) {}

    /**
     * Sums in one token.
     *
     * @param deposit what was locked
     * @param paid what lenders got
     * @param refunded what renters got back
     * @param slashed what lenders' bonds lost to renters
     * @param forfeited what the bonds of parties that disputed lost to the other ones
     */
    public record Totals(Amount deposit, Amount paid, Amount refunded, Amount slashed, Amount forfeited) {
        private static final Totals NOTHING =
                new Totals(Amount.ZERO, Amount.ZERO, Amount.ZERO, Amount.ZERO, Amount.ZERO);

        private Totals plus(UsageRecord.Charge charge) {
            return new Totals(
                    deposit.plus(charge.deposit()),
                    paid.plus(charge.paid()),
                    refunded.plus(charge.refunded()),
                    slashed.plus(charge.slashed()),
                    forfeited.plus(charge.forfeited()));
        }
    }

    /**
     * Makes the invoice of a month.
     *
     * @param party whose
     * @param role on which side
     * @param month the month, in UTC
     * @param rentals all rentals that may belong there: those of the party that were reserved before {@link #end the month's
     *     end}; others are left out, and one that comes twice counts once
     * @param now whether the month is over
     */
    public static Invoice of(Account party, Role role, YearMonth month, Stream<Rental> rentals, Instant now) {
        Instant from = month.atDay(1).atStartOfDay(ZoneOffset.UTC).toInstant();
        Instant to = end(month);
        record Settlement(RentalId rental, int leg) {}
        Map<Settlement, Line> lines = rentals.filter(rental -> party.equals(
                        role == Role.LENDER
                                ? rental.terms().lender()
                                : rental.terms().renter()))
                .map(UsageRecord::of)
                .flatMap(usage -> usage.charges().stream().map(charge -> new Line(usage, charge)))
                .filter(line -> !line.charge().settledAt().isBefore(from)
                        && line.charge().settledAt().isBefore(to))
                .collect(Collectors.toMap(
                        line -> new Settlement(
                                line.usage().rental(), line.charge().leg()),
                        line -> line,
                        (one, same) -> one));
        List<Line> sorted = lines.values().stream()
                .sorted(Comparator.comparing((Line line) -> line.charge().settledAt())
                        .thenComparing(line -> line.usage().rental())
                        .thenComparing(line -> line.charge().leg()))
                .toList();
        return new Invoice(party, role, month, !now.isBefore(to), sorted);
    }

    /** Returns when a month is over. */
    public static Instant end(YearMonth month) {
        return month.plusMonths(1).atDay(1).atStartOfDay(ZoneOffset.UTC).toInstant();
    }

    /** Returns its number: the same for the same party, role and month. */
    public String number() {
        return "%s-%s-%s"
                .formatted(
                        month, role == Role.LENDER ? "L" : "R", party.address().substring(2, 14));
    }

    /** Returns the sums by token, in the order of the tokens' symbols and contracts. */
    public Map<Token, Totals> totals() {
        var totals = new TreeMap<Token, Totals>(Comparator.comparing(Token::symbol)
                .thenComparing(token -> token.contract().address()));
        for (Line line : lines) {
            totals.merge(
                    line.usage().token(),
                    Totals.NOTHING.plus(line.charge()),
                    (sum, ignored) -> sum.plus(line.charge()));
        }
        return totals;
    }

    /** Returns the lines as CSV (RFC 4180) in UTF-8's repertoire; amounts in the token's smallest unit. */
    public String csv() {
        return InvoiceCsv.write(this);
    }

    /** Returns a page for people, to read or to print: HTML that loads nothing. */
    public String html() {
        return InvoiceHtml.write(this);
    }
}
