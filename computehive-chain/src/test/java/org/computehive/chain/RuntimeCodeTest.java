package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Locale;
import org.computehive.chain.RuntimeCode.Place;
import org.junit.jupiter.api.Test;

class RuntimeCodeTest {
    private static final RuntimeCode CODE = new RuntimeCode(
            "0xaa0000bb0000cc00", List.of(List.of(new Place(1, 2), new Place(4, 2)), List.of(new Place(7, 1))));

    @Test
    void is_withWhateverValues_anyCase_itself() {
        assertTrue(CODE.is("0xaa0000bb0000cc00"));
        assertTrue(CODE.is("0xaa1234bb1234ccff"));
        assertTrue(CODE.is("0xAA12cdbb12CDCCFF"));
    }

    @Test
    void is_withAByteChangedAddedOrLeftOut_another() {
        assertFalse(CODE.is("0xab1234bb1234ccff"));
        assertFalse(CODE.is("0xaa1234bb1234cdff"));
        assertFalse(CODE.is("0xaa1234bb1234ccff00"));
        assertFalse(CODE.is("0xaa1234bb1234cc"));
        assertFalse(CODE.is("0x"));
    }

    @Test
    void is_withTwoValuesWhereOneGoes_another() {
        assertFalse(CODE.is("0xaa1234bb1235ccff"));
    }

    @Test
    void escrows_isTheCodeThatItsCreationReturns_withAllOfTheDomainsValues() {
        RuntimeCode escrow = Artefact.RENTAL_ESCROW.runtimeCode();
        String creation = Artefact.RENTAL_ESCROW.creationCode().toLowerCase(Locale.ROOT);

        assertTrue(creation.contains(escrow.code().substring(2)));
        // Separator, chain, contract, name and version, the last two as text and as hash.
        assertEquals(7, escrow.values().size());
        assertTrue(escrow.is(escrow.code()));
    }
}
