package org.computehive.pricing;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A gpu's name taken apart: what is left of {@code NVIDIA A100-SXM4-80GB} is the core {@code a100}, the form
 * {@code sxm} and 80 GiB.
 *
 * @param core the letters and digits that name the product
 * @param form {@code sxm}, {@code pcie}, {@code nvl}, {@code ada}, {@code quadro}, {@code pro}, or empty
 * @param memoryGib the memory that the name states
 */
record GpuName(String core, String form, OptionalDouble memoryGib) {
    private static final Pattern BRACKETED = Pattern.compile("\\[([^\\[\\]]+)\\]");
    private static final Pattern MEMORY = Pattern.compile("(?<![a-z0-9.])(\\d{1,4})\\s?(?:gib|gb|g)(?![a-z0-9])");
    private static final Pattern TIMES = Pattern.compile("\\d{1,2}x|x\\d{1,2}");
    /** Marketplaces shorten and join: {@code RTX 4070S Ti}, {@code RTX 4000Ada}, {@code InstinctMI50}. */
    private static final Pattern SHORT_SUPER = Pattern.compile("(?<![a-z0-9])([12345]\\d[5-9]0)(ti)? ?s(?![a-z0-9])");

    private static final Pattern JOINED_ADA = Pattern.compile("(?<=\\d)ada(?![a-z])");
    private static final Pattern JOINED_MAKER =
            Pattern.compile("(?<![a-z])(nvidia|amd|geforce|tesla|instinct|quadro|radeon)(?=[a-z]{0,3}\\d)");
    private static final Pattern JOINED_SXM = Pattern.compile("(?<=[a-z]\\d{2,3})(sxm\\d?|pcie|nvl)(?![a-z])");
    private static final Pattern SUPER_TI = Pattern.compile("(?<=\\d )super ti(?![a-z])");
    private static final Set<String> SILENT = Set.of(
            "nvidia",
            "amd",
            "corporation",
            "geforce",
            "tesla",
            "instinct",
            "radeon",
            "gpu",
            "graphics",
            "card",
            "tensor",
            "core",
            "ampere",
            "hopper",
            "lovelace",
            "turing",
            "volta",
            "pascal",
            "kepler",
            "blackwell",
            "generation",
            "workstation",
            "server",
            "edition",
            "hbm2",
            "hbm2e",
            "hbm3",
            "hbm3e",
            "gddr6",
            "gddr6x",
            "gddr7",
            "vram",
            "memory",
            "form",
            "unstated",
            "nvlink",
            "oam",
            "accelerator",
            "grace",
            "series",
            "superchip");
    private static final Set<String> DISPLAYS = Set.of(
            "virtio", "qxl", "bochs", "cirrus", "emulated", "qemu", "aspeed", "matrox", "stdvga", "vmware", "llvmpipe");

    static GpuName parse(String text) {
        String rest = text.toLowerCase(Locale.ROOT);
        Matcher inside = BRACKETED.matcher(rest);
        if (inside.find()) {
            rest = inside.group(1);
        }
        rest = rest.replace("pci-e", "pcie").replace("pci express", "pcie").replaceAll("[^a-z0-9.]+", " ");
        rest = rest.replaceAll("(?<![a-z])max q(?![a-z])", "maxq").replaceFirst("^q (?=rtx)", "quadro ");
        rest = JOINED_MAKER.matcher(rest).replaceAll("$1 ");
        rest = JOINED_SXM.matcher(JOINED_ADA.matcher(rest).replaceAll(" ada")).replaceAll(" $1");
        rest = SHORT_SUPER.matcher(rest).replaceAll("$1 $2 super").replace("mobile", "laptop");
        rest = SUPER_TI.matcher(rest.replaceAll(" +", " ")).replaceAll("ti super");
        OptionalDouble memory = OptionalDouble.empty();
        Matcher size = MEMORY.matcher(rest);
        if (size.find()) {
            memory = OptionalDouble.of(Double.parseDouble(size.group(1)));
            rest = size.replaceFirst(" ");
        }
        String form = "";
        List<String> core = new ArrayList<>();
        for (String token : rest.trim().split("\\s+", -1)) {
            String found = form(token);
            if (!found.isEmpty()) {
                // "Quadro RTX 6000" and "RTX PRO 6000" keep that form whatever slot they sit in.
                form = form.isEmpty() || found.equals("pro") || found.equals("quadro") ? found : form;
            } else if (!SILENT.contains(token) && !TIMES.matcher(token).matches()) {
                core.add(token);
            }
        }
        String joined = String.join("", core).replaceFirst("^rtx(?=a\\d{4})", "");
        if (joined.matches("10\\d\\d(ti)?")) {
            joined = "gtx" + joined;
        } else if (joined.matches("16\\d\\d(ti)?(super)?")) {
            joined = "gtx" + joined;
        } else if (joined.matches("[2-5]0\\d\\d(ti)?(super)?(d|laptop)?")) {
            joined = "rtx" + joined;
        }
        if (joined.equals("gh200")) {
            memory = OptionalDouble.empty(); // Its driver names the processor's memory ("GH200 480GB").
        }
        return new GpuName(joined, form, memory);
    }

    private static String form(String token) {
        if (token.matches("sxm\\d?|hgx|dgx")) {
            return "sxm";
        }
        return switch (token) {
            case "pcie", "nvl", "ada", "quadro", "pro" -> token;
            default -> "";
        };
    }

    /** Says whether the name is of a display device that computes nothing, such as an emulated one. */
    static boolean isDisplay(String text) {
        for (String token : text.toLowerCase(Locale.ROOT).split("[^a-z0-9]+", -1)) {
            if (DISPLAYS.contains(token)) {
                return true;
            }
        }
        return false;
    }
}
