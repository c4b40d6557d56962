/**
 * The rental escrow on an Ethereum-compatible chain. Start at {@link org.computehive.chain.EvmEscrow}; {@link
 * org.computehive.chain.EvmParty} acts for a lender or a renter, {@link org.computehive.chain.AnvilNode} is a chain for
 * development and tests.
 */
@NullMarked
package org.computehive.chain;

import org.jspecify.annotations.NullMarked;
