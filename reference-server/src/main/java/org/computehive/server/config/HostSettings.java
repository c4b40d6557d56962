package org.computehive.server.config;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Function;
import org.computehive.market.NetworkPolicy;
import org.computehive.vm.HostNetwork;
import org.computehive.vm.ImageRules;
import org.computehive.vm.LibvirtHypervisor;
import org.computehive.vm.Tuning;

/**
 * What guests may have of this machine, where a libvirt runs them; see {@link HostNetwork}, {@link ImageRules} and {@link
 * Tuning}, whose defaults these are.
 *
 * @param networks the network policies that a listing may have here: NONE, RESTRICTED, INTERNET
 * @param resolvers the name servers that images with cloud-init are told, IPv4
 * @param networkInBytesPerSecond the most that a session receives
 * @param networkOutBytesPerSecond the most that a session sends
 * @param imageSignersFile a file with a public key in OpenSSH's form per line, one of which must have signed an image; then no
 *     demo image is built, which nobody signed
 * @param imageQuotaMib how much room the images may have together
 * @param memoryLock where-it-swaps, always or never
 * @param hugePageKib the size of the huge pages that guests' memory is made of
 * @param numaNode the one node that guests' memory comes from
 * @param cpus the processors that are set aside for guests, such as 2-7,10
 * @param diskBytesPerSecond the most that a session reads and writes
 * @param diskOperationsPerSecond the most reads and writes of a session
 * @param readyLimit how long a guest may take until it says that it is ready
 */
@ConfigurationProperties("computehive.host")
public record HostSettings(
        @Bindable(defaultValue = "NONE,RESTRICTED,INTERNET") List<String> networks,
        @Bindable(defaultValue = "") List<String> resolvers,
        Optional<String> networkInBytesPerSecond,
        Optional<String> networkOutBytesPerSecond,
        Optional<String> imageSignersFile,
        Optional<String> imageQuotaMib,
        @Bindable(defaultValue = "where-it-swaps") String memoryLock,
        Optional<String> hugePageKib,
        Optional<String> numaNode,
        Optional<String> cpus,
        Optional<String> diskBytesPerSecond,
        Optional<String> diskOperationsPerSecond,
        @Bindable(defaultValue = "PT2M") Duration readyLimit) {
    private static final String PREFIX = "computehive.host.";
    private static final int MOST_CPUS = 4_096;

    /**
     * Returns how VMs are run.
     *
     * @throws ConfigurationException if a value makes no sense
     */
    LibvirtHypervisor.Options options() {
        if (!readyLimit.isPositive()) {
            throw new ConfigurationException(PREFIX + "ready-limit: " + readyLimit + " is no time, such as PT2M", null);
        }
        return new LibvirtHypervisor.Options(
                LibvirtHypervisor.Acceleration.PROBE, readyLimit, InstantSource.system(), network(), tuning());
    }

    /**
     * Returns what guests may have of the network.
     *
     * @throws ConfigurationException if a value makes no sense
     */
    HostNetwork network() {
        var kinds = EnumSet.noneOf(NetworkPolicy.Kind.class);
        for (String network : networks) {
            kinds.add(parse("networks", network, text -> word(NetworkPolicy.Kind.class, text)));
        }
        List<String> asked = resolvers.stream().filter(text -> !text.isBlank()).toList();
        List<String> servers = asked.isEmpty() ? HostNetwork.defaults().resolvers() : asked;
        HostNetwork network = parse("resolvers", servers, list -> new HostNetwork(kinds, list));
        OptionalLong in = number("network-in-bytes-per-second", networkInBytesPerSecond);
        OptionalLong out = number("network-out-bytes-per-second", networkOutBytesPerSecond);
        return parse(
                "network-in-bytes-per-second or network-out-bytes-per-second",
                network,
                one -> one.limiting(new HostNetwork.Bandwidth(in, out)));
    }

    /**
     * Returns how VMs use the machine.
     *
     * @throws ConfigurationException if a value makes no sense
     */
    Tuning tuning() {
        Tuning.MemoryLock lock = parse("memory-lock", memoryLock, text -> word(Tuning.MemoryLock.class, text));
        OptionalInt pages = small("huge-page-kib", hugePageKib);
        OptionalInt node = small("numa-node", numaNode);
        List<Integer> processors =
                cpus.map(text -> parse("cpus", text, HostSettings::processors)).orElse(List.of());
        OptionalLong bytes = number("disk-bytes-per-second", diskBytesPerSecond);
        OptionalLong operations = number("disk-operations-per-second", diskOperationsPerSecond);
        return ConfigurationException.parse(
                "computehive.host",
                lock,
                chosen -> new Tuning(chosen, pages, node, processors, new Tuning.DiskLimits(bytes, operations)));
    }

    /**
     * Returns which images are taken.
     *
     * @throws ConfigurationException if a value makes no sense or the signers can't be read
     */
    ImageRules imageRules() {
        List<String> signers =
                imageSignersFile.map(file -> signers(Path.of(file))).orElse(List.of());
        OptionalLong quota = number("image-quota-mib", imageQuotaMib);
        return parse(
                imageSignersFile.isPresent() ? "image-signers-file or image-quota-mib" : "image-quota-mib",
                signers,
                keys -> new ImageRules(keys, quota.orElse(ImageRules.NONE.quotaMiB())));
    }

    private static List<String> signers(Path file) {
        String key = PREFIX + "image-signers-file";
        List<String> keys =
                PublicKeys.read(key, file).stream().map(PublicKeys.Line::text).toList();
        if (keys.isEmpty()) {
            throw new ConfigurationException(
                    "%s: %s has no key; without the key images need no signature".formatted(key, file), null);
        }
        return keys;
    }

    private static List<Integer> processors(String text) {
        var found = new ArrayList<Integer>();
        for (String part : text.split(",", -1)) {
            String[] ends = part.strip().split("-", 2);
            int first = Integer.parseInt(ends[0]);
            int last = Integer.parseInt(ends[ends.length - 1]);
            if (first < 0 || last < first || last > MOST_CPUS) {
                throw new IllegalArgumentException("processors %s: use numbers and ranges from 0 to %d, such as 2-7,10"
                        .formatted(part, MOST_CPUS));
            }
            for (int cpu = first; cpu <= last; cpu++) {
                found.add(cpu);
            }
        }
        return found;
    }

    static <E extends Enum<E>> E word(Class<E> type, String text) {
        for (E constant : type.getEnumConstants()) {
            if (constant.name().equals(text.strip().toUpperCase(Locale.ROOT).replace('-', '_'))) {
                return constant;
            }
        }
        throw new IllegalArgumentException("%s is not one of %s"
                .formatted(text, List.of(type.getEnumConstants()).toString().toLowerCase(Locale.ROOT)));
    }

    private static OptionalLong number(String key, Optional<String> value) {
        return value.map(text -> OptionalLong.of(parse(key, text.strip(), Long::parseLong)))
                .orElse(OptionalLong.empty());
    }

    private static OptionalInt small(String key, Optional<String> value) {
        return value.map(text -> OptionalInt.of(parse(key, text.strip(), Integer::parseInt)))
                .orElse(OptionalInt.empty());
    }

    private static <T, R> R parse(String key, T value, Function<T, R> type) {
        return ConfigurationException.parse(PREFIX + key, value, type);
    }
}
