package org.computehive.pricing;

import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/** Makes observations of single rows. Immutable and thread-safe. */
final class RowParts {
    private static final Set<String> HYPERSCALERS =
            Set.of("aws", "azure", "gcp", "oracle", "oraclecloud", "google", "googlecloud", "amazon", "alibaba", "ibm");
    /** One provider under several names. */
    private static final Map<String, String> ALIASES = Map.ofEntries(
            Map.entry("vastai", "vast"),
            Map.entry("verda", "datacrunch"),
            Map.entry("oracleoci", "oraclecloud"),
            Map.entry("oracle", "oraclecloud"),
            Map.entry("oci", "oraclecloud"),
            Map.entry("linode", "akamai"),
            Map.entry("amazon", "aws"),
            Map.entry("google", "gcp"),
            Map.entry("googlecloud", "gcp"),
            Map.entry("microsoftazure", "azure"),
            Map.entry("crusoe", "crusoecloud"),
            Map.entry("lambdacloud", "lambda"),
            Map.entry("runpodio", "runpod"));

    private final GpuCatalogue catalogue;

    /** Gpus that the catalogue lacks are taken with what their row says of them. */
    RowParts(GpuCatalogue catalogue) {
        this.catalogue = catalogue;
    }

    List<Observation> machine(Csv line, LocalDate day) {
        double counted = line.number("GPUs");
        int count = (int) counted;
        if (count < 1 || count != counted) {
            throw new IllegalArgumentException("GPUs \"%s\" is not 1 to 64".formatted(line.text("GPUs")));
        }
        String provider = provider(line.text("Cloud"));
        GpuFacts gpu = gpu(line.text("GPU Type"), OptionalDouble.empty(), OptionalDouble.empty());
        var prices = new ArrayList<Observation>();
        for (String column : List.of("On-demand", "Spot")) {
            boolean spot = column.equals("Spot");
            if (spot && (line.text(column).isEmpty() || line.number(column) <= 0)) {
                continue;
            }
            prices.add(new Observation(
                    gpu,
                    provider,
                    tier(provider),
                    count,
                    line.amount("vCPUs"),
                    line.amount("RAM"),
                    line.number(column) / count,
                    day,
                    spot ? Set.of("spot") : Set.of(),
                    String.join(
                            "/", "machine", provider, gpu.name(), count + "", line.text("vCPUs"), line.text("RAM"))));
        }
        return prices;
    }

    /** A price that still held when it was last seen is two observations: one of each day. */
    List<Observation> offer(Csv line) {
        LocalDate last = day("last_seen", line.text("last_seen"));
        LocalDate first = line.text("first_seen").isEmpty() ? last : day("first_seen", line.text("first_seen"));
        return first.isBefore(last) ? List.of(offer(line, first), offer(line, last)) : List.of(offer(line, first));
    }

    private Observation offer(Csv line, LocalDate day) {
        String provider = provider(line.text("provider"));
        String label = line.text("gpu_label"); // Tells the form, which the gpu column leaves out.
        GpuFacts gpu = gpu(label.isEmpty() ? line.text("gpu") : label, line.amount("vram_gb"), OptionalDouble.empty());
        int count = (int) line.amount("num_gpus").orElse(1);
        var traits = new TreeSet<String>();
        String billing = line.text("billing").toLowerCase(Locale.ROOT);
        if (billing.contains("spot") || billing.contains("interruptible") || billing.contains("preempt")) {
            traits.add("spot");
        } else if (!billing.isEmpty() && !billing.equals("on-demand")) {
            traits.add(billing);
        }
        String kind = line.text("provider_type").toLowerCase(Locale.ROOT);
        if (!kind.isEmpty()) {
            traits.add("kind:" + kind);
        }
        if (line.text("source_kind").equalsIgnoreCase("list")) {
            traits.add("list");
        }
        String country = line.text("country");
        if (!country.isEmpty()) {
            traits.add("country:" + country);
        }
        String region = line.text("region");
        if (!region.isEmpty()) {
            traits.add("region:" + region);
        }
        line.amount("reliability").ifPresent(share -> {
            if (share < .98) {
                traits.add("unreliable");
            }
            if (share < .9) {
                traits.add("very unreliable");
            }
        });
        return new Observation(
                gpu,
                provider,
                kind.equals("hyperscaler") ? Observation.Tier.HYPERSCALER : tier(provider),
                Math.max(1, count),
                OptionalDouble.empty(),
                OptionalDouble.empty(),
                line.number("usd_per_gpu_hr"),
                day,
                traits,
                // A host asks anew every hour, on demand and spot: all of that is one offer.
                String.join("/", "offer", provider, gpu.name(), region));
    }

