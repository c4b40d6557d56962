package org.computehive.manifest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Reads a manifest's JSON with limits on size, depth and types; what it lets through is compared byte for byte later. Stateless. */
final class StrictJson {
    /** Room for any setup and the terms beside it. */
    private static final int MAX_CHARACTERS = 2 * Setup.MOST_CHARACTERS;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(8)
                            .maxNumberLength(20)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private StrictJson() {}

    static JsonNode object(String text, String... members) {
        if (text.length() > MAX_CHARACTERS) {
            throw new IllegalArgumentException(
                    "manifest has %d characters: at most %d are read".formatted(text.length(), MAX_CHARACTERS));
        }
        try {
            return checked(MAPPER.readTree(text), members);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("manifest is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    static JsonNode checked(JsonNode object, String... members) {
        for (String name : members) {
            if (!object.has(name)) {
                throw new IllegalArgumentException("manifest lacks member " + name);
            }
        }
        return object;
    }

    static String text(JsonNode object, String name) {
        if (!object.get(name).isTextual()) {
            throw new IllegalArgumentException("manifest member %s is no text".formatted(name));
        }
        return object.get(name).textValue();
    }

    static int number(JsonNode object, String name) {
        if (!object.get(name).isInt()) {
            throw new IllegalArgumentException("manifest member %s is no integer".formatted(name));
        }
        return object.get(name).intValue();
    }

    static SortedMap<String, String> texts(JsonNode object, String name) {
        var texts = new TreeMap<String, String>();
        JsonNode map = object.get(name);
        for (Map.Entry<String, JsonNode> member : map.properties()) {
            texts.put(member.getKey(), text(map, member.getKey()));
        }
        return texts;
    }
}
