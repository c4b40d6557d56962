package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.Base64;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SshPublicKeyTest {
    private static final String GOOD = SoftwareSigner.generate().publicKey().line();
    private static final String BODY = GOOD.split(" ", 2)[1];

    @Test
    void parse_lineWithComment_keepsTheKeyAndDropsTheComment() {
        SshPublicKey key = SshPublicKey.parse(GOOD + " somebody@somewhere with blanks\n");
        assertEquals(GOOD, key.line());
        assertEquals("ssh-ed25519", key.type());
        assertTrue(key.fingerprint().startsWith("SHA256:"));
        assertFalse(key.toString().contains(BODY));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("unacceptable")
    void parse_anythingElse_isRefusedWithRemedyAndWithoutEcho(String why, String line) {
        var refusal = assertThrows(AccessException.KeyRefused.class, () -> SshPublicKey.parse(line));
        assertTrue(refusal.getMessage().contains(why), refusal.getMessage());
        assertTrue(refusal.getMessage().contains("ssh-keygen -t ed25519"), refusal.getMessage());
        assertFalse(refusal.getMessage().contains("AAAA"), refusal.getMessage());
        assertTrue(refusal.getMessage().chars().noneMatch(Character::isISOControl), refusal.getMessage());
    }

    static Stream<Arguments> unacceptable() {
        return Stream.of(
                Arguments.of("it is empty", " \n"),
                Arguments.of("private key", HostKeyPair.generate().privateKeyText()),
                Arguments.of("private key", "x".repeat(5000) + "PRIVATE KEY"),
                Arguments.of("private key", "PuTTY-User-Key-File-3: ssh-ed25519"),
                Arguments.of("another format", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA"),
                Arguments.of("another format", "-----BEGIN PUBLIC KEY-----\nAAAA"),
                Arguments.of("5000 characters, at most 4096", "x".repeat(5000)),
                Arguments.of("more than one line", GOOD + "\n" + GOOD),
                Arguments.of("control characters", GOOD + " \u001b[2J"),
                Arguments.of("security token (sk-ssh-ed25519@openssh.com)", "sk-ssh-ed25519@openssh.com AAAA"),
                Arguments.of("certificate", "ssh-ed25519-cert-v01@openssh.com AAAA"),
                Arguments.of("DSA", "ssh-dss AAAA"),
                Arguments.of("options", "command=\"id\" " + GOOD),
                Arguments.of("options", "restrict " + GOOD),
                Arguments.of("known key type", "hello world"),
                Arguments.of("known key type", "ssh-ed448 AAAA"),
                Arguments.of("no key behind", "ssh-ed25519"),
                Arguments.of("not base64", "ssh-ed25519 AAAA*"),
                Arguments.of("not canonical base64", "ssh-ed25519 AB=="),
                Arguments.of("another type", "ssh-rsa " + BODY),
                Arguments.of("damaged", "ssh-ed25519 " + truncated()),
                Arguments.of("damaged", "ssh-ed25519 " + surplus()),
                Arguments.of(
                        "no valid point",
                        line("ssh-ed25519", wire("ssh-ed25519").string(new byte[31]))),
                Arguments.of(
                        "no valid point",
                        line("ssh-ed25519", wire("ssh-ed25519").string(identityPoint()))),
                Arguments.of(
                        "another curve",
                        line(
                                "ecdsa-sha2-nistp256",
                                wire("ecdsa-sha2-nistp256").string("nistp384").string(new byte[65]))),
                Arguments.of(
                        "no valid point",
                        line(
                                "ecdsa-sha2-nistp256",
                                wire("ecdsa-sha2-nistp256").string("nistp256").string(new byte[1]))),
                Arguments.of(
                        "damaged",
                        line(
                                "ecdsa-sha2-nistp256",
                                wire("ecdsa-sha2-nistp256").string("nistp256").string(offCurve()))),
                Arguments.of("2048 bits, 3072 to 8192", rsa(BigInteger.valueOf(65537), 2048)),
                Arguments.of("3071 bits", rsa(BigInteger.valueOf(65537), 3071)),
                Arguments.of("9000 bits", rsa(BigInteger.valueOf(65537), 9000)),
                Arguments.of("exponent", rsa(BigInteger.ONE, 3072)),
                Arguments.of("exponent", rsa(BigInteger.valueOf(4), 3072)),
                Arguments.of("damaged", rsa(BigInteger.valueOf(-3), 3072)));
    }

    @Test
    void parse_rsaOf3072Bits_isAccepted() {
        assertEquals(
                "ssh-rsa",
                SshPublicKey.parse(rsa(BigInteger.valueOf(65537), 3072)).type());
    }

    private static Wire.Writer wire(String type) {
        return new Wire.Writer().string(type);
    }

    private static String line(String type, Wire.Writer body) {
        return type + " " + Base64.getEncoder().encodeToString(body.toBytes());
    }

    private static String truncated() {
        byte[] blob = SoftwareSigner.generate().publicKey().blob();
        return Base64.getEncoder().encodeToString(Arrays.copyOf(blob, 30));
    }

    private static String surplus() {
        byte[] blob = SoftwareSigner.generate().publicKey().blob();
        return Base64.getEncoder().encodeToString(Arrays.copyOf(blob, blob.length + 1));
    }

    private static byte[] identityPoint() {
        var point = new byte[32];
        point[0] = 1;
        return point;
    }

    private static byte[] offCurve() {
        var point = new byte[65];
        point[0] = 4;
        point[64] = 7;
        return point;
    }

    private static String rsa(BigInteger exponent, int bits) {
        BigInteger modulus = BigInteger.ONE.shiftLeft(bits - 1).setBit(0);
        return line("ssh-rsa", wire("ssh-rsa").string(exponent.toByteArray()).string(modulus.toByteArray()));
    }
}
