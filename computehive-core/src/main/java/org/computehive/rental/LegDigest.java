package org.computehive.rental;

import java.time.Duration;
import org.computehive.rental.EscrowOffer.Hash32;

/**
 * What a party is asked to sign for one leg of a rental.
 *
 * @param leg the leg's number, 0 for what was booked
 * @param used the whole seconds that a receipt is for; zero for a release
 * @param digest the EIP-712 digest to sign
 */
public record LegDigest(int leg, Duration used, Hash32 digest) {}
