package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RentalIdTest {
    @Test
    void at_aLaterMillisecond_isSortedLater() {
        var before = RentalId.at(Instant.parse("2026-12-31T23:59:59.999Z"));
        var after = RentalId.at(Instant.parse("2027-01-01T00:00:00Z"));

        assertTrue(before.compareTo(after) < 0, () -> before + " and " + after);
    }

    @Test
    void at_theExampleOfUlid_beginsAsItDoes() {
        // The ULID specification's own example, 01ARZ3NDEKTSV4RRFFQ69G5FAV, is of this time.
        Instant time = Instant.ofEpochMilli(1_469_922_850_259L);

        assertEquals("01arz3ndek", RentalId.at(time).value().substring(0, 10));
    }

    @Test
    void at_oneInstant_isAnotherEachTime() {
        Instant now = Instant.EPOCH;

        assertNotEquals(RentalId.at(now), RentalId.at(now));
        assertNotEquals(RentalId.random(), RentalId.random());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "01arz3ndektsv4rrffq69g5fa", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "01arz3ndektsv4rrffq69g5fai"})
    void value_ofAnotherForm_isRefused(String value) {
        assertThrows(IllegalArgumentException.class, () -> new RentalId(value));
    }
}
