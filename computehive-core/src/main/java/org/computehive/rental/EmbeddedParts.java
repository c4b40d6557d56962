package org.computehive.rental;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.OptionalInt;
import java.util.function.Function;
import org.computehive.audit.AuditLog;
import org.computehive.market.Account;

/**
 * Makes the parts of an engine that its {@link RentalEngineBuilder builder} was not given. Found by
 * {@link java.util.ServiceLoader}; {@code computehive-core} brings the one that is used. Stateless.
 */
public interface EmbeddedParts {

    /** Returns parts that live in this process's memory and end with it. */
    Parts inMemory(InstantSource clock);

    /**
     * Returns parts that keep what they know in a folder.
     *
     * @param folder made if it is missing; for its owner's eyes alone
     */
    Parts in(Path folder, InstantSource clock);

    /** Makes one part a call; who calls closes it. */
    interface Parts {
        /** Makes a store. */
        RentalStore store();

        /**
         * Makes an escrow of play money.
         *
         * @throws IllegalStateException if rentals are kept longer than play money would be
         */
        Escrow escrow();

        /** Makes the way into sessions. */
        SessionAccess access();

        /** Makes the audit log. */
        AuditLog auditLog();

        /** Makes what delivers calendar messages. */
        Notifier notifier();

        /**
         * Makes what knows lenders' reputations.
         *
         * @param store what it knows them from
         */
        Function<Account, OptionalInt> reputation(RentalStore store);

        /** Makes who suggests prices: {@code computehive-pricing} where it is on the class path. */
        PriceAdvisor priceAdvisor();

        /** Makes what keeps suggestions to lenders. */
        SuggestionHistory suggestions();
    }
}
