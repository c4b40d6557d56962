package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class RenterFilesTest {
    private static RenterFiles.Paths in(String folder) {
        Path path = Path.of(folder);
        return new RenterFiles.Paths(
                path.resolve("config"), path.resolve("known_hosts"), path.resolve("id"), path.resolve("id-cert.pub"));
    }

    private static RenterFiles.Entrance at(String host, String user) {
        return new RenterFiles.Entrance(host, 2222, "rental-r1", "ch-r1", user);
    }

    @Test
    void of_pathWithBlanksAndPercent_isQuoted() {
        SshPublicKey authority = SoftwareSigner.generate().publicKey();
        RenterFiles files = RenterFiles.of(at("gate.example", "renter"), in("/home/a b/100%"), List.of(authority));
        assertTrue(files.sshConfig().contains("IdentityFile \"/home/a b/100%%/id\"\n"), files.sshConfig());
        assertTrue(files.sshConfig().contains("StrictHostKeyChecking yes\n"));
        assertTrue(files.knownHosts().equals("@cert-authority ch-r1,computehive-gateway " + authority.line() + "\n"));
        assertTrue(files.command().equals("ssh -F '/home/a b/100%/config' ch-r1"), files.command());
    }

    @Test
    void of_namesThatWouldAddAnOption_areRefused() {
        assertThrows(IllegalArgumentException.class, () -> in("/tmp/a\"\nProxyCommand id"));
        assertThrows(IllegalArgumentException.class, () -> in("relative"));
        assertThrows(IllegalArgumentException.class, () -> at("gate\nProxyCommand id", "renter"));
        assertThrows(IllegalArgumentException.class, () -> at("-oProxyCommand=id", "renter"));
        assertThrows(IllegalArgumentException.class, () -> at("gate", "renter\nProxyCommand id"));
    }
}
