package org.computehive.access;

import java.nio.file.Path;

/**
 * What a renter's OpenSSH client needs, so that one short command enters the VM with strict host key checking from the
 * first contact on: both the gateway and the VM prove themselves by certificates of the one known authority.
 *
 * @param sshConfig text of the file for {@code ssh -F}
 * @param knownHosts text of the known_hosts file that it names
 * @param command the command to print
 */
public record RenterFiles(String sshConfig, String knownHosts, String command) {
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
     * @param hostAuthority the key that signed the gateway's and the VM's host certificates
     */
    public static RenterFiles of(Entrance entrance, Paths paths, SshPublicKey hostAuthority) {
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
        String knownHosts = "@cert-authority %s,%s %s%n"
                .formatted(entrance.vmName(), GATEWAY_NAME, hostAuthority.line())
                .replace("\r", "");
        return new RenterFiles(config, knownHosts, "ssh -F '%s' %s".formatted(paths.config(), entrance.vmName()));
    }

    /** A percent sign would begin a token of ssh_config. */
    private static String quoted(Path path) {
        return '"' + path.toString().replace("%", "%%") + '"';
    }
}
