package org.computehive.server.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Where the gas of one transaction went, added up from the trace of its opcodes ({@code debug_traceTransaction}).
 *
 * @param parts all of them together are the gas of the receipt, before refunds
 */
record GasAccount(Map<Part, Long> parts) {
    private static final long BASE = 21_000;
    private static final long ZERO_BYTE = 4;
    private static final long BYTE = 16;
    private static final String ECRECOVER = "1";

    /** What gas is paid for. */
    enum Part {
        /** Every transaction: 21,000. */
        TRANSACTION,
        /** What came with the call, by the byte. */
        DATA,
        /** The contract's own slots. */
        STORAGE,
        /** The lock against calls in the middle of a transfer: transient storage. */
        LOCK,
        /** The event. */
        LOG,
        /** Recovering a signer. */
        SIGNATURE,
        /** Hashing terms, messages and places in storage. */
        HASHES,
        /** All that the token does when it is asked for its balance and told to move. */
        TOKEN,
        /** Everything else: decoding, comparing, computing. */
        REST
    }

    GasAccount {
        parts = Map.copyOf(parts);
    }

    /**
     * Adds up.
     *
     * @param data the transaction's, in hexadecimal
     * @param trace its {@code structLogs}, without memory and storage
     */
    static GasAccount of(String data, JsonNode trace) {
        var parts = new EnumMap<Part, Long>(Part.class);
        for (Part part : Part.values()) {
            parts.put(part, 0L);
        }
        parts.put(Part.TRANSACTION, BASE);
        for (int i = 2; i < data.length(); i += 2) {
            parts.merge(Part.DATA, data.startsWith("00", i) ? ZERO_BYTE : BYTE, Long::sum);
        }
        JsonNode steps = trace.get("structLogs");
        for (int i = 0; i < steps.size(); i++) {
            JsonNode step = steps.get(i);
            JsonNode next = i + 1 < steps.size() ? steps.get(i + 1) : null;
            boolean own = step.get("depth").asInt() == 1;
            if (own && step.get("op").asText().endsWith("CALL")) {
                // The whole of the call: until the caller goes on.
                long left = gasAfter(steps, i);
                parts.merge(partOfCall(step), step.get("gas").asLong() - left, Long::sum);
            } else if (own) {
                long cost = next == null
                        ? step.get("gasCost").asLong()
                        : step.get("gas").asLong() - next.get("gas").asLong();
                parts.merge(partOf(step.get("op").asText()), cost, Long::sum);
            }
        }
        return new GasAccount(parts);
    }

    private static long gasAfter(JsonNode steps, int call) {
        int i = call + 1;
        while (steps.get(i).get("depth").asInt() > 1) {
            i++;
        }
        return steps.get(i).get("gas").asLong();
    }

    /** Of a call the stack tells from the top: gas, address. */
    private static Part partOfCall(JsonNode step) {
        JsonNode stack = step.get("stack");
        String to = stack.get(stack.size() - 2).asText().replaceFirst("^0x0*", "");
        return to.equals(ECRECOVER) ? Part.SIGNATURE : Part.TOKEN;
    }

    private static Part partOf(String op) {
        return switch (op) {
            case "SLOAD", "SSTORE" -> Part.STORAGE;
            case "TLOAD", "TSTORE" -> Part.LOCK;
            case "LOG0", "LOG1", "LOG2", "LOG3", "LOG4" -> Part.LOG;
            case "KECCAK256", "SHA3" -> Part.HASHES;
            case "EXTCODESIZE" -> Part.TOKEN;
            default -> Part.REST;
        };
    }

    long total() {
        return parts.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Returns the account for people. */
    @Override
    public String toString() {
        return parts.entrySet().stream()
                .filter(part -> part.getValue() > 0)
                .sorted(Map.Entry.comparingByKey())
                .map(part -> "%s %,d".formatted(part.getKey().name().toLowerCase(Locale.ROOT), part.getValue()))
                .collect(Collectors.joining(", "));
    }
}
