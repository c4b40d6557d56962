package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.CountDownLatch;
import org.computehive.rental.HypervisorException;
import org.junit.jupiter.api.Test;

class AsideTest {
    @Test
    void work_goesOnWhileItsCallerDoesSomethingElse() {
        var meanwhile = new CountDownLatch(1);
        var aside = Aside.begin(() -> {
            try {
                meanwhile.await();
                return "done";
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        meanwhile.countDown();
        assertEquals("done", aside.await());
        assertEquals("done", aside.await(), "asked again");
    }

    @Test
    void whatWorkThrows_isThrownToItsCaller() {
        var refused = new HypervisorException.Refused("no", null);
        var aside = Aside.begin(() -> {
            throw refused;
        });
        assertSame(refused, assertThrows(HypervisorException.Refused.class, aside::await));
        var broken = new AssertionError("broken");
        var worse = Aside.begin(() -> {
            throw broken;
        });
        assertSame(broken, assertThrows(AssertionError.class, worse::await));
    }
}
