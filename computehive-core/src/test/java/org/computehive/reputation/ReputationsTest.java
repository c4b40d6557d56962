package org.computehive.reputation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.reputation.Outcome.Role;
import org.computehive.reputation.Outcome.Verdict;
import org.junit.jupiter.api.Test;

class ReputationsTest {
    private static final Instant NOW = Instant.parse("2026-12-01T00:00:00Z");
    private static final Account LENDER = account(1);
    private static final int USUAL = 1_000_000;

    private final List<Outcome> outcomes = new ArrayList<>();

    private static Account account(int number) {
        return new Account("0x%040x".formatted(number));
    }

    private void add(Account lender, Account renter, Verdict verdict, long paid, int daysAgo) {
        outcomes.add(new Outcome(
                "r" + outcomes.size(), lender, renter, NOW.minus(Duration.ofDays(daysAgo)), verdict, Amount.of(paid)));
    }

    /** Renters that are known elsewhere too: each has paid three other lenders. */
    private Account knownRenter(int number) {
        Account renter = account(1000 + number);
        for (int other = 0; other < 3; other++) {
            add(account(5000 + other), renter, Verdict.SERVED, USUAL, 30);
        }
        return renter;
    }

    private void serve(Account lender, int rentals) {
        for (int i = 0; i < rentals; i++) {
            add(lender, knownRenter(i), Verdict.SERVED, USUAL, 10);
        }
    }

    private Reputation lender(Account lender) {
        return Reputations.of(outcomes, NOW).of(lender, Role.LENDER);
    }

    @Test
    void nothingKnown_isUnknownAndZero() {
        Reputation reputation = lender(LENDER);

        assertTrue(reputation.isUnknown());
        assertEquals(0, reputation.score());
    }

    @Test
    void longerGoodRecord_scoresHigher() {
        serve(LENDER, 3);
        int three = lender(LENDER).score();
        serve(LENDER, 30);

        assertTrue(three > 0);
        assertTrue(lender(LENDER).score() > three + 100);
        assertTrue(lender(LENDER).score() <= 1000);
    }

    @Test
    void fault_lowersTheScoreAndIsNamed() {
        serve(LENDER, 20);
        int before = lender(LENDER).score();
        add(LENDER, account(77), Verdict.LENDER_FAULT, 0, 1);

        Reputation after = lender(LENDER);
        assertTrue(after.score() < before);
        assertTrue(after.factors().stream()
                .anyMatch(factor ->
                        factor.name().equals("faults") && factor.value().equals("1")));
    }

    @Test
    void lateStart_countsBetweenGoodAndFault() {
        serve(LENDER, 20);
        var good = new ArrayList<>(outcomes);
        add(LENDER, account(77), Verdict.LENDER_FAULT, USUAL, 1);
        int fault = lender(LENDER).score();
        outcomes.clear();
        outcomes.addAll(good);
        add(LENDER, account(77), Verdict.SERVED_WITH_FAULTS, USUAL, 1);

        assertTrue(lender(LENDER).score() > fault);
    }

    @Test
    void washTradingPair_gainsLessThanThreeHonestRentals() {
        serve(LENDER, 3);
        Account washer = account(666);
        for (int i = 0; i < 10_000; i++) {
            add(washer, account(667), Verdict.SERVED, 100L * USUAL, 1);
        }

        assertTrue(
                lender(washer).evidence() < 3,
                "evidence of the pair: " + lender(washer).evidence());
        assertTrue(lender(washer).score() < 700);
    }

    @Test
    void rentingToOneself_isNoEvidence() {
        add(LENDER, LENDER, Verdict.SERVED, USUAL, 1);

        assertTrue(lender(LENDER).isUnknown());
    }

    @Test
    void faultsAreNotWateredDownBySmallPayments() {
        serve(LENDER, 10);
        int before = lender(LENDER).score();
        for (int i = 0; i < 3; i++) {
            add(LENDER, account(900 + i), Verdict.DISPUTE_LOST_BY_LENDER, 1, 1);
        }

        assertTrue(lender(LENDER).score() < before - 100);
    }

    @Test
    void oldOutcomes_countLess() {
        add(LENDER, knownRenter(1), Verdict.SERVED, USUAL, 0);
        double fresh = lender(LENDER).evidence();
        outcomes.clear();
        add(LENDER, knownRenter(1), Verdict.SERVED, USUAL, 180);

        assertEquals(fresh / 2, lender(LENDER).evidence(), 1e-9);
    }

    @Test
    void sameRentalTwice_countsOnce() {
        serve(LENDER, 2);
        double once = lender(LENDER).evidence();
        outcomes.addAll(List.copyOf(outcomes));

        assertEquals(once, lender(LENDER).evidence());
    }

    @Test
    void neutralOutcomes_sayNothing() {
        serve(LENDER, 2);
        int before = lender(LENDER).score();
        add(LENDER, account(31), Verdict.NEUTRAL, 0, 1);
        add(LENDER, account(32), Verdict.RENTER_FAULT, 10, 1);

        assertEquals(before, lender(LENDER).score());
    }

    @Test
    void renterWhoNeverCame_isJudgedAsRenterAlone() {
        Account renter = knownRenter(5);
        int before = Reputations.of(outcomes, NOW).of(renter, Role.RENTER).score();
        add(LENDER, renter, Verdict.RENTER_FAULT, 10, 1);

        assertTrue(Reputations.of(outcomes, NOW).of(renter, Role.RENTER).score() < before);
    }

    @Test
    void outcomesFromTheFuture_areLeftOut() {
        add(LENDER, account(5), Verdict.LENDER_FAULT, 0, -1);

        assertTrue(lender(LENDER).isUnknown());
    }

    @Test
    void anyOrderOfOutcomes_givesTheSameScore() {
        serve(LENDER, 12);
        add(LENDER, account(77), Verdict.LENDER_FAULT, 0, 3);
        Reputation expected = lender(LENDER);
        long seed = Long.getLong("computehive.seed", 1);
        System.out.println("seed " + seed);
        Collections.shuffle(outcomes, new Random(seed));

        assertEquals(expected, lender(LENDER));
    }
}
