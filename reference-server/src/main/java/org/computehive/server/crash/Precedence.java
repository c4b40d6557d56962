package org.computehive.server.crash;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditLog;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.Notifier;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.jspecify.annotations.Nullable;

/**
 * Looks, by a connection of its own, whether the event that causes an effect outside is stored and in the audit log before
 * the effect begins. Says so on the wire where it is not. Thread-safe.
 */
final class Precedence {
    private static final Map<String, String> CAUSES = Map.of(
            "Hypervisor.start", "starting",
            "SessionAccess.admit", "machine-started",
            "Escrow.settle", "funded",
            "Notifier.deliver", "funded");
    private static final String ELSEWHERE = "SELECT count(*) FROM ch_events e JOIN ch_audit_places p ON p.event = e.seq"
            + " WHERE e.rental = ? AND e.format LIKE ? AND p.log <> ?";
    private static final int BATCH = 256;
    private static final String OFFERED =
            "SELECT rental FROM ch_events WHERE format LIKE 'offer-written.v%' AND payload::text LIKE ?";

    private final EngineSettings settings;
    private final AuditLog log;
    private final Wire wire;
    private final Set<String> logged = new HashSet<>();
    private long read;
    private @Nullable Connection connection;

    /**
     * Creates one.
     *
     * @param log the audit log itself, without anything around it
     */
    Precedence(EngineSettings settings, AuditLog log, Wire wire) {
        this.settings = settings;
        this.log = log;
        this.wire = wire;
    }

    synchronized void check(String call, Object[] arguments) {
        String cause = CAUSES.get(call);
        if (cause == null) {
            return;
        }
        try {
            Optional<String> rental = rentalOf(arguments);
            if (rental.isPresent() && !isLogged(rental.get(), cause) && elsewhere(rental.get(), cause) == 0) {
                wire.say("violation rental %s: %s before its %s was in the audit log"
                        .formatted(rental.get(), call, cause));
            }
        } catch (SQLException e) {
            // A database that is away shows nothing; the effect needs it as well.
            connection = null;
        }
    }

    private Optional<String> rentalOf(Object[] arguments) throws SQLException {
        for (Object argument : Arrays.asList(arguments)) {
            switch (argument) {
                case VmSpec spec -> {
                    return Optional.of(spec.id().value());
                }
                case RentalId id -> {
                    return Optional.of(id.value());
                }
                case Notifier.Notice notice -> {
                    return Optional.of(notice.rental().value());
                }
                case EscrowOffer offer -> {
                    return offered(offer);
                }
                case null, default -> {}
            }
        }
        return Optional.empty();
    }

    private Optional<String> offered(EscrowOffer offer) throws SQLException {
        try (PreparedStatement statement = connection().prepareStatement(OFFERED)) {
            statement.setString(1, "%" + offer.digest().hex() + "%");
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
            }
        }
    }

    private boolean isLogged(String rental, String cause) {
        for (long size = log.size(); read < size; read = Math.min(size, read + BATCH)) {
            for (byte[] leaf : log.entries(read, Math.min(size, read + BATCH))) {
                AuditEntry entry = AuditEntry.parse(leaf);
                entry.rental()
                        .ifPresent(id -> logged.add(id + " " + entry.type().replaceFirst("[.]v[0-9]+$", "")));
            }
        }
        return logged.contains(rental + " rental." + cause);
    }

    /** Returns how often another replica's log has it. */
    private long elsewhere(String rental, String cause) throws SQLException {
        try (PreparedStatement statement = connection().prepareStatement(ELSEWHERE)) {
            statement.setString(1, rental);
            statement.setString(2, cause + ".v%");
            statement.setString(3, log.origin());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    private Connection connection() throws SQLException {
        Connection open = connection;
        if (open == null) {
            open = DriverManager.getConnection(settings.jdbcUrl(), settings.user(), settings.password());
            connection = open;
        }
        return open;
    }
}
