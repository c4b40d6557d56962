package org.computehive.server.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Files of public keys in OpenSSH's form, one per line; empty lines and those that begin with # say nothing. */
final class PublicKeys {
    static final int MOST_BYTES = 64 * 1024;

    private PublicKeys() {}

    /**
     * A line with a key, as it stands in the file.
     *
     * @param number which line, from 1
     * @param text the key, which nobody has parsed yet
     */
    record Line(int number, String text) {}

    /**
     * Returns the lines that hold keys.
     *
     * @param key the configuration's key that names the file
     * @throws ConfigurationException if it can't be read, is larger than {@link #MOST_BYTES} or is no text
     */
    static List<Line> read(String key, Path file) {
        String text;
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new ConfigurationException(
                        "%s: %s has more than %d bytes: name a file of public keys".formatted(key, file, MOST_BYTES),
                        null);
            }
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new ConfigurationException(
                    "%s: %s is no text in UTF-8: name a file of public keys".formatted(key, file), e);
        } catch (IOException e) {
            throw new ConfigurationException("%s: %s can't be read (%s)".formatted(key, file, e), e);
        }
        var found = new ArrayList<Line>();
        List<String> lines = text.lines().map(String::strip).toList();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (!line.isEmpty() && !line.startsWith("#")) {
                found.add(new Line(i + 1, line));
            }
        }
        return found;
    }
}
