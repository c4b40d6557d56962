package org.computehive.access;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a renter's OpenSSH client needs, so that one short command enters the VM with strict host key checking from the
 * first contact on: both the gateway and the VM prove themselves by certificates of the one known authority.
 *
 * @param sshConfig text of the file for {@code ssh -F}
 * @param knownHosts text of the known_hosts file that it names
 * @param command the command to print
 * @param line a command that needs no config file: all of it in one line for the shell. Where a path has other characters
 *     than letters, digits and {@code /._+@=:,-}, use {@link #command}
 */
public record RenterFiles(String sshConfig, String knownHosts, String command, String line) {
    /** The name under which every gateway proves itself; its certificate's host name. */
    public static final String GATEWAY_NAME = "computehive-gateway";

    /**
     * Where a renter enters.
     *
     * @param gatewayHost host name or address at which the renter reaches the gateway
     * @param gatewayPort its port
     * @param principal the rental's principal
     * @param vmName the VM's name
     * @param guestUser the user to be in the VM
     */
    public record Entrance(String gatewayHost, int gatewayPort, String principal, String vmName, String guestUser) {
        /**
         * Checks the parts.
         *
         * @throws IllegalArgumentException if one is malformed
         */
        public Entrance {
            if (!gatewayHost.matches("[A-Za-z0-9.:-]{1,253}") || gatewayHost.startsWith("-")) {
                throw new IllegalArgumentException(
                        "gateway host \"%s\" is not allowed: give a host name or an IP address"
                                .formatted(Names.shown(gatewayHost)));
            }
            if (gatewayPort < 1 || gatewayPort > 65535) {
                throw new IllegalArgumentException(
                        "gateway port %d is not allowed: use 1 to 65535".formatted(gatewayPort));
            }
            Names.principal(principal);
            Names.host(vmName);
            Names.unixUser(guestUser);
        }
    }

    /**
     * Where the files lie on the renter's machine; all paths absolute.
     *
     * @param config where {@link #sshConfig()} will be written
     * @param knownHosts where {@link #knownHosts()} will be written
     * @param identity the renter's private key
     * @param certificate the certificate's file
     */
    public record Paths(Path config, Path knownHosts, Path identity, Path certificate) {
        /**
         * Checks the paths.
         *
         * @throws IllegalArgumentException if one is relative, or has a character that ssh_config can't quote
         */
        public Paths {
            check(config);
            check(knownHosts);
            check(identity);
            check(certificate);
        }

        private static void check(Path path) {
            String text = path.toString();
            if (!path.isAbsolute()
                    || text.chars().anyMatch(c -> Character.isISOControl(c) || c == '"' || c == '\'' || c == '\\')
                    || text.contains("${")) {
                throw new IllegalArgumentException(
                        "path \"%s\" is not allowed: use an absolute one without quotes, backslashes, ${ and control characters"
                                .formatted(Names.shown(text)));
            }
        }
    }

    /**
     * Makes the texts.
     *
     * @param hostAuthorities the keys that may have signed the gateway's and the VM's host certificates, at least one
     */
    public static RenterFiles of(Entrance entrance, Paths paths, List<SshPublicKey> hostAuthorities) {
        String config = """
                # Made for one rental; the certificate is worth nothing outside its window.
                Host %1$s
                  HostName %1$s
                  Port 22
                  User %2$s
                  ProxyJump %3$s

                Host %3$s
                  HostName %4$s
                  Port %5$d
                  HostKeyAlias %3$s
                  User %6$s

                Host *
                  IdentityFile %7$s
                  CertificateFile %8$s
                  IdentitiesOnly yes
                  IdentityAgent none
                  PreferredAuthentications publickey
                  UserKnownHostsFile %9$s
                  GlobalKnownHostsFile /dev/null
                  StrictHostKeyChecking yes
                  UpdateHostKeys no
                  CheckHostIP no
                  ForwardAgent no
                  ForwardX11 no
                  ControlMaster no
                  ControlPath none
                  ServerAliveInterval 15
                """.formatted(
                        entrance.vmName(),
                        entrance.guestUser(),
                        GATEWAY_NAME,
                        entrance.gatewayHost(),
                        entrance.gatewayPort(),
                        entrance.principal(),
                        quoted(paths.identity()),
                        quoted(paths.certificate()),
                        quoted(paths.knownHosts()));
        String knownHosts = hostAuthorities.stream()
                .map(key -> "@cert-authority %s,%s %s\n".formatted(entrance.vmName(), GATEWAY_NAME, key.line()))
                .collect(Collectors.joining());
        return new RenterFiles(
                config,
                knownHosts,
                "ssh -F '%s' %s".formatted(paths.config(), entrance.vmName()),
                line(entrance, paths));
    }

    /** {@code -J} would give the jump none of these options, so the jump is written out. */
    private static String line(Entrance entrance, Paths paths) {
        String options =
                "-i %s -o CertificateFile=%s -o IdentitiesOnly=yes -o UserKnownHostsFile=%s -o StrictHostKeyChecking=yes"
                        .formatted(shell(paths.identity()), shell(paths.certificate()), shell(paths.knownHosts()));
        String jump = "ssh -F none %s -o HostKeyAlias=%s -p %d -W %%h:22 %s@%s"
                .formatted(
                        options.replace("%", "%%"),
                        GATEWAY_NAME,
                        entrance.gatewayPort(),
                        entrance.principal(),
                        entrance.gatewayHost());
        return "ssh -F none %s -o ProxyCommand=\"%s\" %s@%s"
                .formatted(options, jump, entrance.guestUser(), entrance.vmName());
    }

    /** A path for the shell, inside and outside of double quotes, and for ssh's own reading of options. */
    private static String shell(Path path) {
        String text = path.toString();
        if (!text.matches("[A-Za-z0-9/._+@=:,-]+")) {
            return "'" + text + "'";
        }
        return text;
    }

    /** A percent sign would begin a token of ssh_config. */
    private static String quoted(Path path) {
        return '"' + path.toString().replace("%", "%%") + '"';
    }
}
