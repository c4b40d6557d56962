package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Runs {@link GuestNetworkCases} on a host in network namespaces, which play all that it can reach. Needs root. */
class GuestNetworkIT {
    private static final Duration LIMIT = Duration.ofMinutes(6);

    private Path work;
    private Path images;

    @BeforeEach
    void needRoot() throws IOException {
        assertTrue(
                Account.root(),
                "network namespaces need root: run this test as root, or leave it out with -Dit.test='!GuestNetworkIT'");
        images = TestHost.images().folder();
        work = TestHost.state();
    }

    @AfterEach
    void deleteWork() throws IOException {
        RuntimeFolder.delete(work);
    }

    @Test
    void guests_reachWhatTheirPoliciesSay_andNothingElse() throws IOException {
        Path script = work.resolve("network-host.sh");
        try (InputStream in = GuestNetworkIT.class.getResourceAsStream("network-host.sh")) {
            assertTrue(in != null, "the script is on the class path");
            Files.copy(in, script);
        }
        var argv = new ArrayList<>(
                List.of("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"));
        argv.addAll(List.of("sh", script.toString()));
        argv.add(ProcessHandle.current().info().command().orElseThrow());
        argv.addAll(List.of("-Xshare:auto", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
        argv.addAll(List.of("-cp", TestHost.absoluteClassPath(), GuestNetworkCases.class.getName()));
        argv.addAll(List.of(work.toString(), images.toString()));
        Tool.Outcome outcome = Tool.run(argv, Map.of(), LIMIT, "util-linux", System.out::println);
        assertEquals(0, outcome.exit(), outcome::lastLines);
        assertFalse(outcome.lastLines().contains("tests=0 "), outcome::lastLines);
        assertEquals(List.of(), Processes.mentioning("qemu-system", work.toString()));
    }
}
