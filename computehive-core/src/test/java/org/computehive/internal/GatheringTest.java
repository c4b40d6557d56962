package org.computehive.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GatheringTest {
    @Test
    void ask_alone_isAnsweredOnTheCallersThread() {
        var gathering =
                new Gathering<Integer, Thread>(10, asked -> asked.forEach(each -> each.answer(Thread.currentThread())));
        assertEquals(Thread.currentThread(), gathering.ask(1));
    }

    @Test
    void goesOn_saysWhetherOthersWaitForTheWorkAtHand() throws Exception {
        var begun = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var said = new ConcurrentHashMap<Integer, Boolean>();
        var gathering = new AtomicReference<Gathering<Integer, Boolean>>();
        gathering.set(new Gathering<>(1, asked -> {
            begun.countDown();
            await(goOn);
            asked.forEach(each -> {
                said.put(each.question(), gathering.get().goesOn());
                each.answer(true);
            });
        }));
        assertFalse(gathering.get().goesOn(), "nobody asked");
        try (var pool = Executors.newCachedThreadPool()) {
            Future<Boolean> first = pool.submit(() -> gathering.get().ask(1));
            await(begun);
            assertFalse(gathering.get().goesOn(), "who is served does not wait");
            Future<Boolean> second = pool.submit(() -> gathering.get().ask(2));
            while (!gathering.get().goesOn()) {
                Thread.onSpinWait();
            }
            goOn.countDown();
            assertTrue(first.get(30, TimeUnit.SECONDS) && second.get(30, TimeUnit.SECONDS));
        }
        assertEquals(Map.of(1, true, 2, false), said);
        assertFalse(gathering.get().goesOn());
    }

    @Test
    void questionsThatComeWhileOneIsAtWork_areDoneTogether_inOrder_andNotMoreThanTheMost() throws Exception {
        var begun = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        List<List<Integer>> batches = new ArrayList<>();
        var gathering = new Gathering<Integer, Integer>(3, asked -> {
            batches.add(asked.stream().map(Gathering.Asked::question).toList());
            begun.countDown();
            await(goOn);
            asked.forEach(each -> each.answer(-each.question()));
        });
        try (var pool = Executors.newCachedThreadPool()) {
            List<Future<Integer>> answers = new ArrayList<>();
            answers.add(pool.submit(() -> gathering.ask(0)));
            await(begun);
            for (int i = 1; i <= 7; i++) {
                int question = i;
                var thread = new Thread[1];
                var entered = new CountDownLatch(1);
                answers.add(pool.submit(() -> {
                    thread[0] = Thread.currentThread();
                    entered.countDown();
                    return gathering.ask(question);
                }));
                await(entered);
                while (thread[0].getState() != Thread.State.WAITING) {
                    Thread.onSpinWait();
                }
            }
            goOn.countDown();
            for (int i = 0; i <= 7; i++) {
                assertEquals(-i, answers.get(i).get());
            }
        }
        assertEquals(List.of(List.of(0), List.of(1, 2, 3), List.of(4, 5, 6), List.of(7)), batches);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void workThatThrows_failsWhatItHadNotAnswered_andTheNextGoOn() {
        var gathering = new Gathering<Integer, Integer>(10, asked -> {
            if (asked.getFirst().question() == 1) {
                throw new IllegalStateException("one");
            }
            asked.forEach(each -> each.answer(0));
        });
        assertThrows(IllegalStateException.class, () -> gathering.ask(1));
        assertEquals(0, gathering.ask(2));
    }

    @Test
    void workThatForgetsAQuestion_failsIt() {
        var gathering = new Gathering<Integer, Integer>(10, asked -> {});
        assertThrows(IllegalStateException.class, () -> gathering.ask(1));
    }

    @Test
    void ask_byManyThreads_eachGetsItsOwnAnswerOrFailure_andOneWorksAtATime() throws Exception {
        var atWork = new AtomicInteger();
        var gathering = new Gathering<Integer, Integer>(5, asked -> {
            assertEquals(1, atWork.incrementAndGet());
            for (var each : asked) {
                if (each.question() % 7 == 0) {
                    each.fail(new IllegalArgumentException("" + each.question()));
                } else {
                    each.answer(each.question() * 2);
                }
            }
            atWork.decrementAndGet();
        });
        List<Callable<Object>> tasks = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            int question = i;
            tasks.add(() -> {
                try {
                    return gathering.ask(question);
                } catch (IllegalArgumentException e) {
                    return e.getMessage();
                }
            });
        }
        try (var pool = Executors.newFixedThreadPool(32)) {
            List<Future<Object>> answers = pool.invokeAll(tasks);
            for (int i = 0; i < answers.size(); i++) {
                assertEquals(
                        i % 7 == 0 ? "" + i : (Object) (i * 2), answers.get(i).get());
            }
        }
    }
}
