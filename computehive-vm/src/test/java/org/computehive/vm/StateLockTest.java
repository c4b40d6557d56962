package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.computehive.rental.HypervisorException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who else uses a state folder. */
class StateLockTest {
    @TempDir
    private Path home;

    /** Takes the folder that is named, says so, and has it until it is killed. */
    static final class Holder {
        public static void main(String[] arguments) throws IOException {
            try (StateLock lock = StateLock.take(Path.of(arguments[0]))) {
                System.out.println("taken " + lock.getClass().getSimpleName());
                System.in.read();
            } catch (HypervisorException.Lacking e) {
                System.out.println("refused: " + e.getMessage());
            }
        }
    }

    private Process holder() throws IOException {
        return new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-cp",
                        TestHost.absoluteClassPath(),
                        Holder.class.getName(),
                        home.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static void kill(Process process) throws InterruptedException {
        process.destroyForcibly();
        assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    }

    private static String refusal(Path home) {
        return String.valueOf(assertThrows(HypervisorException.Lacking.class, () -> StateLock.take(home))
                .getMessage());
    }

    @Test
    void folderOfAnotherProcess_isRefusedWithItsNumber_untilThatIsKilled() throws Exception {
        Process other = holder();
        try {
            assertEquals("taken StateLock", other.inputReader().readLine());
            String refused = refusal(home);
            assertTrue(refused.contains("process " + other.pid() + " ("), refused);
            assertTrue(refused.contains(home.toString()), refused);
        } finally {
            kill(other);
        }
        StateLock.take(home).close();
    }

    @Test
    void folderOfThisProcess_isRefusedToo_andStaysRefusedToOthers_untilItIsLetGo() throws Exception {
        try (StateLock first = StateLock.take(home)) {
            String refused = refusal(home);
            assertTrue(refused.contains("this very process"), () -> refused + first);
            Process other = holder();
            try {
                String said = other.inputReader().readLine();
                assertTrue(said.contains("process " + ProcessHandle.current().pid()), said);
            } finally {
                kill(other);
            }
        }
        StateLock.take(home).close();
    }

    @Test
    void whatElseStandsInTheFile_isNotRepeated() throws Exception {
        Process other = holder();
        try {
            assertEquals("taken StateLock", other.inputReader().readLine());
            Files.writeString(home.resolve("lock"), "\u001b[31m rm -rf / 77\n");
            String refused = refusal(home);
            assertTrue(refused.contains("another process") && !refused.contains("rm"), refused);
        } finally {
            kill(other);
        }
    }

    @Test
    void folderThatCanNotBeWritten_isLackingWithTheRemedy() throws IOException {
        Path file = Files.writeString(home.resolve("file"), "");
        assertTrue(refusal(file.resolve("state")).contains("give a folder you may write"));
    }
}
