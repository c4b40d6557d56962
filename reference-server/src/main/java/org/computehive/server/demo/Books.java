package org.computehive.server.demo;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.List;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.Rental;
import org.computehive.usage.Invoice;

/** The month's invoice of each party, as files, held against the chain. */
final class Books {
    private final Scene scene;
    private final Display display;

    Books(Scene scene) {
        this.scene = scene;
        this.display = scene.display;
    }

    /** What was locked, paid and given back. */
    private record Sums(Amount deposit, Amount paid, Amount refunded) {
        static final Sums NOTHING = new Sums(Amount.ZERO, Amount.ZERO, Amount.ZERO);

        Sums plus(Sums other) {
            return new Sums(deposit.plus(other.deposit), paid.plus(other.paid), refunded.plus(other.refunded));
        }

        @Override
        public String toString() {
            return "%s = %s + %s".formatted(deposit, paid, refunded);
        }
    }

    void run() throws Exception {
        Path folder = Files.createDirectories(scene.artefacts.resolve("invoices"));
        check(folder, Invoice.Role.RENTER, scene.renter.account());
        check(folder, Invoice.Role.LENDER, scene.lender.account());
    }

    private void check(Path folder, Invoice.Role role, Account party) throws Exception {
        String who = role == Invoice.Role.LENDER ? "lender" : "renter";
        List<Rental> rentals = scene.engine.rentals(party);
        Sums written = display.step("the %s's invoice of the month, as CSV and HTML".formatted(who), () -> {
            Sums sums = Sums.NOTHING;
            // Two, where the month ended in between.
            for (YearMonth month : months(rentals)) {
                Invoice invoice = Invoice.of(party, role, month, rentals.stream(), Instant.now());
                Path csv = folder.resolve(invoice.number() + ".csv");
                Files.writeString(csv, invoice.csv());
                Files.writeString(folder.resolve(invoice.number() + ".html"), invoice.html());
                sums = sums.plus(read(csv));
            }
            return sums;
        });
        Sums onChain = rentals.stream().map(this::onChain).reduce(Sums.NOTHING, Sums::plus);
        scene.checks.that(
                "the %s's invoice sums to the chain's, to the unit".formatted(who),
                written.equals(onChain)
                        && onChain.deposit().equals(onChain.paid().plus(onChain.refunded())),
                written.toString());
    }

    private static List<YearMonth> months(List<Rental> rentals) {
        return rentals.stream()
                .flatMap(rental -> rental.settlement().stream())
                .map(settled -> YearMonth.from(settled.at().atOffset(ZoneOffset.UTC)))
                .distinct()
                .toList();
    }

    /** What the contract says now, without the engine's memory of it. */
    private Sums onChain(Rental rental) {
        var offer = rental.offer().orElseThrow();
        return scene.platform.escrow().read(offer) instanceof Reading.Closed closed
                ? new Sums(offer.deposit(), closed.paid(), closed.refunded())
                : Sums.NOTHING;
    }

    /** Adds up the file itself: no field of it needs quotes. */
    private static Sums read(Path csv) throws IOException {
        List<String[]> rows = Files.readAllLines(csv).stream()
                .map(line -> line.split(",", -1))
                .toList();
        List<String> header = List.of(rows.getFirst());
        return rows.stream()
                .skip(1)
                .map(row -> new Sums(
                        amount(row[header.indexOf("deposit_units")]),
                        amount(row[header.indexOf("paid_units")]),
                        amount(row[header.indexOf("refunded_units")])))
                .reduce(Sums.NOTHING, Sums::plus);
    }

    private static Amount amount(String units) {
        return new Amount(new BigInteger(units));
    }
}
