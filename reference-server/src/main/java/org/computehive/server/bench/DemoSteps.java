package org.computehive.server.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Each step of the demo's walk against the same step by hand, on the demo's parts: what the engine costs beside what has to
 * happen anyway.
 *
 * <p>The goals say the most that ours may take of what it takes by hand; why, is said where each is set. Left out, for there
 * is no like of them by hand: the price suggestion, search and quote, the calendar messages.
 */
final class DemoSteps implements Benchmark {
    private static final String NAME = "demo-steps";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String about() {
        return "each step of the demo, against the same step by hand";
    }

    static Figure figure(String step, Rounds.Medians medians, double goal) {
        return new Figure(NAME + "/" + step, medians.ours(), medians.peer(), goal);
    }

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        var figures = new ArrayList<Figure>();
        progress.accept("opening a chain node, a libvirt and a gateway");
        try (Stage stage = Stage.open(progress)) {
            figures.addAll(new HostSteps(stage).run(progress));
            figures.addAll(new LedgerSteps(stage).run(progress));
            figures.addAll(new ChainSteps(stage).run(progress));
            figures.addAll(new AccessSteps(stage).run(progress));
        }
        return figures;
    }
}
