package org.computehive.chain;

import java.math.BigInteger;
import java.net.URI;
import java.time.Duration;
import java.util.Objects;
import org.computehive.chain.Chain.Receipt;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Token;
import org.computehive.rental.EscrowException;

/**
 * Puts contracts on a chain, from the code in this module's jar.
 *
 * @param chainId the chain it lies on
 * @param contract the contract's address
 * @param block the block that created it
 */
public record EscrowDeployment(long chainId, Account contract, long block) {
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    /**
     * Deploys a new {@code RentalEscrow}, which belongs to nobody.
     *
     * @param node a node of the chain
     * @param payer pays the gas
     * @throws EscrowException if it could not
     */
    public static EscrowDeployment escrow(URI node, EvmWallet payer) {
        return deploy(node, payer, Artefact.RENTAL_ESCROW, "deploying the escrow");
    }

    /**
     * Deploys a new {@code AuditAnchor}, which belongs to nobody; {@link EvmAnchor} uses it.
     *
     * @param node a node of the chain
     * @param payer pays the gas
     * @throws EscrowException if it could not
     */
    public static EscrowDeployment anchor(URI node, EvmWallet payer) {
        return deploy(node, payer, Artefact.AUDIT_ANCHOR, "deploying the anchor");
    }

    /**
     * Deploys a worthless ERC-20 token of which anybody may mint any amount: for development chains.
     *
     * @return the token, 6 decimals, pegged to nothing but shown as dollars
     */
    public static Token devToken(URI node, EvmWallet payer) {
        return new Token(
                deploy(node, payer, Artefact.DEV_TOKEN, "deploying the token").contract(), "dUSD", 6, true);
    }

    /** Makes units of a {@link #devToken} out of nothing. */
    public static void mint(URI node, EvmWallet payer, Token devToken, Account to, Amount amount) {
        try (Chain chain = Chain.connect(node)) {
            sender(chain, payer, Artefact.DEV_TOKEN)
                    .send(new SendRequest(
                            "minting", devToken.contract(), EscrowCalls.mint(to, amount), BigInteger.ZERO));
        }
    }

    /** Returns settings that use this deployment through a node; see {@link EscrowSettings#of}. */
    public EscrowSettings settings(URI node, Token token) {
        return EscrowSettings.of(node, chainId, contract, token).withDeployedAt(block);
    }

    private static EscrowDeployment deploy(URI node, EvmWallet payer, Artefact artefact, String action) {
        try (Chain chain = Chain.connect(node)) {
            Receipt receipt = sender(chain, payer, artefact)
                    .send(new SendRequest(action, null, artefact.creationCode(), BigInteger.ZERO));
            return new EscrowDeployment(
                    chain.id(),
                    Objects.requireNonNull(receipt.created(), "a receipt of a creation names the contract"),
                    receipt.blockNumber());
        }
    }

    private static Sender sender(Chain chain, EvmWallet payer, Artefact artefact) {
        return new Sender(chain, payer, new Reverts(artefact.abi()), Sender.defaultFeeCap(), PATIENCE, 1);
    }
}
