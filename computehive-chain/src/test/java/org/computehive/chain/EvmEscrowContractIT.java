package org.computehive.chain;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import org.computehive.rental.Escrow;
import org.computehive.rental.EscrowContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;

/** The contract of every escrow on a real chain node, paid in an ERC-20 token, final after 2 blocks. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EvmEscrowContractIT extends EscrowContract {
    private static final int CONFIRMATIONS = 2;

    private DevChain chain;
    private CuttableLine line;
    private EvmEscrow direct;
    private EvmEscrow escrow;

    @BeforeAll
    void start() throws IOException {
        chain = new DevChain(false, DevChain.options().withBlockTime(Duration.ofSeconds(1)));
        chain.mine(CONFIRMATIONS);
        line = new CuttableLine(chain.node.url());
    }

    @BeforeEach
    void connect() throws IOException {
        line.set(CuttableLine.State.UP);
        direct = EvmEscrow.connect(chain.settings().withConfirmations(CONFIRMATIONS));
        escrow = EvmEscrow.connect(chain.settings(line.url())
                .withConfirmations(CONFIRMATIONS)
                .withTimes(Duration.ofMillis(50), Duration.ofMillis(500), Duration.ofSeconds(20)));
    }

    @AfterEach
    void disconnect() {
        escrow.close();
        direct.close();
    }

    @AfterAll
    void stop() throws IOException {
        line.close();
        chain.close();
    }

    @Override
    protected Escrow escrow() {
        return escrow;
    }

    @Override
    protected Party party() {
        return new DevChain.TestParty(chain.party(direct));
    }

    @Override
    protected Instant now() {
        return chain.now();
    }

    @Override
    protected void advanceTo(Instant instant) {
        Duration left = Duration.between(chain.now(), instant);
        chain.node.advance(left.isNegative() ? Duration.ZERO : left);
    }

    @Override
    protected void confirm() {
        chain.mine(CONFIRMATIONS);
    }

    @Override
    protected void setReachable(boolean yes) {
        try {
            line.set(yes ? CuttableLine.State.UP : CuttableLine.State.CUT);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
