package org.computehive.rental;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.io.IOException;
import java.math.BigInteger;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import org.computehive.manifest.Setup;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.ListingId;
import org.computehive.market.PciAddress;
import org.computehive.market.Rate;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.schedule.Availability;

/**
 * The JSON form of the market's and rentals' records: what stores keep, and for events what the audit log commits to.
 *
 * <p>Strict: what is unknown, missing, doubled or of another type is refused. Big numbers, ids, instants and durations
 * are strings (ISO 8601 for the times).
 *
 * <p>Output is ASCII and its order fixed, so it is the same on every JVM and any database can hold it. Stateless.
 */
public final class RentalJson {
    private static final ObjectMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
                    .build())
            .addModule(new JavaTimeModule())
            .addModule(words())
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS, SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .enable(
                    DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES,
                    DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES,
                    DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES,
                    DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES,
                    DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS,
                    DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private RentalJson() {}

    /**
     * Returns a record's JSON.
     *
     * @throws IllegalStateException if its type has a part that is not known here
     */
    public static String write(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(
                    "a %s can't be written as JSON: its type has a part that the codec doesn't know"
                            .formatted(value.getClass().getSimpleName()),
                    e);
        }
    }

    /**
     * Returns the record that a JSON text means.
     *
     * @throws IllegalStateException if the text is not exactly a record of that type
     */
    public static <T> T read(Class<T> type, String json) {
        try {
            T value = MAPPER.readValue(json, type);
            if (value == null) {
                throw new JsonMappingException(null, "null stands for nothing here");
            }
            return value;
        } catch (JsonProcessingException e) {
            throw unreadable(type, e);
        }
    }

    /**
     * Returns the record that a JSON text of an older form means, whose members that came later take given values.
     *
     * @param added the members that it lacks, with what they mean where nothing was said; {@code a/b} is the member b of
     *     the member a
     * @throws IllegalStateException if the text, so completed, is not exactly a record of that type
     */
    public static <T> T readOlder(Class<T> type, String json, Map<String, ?> added) {
        try {
            JsonNode root = MAPPER.readTree(json);
            for (Map.Entry<String, ?> member : added.entrySet()) {
                add(root, member.getKey(), member.getValue());
            }
            return read(type, MAPPER.writeValueAsString(root));
        } catch (JsonProcessingException e) {
            throw unreadable(type, e);
        }
    }

    /**
     * Returns the JSON that {@link #readOlder} reads: that of an older form, which lacks members that came later.
     *
     * @param added the members that it lacks, as for {@link #readOlder}
     * @throws IllegalStateException if one of them says anything else in the record: the older form can't hold it
     */
    public static String writeOlder(Object value, Map<String, ?> added) {
        String json = write(value);
        for (Map.Entry<String, ?> member : added.entrySet()) {
            json = without(json, value, member.getKey(), member.getValue());
        }
        return json;
    }

    /**
     * Cuts a member out of a text. A quote within a string is escaped there, so what looks like the member is the member; one
     * that stands first in its object was there before those that came later.
     */
    private static String without(String json, Object of, String path, Object meaning) {
        String member = ",\"%s\":%s".formatted(path.substring(path.lastIndexOf('/') + 1), write(meaning));
        int at = json.indexOf(member);
        if (at < 0 || at != json.lastIndexOf(member)) {
            throw new IllegalStateException(
                    "a %s does not fit an older form, for which %s is always %s: write it in today's"
                            .formatted(of.getClass().getSimpleName(), path, write(meaning)));
        }
        return json.substring(0, at) + json.substring(at + member.length());
    }

    private static void add(JsonNode to, String path, Object value) throws JsonMappingException {
        int slash = path.indexOf('/');
        if (slash >= 0) {
            add(to.path(path.substring(0, slash)), path.substring(slash + 1), value);
        } else if (!(to instanceof ObjectNode object) || object.has(path)) {
            throw new JsonMappingException(null, "it is not of that older form");
        } else {
            object.set(path, MAPPER.valueToTree(value));
        }
    }

    private static IllegalStateException unreadable(Class<?> type, JsonProcessingException cause) {
        return new IllegalStateException(
                "a stored %s can't be read: it was written by another version, or changed by hand"
                        .formatted(type.getSimpleName()),
                cause);
    }

    private static SimpleModule words() {
        var module = new SimpleModule("computehive");
        word(module, Account.class, Account::address, Account::new);
        word(module, Amount.class, amount -> amount.units().toString(), text -> new Amount(integer(text)));
        word(module, Rate.class, rate -> rate.unitsPerSecond().toString(), text -> new Rate(integer(text)));
        word(module, BigInteger.class, BigInteger::toString, RentalJson::integer);
        word(module, GpuId.class, GpuId::toString, GpuId::parse);
        word(module, HostId.class, HostId::value, HostId::new);
        word(module, ListingId.class, ListingId::value, ListingId::new);
        word(module, PciAddress.class, PciAddress::value, PciAddress::new);
        word(module, RentalId.class, RentalId::value, RentalId::new);
        word(module, Hash32.class, Hash32::hex, Hash32::new);
        word(module, Signature.class, Signature::hex, Signature::new);
        word(module, Setup.class, Setup::json, Setup::parse);
        word(module, Availability.class, Availability::toString, Availability::parse);
        module.addSerializer(OptionalInt.class, new OptionalIntWriter());
        module.addDeserializer(OptionalInt.class, new OptionalIntReader());
        module.addSerializer(new OptionalTextWriter());
        module.addDeserializer(Optional.class, new OptionalTextReader());
        return module;
    }

    private static BigInteger integer(String text) {
        if (text.length() > 78) {
            throw new IllegalArgumentException(
                    "a number of %d digits is too long: at most 78".formatted(text.length()));
        }
        return new BigInteger(text);
    }

    private static <T> void word(
            SimpleModule module, Class<T> type, Function<T, String> write, Function<String, T> read) {
        module.addSerializer(type, new JsonSerializer<T>() {
            @Override
            public void serialize(T value, JsonGenerator generator, SerializerProvider provider) throws IOException {
                generator.writeString(write.apply(value));
            }
        });
        module.addDeserializer(type, new JsonDeserializer<T>() {
            @Override
            public T deserialize(JsonParser parser, DeserializationContext context) throws IOException {
                String text = text(parser, context, type);
                try {
                    return read.apply(text);
                } catch (IllegalArgumentException e) {
                    throw context.instantiationException(type, e);
                }
            }
        });
    }

    private static String text(JsonParser parser, DeserializationContext context, Class<?> type) throws IOException {
        if (!parser.hasToken(JsonToken.VALUE_STRING)) {
            throw context.wrongTokenException(parser, type, JsonToken.VALUE_STRING, "a string is expected");
        }
        return parser.getText();
    }

    private static final class OptionalIntWriter extends JsonSerializer<OptionalInt> {
        @Override
        public void serialize(OptionalInt value, JsonGenerator generator, SerializerProvider provider)
                throws IOException {
            if (value.isPresent()) {
                generator.writeNumber(value.getAsInt());
            } else {
                generator.writeNull();
            }
        }
    }

    private static final class OptionalIntReader extends JsonDeserializer<OptionalInt> {
        @Override
        public OptionalInt deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            if (!parser.hasToken(JsonToken.VALUE_NUMBER_INT)) {
                throw context.wrongTokenException(
                        parser, OptionalInt.class, JsonToken.VALUE_NUMBER_INT, "an integer is expected");
            }
            return OptionalInt.of(parser.getIntValue());
        }

        @Override
        public OptionalInt getNullValue(DeserializationContext context) {
            return OptionalInt.empty();
        }
    }

    private static final class OptionalTextWriter extends JsonSerializer<Optional<?>> {
        @Override
        @SuppressWarnings("unchecked") // the class of every Optional
        public Class<Optional<?>> handledType() {
            return (Class<Optional<?>>) (Class<?>) Optional.class;
        }

        @Override
        public void serialize(Optional<?> value, JsonGenerator generator, SerializerProvider provider)
                throws IOException {
            if (value.isPresent()) {
                generator.writeString((String) value.get());
            } else {
                generator.writeNull();
            }
        }
    }

    private static final class OptionalTextReader extends JsonDeserializer<Optional<?>> {
        @Override
        public Optional<?> deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            return Optional.of(text(parser, context, String.class));
        }

        @Override
        public Optional<?> getNullValue(DeserializationContext context) {
            return Optional.empty();
        }
    }
}
