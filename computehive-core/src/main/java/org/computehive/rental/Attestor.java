package org.computehive.rental;

import java.util.Map;

/**
 * Decides whether a confidential guest is what its renter was promised, from what its hardware signed.
 *
 * <p>Asked once at the start of each session of a listing of assurance
 * {@link org.computehive.market.Assurance#CONFIDENTIAL}, and of no other. An engine that was given none refuses every such
 * session. Implementations are thread-safe and change nothing.
 *
 * <h2>Security guarantees</h2>
 *
 * Before this returns, no certificate is issued for the guest and no key leaves the engine; when it throws, none ever is.
 */
@FunctionalInterface
public interface Attestor {
    /** Refuses everything. */
    Attestor NONE = (spec, challenge, evidence) -> {
        throw new AttestationException(
                "attestor", "no attestor is set, so no guest can prove itself: give the engine's builder one");
    };

    /**
     * Verifies what a guest showed.
     *
     * @param spec what was asked for; its image says which measurement is right
     * @param challenge what the guest was asked, with the nonce of this very start
     * @param evidence what it answered; comes from the lender's host, so nothing in it is to be believed unverified
     * @return what was verified, for the session's record: short names and values, no keys
     * @throws AttestationException if anything is missing, unknown, out of date or wrong; it names what
     */
    Map<String, String> verify(VmSpec spec, Challenge challenge, Evidence evidence);
}
