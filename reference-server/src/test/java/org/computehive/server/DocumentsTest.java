package org.computehive.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the documents point at exists: files, headings, and the types and members that they name in code font. */
class DocumentsTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern LINK = Pattern.compile("]\\((?!https?://)([^)#\\s]*)(?:#([^)\\s]+))?\\)");
    private static final Pattern HEADING = Pattern.compile("^#{1,6} (.+)$", Pattern.MULTILINE);
    private static final Pattern FENCED = Pattern.compile("^```.*?^```", Pattern.MULTILINE | Pattern.DOTALL);
    /** A type's name has two capitals or names a member, such as {@code Rental.after}; what looks like a file is none. */
    private static final Pattern TYPE = Pattern.compile(
            "`((?=\\w*[a-z])[A-Z]\\w*[A-Z]\\w*|[A-Z][a-z]+(?=[.#][a-z]))(?:[.#](?!(?:sol|json|md|java)`)([A-Za-z]\\w*))?(?:[(<][^`]*)?`");
    /** Any type's name in code font, however it is written. */
    private static final Pattern NAMED = Pattern.compile("`([A-Z]\\w*[a-z]\\w*)(?:[.(][^`]*)?`");

    /** Keywords of other programs that look like types. */
    private static final Set<String> FOREIGN =
            Set.of("RevokedKeys", "StrictHostKeyChecking", "ProxyJump", "TrustedUserCAKeys");

    private static final Pattern DECLARED =
            Pattern.compile("\\b(?:class|interface|record|enum|contract|library)\\s+(\\w+)");
    private static final Pattern IMPORTED =
            Pattern.compile("^import (?:static )?[\\w.]*?\\.(\\w+);", Pattern.MULTILINE);

    private static List<Path> documents = List.of();
    private static Set<String> imported = Set.of();
    /** The sources that declare a type of that name. */
    private static final Map<String, List<String>> SOURCES = new HashMap<>();

    @BeforeAll
    static void readTree() throws IOException {
        documents = files(path -> path.toString().endsWith(".md"));
        imported = new TreeSet<>();
        for (Path file : files(path -> path.toString().matches(".*\\.(java|sol)"))) {
            String source = Files.readString(file);
            all(DECLARED, source)
                    .forEach(found -> SOURCES.computeIfAbsent(found.group(1), name -> new ArrayList<>())
                            .add(source));
            all(IMPORTED, source).forEach(found -> imported.add(found.group(1)));
        }
    }

    @Test
    void links_leadSomewhere() throws IOException {
        var broken = new ArrayList<String>();
        for (Path document : documents) {
            for (MatchResult link : all(
                            LINK, FENCED.matcher(Files.readString(document)).replaceAll(""))
                    .toList()) {
                Path target = link.group(1).isEmpty()
                        ? document
                        : document.resolveSibling(link.group(1)).normalize();
                boolean found = Files.exists(target)
                        && (link.group(2) == null || headings(target).contains(link.group(2)));
                if (!found) {
                    broken.add(ROOT.relativize(document) + ": " + link.group());
                }
            }
        }

        assertEquals(List.of(), broken);
    }

    @Test
    void typesInCodeFont_exist() throws IOException {
        var unknown = new ArrayList<String>();
        int named = 0;
        for (Path document : documents) {
            if (document.endsWith("CHANGELOG.md")) {
                continue; // it speaks of what once was
            }
            for (MatchResult type : all(
                            TYPE, FENCED.matcher(Files.readString(document)).replaceAll(""))
                    .toList()) {
                named++;
                if (!isKnown(type.group(1), type.group(2))) {
                    unknown.add(ROOT.relativize(document) + ": " + type.group());
                }
            }
        }

        assertEquals(List.of(), unknown);
        assertTrue(named > 100, "only " + named + " types were seen: the pattern no longer fits the documents");
    }

    @Test
    void promises_ofTheThreatModel_nameCodeAndTestsThatExist() throws IOException {
        var wrong = new ArrayList<String>();
        int promises = 0;
        boolean inTable = false;
        for (String line : Files.readAllLines(ROOT.resolve("docs/threat-model.md"))) {
            inTable = line.startsWith("| promise |") || (inTable && line.startsWith("|"));
            String[] cells = line.split("\\|");
            if (!inTable || cells.length != 4 || cells[1].strip().matches("promise|-+")) {
                continue;
            }
            promises++;
            all(NAMED, line)
                    .map(found -> found.group(1))
                    .filter(type -> !SOURCES.containsKey(type))
                    .forEach(type -> wrong.add(type + " does not exist:" + cells[1]));
            if (all(NAMED, cells[3]).findAny().isEmpty() && !cells[3].contains(".t.sol)")) {
                wrong.add("no test tries to break:" + cells[1]);
            }
        }

        assertEquals(List.of(), wrong);
        assertTrue(promises > 40, "only " + promises + " promises were seen");
    }

    private static boolean isKnown(String type, String member) {
        List<String> sources = SOURCES.getOrDefault(type, List.of());
        if (sources.isEmpty()) {
            return imported.contains(type) || FOREIGN.contains(type);
        }
        return member == null
                || sources.stream()
                        .anyMatch(source -> Pattern.compile("\\b" + member + "\\b")
                                .matcher(source)
                                .find());
    }

    /** The anchors of a document's headings, as the usual viewers make them. */
    private static Set<String> headings(Path document) {
        try {
            return all(HEADING, FENCED.matcher(Files.readString(document)).replaceAll(""))
                    .map(heading -> heading.group(1).toLowerCase(Locale.ROOT))
                    .map(text -> text.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
                    .collect(Collectors.toSet());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<MatchResult> all(Pattern pattern, String text) {
        return pattern.matcher(text).results();
    }

    private static List<Path> files(Predicate<Path> wanted) throws IOException {
        try (Stream<Path> tree = Files.walk(ROOT)) {
            return tree.filter(Files::isRegularFile)
                    .filter(wanted)
                    .filter(path -> !ROOT.relativize(path)
                            .toString()
                            .matches("(.*/)?(target|node_modules|\\.git|demo-[^/]*|cache[^/]*|out[^/]*)/.*"))
                    .toList();
        }
    }
}
