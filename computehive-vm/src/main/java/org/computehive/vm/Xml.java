package org.computehive.vm;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/**
 * Writes and reads XML. Every value goes through the writer, which escapes it; characters that XML 1.0 can't carry are
 * refused. The reader takes no document type and fetches nothing.
 */
final class Xml {
    private final StringWriter text = new StringWriter();
    private final XMLStreamWriter writer;

    private Xml() throws XMLStreamException {
        writer = XMLOutputFactory.newDefaultFactory().createXMLStreamWriter(text);
    }

    /** Writes the inside of an element. */
    interface Content {
        void write(Xml xml) throws XMLStreamException;
    }

    /** Returns a document of one element; attributes are name, value, name, value. */
    static String document(String root, List<String> attributes, Content content) {
        try {
            var xml = new Xml();
            xml.element(root, attributes, content);
            xml.writer.flush();
            return xml.text.toString();
        } catch (XMLStreamException e) {
            throw new IllegalStateException("XML could not be written to memory", e);
        }
    }

    /** Writes an element with content; a name may carry a prefix that an attribute {@code xmlns:...} declares. */
    Xml element(String name, List<String> attributes, Content content) throws XMLStreamException {
        writer.writeStartElement(name);
        for (int i = 0; i < attributes.size(); i += 2) {
            writer.writeAttribute(attributes.get(i), oneLine(attributes.get(i + 1)));
        }
        content.write(this);
        writer.writeEndElement();
        return this;
    }

    /** Writes an element without content. */
    Xml element(String name, String... attributes) throws XMLStreamException {
        return element(name, List.of(attributes), inside -> {});
    }

    /** Writes an element that holds text. */
    Xml text(String name, String value, String... attributes) throws XMLStreamException {
        String checked = checked(value);
        return element(name, List.of(attributes), inside -> inside.writer.writeCharacters(checked));
    }

    /** Refuses what a reader would fold to a space in an attribute. */
    private static String oneLine(String value) {
        if (value.chars().anyMatch(c -> c == '\t' || c == '\n' || c == '\r')) {
            throw new IllegalArgumentException(
                    "an attribute can't hold a tab or a line's end: remove it from the value");
        }
        return checked(value);
    }

    private static String checked(String value) {
        value.codePoints().forEach(c -> {
            boolean allowed = c == '\t'
                    || c == '\n'
                    || c == '\r'
                    || (c >= 0x20 && c <= 0xd7ff)
                    || (c >= 0xe000 && c <= 0xfffd)
                    || c >= 0x10000;
            if (!allowed) {
                throw new IllegalArgumentException(
                        "character U+%04X can't be in XML: remove it from the value".formatted(c));
            }
        });
        return value;
    }

    /**
     * Parses a document.
     *
     * @throws IllegalArgumentException if it isn't well formed or has a document type
     */
    static Element parse(String document) {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newDefaultNSInstance();
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
            factory.setXIncludeAware(false);
            DocumentBuilder builder = factory.newDocumentBuilder();
            builder.setErrorHandler(null);
            return builder.parse(new InputSource(new StringReader(document))).getDocumentElement();
        } catch (ParserConfigurationException | SAXException | IOException e) {
            throw new IllegalArgumentException("not the XML that libvirt writes: " + e.getMessage(), e);
        }
    }

    /** Returns the child elements of a name. */
    static List<Element> children(Element parent, String name) {
        var found = new ArrayList<Element>();
        for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node instanceof Element element && name.equals(element.getLocalName())) {
                found.add(element);
            }
        }
        return found;
    }

    /** Returns the trimmed text of the first child of a name, or an empty text. */
    static String childText(Element parent, String name) {
        List<Element> found = children(parent, name);
        return found.isEmpty() ? "" : found.getFirst().getTextContent().strip();
    }
}
