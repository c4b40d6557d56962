package org.computehive.once;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Tells requests apart: SHA-256 over a command's name and its arguments, each with its length before it. Stateless. */
public final class RequestDigest {
    private RequestDigest() {}

    /**
     * Returns the digest of a request, 64 hexadecimal digits.
     *
     * @param command the command's name
     * @param arguments what it is asked with, each in a form that is the same whenever its value is
     */
    public static String of(String command, Object... arguments) {
        MessageDigest sha256 = sha256();
        add(sha256, command);
        for (Object argument : arguments) {
            add(sha256, argument.toString());
        }
        return HexFormat.of().formatHex(sha256.digest());
    }

    private static void add(MessageDigest digest, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
        digest.update(bytes);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
