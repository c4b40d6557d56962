package org.computehive.server.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** Ends the demo: every check, every step's time, where the artefacts are. */
final class Summary {
    private static final int FEW = 6;

    private final Display display;
    private final Checks checks;
    private final Path folder;

    Summary(Display display, Checks checks, Path folder) {
        this.display = display;
        this.checks = checks;
        this.folder = folder;
    }

    void print(Duration total, boolean walked) {
        display.headline("Checks");
        for (Checks.Check check : checks.all()) {
            display.promise(check);
        }
        display.headline("Times");
        for (Display.Timed step : display.times()) {
            display.line("  %-66s %8s".formatted(step.title(), Display.seconds(step.time())));
        }
        display.line("  %-66s %8s".formatted("all", Display.seconds(total)));
        display.headline("Artefacts in " + folder);
        artefacts().forEach(line -> display.line("  " + line));
        display.line("");
        long held = checks.all().stream().filter(Checks.Check::held).count();
        display.line("%s: %d of %d checks held%s"
                .formatted(
                        walked && checks.allHeld() ? "DONE" : "NOT DONE",
                        held,
                        checks.all().size(),
                        walked ? "" : ", and the walk was not finished"));
    }

    /** Files, and folders of folders in one line each. */
    private List<String> artefacts() {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted().flatMap(this::lines).toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private Stream<String> lines(Path entry) {
        if (!Files.isDirectory(entry)) {
            return Stream.of(folder.relativize(entry).toString());
        }
        try (Stream<Path> inside = Files.walk(entry)) {
            List<Path> files = inside.filter(Files::isRegularFile).sorted().toList();
            return files.size() > FEW
                    ? Stream.of("%s/ (%d files)".formatted(folder.relativize(entry), files.size()))
                    : files.stream().map(file -> folder.relativize(file).toString());
        } catch (IOException e) {
            return Stream.of(folder.relativize(entry) + "/");
        }
    }
}
