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

/**
 * {@link LibvirtHypervisor#connect} over a throw-away system daemon, which runs in namespaces of its own beside a process
 * that runs {@link SystemLibvirtCases}. Needs root.
 */
class SystemLibvirtIT {
    private static final Duration LIMIT = Duration.ofMinutes(10);

    private Path work;
    private Path images;

    @BeforeEach
    void needRoot() throws IOException {
        assertTrue(
                Account.root(),
                "a system libvirtd needs root: run this test as root, or leave it out with -Dit.test='!SystemLibvirtIT'");
        images = TestHost.images().folder();
        work = TestHost.state();
    }

    @AfterEach
    void deleteWork() throws IOException {
        RuntimeFolder.delete(work);
    }

    @Test
    void contract_whereLibvirtKeepsItsKeysOnDisk_holds() throws IOException {
        run("disk", "");
    }

    @Test
    void facts_whereLibvirtKeepsItsKeysInMemory_saySo() throws IOException {
        run("memory", "session_isTheGuestsUsers_andItsFactsSayWhereTheKeyLay");
    }

    private void run(String keys, String method) throws IOException {
        Path script = work.resolve("system-libvirtd.sh");
        try (InputStream in = SystemLibvirtIT.class.getResourceAsStream("system-libvirtd.sh")) {
            assertTrue(in != null, "the script is on the class path");
            Files.copy(in, script);
        }
        var argv =
                new ArrayList<>(List.of("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh"));
        argv.addAll(List.of(script.toString(), work.toString(), keys));
        argv.add(ProcessHandle.current().info().command().orElseThrow());
        argv.addAll(List.of("-Xshare:auto", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
        argv.addAll(List.of("-cp", TestHost.absoluteClassPath(), SystemLibvirtCases.class.getName()));
        argv.addAll(List.of(work.toString(), keys, images.toString(), method));
        Tool.Outcome outcome = Tool.run(argv, Map.of(), LIMIT, "util-linux", System.out::println);
        assertEquals(0, outcome.exit(), outcome::lastLines);
        assertFalse(outcome.lastLines().contains("tests=0 "), outcome::lastLines);
        assertEquals(List.of(), Processes.mentioning("qemu-system", work.toString()));
    }
}
