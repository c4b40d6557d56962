package org.computehive.access;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.Service;
import org.apache.sshd.common.channel.Channel;
import org.apache.sshd.common.channel.ChannelFactory;
import org.apache.sshd.common.channel.RequestHandler;
import org.apache.sshd.common.cipher.BaseGCMCipher;
import org.apache.sshd.common.cipher.BuiltinCiphers;
import org.apache.sshd.common.cipher.Cipher;
import org.apache.sshd.common.compression.BuiltinCompressions;
import org.apache.sshd.common.config.keys.OpenSshCertificate;
import org.apache.sshd.common.io.IoSession;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.session.ConnectionService;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionDisconnectHandler;
import org.apache.sshd.common.session.SessionListener;
import org.apache.sshd.common.session.helpers.AbstractSession;
import org.apache.sshd.common.signature.BuiltinSignatures;
import org.apache.sshd.common.signature.Signature;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.apache.sshd.common.util.net.SshdSocketAddress;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.ServerBuilder;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.auth.UserAuthFactory;
import org.apache.sshd.server.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;
import org.apache.sshd.server.forward.TcpForwardingFilter;
import org.apache.sshd.server.session.ServerSession;
import org.apache.sshd.server.session.SessionFactory;
import org.jspecify.annotations.Nullable;

/** Sets MINA up to be a jump host and nothing else. */
final class JumpHost {
    private static final List<BuiltinSignatures> SIGNATURES = List.of(
            BuiltinSignatures.ed25519_cert,
            BuiltinSignatures.nistp256_cert,
            BuiltinSignatures.nistp384_cert,
            BuiltinSignatures.nistp521_cert,
            BuiltinSignatures.rsaSHA512_cert,
            BuiltinSignatures.rsaSHA256_cert,
            BuiltinSignatures.ed25519,
            BuiltinSignatures.nistp256,
            BuiltinSignatures.nistp384,
            BuiltinSignatures.nistp521,
            BuiltinSignatures.rsaSHA512,
            BuiltinSignatures.rsaSHA256);
    private static final List<String> OTHER_CHANNELS =
            List.of("session", "x11", "auth-agent@openssh.com", "direct-streamlocal@openssh.com", "tun@openssh.com");

    private JumpHost() {}

    static SshServer configure(GatewayConfig config, Doorkeeper doorkeeper) {
        SshServer server = ServerBuilder.builder()
                .cipherFactories(List.of(new AesGcm(BuiltinCiphers.aes128gcm), new AesGcm(BuiltinCiphers.aes256gcm)))
                .compressionFactories(List.of(BuiltinCompressions.none))
                .signatureFactories(List.<NamedFactory<Signature>>copyOf(SIGNATURES))
                .channelFactories(channels(doorkeeper))
                .globalRequestHandlers(List.of(globalRequests(doorkeeper)))
                .forwardingFilter(new TargetOnly())
                .publickeyAuthenticator((user, key, session) ->
                        doorkeeper.refusal(user, key, session.getIoSession().getRemoteAddress()) == null)
                .build();
        server.setHost(config.bind().getAddress().getHostAddress());
        server.setPort(config.bind().getPort());
        server.setUserAuthFactories(List.of(new LoginFactory(doorkeeper)));
        server.setPasswordAuthenticator(null);
        server.setKeyboardInteractiveAuthenticator(null);
        try {
            server.setKeyPairProvider(KeyPairProvider.wrap(keyPair(config.hostKey())));
            var certificate = certificate(config.hostCertificate());
            server.setHostKeyCertificateProvider(session -> List.of(certificate));
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException("MINA does not take the gateway's own key", e);
        }
        server.setSessionFactory(new Sessions(server, doorkeeper));
        server.addSessionListener(new Leaving(doorkeeper));
        server.setSessionDisconnectHandler(new QuietDisconnect());
        GatewayLimits limits = config.limits();
        CoreModuleProperties.AUTH_TIMEOUT.set(server, limits.loginGrace());
        CoreModuleProperties.MAX_AUTH_REQUESTS.set(server, 2 * limits.loginAttempts() + 1);
        CoreModuleProperties.MAX_CONCURRENT_CHANNELS.set(server, limits.channelsPerConnection());
        CoreModuleProperties.IDLE_TIMEOUT.set(server, Duration.ZERO); // a renter may think
        CoreModuleProperties.NIO2_READ_TIMEOUT.set(server, Duration.ZERO);
        CoreModuleProperties.SOCKET_KEEPALIVE.set(server, true);
        CoreModuleProperties.TCP_NODELAY.set(server, true);
        CoreModuleProperties.SOCKET_BACKLOG.set(server, 1024);
        CoreModuleProperties.SERVER_IDENTIFICATION.set(server, "computehive");
        return server;
    }

    private static KeyPair keyPair(HostKeyPair key) throws IOException, GeneralSecurityException {
        var text = new ByteArrayInputStream(key.privateKeyText().getBytes(StandardCharsets.US_ASCII));
        return SecurityUtils.loadKeyPairIdentities(null, NamedResource.ofName("gateway host key"), text, null)
                .iterator()
                .next();
    }

