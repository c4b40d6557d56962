package org.computehive.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What documents show as code stands in a file that is compiled or run. */
class DocumentSnippetsTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern JAVA = Pattern.compile("^```java$", Pattern.MULTILINE);
    private static final Pattern SNIPPET =
            Pattern.compile("^<!-- from (\\S+) -->\n```(?:java|xml)\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

    private static List<String> lines(String text) {
        return text.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
    }

    @ParameterizedTest
    @CsvSource({"docs/research.md, 5", "docs/embedding.md, 4"})
    void snippets_standInTheFilesThatTheyName(String document, int least) throws IOException {
        String text = Files.readString(ROOT.resolve(document));
        int named = 0;
        Matcher snippet = SNIPPET.matcher(text);
        while (snippet.find()) {
            named++;
            List<String> shown = lines(snippet.group(2));
            List<String> source = lines(Files.readString(ROOT.resolve(snippet.group(1))));
            assertTrue(
                    Collections.indexOfSubList(source, shown) >= 0,
                    () -> document + " shows what " + snippet.group(1) + " does not say: " + shown);
        }
        assertTrue(named >= least, document + " has " + named + " snippets");
        assertEquals(
                JAVA.matcher(text).results().count(),
                Pattern.compile("^<!-- from \\S+ -->\n```java$", Pattern.MULTILINE)
                        .matcher(text)
                        .results()
                        .count(),
                () -> document + " has code that names no file");
    }
}
