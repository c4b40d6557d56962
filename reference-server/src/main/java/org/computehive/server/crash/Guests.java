package org.computehive.server.crash;

import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketAddress;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.sshd.common.io.IoAcceptor;
import org.apache.sshd.common.io.IoServiceEventListener;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.server.SshServer;
import org.jspecify.annotations.Nullable;

/**
 * What stands in for the guests: an SSH server per gpu that greets only while a domain for that gpu is up. Thread-safe.
 */
final class Guests implements AutoCloseable {
    private final List<SshServer> servers = new ArrayList<>();
    private final Set<Integer> up = ConcurrentHashMap.newKeySet();
    private final Set<Integer> deaf;

    private Guests(Set<Integer> deaf) {
        this.deaf = deaf;
    }

    /**
     * Starts them.
     *
     * @param count how many
     * @param deaf the numbers of those that never answer
     */
    static Guests start(int count, Set<Integer> deaf) throws IOException {
        var guests = new Guests(deaf);
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            KeyPair key = generator.generateKeyPair();
            for (int i = 0; i < count; i++) {
                guests.add(i, key);
            }
            return guests;
        } catch (NoSuchAlgorithmException | java.security.InvalidAlgorithmParameterException e) {
            throw new IllegalStateException(e);
        }
    }

    private void add(int number, KeyPair key) throws IOException {
        SshServer server = SshServer.setUpDefaultServer();
        server.setHost(InetAddress.getLoopbackAddress().getHostAddress());
        server.setPort(0);
        server.setKeyPairProvider(KeyPairProvider.wrap(key));
        server.setIoServiceEventListener(new IoServiceEventListener() {
            @Override
            public void connectionAccepted(
                    IoAcceptor acceptor,
                    @Nullable SocketAddress local,
                    @Nullable SocketAddress remote,
                    @Nullable SocketAddress service)
                    throws IOException {
                if (deaf.contains(number) || !up.contains(server.getPort())) {
                    throw new IOException("no domain for this guest is up");
                }
            }
        });
        server.start();
        servers.add(server);
    }

    List<Integer> ports() {
        return servers.stream().map(SshServer::getPort).toList();
    }

    void up(int port) {
        up.add(port);
    }

    void down(int port) {
        up.remove(port);
    }

    @Override
    public void close() throws IOException {
        for (SshServer server : servers) {
            server.stop(true);
        }
    }
}