    private static OpenSshCertificate certificate(HostCertificate certificate) throws IOException {
        String base64 = certificate.line().split(" ", 3)[1];
        return (OpenSshCertificate) new ByteArrayBuffer(Base64.getDecoder().decode(base64)).getRawPublicKey();
    }

    private static List<ChannelFactory> channels(Doorkeeper doorkeeper) {
        ChannelFactory target = new NamedChannel(TcpForwardingFilter.Type.Direct.getName()) {
            @Override
            public Channel createChannel(Session session) {
                return new TargetChannel(doorkeeper);
            }
        };
        Stream<ChannelFactory> others = OTHER_CHANNELS.stream().map(name -> new NamedChannel(name) {
            @Override
            @SuppressWarnings("NullAway") // MINA answers "unknown channel type" to null
            public Channel createChannel(Session session) {
                doorkeeper.channelRefused(session, getName(), "only direct-tcpip is offered");
                return null;
            }
        });
        return Stream.concat(Stream.of(target), others).toList();
    }

    private static RequestHandler<ConnectionService> globalRequests(Doorkeeper doorkeeper) {
        return (service, request, wantReply, buffer) -> {
            if (request.startsWith("keepalive@")) {
                return RequestHandler.Result.ReplyFailure; // as OpenSSH's server does: any answer shows life
            }
            // It forbids more "session" channels. There are none, and others must stay possible.
            if (request.equals("no-more-sessions@openssh.com")) {
                return RequestHandler.Result.ReplySuccess;
            }
            doorkeeper.channelRefused(service.getSession(), request, "the request is not offered");
            return RequestHandler.Result.ReplyFailure;
        };
    }

    private abstract static class NamedChannel implements ChannelFactory {
        private final String name;

        NamedChannel(String name) {
            this.name = name;
        }

        @Override
        public String getName() {
            return name;
        }
    }

    /** AES-GCM by the JDK's preferred provider: MINA itself would take Bouncy Castle's, which is 18 times slower. */
    private record AesGcm(BuiltinCiphers builtin) implements NamedFactory<Cipher> {
        @Override
        public String getName() {
            return builtin.getName();
        }

        @Override
        public Cipher create() {
            return new BaseGCMCipher(
                    builtin.getIVSize(),
                    builtin.getAuthenticationTagSize(),
                    builtin.getKdfSize(),
                    builtin.getAlgorithm(),
                    builtin.getKeySize(),
                    builtin.getTransformation(),
                    builtin.getCipherBlockSize()) {
                @Override
                protected javax.crypto.Cipher createCipherInstance(Mode mode, byte[] key, byte[] iv) throws Exception {
                    super.createCipherInstance(mode, key, iv); // keeps key and counter
                    return javax.crypto.Cipher.getInstance(getTransformation());
                }
            };
        }
    }

    private static final class LoginFactory extends UserAuthPublicKeyFactory implements UserAuthFactory {
        private final Doorkeeper doorkeeper;

        LoginFactory(Doorkeeper doorkeeper) {
            this.doorkeeper = doorkeeper;
        }

        @Override
        public org.apache.sshd.server.auth.pubkey.UserAuthPublicKey createUserAuth(ServerSession session) {
            return new CertificateLogin(doorkeeper);
        }
    }

    /** Asks a second time, right before MINA connects, where the connection leads. */
    private static final class TargetOnly extends RejectAllForwardingFilter {
        @Override
        public boolean canConnect(TcpForwardingFilter.Type type, SshdSocketAddress address, Session session) {
            LiveConnection connection = session.getAttribute(LiveConnection.KEY);
            return type == TcpForwardingFilter.Type.Direct
                    && connection != null
                    && connection.usable()
                    && address.getHostName().equals(connection.lease().targetHost())
                    && address.getPort() == connection.lease().target().getPort();
        }
    }

    private static final class Sessions extends SessionFactory {
        private final Doorkeeper doorkeeper;

        Sessions(SshServer server, Doorkeeper doorkeeper) {
            super(server);
            this.doorkeeper = doorkeeper;
        }

        @Override
        public void sessionCreated(IoSession connection) throws Exception {
            if (doorkeeper.anteroom().enter(connection)) {
                super.sessionCreated(connection);
            }
        }

        @Override
        public void sessionClosed(IoSession connection) throws Exception {
            doorkeeper.anteroom().gone(connection);
            if (AbstractSession.getSession(connection, true) != null) {
                super.sessionClosed(connection);
            }
        }
    }

    private static final class Leaving implements SessionListener {
        private final Doorkeeper doorkeeper;

        Leaving(Doorkeeper doorkeeper) {
            this.doorkeeper = doorkeeper;
        }

        @Override
        public void sessionClosed(Session session) {
            doorkeeper.left(session);
        }
    }

    /** MINA would log and send back names that the peer chose; this closes without repeating them. */
    private static final class QuietDisconnect implements SessionDisconnectHandler {
        @Override
        public boolean handleAuthParamsDisconnectReason(
                Session session,
                Service service,
                String authUser,
                @Nullable String username,
                String authService,
                @Nullable String serviceName) {
            session.close(true);
            return true;
        }

        @Override
        public boolean handleUnsupportedServiceDisconnectReason(
                Session session, int command, String serviceName, Buffer buffer) {
            session.close(true);
            return true;
        }
    }
}
