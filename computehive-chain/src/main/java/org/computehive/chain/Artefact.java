package org.computehive.chain;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The compiled contracts that lie in this module's jar. */
enum Artefact {
    RENTAL_ESCROW("RentalEscrow"),
    AUDIT_ANCHOR("AuditAnchor"),
    DEV_TOKEN("DevToken");

    private final String file;

    Artefact(String file) {
        this.file = file;
    }

    /** Returns the ABI, a JSON array. */
    JsonNode abi() {
        try {
            return JsonMapper.builder().build().readTree(bytes(".abi.json"));
        } catch (IOException e) {
            throw new IllegalStateException("the jar holds no readable ABI of " + file, e);
        }
    }

    /** Returns the code that creates the contract, in hexadecimal with {@code 0x}. */
    String creationCode() {
        String text = new String(bytes(".bin"), StandardCharsets.US_ASCII).strip();
        return text.startsWith("0x") ? text : "0x" + text;
    }

    /** Returns the code that the contract has on a chain; only of the escrow and the anchor. */
    RuntimeCode runtimeCode() {
        try {
            JsonNode built = JsonMapper.builder().build().readTree(bytes(".runtime.json"));
            var values = new ArrayList<List<RuntimeCode.Place>>();
            for (JsonNode places : built.path("immutables")) {
                var ofOne = new ArrayList<RuntimeCode.Place>();
                for (JsonNode place : places) {
                    ofOne.add(new RuntimeCode.Place(
                            place.path("start").asInt(), place.path("length").asInt()));
                }
                values.add(ofOne);
            }
            return new RuntimeCode(built.path("code").asText(), values);
        } catch (IOException e) {
            throw new IllegalStateException("the jar holds no readable runtime code of " + file, e);
        }
    }

    private byte[] bytes(String ending) {
        try (InputStream in = Artefact.class.getResourceAsStream(file + ending)) {
            if (in == null) {
                throw new IllegalStateException("the jar lacks %s%s: it was built wrong".formatted(file, ending));
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException("the jar holds no readable %s%s".formatted(file, ending), e);
        }
    }
}
