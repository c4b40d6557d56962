package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.computehive.rental.PriceAdvisor.Lot;
import org.computehive.rental.PriceAdvisor.Request;
import org.computehive.rental.PriceAdvisor.Slot;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class PriceRequestTest {
    private static final Instant NOW = Instant.parse("2026-11-20T12:00:00Z");

    private static Request simple(String model, int gpus) {
        return new Request(
                model,
                gpus,
                OptionalLong.empty(),
                32,
                131_072,
                OptionalDouble.empty(),
                OptionalLong.empty(),
                OptionalLong.empty());
    }

    private static Request limited(OptionalLong floor, OptionalLong ceiling) {
        return new Request("H100", 1, OptionalLong.empty(), 32, 131_072, OptionalDouble.empty(), floor, ceiling);
    }

    private static Request with(OptionalLong gpuMemory, int cpus, long memory, OptionalDouble utilisation) {
        return new Request("H100", 1, gpuMemory, cpus, memory, utilisation, OptionalLong.empty(), OptionalLong.empty());
    }

    @Test
    void request_senseless_isRefusedBeforeAnAdvisorSeesIt() {
        refused("0", () -> simple("H100", 0));
        refused("-1", () -> simple("H100", -1));
        refused("65", () -> simple("H100", 65));
        refused("120", () -> simple(" ", 1));
        refused("120", () -> simple("x".repeat(121), 1));
        refused("line", () -> simple("H100\nSXM", 1));
        refused("-5", () -> with(OptionalLong.of(-5), 8, 1_024, OptionalDouble.empty()));
        refused("memory", () -> with(OptionalLong.of(Long.MAX_VALUE), 8, 1_024, OptionalDouble.empty()));
        refused("cpus 0", () -> with(OptionalLong.empty(), 0, 1_024, OptionalDouble.empty()));
        refused("4097", () -> with(OptionalLong.empty(), 4_097, 1_024, OptionalDouble.empty()));
        refused("-1024", () -> with(OptionalLong.empty(), 8, -1_024, OptionalDouble.empty()));
        refused("67108865", () -> with(OptionalLong.empty(), 8, 67_108_865, OptionalDouble.empty()));
        refused("NaN", () -> with(OptionalLong.empty(), 8, 1_024, OptionalDouble.of(Double.NaN)));
        refused("1.1", () -> with(OptionalLong.empty(), 8, 1_024, OptionalDouble.of(1.1)));
        refused("-0.1", () -> with(OptionalLong.empty(), 8, 1_024, OptionalDouble.of(-.1)));
        refused("-7", () -> limited(OptionalLong.of(-7), OptionalLong.empty()));
        refused("-8", () -> limited(OptionalLong.empty(), OptionalLong.of(-8)));

        Request simple = simple("H100", 60);
        refused("65", () -> simple.with(List.of(new Lot("T4", 5, OptionalLong.empty()))));
        refused("0", () -> simple.with(List.of(new Lot("T4", 0, OptionalLong.empty()))));
        refused("120", () -> simple.with(List.of(new Lot("", 1, OptionalLong.empty()))));
        refused("17", () -> simple("H100", 1).with(Collections.nCopies(17, new Lot("T4", 1, OptionalLong.empty()))));
        refused("is over", () -> simple.with(new Slot(NOW, Window.of(NOW.minusSeconds(60), Duration.ofSeconds(60)))));
        refused("ten years", () -> simple.with(new Slot(NOW, Window.of(NOW, Duration.ofDays(4_000)))));
        refused("ceiling", () -> limited(OptionalLong.of(2), OptionalLong.of(1)));
    }

    @Test
    void request_atEachLimit_isMade() {
        List<Request> made = List.of(
                simple("x".repeat(120), 64),
                with(OptionalLong.of(4L << 20), 4_096, 64L << 20, OptionalDouble.of(1)),
                with(OptionalLong.of(1), 1, 1, OptionalDouble.of(0)),
                limited(OptionalLong.of(Request.MOST_MICROS), OptionalLong.of(Request.MOST_MICROS)),
                simple("H100", 48).with(Collections.nCopies(16, new Lot("T4", 1, OptionalLong.empty()))),
                simple("H100", 1).with(new Slot(NOW, Window.of(NOW, Duration.ofDays(3_660)))));
        assertEquals(6, made.size());
    }

    @Test
    void request_listThatChangesLater_doesNotChangeIt() {
        var lots = new ArrayList<>(List.of(new Lot("T4", 1, OptionalLong.empty())));
        Request request = simple("H100", 1).with(lots);
        lots.clear();
        assertEquals(1, request.others().size());
        assertEquals(Optional.empty(), request.slot());
    }

    private static void refused(String named, Executable make) {
        var refusal = assertThrows(IllegalArgumentException.class, make);
        String message = String.valueOf(refusal.getMessage());
        assertTrue(message.contains(named), () -> "\"" + message + "\" does not name " + named);
    }
}
