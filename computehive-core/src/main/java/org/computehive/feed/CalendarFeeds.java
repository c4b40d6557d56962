package org.computehive.feed;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.computehive.market.Account;
import org.computehive.once.Answer;
import org.computehive.once.IdempotencyKey;
import org.computehive.once.KeyTakenException;
import org.computehive.once.RequestDigest;
import org.computehive.rental.RentalCalendar;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalStore;

/**
 * Feeds of parties' rentals, each behind a token that is all one needs to read it: who has the URL reads the calendar.
 *
 * <p>Thread-safe.
 *
 * <h2>Security guarantees</h2>
 *
 * A token can't be forged or changed without the key (HMAC-SHA256, compared in constant time). It shows what its scope says
 * of one party and allows nothing else. {@link #revoke} ends every token of a party at once, on every replica, for good. A
 * text that is no token of ours costs no look into the store; how many feeds are made at the same time is limited, and one
 * is made again only after some seconds. No token is logged or kept.
 */
public final class CalendarFeeds {
    /** How often subscribers are asked to look. */
    public static final Duration REFRESH = Duration.ofHours(1);

    private static final Duration FRESH = Duration.ofSeconds(15);
    private static final int REMEMBERED = 32;
    private static final int AT_ONCE = 4;
    private static final int PATIENCE_SECONDS = 5;

    private final FeedStore generations;
    private final FeedKeys keys;
    private final FeedContent content;
    private final InstantSource clock;
    private final Semaphore turns = new Semaphore(AT_ONCE, true);
    private final Map<Subject, Made> made = Collections.synchronizedMap(new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Subject, Made> eldest) {
            return size() > REMEMBERED;
        }
    });

    private record Subject(Account party, FeedScope scope) {}

    private record Made(Instant at, Feed feed) {}

    /**
     * Creates feeds beside an engine, on the same store.
     *
     * @param store where rentals and listings are kept
     * @param generations what makes tokens revocable; commonly the same object
     * @param keys what signs tokens; all replicas have the same
     * @param calendar how rentals look, the same as the engine's
     * @param clock the engine's
     */
    public CalendarFeeds(
            RentalStore store, FeedStore generations, FeedKeys keys, RentalCalendar calendar, InstantSource clock) {
        this.generations = generations;
        this.keys = keys;
        this.content = new FeedContent(store, calendar);
        this.clock = clock;
    }

    /**
     * Returns a token that reads a party's feed until it is revoked.
     *
     * @param party whose; the caller made sure that the party asks for it
     * @param scope what is shown
     */
    public String token(Account party, FeedScope scope) {
        return token(party, scope, FeedToken.NEVER);
    }

    /**
     * Returns a token that reads a party's feed until an instant, or until it is revoked.
     *
     * @param expires when it ends, cut to whole seconds
     * @throws IllegalArgumentException if that is not in the future
     */
    public String token(Account party, FeedScope scope, Instant expires) {
        if (!expires.isAfter(clock.instant())) {
            throw new IllegalArgumentException("expiry %s is over: give one in the future".formatted(expires));
        }
        return token(party, scope, expires.getEpochSecond());
    }

    private String token(Account party, FeedScope scope, long expires) {
        return new FeedToken(keys.current(), scope, generations.feedGeneration(party), expires, party).sign(keys);
    }

    /** Ends every token of a party that was made so far. */
    public void revoke(Account party) {
        generations.raiseFeedGeneration(party);
    }

    /**
     * Ends every token of a party that was made so far, once for a key: asked again, also after a restart or on another
     * replica, it ends none that was made since.
     *
     * @param key the party's name for the request, among its keys of {@link org.computehive.rental.RentalEngine#once}
     * @throws RentalException.KeyReused if the key had another request
     */
    public void revoke(Account party, IdempotencyKey key) {
        String request = RequestDigest.of("revokeFeeds", party);
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        try {
            generations.raiseFeedGeneration(party, new Answer(party, key, request, now, "feeds-revoked.v1", "{}"));
        } catch (KeyTakenException e) {
            generations
                    .answer(party, key)
                    .filter(answer -> !answer.request().equals(request))
                    .ifPresent(other -> {
                        throw RentalException.KeyReused.by(other);
                    });
        }
    }

    /**
     * Returns the feed that a token reads.
     *
     * @param token what stands in the URL
     * @return empty if it is no token of ours, was revoked, or is over: which of these is not told
     * @throws FeedException if too many are asked for at the same time
     */
    public Optional<Feed> read(String token) {
        Instant now = clock.instant();
        return FeedToken.verify(token, keys)
                .filter(valid -> !valid.isOver(now))
                .filter(valid -> generations.feedGeneration(valid.party()) == valid.generation())
                .map(valid -> feed(new Subject(valid.party(), valid.scope()), now));
    }

    private Feed feed(Subject subject, Instant now) {
        Made before = made.get(subject);
        if (before != null && now.isBefore(before.at().plus(FRESH)) && !now.isBefore(before.at())) {
            return before.feed();
        }
        takeTurn();
        try {
            FeedContent.Calendar calendar = content.of(subject.party(), subject.scope(), now);
            var feed = new Feed(calendar.text(), '"' + digest(calendar.text()) + '"', calendar.modified());
            made.put(subject, new Made(now, feed));
            return feed;
        } finally {
            turns.release();
        }
    }

    private void takeTurn() {
        try {
            if (turns.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new FeedException("too many feeds are read at the same time: try again in a minute");
    }

    private static String digest(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
