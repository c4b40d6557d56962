package org.computehive.chain;

import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Rate;
import org.computehive.market.Token;
import org.computehive.rental.Escrow;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.EscrowContract;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.schedule.Window;

/** A real chain node with the real contract, for the tests of this package. */
final class DevChain implements AutoCloseable {
    static final Amount WEALTH = Amount.of(100_000_000_000L);

    final AnvilNode node;
    final EvmWallet operator;
    final Token token;
    final EscrowDeployment deployment;

    /** Starts a node, and deploys the escrow and a token unless rent is paid in native coin. */
    DevChain(boolean isNative, AnvilOptions options) {
        this.node = AnvilNode.start(options);
        this.operator = node.fundedWallet();
        this.token =
                isNative ? new Token(Account.ZERO, "ETH", 18, false) : EscrowDeployment.devToken(node.url(), operator);
        this.deployment = EscrowDeployment.escrow(node.url(), operator);
    }

    static AnvilOptions options() {
        return AnvilOptions.of(AnvilNode.find(root()));
    }

    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (folder != null && !Files.exists(folder.resolve("mvnw"))) {
            folder = folder.getParent();
        }
        if (folder == null) {
            throw new IllegalStateException("run the tests inside the source tree");
        }
        return folder;
    }

    EscrowSettings settings() {
        return settings(node.url());
    }

    EscrowSettings settings(URI url) {
        return deployment
                .settings(url, token)
                .withOperator(operator)
                .withTimes(Duration.ofMillis(50), Duration.ofSeconds(2), Duration.ofSeconds(20));
    }

    /** Makes a party with money for gas and for rent. */
    EvmParty party(EvmEscrow escrow) {
        EvmWallet wallet = node.fundedWallet();
        if (!token.contract().equals(Account.ZERO)) {
            EscrowDeployment.mint(node.url(), operator, token, wallet.account(), WEALTH);
        }
        return escrow.party(wallet);
    }

    /** Writes an offer for a window that starts in five minutes, which is also how long it is good. */
    EscrowOffer offer(EvmEscrow escrow, Account lender, Account renter) {
        Instant start = Instant.ofEpochSecond(now().getEpochSecond() + 300);
        return escrow.offer(new Escrow.Terms(
                lender,
                BigInteger.ONE,
                renter,
                Rate.of(12_345_678),
                Window.of(start, Duration.ofSeconds(600)),
                Duration.ofSeconds(30),
                Duration.ofSeconds(60),
                start,
                new Hash32("0x" + "5e".repeat(32))));
    }

    Instant now() {
        return Instant.ofEpochSecond(Chain.quantity(
                        node.call("eth_getBlockByNumber", "pending", false).path("timestamp"), "time")
                .longValueExact());
    }

    void mine(int blocks) {
        node.call("anvil_mine", Chain.hex(BigInteger.valueOf(blocks)));
    }

    @Override
    public void close() {
        node.close();
    }

    /** A party as the contract test knows it. */
    record TestParty(EvmParty party) implements EscrowContract.Party {
        @Override
        public Account account() {
            return party.account();
        }

        @Override
        public Signature sign(Hash32 digest) {
            return party.sign(digest);
        }

        @Override
        public Hash32 open(EscrowOffer offer, Signature lenderSignature) {
            return party.open(offer, lenderSignature);
        }

        @Override
        public Reading.Closed end(EscrowOffer offer) {
            return party.end(offer);
        }

        @Override
        public Reading endAsLender(EscrowOffer offer) {
            return party.endAsLender(offer);
        }

        @Override
        public Reading reportNoShow(EscrowOffer offer) {
            return party.reportNoShow(offer);
        }

        @Override
        public Reading dispute(EscrowOffer offer, Hash32 evidence, BigInteger entry) {
            return party.dispute(offer, evidence, entry);
        }

        @Override
        public Reading.Closed resolve(EscrowOffer offer, Duration used, Amount slash, Amount forfeit) {
            return party.resolve(offer, used, slash, forfeit);
        }

        @Override
        public Reading.Closed settle(EscrowOffer offer, Escrow.Settlement settlement) {
            return party.settle(offer, settlement);
        }

        @Override
        public void deposit(Amount amount) {
            party.deposit(amount);
        }

        @Override
        public Amount worth() {
            return party.tokenBalance().plus(party.ledgerBalance());
        }
    }
}
