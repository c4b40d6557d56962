package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import org.computehive.rental.EscrowOffer.Hash32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.web3j.crypto.Sign;

class EvmWalletTest {
    /** The first account of the "test test … junk" mnemonic, known to everybody. */
    private static final String KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

    private static final Hash32 DIGEST = new Hash32("0x" + "42".repeat(32));

    @Test
    void fromHex_ofAKnownKey_hasItsAccount() {
        assertEquals(
                "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
                EvmWallet.fromHex(KEY).account().address());
        assertEquals(
                EvmWallet.fromHex(KEY).account(), EvmWallet.fromHex("0x" + KEY).account());
    }

    @Test
    void fromHex_ofWhatIsNoKey_isRefusedWithoutShowingIt() {
        for (String bad : new String[] {
            "", "0x", KEY.substring(1), KEY + "00", "g" + KEY.substring(1), "0".repeat(64), "f".repeat(64)
        }) {
            var e = assertThrows(IllegalArgumentException.class, () -> EvmWallet.fromHex(bad));
            assertFalse(bad.length() > 8 && e.getMessage().contains(bad.substring(2, 8)), e.getMessage());
        }
    }

    @Test
    void random_twice_differs() {
        assertNotEquals(EvmWallet.random().account(), EvmWallet.random().account());
    }

    @Test
    void sign_aDigest_canBeRecoveredAndIsLow() throws Exception {
        EvmWallet wallet = EvmWallet.random();
        byte[] bytes = wallet.sign(DIGEST).bytes();

        assertEquals(65, bytes.length);
        assertTrue(bytes[64] == 27 || bytes[64] == 28);
        assertTrue(new BigInteger(1, bytes, 32, 32)
                        .compareTo(Sign.CURVE_PARAMS.getN().shiftRight(1))
                <= 0);
        var data = new Sign.SignatureData(bytes[64], Arrays.copyOf(bytes, 32), Arrays.copyOfRange(bytes, 32, 64));
        assertEquals(wallet.account(), EvmWallet.accountOf(Sign.signedMessageHashToKey(DIGEST.bytes(), data)));
    }

    @Test
    void toString_showsNoKey() {
        assertFalse(EvmWallet.fromHex(KEY).toString().contains(KEY.substring(0, 8)));
    }

    @Test
    void load_ofASavedKey_isTheSameAndOnlyItsOwners(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("key");
        EvmWallet wallet = EvmWallet.random();
        wallet.save(file);

        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertEquals(wallet.account(), EvmWallet.load(file).account());
        assertThrows(UncheckedIOException.class, () -> EvmWallet.random().save(file));
        assertEquals(wallet.account(), EvmWallet.load(file).account());
    }

    @Test
    void load_ofAFileThatOthersMayRead_isRefused(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("key");
        EvmWallet.random().save(file);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));

        assertThrows(IllegalArgumentException.class, () -> EvmWallet.load(file));
    }
}