    Optional<Observation> marketplace(Csv line) {
        String state = line.text("state");
        String verified = line.text("verified");
        if (state.equals("all") || verified.equals("all")) {
            return Optional.empty();
        }
        if (line.text("price_median").isEmpty()
                || line.amount("count").orElse(1) == 0
                || line.number("price_median") == 0) {
            return Optional.empty();
        }
        GpuFacts gpu = gpu(line.text("gpu"), line.amount("vram_gb"), line.amount("tflops"));
        var traits = new TreeSet<>(Set.of("kind:marketplace", "state:" + state));
        if (verified.equals("unverified")) {
            traits.add("unverified");
        }
        return Optional.of(new Observation(
                gpu,
                "vast",
                Observation.Tier.INDEPENDENT,
                1,
                OptionalDouble.empty(),
                OptionalDouble.empty(),
                line.number("price_median"),
                day("timestamp", line.text("timestamp")),
                traits,
                "group/" + gpu.name() + "/" + line.text("gpu")));
    }

    static LocalDate day(String column, String text) {
        try {
            if (text.length() >= 10) {
                return LocalDate.parse(text.substring(0, 10));
            }
        } catch (DateTimeException e) {
            // Said below.
        }
        throw new IllegalArgumentException(
                "%s \"%s\" is not like 2025-10-19T21:01:58Z".formatted(column, Csv.cut(text)));
    }

    GpuFacts gpu(String text, OptionalDouble memoryGib, OptionalDouble tflops) {
        if (text.isBlank() || text.length() > 120) {
            throw new IllegalArgumentException("gpu name \"%s\" is not 1 to 120 characters".formatted(Csv.cut(text)));
        }
        OptionalLong mib = memoryGib.isPresent() && memoryGib.getAsDouble() >= 1
                ? OptionalLong.of(Math.round(memoryGib.getAsDouble() * 1024))
                : OptionalLong.empty();
        if (catalogue.find(text, mib) instanceof GpuCatalogue.Match.Known known) {
            return known.gpu();
        }
        return switch (catalogue.find(text)) {
            case GpuCatalogue.Match.Known known -> known.gpu();
            case GpuCatalogue.Match.Unknown unknown -> {
                GpuName name = GpuName.parse(text);
                double memory = memoryGib.orElse(name.memoryGib().orElse(0));
                if (memory < 1 || name.core().isEmpty()) {
                    throw new IllegalArgumentException("unknown gpu \"%s\"; the nearest known: %s"
                            .formatted(Csv.cut(text), String.join(", ", unknown.nearest())));
                }
                yield catalogue.stranger(name, memory, tflops);
            }
        };
    }

    static Observation.Tier tier(String provider) {
        return HYPERSCALERS.contains(provider) ? Observation.Tier.HYPERSCALER : Observation.Tier.INDEPENDENT;
    }

    /** One provider is spelt in many ways: {@code Latitude.sh} and {@code latitude}, {@code Verda (DataCrunch)}. */
    static String provider(String text) {
        String name = text.toLowerCase(Locale.ROOT)
                .replaceAll("\\([^)]*\\)", "")
                .trim()
                .replaceFirst("\\.[a-z]{2,3}$", "")
                .replaceFirst("\\s*(labs|networks)$", "")
                .replaceAll("[^a-z0-9_]", "");
        return ALIASES.getOrDefault(name, name);
    }
}
