package org.computehive.chain;

import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer.Hash32;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.web3j.abi.FunctionReturnDecoder;
import org.web3j.abi.TypeReference;
import org.web3j.abi.datatypes.Address;
import org.web3j.abi.datatypes.Type;
import org.web3j.abi.datatypes.Utf8String;
import org.web3j.abi.datatypes.generated.Uint256;

/**
 * Where a token's permits (ERC-2612) are signed: its EIP-712 domain, made here from what the token says of itself and held
 * against the separator that it uses. So nothing is ever signed for another contract or chain, whatever a node says.
 * Immutable and thread-safe.
 */
final class PermitDomain {
    private static final Logger LOG = LoggerFactory.getLogger(PermitDomain.class);
    private static final String PERMIT =
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)";
    private static final int WORD_LENGTH = 66;
    private static final int LONGEST = 4_096;

    private final byte[] separator;
    private final Account token;

    private PermitDomain(byte[] separator, Account token) {
        this.separator = separator;
        this.token = token;
    }

    /**
     * Asks a token.
     *
     * @return empty if it knows no permits, or signs them in a domain of other members
     * @throws EscrowException.Unreachable if no node answers
     */
    static Optional<PermitDomain> of(Chain chain, Account token) {
        Optional<String> separator = ask(chain, token, EscrowCalls.domainSeparator());
        Optional<String> name = ask(chain, token, EscrowCalls.tokenName()).flatMap(PermitDomain::text);
        if (separator.isEmpty() || separator.get().length() != WORD_LENGTH || name.isEmpty()) {
            return Optional.empty();
        }
        var versions = new ArrayList<String>();
        ask(chain, token, EscrowCalls.tokenVersion())
                .flatMap(PermitDomain::text)
                .ifPresent(versions::add);
        versions.add("1");
        for (String version : versions) {
            byte[] own = OfferCodec.domain(name.get(), version, chain.id(), token);
            if (Hash32.of(own).hex().equals(separator.get())) {
                return Optional.of(new PermitDomain(own, token));
            }
        }
        LOG.debug("token {} signs permits in a domain of its own: approvals are used", token);
        return Optional.empty();
    }

    /**
     * Signs that a spender may pull an amount.
     *
     * @return empty if the token has no number for the next permit
     * @throws EscrowException.Unreachable if no node answers
     */
    Optional<TokenPermit> sign(Chain chain, EvmWallet owner, Account spender, Amount value, Instant deadline) {
        return ask(chain, token, EscrowCalls.permitNonce(owner.account()))
                .filter(nonce -> nonce.length() == WORD_LENGTH)
                .map(nonce -> new TokenPermit(
                        value,
                        deadline,
                        owner.sign(OfferCodec.typed(
                                separator,
                                PERMIT,
                                new Address(owner.account().address()),
                                new Address(spender.address()),
                                new Uint256(value.units()),
                                new Uint256(EscrowCalls.word(nonce, 0)),
                                new Uint256(BigInteger.valueOf(deadline.getEpochSecond()))))));
    }

    /** A token that refuses to answer knows no permits; a node in trouble says nothing of that. */
    private static Optional<String> ask(Chain chain, Account token, String data) {
        try {
            return Optional.of(chain.simulate(Map.of("to", token.address(), "data", data), Chain.LATEST));
        } catch (RpcError e) {
            if (!e.isRefusal()) {
                throw e;
            }
            return Optional.empty();
        }
    }

    @SuppressWarnings({"rawtypes", "unchecked"})
    private static Optional<String> text(String answer) {
        if (answer.length() > LONGEST) {
            return Optional.empty();
        }
        try {
            TypeReference string = TypeReference.create(Utf8String.class);
            List<Type> values = FunctionReturnDecoder.decode(answer, List.of((TypeReference<Type>) string));
            return values.isEmpty()
                    ? Optional.empty()
                    : Optional.of((String) values.getFirst().getValue());
        } catch (RuntimeException e) {
            LOG.debug("a token's name or version is no text", e);
            return Optional.empty();
        }
    }
}
