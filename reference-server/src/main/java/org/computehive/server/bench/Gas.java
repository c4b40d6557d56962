package org.computehive.server.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.computehive.chain.AnvilNode;
import org.computehive.chain.AnvilOptions;

/**
 * The gas of the escrow's whole transactions, as receipts of a chain node tell it, against what other escrows took for the
 * same. Ours is measured in this run, on the bytecode that is shipped; the others' are {@linkplain GasPeers written down}.
 *
 * <p>Where the gas of a single call goes is added up from a trace of its opcodes ({@link GasAccount}).
 *
 * <p>All of it is the steady state: the lane had a rental before, and both accounts have been credited before.
 */
final class Gas implements Benchmark {

    @Override
    public String name() {
        return "gas";
    }

    @Override
    public String about() {
        return "gas of the escrow's transactions, measured, against other escrows' and the floor, written down";
    }

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        return measure(AnvilNode.find(Path.of("").toAbsolutePath()), progress);
    }

    /** Measures on a chain node of a program. */
    List<Figure> measure(Path program, Consumer<String> progress) throws Exception {
        try (AnvilNode chain = AnvilNode.start(AnvilOptions.of(program).withUnlocked(GasWalk.UNLOCKED));
                var walk = new GasWalk(chain)) {
            progress.accept("ours is measured now; goal, floor and the other escrows are constants (see GasPeers)");
            var figures = new ArrayList<Figure>();
            walk.accounting(true);
            note(figures, progress, GasPeers.OPEN_FROM_WALLET, walk.openFromWallet(), walk);
            note(figures, progress, GasPeers.OPEN_FROM_LEDGER, walk.openFromLedger(), walk);
            note(figures, progress, GasPeers.OPEN_NATIVE, walk.openNative(), walk);
            note(figures, progress, GasPeers.SETTLE, walk.settle(), walk);
            note(figures, progress, GasPeers.END_EARLY, walk.endEarly(), walk);
            note(figures, progress, GasPeers.RECEIPT, walk.receipt(), walk);
            note(figures, progress, GasPeers.DISPUTE, walk.dispute(), walk);
            note(figures, progress, GasPeers.RESOLVE, walk.resolve(), walk);
            walk.accounting(false);
            note(figures, progress, GasPeers.SETTLE_EACH_OF_20, walk.settleMany(20) / 20.0, walk);
            note(figures, progress, GasPeers.SETTLE_EACH_OF_100, walk.settleMany(100) / 100.0, walk);
            return figures;
        }
    }

    private void note(List<Figure> figures, Consumer<String> progress, GasPeers peers, double ours, GasWalk walk) {
        progress.accept(peers.row(ours));
        walk.account().ifPresent(account -> progress.accept("  of which " + account));
        figures.addAll(peers.figures(name(), ours));
    }
}
