package org.computehive.server.crash;

import java.io.PrintStream;

/** One line after the other to the process that may kill this one; a line that was written is not lost by a kill. */
final class Wire {
    private final PrintStream out;

    Wire(PrintStream out) {
        this.out = out;
    }

    synchronized void say(String line) {
        out.println(line.replace('\n', ' '));
        out.flush();
    }
}
