package org.computehive.server.config;

import io.micronaut.context.annotation.EachProperty;
import io.micronaut.context.annotation.Parameter;
import java.util.Optional;

/**
 * The key of one of the two SSH authorities, under {@code computehive.authorities} and {@code user} (signs renters'
 * certificates) or {@code host} (signs those of gateway and VMs). Passphrase and PIN stand in no key: keys may be on a
 * command line, which everybody on a machine can read.
 *
 * @param name {@code user} or {@code host}
 * @param file an Ed25519 key in OpenSSH's format, mode 600; without it one in the data folder, which is made once
 * @param passphraseFile a file with the key file's passphrase, readable for its owner alone
 * @param passphraseVariable the environment variable that holds the passphrase, instead of a file
 * @param pkcs11 SunPKCS11's configuration file, for a P-256 key in a token instead of a key file
 * @param pinFile a file with the token's PIN, readable for its owner alone
 * @param pinVariable the environment variable that holds the PIN, instead of a file
 * @param alias the label of the token's key; else {@code user-authority} or {@code host-authority}
 * @param alsoTrust a file of public keys, one to a line, whose certificates count beside this key's while it is replaced
 */
@EachProperty("computehive.authorities")
public record AuthoritySettings(
        @Parameter String name,
        Optional<String> file,
        Optional<String> passphraseFile,
        Optional<String> passphraseVariable,
        Optional<String> pkcs11,
        Optional<String> pinFile,
        Optional<String> pinVariable,
        Optional<String> alias,
        Optional<String> alsoTrust) {
    /** Says nothing: an unencrypted key in the data folder. */
    static AuthoritySettings unset(String name) {
        return new AuthoritySettings(
                name,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }
}
