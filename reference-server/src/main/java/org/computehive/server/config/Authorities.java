package org.computehive.server.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.computehive.access.AccessException;
import org.computehive.access.CertificateAuthority;
import org.computehive.access.Pkcs11Signer;
import org.computehive.access.Signer;
import org.computehive.access.SoftwareSigner;
import org.computehive.access.SshPublicKey;

/** Makes of the configuration the authority that certifies renters and hosts. */
final class Authorities {
    private static final String KEY = "computehive.authorities";
    private static final String USER = "user";
    private static final String HOST = "host";

    private Authorities() {}

    /**
     * Opens the keys of both authorities.
     *
     * @param settings what is configured; an authority that is not has an unencrypted key in the folder
     * @param keys the folder for keys that no key names; made for this user alone if it is missing
     * @param environment returns the value of an environment variable
     * @param clock the time
     * @throws ConfigurationException if a key makes no sense; the message names it, and neither passphrase nor PIN
     * @throws AccessException if a key file or token can't be used
     */
    static CertificateAuthority open(
            Collection<AuthoritySettings> settings,
            Path keys,
            Function<String, Optional<String>> environment,
            InstantSource clock) {
        for (AuthoritySettings each : settings) {
            if (!each.name().equals(USER) && !each.name().equals(HOST)) {
                throw new ConfigurationException(
                        "%s.%s is not known: there is %s and %s".formatted(KEY, each.name(), USER, HOST), null);
            }
        }
        AuthoritySettings user = named(USER, settings);
        AuthoritySettings host = named(HOST, settings);
        try {
            Files.createDirectories(
                    keys, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw new ConfigurationException(
                    "the key folder %s can't be made (%s): check rights and free space".formatted(keys, e.getMessage()),
                    e);
        }
        Signer users = signer(user, keys, environment);
        Signer hosts = signer(host, keys, environment);
        return ConfigurationException.parse(
                KEY, clock, time -> new CertificateAuthority(users, hosts, alsoTrusted(user), alsoTrusted(host), time));
    }

    private static AuthoritySettings named(String name, Collection<AuthoritySettings> settings) {
        return settings.stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseGet(() -> AuthoritySettings.unset(name));
    }

    private static Signer signer(
            AuthoritySettings settings, Path keys, Function<String, Optional<String>> environment) {
        return settings.pkcs11().isPresent()
                ? token(settings, Path.of(settings.pkcs11().get()), environment)
                : file(settings, keys, environment);
    }

    private static Signer token(
            AuthoritySettings settings, Path configuration, Function<String, Optional<String>> environment) {
        String key = key(settings);
        if (settings.file().isPresent()
                || settings.passphraseFile().isPresent()
                || settings.passphraseVariable().isPresent()) {
            throw new ConfigurationException(
                    "%s has pkcs11 and a key file: a key lies in the one or the other".formatted(key), null);
        }
        String pin = Secrets.oneOf(key, "pin", settings.pinFile(), settings.pinVariable(), environment)
                .orElseThrow(() -> new ConfigurationException(
                        "%s.pkcs11 needs pin-file, or pin-variable, the name of an environment variable".formatted(key),
                        null));
        return Pkcs11Signer.open(
                configuration, pin.toCharArray(), settings.alias().orElse(settings.name() + "-authority"));
    }

    private static Signer file(AuthoritySettings settings, Path keys, Function<String, Optional<String>> environment) {
        String key = key(settings);
        if (settings.pinFile().isPresent()
                || settings.pinVariable().isPresent()
                || settings.alias().isPresent()) {
            throw new ConfigurationException(
                    "%s has a pin or an alias without pkcs11: name the token's SunPKCS11 configuration".formatted(key),
                    null);
        }
        Optional<String> passphrase =
                Secrets.oneOf(key, "passphrase", settings.passphraseFile(), settings.passphraseVariable(), environment);
        // A file that the operator names is there already: a new key under that name would lock everybody out.
        if (settings.file().isPresent()) {
            Path file = Path.of(settings.file().get());
            return passphrase
                    .map(secret -> SoftwareSigner.load(file, secret))
                    .orElseGet(() -> SoftwareSigner.load(file));
        }
        Path file = keys.resolve(settings.name() + "-authority");
        return passphrase
                .map(secret -> ConfigurationException.parse(
                        key + ".passphrase", file, path -> SoftwareSigner.loadOrGenerate(path, secret)))
                .orElseGet(() -> SoftwareSigner.loadOrGenerate(file));
    }

    private static List<SshPublicKey> alsoTrusted(AuthoritySettings settings) {
        if (settings.alsoTrust().isEmpty()) {
            return List.of();
        }
        String key = key(settings) + ".also-trust";
        Path file = Path.of(settings.alsoTrust().get());
        return PublicKeys.read(key, file).stream()
                .map(line -> publicKey("%s: line %d of %s".formatted(key, line.number(), file), line.text()))
                .toList();
    }

    private static SshPublicKey publicKey(String where, String line) {
        try {
            return SshPublicKey.parse(line);
        } catch (AccessException e) {
            throw new ConfigurationException(where + ": " + e.getMessage(), e);
        }
    }

    private static String key(AuthoritySettings settings) {
        return KEY + "." + settings.name();
    }
}
