package org.computehive.server.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.server.config.Folders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokensTest {
    private static final Account LENDER = new Account("0x" + "1e".repeat(20));

    @TempDir
    Path folder;

    private Tokens open() throws IOException {
        Files.createDirectories(folder.resolve("tokens"));
        return new Tokens(new Folders(folder), Map.of(Role.LENDER, LENDER));
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
    void as_aRoleOfAnother_isForbidden() {
        var caller = new Caller(LENDER, Role.LENDER);

        assertEquals(LENDER, caller.as(Role.RENTER, Role.LENDER));
        assertThrows(Caller.Forbidden.class, () -> caller.as(Role.OPERATOR));
    }
}
