package org.computehive.market;

import java.util.Objects;

/**
 * What both parties put at stake beside the deposit, and who decides over it. Part of a listing's rules and of what both
 * parties sign. Immutable and thread-safe.
 *
 * <p>Without an arbiter there are no disputes, and nobody can report on the chain that the other party never came. A bond
 * without one is lost by the lender's own word alone: when it gives up late, or not before the window has begun.
 *
 * @param arbiter who decides a dispute; {@link Account#ZERO} for nobody
 * @param bond what the lender locks for each rental, from its balance in the escrow's ledger, in the token's smallest unit
 * @param disputeBond what a party locks to dispute, in the token's smallest unit; nothing without an arbiter
 */
public record Stakes(Account arbiter, Amount bond, Amount disputeBond) {
    /** Nothing is at stake, and nobody decides. */
    public static final Stakes NONE = new Stakes(Account.ZERO, Amount.ZERO, Amount.ZERO);

    /** How many bits an offer holds a bond in. */
    private static final int BITS = 96;

    /**
     * Checks that both bonds fit into an offer.
     *
     * @throws IllegalArgumentException if a bond is over 2<sup>96</sup> - 1 units, or a dispute's bond is set that nobody
     *     ever locks
     */
    public Stakes {
        Objects.requireNonNull(arbiter, "arbiter");
        within("bond", bond);
        within("disputeBond", disputeBond);
        if (arbiter.equals(Account.ZERO) && disputeBond.compareTo(Amount.ZERO) > 0) {
            throw new IllegalArgumentException(
                    "disputeBond %s is never locked while there is no arbiter: name one, or ask for none"
                            .formatted(disputeBond.units()));
        }
    }

    private static void within(String what, Amount amount) {
        if (amount.units().bitLength() > BITS) {
            throw new IllegalArgumentException(
                    "%s %s is out of range: 0 to 2^%d - 1 units, ask for less".formatted(what, amount.units(), BITS));
        }
    }

    /** Returns whether somebody can decide a dispute. */
    public boolean canBeDisputed() {
        return !arbiter.equals(Account.ZERO);
    }
}
