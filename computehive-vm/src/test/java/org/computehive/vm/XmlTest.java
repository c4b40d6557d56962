package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;

class XmlTest {
    private static final String METACHARACTERS = "a<b>&amp;\"'/><x y='1'/>]]> é \uD83D\uDE00";

    @Test
    void metacharacters_inTextAndAttributes_comeBackAsTheyWere() {
        String document = Xml.document(
                "root",
                List.of("name", METACHARACTERS),
                root -> root.text("child", METACHARACTERS, "of", METACHARACTERS));
        Element root = Xml.parse(document);
        assertEquals(METACHARACTERS, root.getAttribute("name"));
        assertEquals(1, Xml.children(root, "child").size());
        assertEquals(METACHARACTERS, Xml.children(root, "child").getFirst().getTextContent());
        assertTrue(Xml.children(root, "x").isEmpty(), document);
    }

    @Test
    void controlCharacters_areRefused() {
        for (String bad : List.of("\u0000", "a\u0008b", "\u001b[2J", "\uFFFE", "\uD800")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> Xml.document("root", List.of(), root -> root.text("child", bad)));
            assertThrows(IllegalArgumentException.class, () -> Xml.document("root", List.of("a", bad), root -> {}));
        }
        assertThrows(
                IllegalArgumentException.class, () -> Xml.document("root", List.of("a", "two\nlines"), root -> {}));
    }

    @Test
    void documentType_isRefused() {
        assertThrows(
                IllegalArgumentException.class,
                () -> Xml.parse("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"));
    }
}
