package org.computehive.server.crash;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditLog;
import org.computehive.market.Amount;
import org.computehive.rental.Escrow;
import org.computehive.rental.RentalEvent;
import org.computehive.rental.RentalStore;
import org.computehive.rental.RentalStore.Recorded;
import org.jspecify.annotations.Nullable;

/** Builds a {@link Fault} into a port; without one, a port stays as it is. */
final class Faults {
    private static final Duration LATE = Duration.ofSeconds(2);

    private final Set<Fault> faults;

    Faults(EngineSettings settings) {
        this.faults = settings.faults();
    }

    private interface Call {
        @Nullable Object on(Method method, Object @Nullable [] arguments) throws Throwable;
    }

    RentalStore in(RentalStore real) {
        return !faults.contains(Fault.LOST_EVENT)
                ? real
                : instead(
                        RentalStore.class,
                        (method, arguments) -> method.getName().equals("append") && isCertificate(arguments)
                                ? null
                                : invoke(real, method, arguments));
    }

    private static boolean isCertificate(Object @Nullable [] arguments) {
        return arguments != null
                && Arrays.stream(arguments)
                        .flatMap(argument -> argument instanceof List<?> events ? events.stream() : Stream.of(argument))
                        .anyMatch(argument -> argument instanceof Recorded recorded
                                && recorded.event() instanceof RentalEvent.CertificateIssued);
    }

    AuditLog in(AuditLog real) {
        if (faults.contains(Fault.LATE_AUDIT)) {
            return late(real);
        }
        return !faults.contains(Fault.SECOND_ENTRY)
                ? real
                : instead(AuditLog.class, (method, arguments) -> {
                    Object first = invoke(real, method, arguments);
                    entries(method, arguments).stream()
                            .filter(entry -> AuditEntry.parse(entry).type().startsWith("rental.funded"))
                            .forEach(real::append);
                    return first;
                });
    }

    private static List<byte[]> entries(Method method, Object @Nullable [] arguments) {
        if (!method.getName().equals("append") || arguments == null) {
            return List.of();
        }
        return arguments[0] instanceof byte[] one
                ? List.of(one)
                : ((List<?>) arguments[0]).stream().map(entry -> (byte[]) entry).toList();
    }

    private static AuditLog late(AuditLog real) {
        ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().factory());
        var size = new AtomicLong(real.size());
        return instead(AuditLog.class, (method, arguments) -> {
            List<byte[]> entries = entries(method, arguments);
            if (entries.isEmpty()) {
                return invoke(real, method, arguments);
            }
            synchronized (size) {
                later.schedule(() -> real.append(entries), LATE.toMillis(), TimeUnit.MILLISECONDS);
                return size.getAndAdd(entries.size());
            }
        });
    }

    Escrow in(Escrow real) {
        return faults.contains(Fault.UNKNOWN_IS_UNPAID) || faults.contains(Fault.WRONG_PAYMENT)
                ? instead(Escrow.class, (method, arguments) -> changed(invoke(real, method, arguments)))
                : real;
    }

    private @Nullable Object changed(@Nullable Object result) {
        return switch (result) {
            case Escrow.Reading.Unknown unknown
            when faults.contains(Fault.UNKNOWN_IS_UNPAID) ->
                new Escrow.Reading.Absent(Instant.now().plus(Duration.ofDays(1)));
            case Escrow.Reading.Closed closed when faults.contains(Fault.WRONG_PAYMENT) -> oneMore(closed);
            case null, default -> result;
        };
    }

    private static Escrow.Reading.Closed oneMore(Escrow.Reading.Closed closed) {
        boolean refunded = closed.refunded().units().signum() > 0;
        return new Escrow.Reading.Closed(
                refunded ? closed.paid().plus(Amount.of(1)) : closed.paid().minus(Amount.of(1)),
                refunded
                        ? closed.refunded().minus(Amount.of(1))
                        : closed.refunded().plus(Amount.of(1)),
                closed.slashed(),
                closed.forfeited(),
                closed.how(),
                closed.transaction(),
                closed.chainTime());
    }

    private static <T> T instead(Class<T> port, Call call) {
        InvocationHandler handler = (proxy, method, arguments) -> call.on(method, arguments);
        return port.cast(Proxy.newProxyInstance(port.getClassLoader(), new Class<?>[] {port}, handler));
    }

    private static @Nullable Object invoke(Object real, Method method, Object @Nullable [] arguments) throws Throwable {
        try {
            return method.invoke(real, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
    }
}
