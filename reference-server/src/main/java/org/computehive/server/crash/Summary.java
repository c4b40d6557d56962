package org.computehive.server.crash;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.computehive.rental.RentalState;

/**
 * What a run did.
 *
 * @param seed what its random instants were drawn from
 * @param kills every kill
 * @param struck the recorded points at which an engine was killed
 * @param recorded how many points were recorded
 * @param missed the recorded points at which none was killed, where each was to be
 * @param lives how many engines were started
 * @param outages how often the database or the chain was cut off
 * @param inTheDark how many escrows were opened while no engine could read the chain
 * @param starts how many milliseconds each engine took to be ready, the shortest first
 * @param ends how many rentals came to each final state
 * @param lived how many rentals went each course as it is meant
 * @param domains how many domains were started
 * @param acknowledged how many promises were made
 * @param took how long it took
 */
record Summary(
        long seed,
        List<Evidence.Kill> kills,
        Set<String> struck,
        int recorded,
        List<String> missed,
        int lives,
        int outages,
        int inTheDark,
        List<Long> starts,
        Map<RentalState, Integer> ends,
        Map<Course, Integer> lived,
        long domains,
        int acknowledged,
        Duration took) {

    /** Returns it line by line. */
    List<String> lines() {
        var lines = new ArrayList<String>();
        lines.add("kills: %d with SIGKILL, %d of them at recorded points".formatted(kills.size(), struck.size()));
        byPlace().forEach((where, count) -> lines.add("  %5d  %s".formatted(count, where)));
        lines.add("points: %d of %d recorded ones were struck%s"
                .formatted(struck.size(), recorded, missed.isEmpty() ? "" : "; not crossed again: " + missed));
        lines.add("engines: %d lives, ready after %s; %d outages".formatted(lives, readyAfter(), outages));
        lines.add("rentals: %d came to a final state: %s"
                .formatted(ends.values().stream().mapToInt(Integer::intValue).sum(), joined(ends)));
        lines.add("courses: " + joined(lived));
        lines.add("seen: %d domains started, %d acknowledgements, %d escrows opened while nobody could read the chain"
                .formatted(domains, acknowledged, inTheDark));
        lines.add("seed %d, took %d s".formatted(seed, took.toSeconds()));
        return lines;
    }

    /** Points by the port or program that they are at, all else by itself. */
    private Map<String, Integer> byPlace() {
        var places = new TreeMap<String, Integer>();
        for (Evidence.Kill kill : kills) {
            boolean atPoint = struck.contains(kill.where());
            String place = kill.where().replaceFirst("[./].*$", "");
            places.merge(atPoint ? "points of " + place : kill.where(), 1, Integer::sum);
        }
        return places;
    }

    private String readyAfter() {
        return starts.isEmpty()
                ? "nothing"
                : "%d ms in the median, %d ms at the most".formatted(starts.get(starts.size() / 2), starts.getLast());
    }

    private static String joined(Map<?, Integer> counts) {
        return counts.entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining(", "));
    }
}
