package org.computehive.access;

import java.util.regex.Pattern;

/** Checks of the names that go into certificates and configuration files, and safe quoting of those that don't pass. */
final class Names {
    /** The prefix keeps a rental's principal apart from every unix user's name. */
    private static final Pattern PRINCIPAL = Pattern.compile("rental-[a-z0-9]([a-z0-9-]{0,54}[a-z0-9])?");

    private static final Pattern HOST = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9-]{1,63}){0,8}");
    private static final Pattern KEY_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:-]{0,127}");
    private static final Pattern USER = Pattern.compile("[a-z_][a-z0-9_-]{0,31}");
    private static final Pattern OPERATOR = Pattern.compile("[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?");
    private static final int QUOTE_LIMIT = 80;

    private Names() {}

    static boolean isPrincipal(String value) {
        return PRINCIPAL.matcher(value).matches();
    }

    static String principal(String value) {
        return check(PRINCIPAL, "principal", value, "\"rental-\" and 1 to 56 of a-z, 0-9 and inner hyphens");
    }

    static String host(String value) {
        return check(HOST, "host name", value, "labels of 1 to 63 of a-z, 0-9 and inner hyphens");
    }

    static String keyId(String value) {
        return check(KEY_ID, "key id", value, "1 to 128 of A-Z, a-z, 0-9 and . _ : -");
    }

    static String operator(String value) {
        return check(OPERATOR, "operator", value, "1 to 48 of a-z, 0-9 and inner hyphens");
    }

    static String unixUser(String value) {
        return check(USER, "user name", value, "1 to 32 of a-z, 0-9, _ and -, not starting with a digit");
    }

    /** Makes text from outside safe for a log or a message: printable ASCII only, at most 80 characters. */
    static String shown(String value) {
        return shown(value, QUOTE_LIMIT);
    }

    /** The same, at most so many characters. */
    static String shown(String value, int most) {
        var text = new StringBuilder();
        value.chars()
                .limit(most)
                .forEach(c -> text.append(c >= ' ' && c <= '~' && c != '"' && c != '\\' ? (char) c : '?'));
        return text.append(value.length() > most ? "..." : "").toString();
    }

    private static String check(Pattern form, String what, String value, String expected) {
        if (!form.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    "%s \"%s\" is not allowed: use %s".formatted(what, shown(value), expected));
        }
        return value;
    }
}
