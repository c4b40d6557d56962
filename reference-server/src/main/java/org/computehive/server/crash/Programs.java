package org.computehive.server.crash;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.util.List;

/** Runs programs as users without rights. */
final class Programs {
    private Programs() {}

    static boolean root() {
        return System.getProperty("user.name").equals("root");
    }

    /** Makes a file another user's. */
    static void give(Path file, String account) throws IOException {
        UserPrincipalLookupService users = file.getFileSystem().getUserPrincipalLookupService();
        PosixFileAttributeView view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
        view.setOwner(users.lookupPrincipalByName(account));
        view.setGroup(users.lookupPrincipalByGroupName(account));
    }

    /** Returns the words before a program that runs it as an account where we are root, and that end it with us. */
    static List<String> as(String account, String signalAtOurEnd) {
        return root()
                ? List.of(
                        "setpriv",
                        "--reuid",
                        account,
                        "--regid",
                        account,
                        "--init-groups",
                        "--pdeathsig",
                        signalAtOurEnd,
                        "--")
                : List.of("setpriv", "--pdeathsig", signalAtOurEnd, "--");
    }

    /** Runs a program to its end and returns what it said. */
    static String run(List<String> words, Path folder) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(words)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int exit = process.waitFor();
        if (exit != 0) {
            throw new IOException("%s failed with %d: %s".formatted(words, exit, said));
        }
        return said;
    }
}
