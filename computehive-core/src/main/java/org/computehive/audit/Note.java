package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** C2SP signed-note: a text, an empty line, and one signature line per key. */
final class Note {
    static final int MAX_CHARS = 64 * 1024;
    private static final int MAX_SIGNATURES = 100;
    private static final int QUOTE_LIMIT = 80;
    private static final int ID_BYTES = 4;
    private static final String SIGNATURE_START = "\u2014 ";

    private Note() {}

    /** Signs a text that ends with a newline. */
    static String sign(String text, NoteSigner signer) {
        VerifierKey key = signer.verifierKey();
        byte[] signature = signer.sign(text.getBytes(UTF_8));
        return text + "\n" + line(key.name(), key.id(), signature);
    }

    /**
     * Returns a note's text once the key's signature was found and holds; signatures by other keys are ignored.
     *
     * @throws IllegalArgumentException if the note is malformed, or not signed by the key, or wrongly
     */
    static String open(String note, VerifierKey key) {
        String text = text(note);
        boolean signed = false;
        for (byte[] signature : signatures(note, key.name(), key.id())) {
            if (signature.length != 64 || !key.verifies(text.getBytes(UTF_8), signature)) {
                throw new IllegalArgumentException(
                        "the signature of %s does not fit the note: it was changed".formatted(key.name()));
            }
            signed = true;
        }
        if (!signed) {
            throw new IllegalArgumentException("the note has no signature by %s".formatted(key));
        }
        return text;
    }

    /**
     * Returns the signatures of a note that claim to be of one key, unchecked.
     *
     * @throws IllegalArgumentException if the note or any signature line is malformed
     */
    static List<byte[]> signatures(String note, String name, byte[] keyId) {
        String all = note.substring(text(note).length() + 1);
        String[] lines = all.substring(0, all.length() - 1).split("\n", MAX_SIGNATURES + 1);
        if (lines.length > MAX_SIGNATURES) {
            throw malformed("it has more than %d signatures".formatted(MAX_SIGNATURES));
        }
        List<byte[]> found = new ArrayList<>();
        for (String line : lines) {
            String[] parts = line.split(" ", -1);
            if (parts.length != 3 || !line.startsWith(SIGNATURE_START)) {
                throw malformed("signature line %s is not \"\u2014 <name> <base64>\"".formatted(quote(line)));
            }
            byte[] idAndSignature = base64(parts[2]);
            if (idAndSignature.length <= ID_BYTES) {
                throw malformed("a signature is too short");
            }
            if (parts[1].equals(name) && Arrays.equals(Arrays.copyOf(idAndSignature, ID_BYTES), keyId)) {
                found.add(Arrays.copyOfRange(idAndSignature, ID_BYTES, idAndSignature.length));
            }
        }
        return found;
    }

    /** Writes a signature line, its newline included. */
    static String line(String name, byte[] keyId, byte[] signature) {
        byte[] both = Arrays.copyOf(keyId, ID_BYTES + signature.length);
        System.arraycopy(signature, 0, both, ID_BYTES, signature.length);
        return SIGNATURE_START + name + " " + Base64.getEncoder().encodeToString(both) + "\n";
    }

    /** Returns a note's text, its final newline included, without looking at the signatures. */
    static String text(String note) {
        if (note.length() > MAX_CHARS) {
            throw malformed("it has %d characters, more than %d".formatted(note.length(), MAX_CHARS));
        }
        int gap = note.lastIndexOf("\n\n");
        if (gap < 0 || !note.endsWith("\n") || gap + 2 >= note.length()) {
            throw malformed("it is not a text, an empty line and signature lines");
        }
        if (note.chars().anyMatch(c -> c < ' ' && c != '\n')) {
            throw malformed("it has a control character");
        }
        return note.substring(0, gap + 1);
    }

    static IllegalArgumentException malformed(String why) {
        return new IllegalArgumentException("malformed note: " + why);
    }

    static String base64(byte type, byte[] key) {
        byte[] typed = new byte[key.length + 1];
        typed[0] = type;
        System.arraycopy(key, 0, typed, 1, key.length);
        return Base64.getEncoder().encodeToString(typed);
    }

    /** Decodes strictly: only the one canonical encoding of some bytes is accepted. */
    static byte[] base64(String text) {
        byte[] bytes = Base64.getDecoder().decode(text);
        if (!Base64.getEncoder().encodeToString(bytes).equals(text)) {
            throw new IllegalArgumentException("base64 %s is not canonical".formatted(quote(text)));
        }
        return bytes;
    }

    /** Quotes a value for a message: control characters replaced, long values cut. */
    static String quote(String value) {
        String shown = value.length() > QUOTE_LIMIT ? value.substring(0, QUOTE_LIMIT) + "…" : value;
        return '"' + shown.replaceAll("\\p{Cntrl}", "\u2423") + '"';
    }
}
