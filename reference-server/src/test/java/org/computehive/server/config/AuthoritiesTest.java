package org.computehive.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micronaut.context.ApplicationContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.computehive.access.AccessException;
import org.computehive.access.CertificateAuthority;
import org.computehive.access.SoftwareSigner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The authorities' keys, as the command line names them. */
class AuthoritiesTest {
    private static final String SECRET = "correct horse battery";

    @TempDir
    private Path folder;

    private CertificateAuthority open(String... options) {
        var arguments = new ArrayList<String>();
        List.of(options).forEach(option -> arguments.add("--computehive.authorities." + option));
        try (var context = ApplicationContext.builder()
                .args(arguments.toArray(String[]::new))
                .banner(false)
                .start()) {
            return Authorities.open(
                    context.getBeansOfType(AuthoritySettings.class),
                    folder.resolve("keys"),
                    name -> name.equals("CA_PASSPHRASE") ? Optional.of(SECRET) : Optional.empty(),
                    InstantSource.system());
        }
    }

    private Path secret(String name, String text) throws IOException {
        Path file = Files.createFile(
                folder.resolve(name),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, text);
    }

    private String refusal(String... options) {
        String message =
                assertThrows(ConfigurationException.class, () -> open(options)).getMessage();
        assertFalse(message.contains(SECRET), message);
        return message;
    }

    @Test
    void open_nothingSet_keepsTwoKeysInTheFolder() {
        CertificateAuthority first = open();
        assertNotEquals(first.userAuthority(), first.hostAuthority());
        assertEquals(
                first.userAuthority(),
                SoftwareSigner.load(folder.resolve("keys/user-authority")).publicKey());
        assertEquals(first.hostAuthorities(), open().hostAuthorities());
    }

    @Test
    void open_withAPassphrase_makesAnEncryptedKeyThatItAloneOpens() throws IOException {
        Path passphrase = secret("passphrase", SECRET + "\n");
        CertificateAuthority first = open("user.passphrase-file=" + passphrase);
        assertEquals(
                first.userAuthority(),
                open("user.passphrase-variable=CA_PASSPHRASE").userAuthority());
        assertThrows(AccessException.KeyFile.class, this::open);
        Path other = secret("other", "another passphrase");
        var wrong = assertThrows(AccessException.KeyFile.class, () -> open("user.passphrase-file=" + other));
        assertFalse(wrong.getMessage().contains("another"), wrong.getMessage());
    }

    @Test
    void open_keyFileThatIsNamed_isThatKey() {
        SoftwareSigner mine = SoftwareSigner.generate();
        mine.save(folder.resolve("mine"), SECRET);
        CertificateAuthority authority =
                open("host.file=" + folder.resolve("mine"), "host.passphrase-variable=CA_PASSPHRASE");
        assertEquals(mine.publicKey(), authority.hostAuthority());
        assertFalse(Files.exists(folder.resolve("keys/host-authority")));
    }

    @Test
    void open_keyFileThatIsNamedAndMissing_isRefusedAndNotMade() {
        Path missing = folder.resolve("missing");
        var refusal = assertThrows(AccessException.KeyFile.class, () -> open("user.file=" + missing));
        assertTrue(refusal.getMessage().contains(missing.toString()), refusal.getMessage());
        assertFalse(Files.exists(missing));
    }

    @Test
    void open_otherKeysToTrust_countBesideTheOneThatSigns() throws IOException {
        SoftwareSigner old = SoftwareSigner.generate();
        SoftwareSigner next = SoftwareSigner.generate();
        Path others = Files.writeString(
                folder.resolve("others"),
                "# being replaced\n%s\n\n%s\n"
                        .formatted(old.publicKey().line(), next.publicKey().line()));
        CertificateAuthority authority = open("user.also-trust=" + others);
        assertEquals(
                List.of(authority.userAuthority(), old.publicKey(), next.publicKey()), authority.userAuthorities());
        assertEquals(List.of(authority.hostAuthority()), authority.hostAuthorities());
    }

    @Test
    void open_otherKeysThatAreNone_areRefusedByTheirLine() throws IOException {
        Path others = Files.writeString(folder.resolve("others"), "# one\nssh-dss AAAA\n");
        String message = refusal("host.also-trust=" + others);
        assertTrue(message.contains("computehive.authorities.host.also-trust: line 2 of " + others), message);
        assertTrue(refusal("user.also-trust=" + folder.resolve("none")).contains("can't be read"));
    }

    @Test
    void open_whatMakesNoSense_isRefusedByItsKey() throws IOException {
        Path passphrase = secret("passphrase", SECRET);
        assertTrue(refusal("renter.file=x").contains("computehive.authorities.renter is not known"));
        assertTrue(refusal("user.passphrase-file=" + passphrase, "user.passphrase-variable=CA_PASSPHRASE")
                .contains("computehive.authorities.user has both"));
        assertTrue(refusal("user.passphrase-variable=NONE").contains("the environment has no variable NONE"));
        assertTrue(refusal("user.pkcs11=a", "user.file=b").contains("pkcs11 and a key file"));
        assertTrue(refusal("user.pkcs11=a").contains("needs pin-file"));
        assertTrue(refusal("user.alias=a").contains("without pkcs11"));
        Path brief = secret("brief", "short");
        assertTrue(refusal("host.passphrase-file=" + brief).contains("use at least 8"));
        Files.setPosixFilePermissions(passphrase, PosixFilePermissions.fromString("rw-r--r--"));
        assertTrue(refusal("user.passphrase-file=" + passphrase).contains("chmod 600"));
    }

    @Test
    void open_oneKeyForBoth_isRefused() {
        SoftwareSigner.generate().save(folder.resolve("one"));
        assertTrue(refusal("user.file=" + folder.resolve("one"), "host.file=" + folder.resolve("one"))
                .contains("give each its own"));
    }
}
