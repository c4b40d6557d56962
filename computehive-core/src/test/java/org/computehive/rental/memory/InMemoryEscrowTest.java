package org.computehive.rental.memory;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Token;
import org.computehive.rental.Escrow;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.EscrowContract;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.junit.jupiter.api.AfterEach;

class InMemoryEscrowTest extends EscrowContract {
    private Instant time = Instant.parse("2030-01-01T00:00:00Z");
    private final InMemoryEscrow escrow = new InMemoryEscrow(new Token(Account.ZERO, "PLAY", 6, true), () -> time);

    @AfterEach
    void close() {
        escrow.close();
    }

    @Override
    protected Escrow escrow() {
        return escrow;
    }

    @Override
    protected Party party() {
        InMemoryEscrow.Party party = escrow.party(Amount.of(100_000_000_000L));
        return new Party() {
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
                // All that it owns lies in the ledger.
            }

            @Override
            public Amount worth() {
                return party.balance();
            }
        };
    }

    @Override
    protected Instant now() {
        return time;
    }

    @Override
    protected void advanceTo(Instant instant) {
        time = instant;
    }

    @Override
    protected void confirm() {
        // Everything is final at once.
    }

    @Override
    protected void setReachable(boolean yes) {
        escrow.setReachable(yes);
    }
}
