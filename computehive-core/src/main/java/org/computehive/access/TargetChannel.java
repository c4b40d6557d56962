package org.computehive.access;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.sshd.client.future.DefaultOpenFuture;
import org.apache.sshd.client.future.OpenFuture;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.channel.exception.SshChannelOpenException;
import org.apache.sshd.common.forward.ChannelToPortHandler;
import org.apache.sshd.common.io.AbstractIoWriteFuture;
import org.apache.sshd.common.io.IoSession;
import org.apache.sshd.common.io.IoWriteFuture;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.apache.sshd.server.forward.TcpForwardingFilter;
import org.apache.sshd.server.forward.TcpipServerChannel;

/**
 * A {@code direct-tcpip} channel (RFC 4254, section 7.2) that leads to the lease's target and nowhere else: the name
 * that the renter asks for is compared, never resolved.
 */
final class TargetChannel extends TcpipServerChannel {
    private static final int SSH_PORT = 22;

    private final Doorkeeper doorkeeper;
    private final AtomicBoolean settled = new AtomicBoolean();

    TargetChannel(Doorkeeper doorkeeper) {
        super(TcpForwardingFilter.Type.Direct, null);
        this.doorkeeper = doorkeeper;
    }

    @Override
    protected OpenFuture doInit(Buffer buffer) {
        String host = buffer.getString();
        int port = buffer.getInt();
        String originator = buffer.getString();
        int originatorPort = buffer.getInt();
        LiveConnection connection = getSession().getAttribute(LiveConnection.KEY);
        String asked = host + ":" + port;
        if (connection == null || !connection.usable()) {
            return refuse(asked, "the connection is over");
        }
        Lease lease = connection.lease();
        if (port != SSH_PORT || !host.equalsIgnoreCase(lease.vmName())) {
            return refuse(asked, "only %s:%d is allowed".formatted(lease.vmName(), SSH_PORT));
        }
        var mapped = new ByteArrayBuffer();
        mapped.putString(lease.targetHost());
        mapped.putInt(lease.target().getPort());
        mapped.putString(originator);
        mapped.putInt(originatorPort);
        return super.doInit(mapped);
    }

    private OpenFuture refuse(String asked, String reason) {
        doorkeeper.channelRefused(getSession(), asked, reason);
        var future = new DefaultOpenFuture(this, this);
        future.setException(
                new SshChannelOpenException(getChannelId(), SshConstants.SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, reason));
        close(true);
        return future;
    }

    @Override
    protected void handleChannelOpenSuccess(OpenFuture future, IoSession target) {
        LiveConnection connection = getSession().getAttribute(LiveConnection.KEY);
        if (connection == null || !connection.add(target)) {
            target.close(true);
            handleChannelOpenFailure(
                    future,
                    new SshChannelOpenException(
                            getChannelId(),
                            SshConstants.SSH_OPEN_ADMINISTRATIVELY_PROHIBITED,
                            "the connection is over"));
            return;
        }
        settled.set(true);
        doorkeeper.channelOpened(getSession(), connection.lease());
        super.handleChannelOpenSuccess(future, target);
    }

    @Override
    protected void handleChannelOpenFailure(OpenFuture future, Throwable problem) {
        if (settled.compareAndSet(false, true)) {
            LiveConnection connection = getSession().getAttribute(LiveConnection.KEY);
            doorkeeper.channelRefused(
                    getSession(),
                    connection == null ? "" : connection.lease().vmName() + ":" + SSH_PORT,
                    "no connection to the VM: " + problem.getClass().getSimpleName());
        }
        super.handleChannelOpenFailure(future, problem);
    }

    /** From the renter to the VM: the renter gets its window back once its traffic allows. */
    @Override
    protected ChannelToPortHandler createChannelToPortHandler(IoSession target) {
        return new ChannelToPortHandler(target, this) {
            @Override
            public void sendToPort(byte command, byte[] data, int offset, long length) throws IOException {
                if (passes()) {
                    super.sendToPort(command, data, offset, length);
                }
            }

            @Override
            protected void handleWriteDataSuccess(byte command, byte[] data, int offset, int length) {
                Runnable next = () -> super.handleWriteDataSuccess(command, data, offset, length);
                if (flowed(length, next)) {
                    next.run();
                }
            }
        };
    }

    /** From the VM to the renter: the next is read once the renter's traffic allows. */
    @Override
    public IoWriteFuture writePacket(Buffer packet) throws IOException {
        boolean data = packet.rawByte(packet.rpos()) == SshConstants.SSH_MSG_CHANNEL_DATA;
        if (data && !passes()) {
            return AbstractIoWriteFuture.fulfilled(this, Boolean.TRUE); // no failure, so that the farewell comes first
        }
        int length = packet.available();
        IoWriteFuture written = super.writePacket(packet);
        if (!data) {
            return written;
        }
        var paid = new Written(written);
        return flowed(length, paid) ? written : paid;
    }

    private boolean passes() {
        LiveConnection connection = getSession().getAttribute(LiveConnection.KEY);
        return connection != null && connection.passes();
    }

    private boolean flowed(long bytes, Runnable next) {
        LiveConnection connection = getSession().getAttribute(LiveConnection.KEY);
        return connection == null || connection.flowed(bytes, next);
    }

    /** Says later that a packet was written. */
    private static final class Written extends AbstractIoWriteFuture implements Runnable {
        private final IoWriteFuture written;

        Written(IoWriteFuture written) {
            super("paid", null);
            this.written = written;
        }

        @Override
        public void run() {
            written.addListener(done -> setValue(done.getException() == null ? Boolean.TRUE : done.getException()));
        }
    }
}
