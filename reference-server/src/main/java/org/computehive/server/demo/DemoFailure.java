package org.computehive.server.demo;

/** Something did not come out as promised; the message is for people. */
class DemoFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DemoFailure(String message) {
        super(message);
    }

    /** The chain node ended in the middle of the walk. */
    static final class ChainGone extends DemoFailure {
        private static final long serialVersionUID = 1L;

        ChainGone(int exit) {
            super("the chain node ended (exit code %d) in the middle of the walk".formatted(exit));
        }
    }
}
