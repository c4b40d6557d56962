package org.computehive.server.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** With the real ssh-keygen. What the figures say is the benchmark's business, not the test's. */
class CertificatesIT {

    @Test
    void certificates_areMeasuredAgainstSshKeygen() {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        int code;
        try (var toOut = new PrintStream(out, true, StandardCharsets.UTF_8);
                var toErr = new PrintStream(err, true, StandardCharsets.UTF_8)) {
            code = new Bench(List.of(new Certificates()), toOut, toErr).run(List.of("certificates"));
        }
        assertEquals(0, code, err.toString(StandardCharsets.UTF_8));
        List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
        assertEquals(3, lines.size());
        for (String line : lines) {
            assertTrue(
                    line.matches(
                            "\\{\"bench\":\"certificates/(issued-per-(cpu-)?second\",\"ours\":[0-9.]+,\"peer\":[0-9.]+,"
                                    + "\"ratio\":[0-9.]+,\"goal\":5|of-raw-signing-per-cpu-second\",\"ours\":[0-9.]+,"
                                    + "\"peer\":[0-9.]+,\"ratio\":[0-9.]+,\"goal\":0\\.7),\"met\":(true|false)}"),
                    line);
        }
    }
}
