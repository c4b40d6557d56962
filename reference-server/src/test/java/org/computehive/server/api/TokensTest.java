package org.computehive.server.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.rental.RentalException;
import org.computehive.server.config.Folders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokensTest {
    private static final Account LENDER = new Account("0x" + "1e".repeat(20));

    @TempDir
    Path folder;

    private Instant now = Instant.parse("2027-01-01T00:00:00Z");

    private Tokens open() throws IOException {
        Files.createDirectories(folder.resolve("tokens"));
        return new Tokens(new Folders(folder), Map.of(Role.LENDER, LENDER, Role.OPERATOR, LENDER), () -> now);
    }

    private String firstToken() throws IOException {
        return Files.readString(folder.resolve("tokens/lender")).strip().substring("Authorization: Bearer ".length());
    }

    @Test
    void firstStart_writesEachTokenOnceForItsOwnerAlone_andKeepsOnlyDigests() throws IOException {
        Tokens tokens = open();
        String token = firstToken();

        assertEquals(Optional.of(new Caller(LENDER, Role.LENDER)), tokens.caller(token));
        for (String file : new String[] {"tokens/lender", "token-digests.json"}) {
            assertEquals(
                    "rw-------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(file))),
                    file);
        }
        assertFalse(Files.readString(folder.resolve("token-digests.json")).contains(token));
    }

    @Test
    void secondStart_knowsTheTokens_andWritesNone() throws IOException {
        open();
        String token = firstToken();
        Files.delete(folder.resolve("tokens/lender"));

        assertTrue(open().caller(token).isPresent());
        assertFalse(Files.exists(folder.resolve("tokens/lender")));
    }

    @Test
    void firstStart_thatWasCutOff_isBegunAnew() throws IOException {
        open();
        String lost = firstToken();
        Files.delete(folder.resolve("token-digests.json"));

        Tokens tokens = open();
        assertTrue(tokens.caller(firstToken()).isPresent());
        assertEquals(Optional.empty(), tokens.caller(lost));
    }

    @Test
    void caller_ofAnUnknownOrCutToken_isNobody() throws IOException {
        Tokens tokens = open();

        assertEquals(Optional.empty(), tokens.caller(""));
        assertEquals(Optional.empty(), tokens.caller(firstToken().substring(1)));
    }

    @Test
    void made_countsUntilItExpires_alsoAfterARestart() throws IOException {
        String secret = open().make(LENDER, Role.RENTER, Optional.of(now.plusSeconds(60)))
                .secret();

        now = now.plusSeconds(59);
        assertEquals(Optional.of(new Caller(LENDER, Role.RENTER)), open().caller(secret));
        now = now.plusSeconds(1);
        assertEquals(Optional.empty(), open().caller(secret));
        assertTrue(open().caller(firstToken()).isPresent(), "those of the first start stay");
    }

    @Test
    void made_withoutAnExpiry_endsAfterNinetyDays_andNoneOutlivesAYear() throws IOException {
        Tokens tokens = open();

        assertEquals(
                Optional.of(now.plus(Duration.ofDays(90))),
                tokens.make(LENDER, Role.RENTER, Optional.empty()).token().expires());
        for (Instant refused : List.of(now, now.minusSeconds(1), now.plus(Duration.ofDays(367)))) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> tokens.make(LENDER, Role.RENTER, Optional.of(refused)),
                    refused.toString());
        }
    }

    @Test
    void revoked_isNobodyFromThenOn_alsoAfterARestart() throws IOException {
        Tokens tokens = open();
        Tokens.Made made = tokens.make(LENDER, Role.AUDITOR, Optional.empty());

        assertTrue(tokens.revoke(made.token().id()));

        assertEquals(Optional.empty(), tokens.caller(made.secret()));
        assertEquals(Optional.empty(), open().caller(made.secret()));
        assertFalse(tokens.revoke(made.token().id()));
        assertTrue(tokens.caller(firstToken()).isPresent());
    }

    @Test
    void revoke_theLastOperators_isRefused_untilThereIsAnother() throws IOException {
        Tokens tokens = open();
        String last = tokens.all().stream()
                .filter(token -> token.role() == Role.OPERATOR)
                .findFirst()
                .orElseThrow()
                .id();

        assertThrows(RentalException.WrongState.class, () -> tokens.revoke(last));
        tokens.make(LENDER, Role.OPERATOR, Optional.empty());

        assertTrue(tokens.revoke(last));
    }

    @Test
    void fileOfAnEarlierVersion_isRead() throws IOException {
        open();
        String token = firstToken();
        Path file = folder.resolve("token-digests.json");
        String older = Files.readString(file).replace(",\"expiring\":[]", "");
        assertFalse(older.contains("expiring"), older);
        Files.writeString(file, older);

        assertTrue(open().caller(token).isPresent());
    }

    @Test
    void as_aRoleOfAnother_isForbidden() {
        var caller = new Caller(LENDER, Role.LENDER);

        assertEquals(LENDER, caller.as(Role.RENTER, Role.LENDER));
        assertThrows(Caller.Forbidden.class, () -> caller.as(Role.OPERATOR));
    }
}
