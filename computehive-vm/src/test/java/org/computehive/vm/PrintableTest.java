package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class PrintableTest {
    @Test
    void controlFormatAndLineEnds_becomeQuestionMarks() {
        assertEquals("a?[31mb?c d?e", Printable.line("a\u001b[31mb\nc\td\u202ee"));
        assertEquals("?x??", Printable.line("\u0085x\u2028\ud800"));
        assertEquals("ключ 鍵 ✓", Printable.line("ключ 鍵 ✓"));
    }

    @Test
    void longText_isCut() {
        assertEquals(2_000, Printable.line("x".repeat(1_000_000)).length());
    }
}
