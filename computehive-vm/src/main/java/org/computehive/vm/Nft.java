package org.computehive.vm;

import java.util.List;
import java.util.regex.Pattern;

/**
 * Writes what {@code nft -f -} reads. Every word is checked to be one word, so no value can become a rule of its own.
 *
 * <p>The language is nftables' (nft(8)).
 */
final class Nft {
    private static final Pattern WORD = Pattern.compile("[A-Za-z0-9_.:/@*!=,-]+");

    private final StringBuilder text = new StringBuilder();

    private Nft() {}

    /** Writes the inside of a table or chain. */
    interface Content {
        void write(Nft nft);
    }

    /** Returns a table. */
    static String table(String family, String name, Content content) {
        var nft = new Nft();
        nft.block(content, "table", family, name);
        return nft.text.toString();
    }

    /** Writes a set of address ranges, which may overlap. */
    Nft addresses(String name, List<String> ranges) {
        return set(name, List.of("type", "ipv4_addr"), List.of("auto-merge"), ranges);
    }

    /** Writes a set of address ranges, protocols and port ranges. */
    Nft destinations(String name, List<String> elements) {
        return set(name, List.of("type", "ipv4_addr", ".", "inet_proto", ".", "inet_service"), List.of(), elements);
    }

    private Nft set(String name, List<String> type, List<String> also, List<String> elements) {
        block(
                set -> {
                    set.line(type);
                    set.line(List.of("flags", "interval"));
                    if (!also.isEmpty()) {
                        set.line(also);
                    }
                    if (!elements.isEmpty()) {
                        set.text.append("elements = { ");
                        for (String element : elements) {
                            for (String word : element.split(" ", -1)) {
                                set.word(word);
                            }
                            set.text.append(", ");
                        }
                        set.text.append("}\n");
                    }
                },
                "set",
                name);
        return this;
    }

    /**
     * Writes a chain at a hook.
     *
     * @param kind such as {@code filter}
     * @param hook such as {@code forward}, with a device where it has one
     * @param priority such as {@code filter}
     * @param policy what becomes of what no rule decides
     */
    Nft chain(String name, String kind, String hook, String priority, String policy, Content rules) {
        block(
                chain -> {
                    chain.rule("type", kind, "hook");
                    chain.text.setLength(chain.text.length() - 1); // the hook stands on the same line
                    for (String word : hook.split(" ", -1)) {
                        chain.word(word);
                    }
                    chain.rule("priority", priority);
                    chain.rule("policy", policy);
                    rules.write(chain);
                },
                "chain",
                name);
        return this;
    }

    /** Writes a rule. */
    Nft rule(String... words) {
        return line(List.of(words));
    }

    private Nft line(List<String> words) {
        words.forEach(this::word);
        text.append('\n');
        return this;
    }

    private void block(Content content, String... head) {
        for (String word : head) {
            word(word);
        }
        text.append("{\n");
        content.write(this);
        text.append("}\n");
    }

    private void word(String word) {
        if (!WORD.matcher(word).matches()) {
            throw new IllegalArgumentException("%s is not one word of a firewall rule".formatted(Printable.line(word)));
        }
        text.append(word).append(' ');
    }
}
