package org.computehive.embedded;

import java.time.InstantSource;
import java.util.OptionalInt;
import java.util.function.Function;
import org.computehive.audit.AuditLog;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.Account;
import org.computehive.market.Token;
import org.computehive.rental.EmbeddedParts.Parts;
import org.computehive.rental.Escrow;
import org.computehive.rental.Notifier;
import org.computehive.rental.PriceAdvisor;
import org.computehive.rental.RentalStore;
import org.computehive.rental.SessionAccess;
import org.computehive.rental.SuggestionHistory;
import org.computehive.rental.memory.InMemoryAccess;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.reputation.StoredReputations;
import org.computehive.store.InMemoryStore;

/** Parts in this process's memory: nothing is written, no port opened, no money moved. */
record MemoryParts(InstantSource clock) implements Parts {
    static final String LOG_NAME = "computehive.local/audit";
    private static final Token PLAY_MONEY = new Token(Account.ZERO, "PLAY", 6, true);

    @Override
    public RentalStore store() {
        return new InMemoryStore(clock);
    }

    @Override
    public Escrow escrow() {
        return new InMemoryEscrow(PLAY_MONEY, clock);
    }

    @Override
    public SessionAccess access() {
        return new InMemoryAccess(clock);
    }

    @Override
    public AuditLog auditLog() {
        return new InMemoryAuditLog(NoteKey.generate(LOG_NAME));
    }

    @Override
    public Notifier notifier() {
        return new LoggingNotifier();
    }

    @Override
    public Function<Account, OptionalInt> reputation(RentalStore store) {
        return new StoredReputations(store, clock)::scoreOfLender;
    }

    @Override
    public SuggestionHistory suggestions() {
        return SuggestionHistory.inMemory();
    }

    @Override
    public PriceAdvisor priceAdvisor() {
        return new FoundAdvisor();
    }
}
