package org.computehive.chain;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.computehive.rental.EscrowException;
import org.jspecify.annotations.Nullable;
import org.web3j.abi.FunctionReturnDecoder;
import org.web3j.abi.TypeReference;
import org.web3j.abi.datatypes.Type;
import org.web3j.crypto.Hash;

/** Turns what a contract reverted with into a typed exception with names and values. Immutable and thread-safe. */
final class Reverts {
    private static final int SELECTOR_END = 10;
    private static final String TIME_LOCKED = "TooEarly";

    private final Map<String, JsonNode> errors = new HashMap<>();

    /** Learns the custom errors of some contracts. */
    Reverts(JsonNode... abis) {
        for (JsonNode abi : abis) {
            for (JsonNode entry : abi) {
                if (entry.path("type").asText().equals("error")) {
                    errors.put(selector(entry), entry);
                }
            }
        }
    }

    /** Says what a node's refusal means to the caller. */
    EscrowException explain(String action, RpcError error) {
        if (!error.isRefusal()) {
            return new EscrowException.Unreachable(
                    "%s: the chain node is in trouble, try again: %s".formatted(action, error.getMessage()), error);
        }
        String data = error.revertData();
        Decoded decoded = data == null || data.length() < SELECTOR_END ? null : decode(data);
        if (decoded == null) {
            String message = "%s: the chain refuses it: %s".formatted(action, error.getMessage());
            return error.saysInsufficientFunds()
                    ? new EscrowException.InsufficientFunds(message, error)
                    : new EscrowException.Refused(message, error);
        }
        if (decoded.name().equals(TIME_LOCKED)) {
            return new EscrowException.NotYet(
                    "%s: the time lock holds until %s; try again then (%s)"
                            .formatted(action, decoded.firstAsInstant(), decoded),
                    error);
        }
        return refused(decoded.name(), "%s: the contract refuses it: %s".formatted(action, decoded), error);
    }

    private static EscrowException.Refused refused(String name, String message, RpcError error) {
        return switch (name) {
            case "OfferExpired", "WindowOver" -> new EscrowException.OfferExpired(message, error);
            case "SequenceMismatch", "LaneRented" -> new EscrowException.OfferUsed(message, error);
            case "TooLate" -> new EscrowException.TooLate(message, error);
            case "InvalidSignature" -> new EscrowException.InvalidSignature(message, error);
            case "InsufficientBalance", "ERC20InsufficientBalance" ->
                new EscrowException.InsufficientFunds(message, error);
            default -> new EscrowException.Refused(message, error);
        };
    }

    @SuppressWarnings("rawtypes")
    private @Nullable Decoded decode(String data) {
        JsonNode error = errors.get(data.substring(0, SELECTOR_END));
        if (error == null) {
            return null;
        }
        try {
            var types = new ArrayList<TypeReference<Type>>();
            for (JsonNode input : error.path("inputs")) {
                types.add(typeOf(input));
            }
            var names = new ArrayList<String>();
            error.path("inputs").forEach(input -> names.add(input.path("name").asText()));
            List<Type> values = FunctionReturnDecoder.decode("0x" + data.substring(SELECTOR_END), types);
            var shown = new ArrayList<String>();
            for (Type<?> value : values) {
                shown.add(
                        value.getValue() instanceof byte[] bytes
                                ? "0x" + HexFormat.of().formatHex(bytes)
                                : String.valueOf(value.getValue()));
            }
            return new Decoded(error.path("name").asText(), names, shown);
        } catch (ClassNotFoundException | RuntimeException e) {
            return null;
        }
    }

    @SuppressWarnings({"rawtypes", "unchecked"})
    private static TypeReference<Type> typeOf(JsonNode input) throws ClassNotFoundException {
        return TypeReference.makeTypeReference(input.path("type").asText());
    }

    private static String selector(JsonNode error) {
        var types = new ArrayList<String>();
        error.path("inputs").forEach(input -> types.add(input.path("type").asText()));
        String signature = error.path("name").asText() + "(" + String.join(",", types) + ")";
        byte[] hash = Hash.sha3(signature.getBytes(StandardCharsets.US_ASCII));
        return "0x" + HexFormat.of().formatHex(hash, 0, 4);
    }

    private record Decoded(String name, List<String> names, List<String> values) {
        Instant firstAsInstant() {
            return values.isEmpty() ? Instant.EPOCH : Instant.ofEpochSecond(Long.parseLong(values.getFirst()));
        }

        @Override
        public String toString() {
            var text = new StringBuilder(name).append('(');
            for (int i = 0; i < values.size(); i++) {
                text.append(i == 0 ? "" : ", ")
                        .append(i < names.size() ? names.get(i) : "")
                        .append('=')
                        .append(values.get(i));
            }
            return text.append(')').toString();
        }
    }
}
