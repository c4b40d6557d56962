package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class AuditEntryTest {
    private static final Instant TIME = Instant.parse("2026-11-22T10:00:00.250Z");
    private static final byte[] PAYLOAD = "the renter paid".getBytes(UTF_8);
    private final byte[] salt = AuditEntry.newSalt();
    private final AuditEntry entry =
            AuditEntry.commit("rental.funded", "0123456789abcdefghjkmnpqrs", 3, TIME, PAYLOAD, salt);

    @Test
    void bytes_areCanonicalJsonWithTheCommitment() throws Exception {
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        sha256.update(salt);
        String commitment = Base64.getEncoder().encodeToString(sha256.digest(PAYLOAD));
        assertEquals(
                "{\"commitment\":\"" + commitment + "\",\"n\":3,\"rental\":\"0123456789abcdefghjkmnpqrs\","
                        + "\"time\":\"2026-11-22T10:00:00.250Z\",\"type\":\"rental.funded\",\"v\":1}",
                new String(entry.bytes(), UTF_8));
        JsonNode json = new ObjectMapper().readTree(entry.bytes());
        assertEquals(3, json.get("n").asInt());
        assertEquals(6, json.size());
    }

    @Test
    void bytes_ofWhatConcernsARentalAndIsNoEventOfIt_haveTheRentalAlone() {
        AuditEntry accepted = AuditEntry.commit("access.accepted", "0123456789abcdefghjkmnpqrs", TIME, PAYLOAD, salt);
        String commitment = entry.toString().substring(0, entry.toString().indexOf(",\"n\""));
        assertEquals(
                commitment + ",\"rental\":\"0123456789abcdefghjkmnpqrs\","
                        + "\"time\":\"2026-11-22T10:00:00.250Z\",\"type\":\"access.accepted\",\"v\":1}",
                accepted.toString());
        AuditEntry read = AuditEntry.parse(accepted.bytes());
        assertEquals(accepted, read);
        assertEquals(Optional.of("0123456789abcdefghjkmnpqrs"), read.rental());
        assertEquals(OptionalLong.empty(), read.number());
    }

    @Test
    void parse_givesTheEntryBack() {
        AuditEntry read = AuditEntry.parse(entry.bytes());
        assertEquals(entry, read);
        assertEquals(Optional.of("0123456789abcdefghjkmnpqrs"), read.rental());
        assertEquals(OptionalLong.of(3), read.number());
        assertEquals(TIME, read.time());
        AuditEntry alone = AuditEntry.commit("key.rotated", TIME, PAYLOAD, salt);
        assertEquals(alone, AuditEntry.parse(alone.bytes()));
        assertEquals(Optional.empty(), alone.rental());
        assertEquals(OptionalLong.empty(), alone.number());
    }

    @Test
    void matches_onlyThePayloadAndSaltThatWereCommitted() {
        assertTrue(entry.matches(PAYLOAD, salt));
        assertTrue(AuditEntry.parse(entry.bytes()).matches(PAYLOAD, salt));
        assertFalse(entry.matches("the renter did not pay".getBytes(UTF_8), salt));
        assertFalse(entry.matches(PAYLOAD, AuditEntry.newSalt()));
        assertFalse(entry.matches(PAYLOAD, new byte[0]));
    }

    @Test
    void parse_ofAnythingNotCanonical_isRefused() {
        String good = entry.toString();
        for (String bad : List.of(
                "",
                "{}",
                " " + good,
                good + "\n",
                good.replace(",\"v\":1", ", \"v\":1"),
                good.replace("\"v\":1", "\"v\":2"),
                good.replace("\"v\":1", "\"v\":1.0"),
                good.replace("\"n\":3", "\"n\":03"),
                good.replace("\"n\":3", "\"n\":-3"),
                good.replace("\"n\":3", "\"n\":9007199254740992"),
                good.replace(",\"rental\":\"0123456789abcdefghjkmnpqrs\"", ""),
                good.replace(
                        "\"n\":3,\"rental\":\"0123456789abcdefghjkmnpqrs\"",
                        "\"rental\":\"0123456789abcdefghjkmnpqrs\",\"n\":3"),
                good.replace(".250Z", ".25Z"),
                good.replace("2026-11-22", "2026-13-22"),
                good.replace("Z\"", "+00:00\""),
                good.replace("rental.funded", "rental..funded"),
                good.replace("rental.funded", "Rental"),
                good.replace("\"v\":1}", "\"v\":1,\"v\":1}"))) {
            assertThrows(IllegalArgumentException.class, () -> AuditEntry.parse(bad.getBytes(UTF_8)), bad);
        }
        assertThrows(IllegalArgumentException.class, () -> AuditEntry.parse(new byte[100_000]));
    }

    @Test
    void commit_toWhatDoesNotFitTheSchema_isRefused() {
        assertThrows(IllegalArgumentException.class, () -> AuditEntry.commit("", TIME, PAYLOAD, salt));
        assertThrows(IllegalArgumentException.class, () -> AuditEntry.commit("a\"b", TIME, PAYLOAD, salt));
        assertThrows(IllegalArgumentException.class, () -> AuditEntry.commit("a", "x@y", 0, TIME, PAYLOAD, salt));
        assertThrows(IllegalArgumentException.class, () -> AuditEntry.commit("a", "x", -1, TIME, PAYLOAD, salt));
        assertThrows(IllegalArgumentException.class, () -> AuditEntry.commit("a", TIME, PAYLOAD, new byte[16]));
        assertThrows(IllegalArgumentException.class, () -> AuditEntry.commit("a", Instant.MAX, PAYLOAD, salt));
    }
}
