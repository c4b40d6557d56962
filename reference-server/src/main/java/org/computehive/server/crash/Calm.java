package org.computehive.server.crash;

/** Keeps outages and starts of engines apart: an engine needs database and chain to start. Thread-safe. */
final class Calm {
    private int starts;
    private int outages;

    /** Waits until no outage is on; none begins before {@link #started}. */
    synchronized void starting() throws InterruptedException {
        while (outages > 0) {
            wait();
        }
        starts++;
    }

    synchronized void started() {
        starts--;
    }

    /** Returns whether an outage may begin; then it ends with {@link #over}. */
    synchronized boolean mayBreak() {
        if (starts > 0) {
            return false;
        }
        outages++;
        return true;
    }

    synchronized void over() {
        outages--;
        notifyAll();
    }
}
