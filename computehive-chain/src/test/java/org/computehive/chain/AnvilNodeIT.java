package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.computehive.market.Account;
import org.computehive.market.Rate;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.Escrow.Settlement;
import org.computehive.rental.Escrow.Terms;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class AnvilNodeIT {

    @Test
    void start_withABlockTime_makesBlocksByItselfAndAtOnceForTransactions() throws Exception {
        try (var node = AnvilNode.start(DevChain.options().withBlockTime(Duration.ofSeconds(1)));
                Chain chain = Chain.connect(node.url())) {
            long seen = chain.watcher().version();
            long before = chain.block(Chain.LATEST).number();
            chain.watcher().await(seen, Deadline.in(Duration.ofSeconds(5)));
            chain.watcher().await(seen + 1, Deadline.in(Duration.ofSeconds(5)));
            assertTrue(chain.block(Chain.LATEST).number() > before);

            long start = System.nanoTime();
            for (int i = 0; i < 5; i++) {
                EscrowDeployment.escrow(node.url(), node.fundedWallet());
            }
            assertTrue(Duration.ofNanos(System.nanoTime() - start).toMillis() < 5000, "five blocks took over 5 s");
        }
    }

    @Test
    void close_endsTheProgramAndRemovesItsFolder(@TempDir Path folder) throws Exception {
        var node = AnvilNode.start(DevChain.options().withFolder(folder));
        ProcessHandle process = ProcessHandle.of(node.pid()).orElseThrow();
        assertEquals(1, entries(folder).size());
        node.close();
        node.close();

        assertFalse(process.isAlive());
        assertEquals(List.of(), entries(folder));
        assertTrue(node.onExit().get(5, TimeUnit.SECONDS) != null);
    }

    @Test
    void start_onABusyPort_saysSo() {
        try (var node = AnvilNode.start(DevChain.options())) {
            var busy = DevChain.options().withPort(node.url().getPort());
            var e = assertThrows(IllegalStateException.class, () -> AnvilNode.start(busy));
            assertTrue(e.getMessage().contains("in use"), e.getMessage());
        }
    }

    @Test
    void start_ofWhatIsNoChainNode_saysSoAndLeavesNothing(@TempDir Path folder) {
        var wrong = AnvilOptions.of(Path.of("/bin/false")).withFolder(folder);

        var e = assertThrows(IllegalStateException.class, () -> AnvilNode.start(wrong));
        assertTrue(e.getMessage().contains("/bin/false ended with code 1"), e.getMessage());
        assertEquals(List.of(), entries(folder));
    }

    @Test
    void withFolder_thatIsNotThere_isRefused(@TempDir Path folder) {
        Path missing = folder.resolve("missing");

        var e = assertThrows(
                IllegalArgumentException.class, () -> DevChain.options().withFolder(missing));
        assertTrue(e.getMessage().contains(missing.toString()), e.getMessage());
    }

    @Test
    void find_withoutTheProgram_saysHowToInstallIt(@TempDir Path empty) {
        // The property comes before the environment, which may name a program.
        System.setProperty("computehive.anvil", empty.resolve("anvil").toString());
        try {
            var e = assertThrows(IllegalStateException.class, () -> AnvilNode.find(empty));
            assertTrue(e.getMessage().contains("./computehive"), e.getMessage());
        } finally {
            System.clearProperty("computehive.anvil");
        }
    }

    @Test
    void onExit_ofAKilledProgram_completes() throws Exception {
        try (var node = AnvilNode.start(DevChain.options())) {
            ProcessHandle.of(node.pid()).orElseThrow().destroyForcibly();
            assertEquals(137, node.onExit().get(10, TimeUnit.SECONDS));
        }
    }

    @Test
    void killOfTheJvm_endsTheProgramAndLeavesAtMostItsFolder(@TempDir Path folder) throws Exception {
        endOfTheJvm(folder, Process::destroyForcibly);

        List<Path> left = entries(folder);
        assertTrue(left.size() <= 1, left.toString());
        for (Path path : left) {
            assertTrue(path.getFileName().toString().startsWith("computehive-anvil-"), left.toString());
        }
    }

    @Test
    void terminationOfTheJvm_endsTheProgramAndLeavesNothing(@TempDir Path folder) throws Exception {
        endOfTheJvm(folder, Process::destroy);

        assertEquals(List.of(), entries(folder));
    }

    /** Starts a node in a JVM of its own whose temporary folder is a given one, and ends that JVM while it runs. */
    private static void endOfTheJvm(Path folder, Consumer<Process> end) throws Exception {
        Process jvm = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "-Djava.io.tmpdir=" + folder,
                        Starter.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader out = jvm.inputReader()) {
            long pid = Long.parseLong(out.readLine());
            ProcessHandle anvil = ProcessHandle.of(pid).orElseThrow();
            assertTrue(anvil.isAlive());
            assertEquals(1, entries(folder).size());

            end.accept(jvm);

            assertTrue(jvm.waitFor(20, TimeUnit.SECONDS), "the JVM does not end");
            anvil.onExit().get(10, TimeUnit.SECONDS);
            assertFalse(anvil.isAlive());
        } finally {
            jvm.destroyForcibly();
        }
    }

    private static List<Path> entries(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts a node in a JVM of its own, from a thread that ends, and waits to be killed. */
    static final class Starter {
        public static void main(String[] arguments) throws Exception {
            var starter = new Thread(
                    () -> System.out.println(AnvilNode.start(DevChain.options()).pid()));
            starter.start();
            starter.join();
            Thread.sleep(Duration.ofMinutes(1));
        }
    }

    @Test
    void aDeadNode_restartedFromItsState_stillHasTheMoney(@TempDir Path folder) throws Exception {
        Path state = folder.resolve("chain.json");
        var chain = new DevChain(false, DevChain.options());
        URI url = chain.node.url();
        try (var escrow = EvmEscrow.connect(chain.settings())) {
            EvmParty lender = chain.party(escrow);
            EvmParty renter = chain.party(escrow);
            EscrowOffer offer = offer(escrow, chain.now(), lender.account(), renter.account());
            renter.open(offer, lender.sign(offer.digest()));
            Reading open = assertInstanceOf(Reading.Open.class, escrow.read(offer));
            chain.node.dumpState(state);
            ProcessHandle.of(chain.node.pid()).orElseThrow().destroyForcibly();
            chain.node.onExit().get(10, TimeUnit.SECONDS);

            assertInstanceOf(Reading.Unknown.class, escrow.read(offer));
            var release = new Settlement.ByRelease(lender.sign(escrow.releaseDigest(offer)));
            assertThrows(EscrowException.Unreachable.class, () -> escrow.settle(offer, release));
            assertThrows(EscrowException.Unreachable.class, renter::withdraw);

            try (var again =
                    AnvilNode.start(DevChain.options().withPort(url.getPort()).withState(state))) {
                assertEquals(url, again.url());
                assertEquals(open, escrow.read(offer));
                Reading.Closed closed = escrow.settle(offer, release);
                assertEquals(offer.deposit(), closed.refunded());
                assertEquals(offer.deposit(), renter.withdraw());
                assertEquals(DevChain.WEALTH, renter.tokenBalance());
            }
        } finally {
            chain.close();
        }
        assertEquals(List.of(state), entries(folder));
    }

    @Test
    void anEmptyNode_inAnothersPlace_isUnknownAndNeverAbsent() throws Exception {
        var chain = new DevChain(false, DevChain.options());
        URI url = chain.node.url();
        try (var escrow = EvmEscrow.connect(chain.settings())) {
            EvmParty renter = chain.party(escrow);
            EscrowOffer offer = offer(escrow, chain.now(), EvmWallet.random().account(), renter.account());
            assertInstanceOf(Reading.Absent.class, escrow.read(offer));
            chain.close();
            try (var other = AnvilNode.start(DevChain.options().withPort(url.getPort()))) {
                other.call("anvil_mine", "0x20");
                for (int i = 0; i < 20; i++) {
                    assertInstanceOf(Reading.Unknown.class, escrow.read(offer));
                }
            }
        } finally {
            chain.close();
        }
    }

    private static EscrowOffer offer(EvmEscrow escrow, Instant now, Account lender, Account renter) {
        Instant start = Instant.ofEpochSecond(now.getEpochSecond() + 300);
        return escrow.offer(new Terms(
                lender,
                BigInteger.ONE,
                renter,
                Rate.of(1000),
                Window.of(start, Duration.ofSeconds(600)),
                Duration.ofSeconds(30),
                Duration.ofSeconds(60),
                start,
                new Hash32("0x" + "5e".repeat(32))));
    }
}
