package org.computehive.server.crash;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.computehive.audit.AuditEntry;
import org.computehive.rental.Escrow;
import org.computehive.rental.EventCodec;
import org.computehive.rental.Notifier;
import org.computehive.rental.RentalEvent;
import org.computehive.rental.RentalStore.Recorded;
import org.jspecify.annotations.Nullable;

/**
 * Puts a gate before and after every call of a port's that changes something or reads the world. A method that a port
 * gets one day is a point by itself; only look-ups in our own store are left out.
 */
final class Boundaries {
    private static final Set<String> LOOK_UPS = Set.of(
            "quote",
            "rental",
            "history",
            "inStates",
            "of",
            "isFree",
            "freeLane",
            "unaudited",
            "lastAudited",
            "timers",
            "host",
            "hosts",
            "listing",
            "listings",
            "condition",
            "answer",
            "origin",
            "token",
            "size",
            "checkpoint",
            "entries",
            "onChange",
            "onDecision",
            "receiptDigest",
            "releaseDigest",
            "close",
            "toString",
            "hashCode",
            "equals");

    private final Gate gate;
    private final Precedence precedence;

    Boundaries(Gate gate, Precedence precedence) {
        this.gate = gate;
        this.precedence = precedence;
    }

    /** Returns a port with the gate around it. */
    <T> T around(Class<T> port, T real) {
        InvocationHandler handler = (proxy, method, arguments) -> call(port.getSimpleName(), real, method, arguments);
        return port.cast(Proxy.newProxyInstance(port.getClassLoader(), new Class<?>[] {port}, handler));
    }

    private @Nullable Object call(String port, Object real, Method method, Object @Nullable [] arguments)
            throws Throwable {
        if (LOOK_UPS.contains(method.getName())) {
            return invoke(real, method, arguments);
        }
        Object[] given = arguments == null ? new Object[0] : arguments;
        String name = port + "." + method.getName();
        List<String> details = details(given);
        precedence.check(name, given);
        details.forEach(detail -> gate.cross(name + detail + "/before"));
        try {
            Object result = invoke(real, method, arguments);
            details.forEach(detail -> gate.cross(name + detail + outcome(result) + "/after"));
            return result;
        } catch (RuntimeException e) {
            details.forEach(
                    detail -> gate.cross(name + detail + "/" + e.getClass().getSimpleName()));
            throw e;
        }
    }

    private static @Nullable Object invoke(Object real, Method method, Object @Nullable [] arguments) throws Throwable {
        try {
            return method.invoke(real, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
    }

    /** Returns what a call is about: several things where many are handed over together, else one, perhaps nothing. */
    private static List<String> details(Object[] arguments) {
        List<String> kinds = Arrays.stream(arguments)
                .flatMap(argument -> argument instanceof List<?> list ? list.stream() : Stream.of(argument))
                .flatMap(Boundaries::kind)
                .distinct()
                .map(kind -> "/" + kind)
                .toList();
        return kinds.isEmpty() ? List.of("") : kinds;
    }

    private static Stream<String> kind(@Nullable Object argument) {
        return switch (argument) {
            case Recorded recorded -> Stream.of(EventCodec.name(recorded.event()));
            case RentalEvent event -> Stream.of(EventCodec.name(event));
            case byte[] entry -> Stream.of(AuditEntry.parse(entry).type());
            case Notifier.Notice notice -> Stream.of(notice.method().name());
            case Escrow.Settlement settlement -> Stream.of(settlement.getClass().getSimpleName());
            case null, default -> Stream.empty();
        };
    }

    private static String outcome(@Nullable Object result) {
        return result instanceof Escrow.Reading reading
                ? "/" + reading.getClass().getSimpleName()
                : "";
    }
}
