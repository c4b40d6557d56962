package org.computehive.chain;

import java.math.BigInteger;
import java.security.SignatureException;
import java.util.Arrays;
import java.util.Map;
import org.computehive.market.Account;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.web3j.crypto.Sign;

/**
 * Tells whether an account made a signature, as the contract would: by the key that it recovers to, else by asking the
 * account itself where that is a contract (ERC-1271). Thread-safe.
 */
final class SignatureCheck {
    private static final Logger LOG = LoggerFactory.getLogger(SignatureCheck.class);
    private static final BigInteger ERC1271_YES =
            BigInteger.valueOf(0x1626ba7eL).shiftLeft(224);
    private static final int WORD_LENGTH = 66;

    private final Chain chain;
    private final Reverts reverts;

    /**
     * Prepares.
     *
     * @param reverts explains what a node refuses to answer
     */
    SignatureCheck(Chain chain, Reverts reverts) {
        this.chain = chain;
        this.reverts = reverts;
    }

    /**
     * Returns only if the signature is the account's.
     *
     * @throws EscrowException.InvalidSignature if it is not
     * @throws EscrowException.Unreachable if no node tells whether a wallet contract agrees
     */
    void check(Account signer, Hash32 digest, Signature signature) {
        if (signer.equals(signer(digest, signature))) {
            return;
        }
        try {
            if (chain.hasCode(signer) && walletContractAgrees(signer, digest, signature)) {
                return;
            }
        } catch (RpcError e) {
            if (!e.isRefusal()) {
                throw reverts.explain("asking the wallet contract of " + signer, e);
            }
        }
        throw new EscrowException.InvalidSignature(
                "the signature over %s is not %s's: sign that digest with that account's key".formatted(digest, signer),
                null);
    }

    /** Takes no other answer for a yes than OpenZeppelin's library does. */
    private boolean walletContractAgrees(Account signer, Hash32 digest, Signature signature) {
        String answer = chain.simulate(
                Map.of("to", signer.address(), "data", EscrowCalls.isValidSignature(digest, signature)), Chain.LATEST);
        return answer.length() >= WORD_LENGTH && EscrowCalls.word(answer, 0).equals(ERC1271_YES);
    }

    /** Returns who made a 65-byte signature, or null if none can be told, as OpenZeppelin's ECDSA library would. */
    private static @Nullable Account signer(Hash32 digest, Signature signature) {
        byte[] bytes = signature.bytes();
        if (bytes.length != 65 || (bytes[64] != 27 && bytes[64] != 28)) {
            return null;
        }
        var s = new BigInteger(1, bytes, 32, 32);
        if (s.compareTo(Sign.CURVE_PARAMS.getN().shiftRight(1)) > 0) {
            return null;
        }
        try {
            var data = new Sign.SignatureData(
                    bytes[64], Arrays.copyOfRange(bytes, 0, 32), Arrays.copyOfRange(bytes, 32, 64));
            return EvmWallet.accountOf(Sign.signedMessageHashToKey(digest.bytes(), data));
        } catch (SignatureException | RuntimeException e) {
            LOG.debug("no signer can be recovered", e);
            return null;
        }
    }
}
