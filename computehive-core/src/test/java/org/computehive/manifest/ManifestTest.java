package org.computehive.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.computehive.manifest.Difference.Effect;
import org.computehive.manifest.Setup.Device;
import org.computehive.manifest.Setup.Image;
import org.computehive.manifest.Setup.Machine;
import org.junit.jupiter.api.Test;

class ManifestTest {
    private static final Device H100 = new Device("NVIDIA H100 SXM 80GB", "10de:2330", 81_559, false);
    private static final Device L4 = new Device("NVIDIA L4", "10de:27b8", 23_034, false);

    private static Manifest manifest(Map<String, String> software, Device... devices) {
        var setup = new Setup(
                new Image("ubuntu", new TreeMap<>(Map.of("kernel", "ab".repeat(32)))),
                new Machine(8, 16_384, 1_024, new TreeMap<>(Map.of("machine", "q35", "acceleration", "kvm"))),
                List.of(devices),
                new TreeMap<>(software),
                "none but the forwarded SSH port");
        return new Manifest(setup, new TreeMap<>(Map.of("rental", "0".repeat(26), "rate", "5")));
    }

    @Test
    void json_isCanonical() {
        assertEquals(
                "{\"setup\":{\"devices\":[{\"emulated\":false,\"memory_mib\":23034,\"model\":\"NVIDIA L4\",\"pci_id\":\"10de:27b8\"}],"
                        + "\"image\":{\"name\":\"ubuntu\",\"sha256\":{\"kernel\":\"" + "ab".repeat(32) + "\"}},"
                        + "\"machine\":{\"cpus\":8,\"disk_mib\":1024,\"layout\":{\"acceleration\":\"kvm\",\"machine\":\"q35\"},\"memory_mib\":16384},"
                        + "\"network\":\"none but the forwarded SSH port\",\"software\":{\"libvirt\":\"9.0.0\",\"qemu\":\"7.2.22\"}},"
                        + "\"terms\":{\"rate\":\"5\",\"rental\":\"" + "0".repeat(26) + "\"},\"v\":1}",
                manifest(Map.of("qemu", "7.2.22", "libvirt", "9.0.0"), L4).json());
    }

    @Test
    void sha256_isOfTheText() throws Exception {
        Manifest manifest = manifest(Map.of("qemu", "7.2.22"), H100);

        assertArrayEquals(
                MessageDigest.getInstance("SHA-256").digest(manifest.json().getBytes(UTF_8)), manifest.sha256());
    }

    @Test
    void setupThatIsTooLong_isNotWritten_andTheLongestIsReadBack() {
        String longest = "x"
                .repeat(Setup.MOST_CHARACTERS
                        - manifest(Map.of("qemu", "")).setup().json().length());
        Manifest fits = manifest(Map.of("qemu", longest));
        assertEquals(Setup.MOST_CHARACTERS, fits.setup().json().length());
        assertEquals(fits.setup(), Setup.parse(fits.setup().json()));
        assertEquals(fits, Manifest.parse(fits.json()));

        Setup over = manifest(Map.of("qemu", longest + "x")).setup();
        var refused = assertThrows(Setup.TooLong.class, over::json);
        assertTrue(refused.getMessage().contains("65537 characters"), refused.getMessage());
    }

    @Test
    void orderOfDevices_makesNoDifference() {
        assertEquals(manifest(Map.of(), H100, L4), manifest(Map.of(), L4, H100));
    }

    @Test
    void parse_givesBackWhatWasWritten() {
        Manifest manifest = manifest(Map.of("driver \"x\"\n\u0001é€😀", "1\\2"), H100, H100);

        assertEquals(manifest, Manifest.parse(manifest.json()));
    }

    @Test
    void setup_isReadBackByItself() {
        Setup setup = manifest(Map.of("qemu", "7.2.22"), H100).setup();

        assertEquals(setup, Setup.parse(setup.json()));
        assertThrows(IllegalArgumentException.class, () -> Setup.parse(setup.json() + " "));
    }

    @Test
    void parse_ofAnythingNotCanonical_isRefused() {
        String text = manifest(Map.of("qemu", "7.2.22"), H100).json();

        for (String other : List.of(
                " " + text,
                text + " ",
                text.replace("\"v\":1", "\"v\":1,\"w\":2"),
                text.replace("\"v\":1", "\"v\":1.0"),
                text.replace("\"v\":1", "\"v\":2"),
                text.replace("\"cpus\":8", "\"cpus\":\"8\""),
                text.replace("qemu", "\\u0071emu"),
                text.replace("\"network\"", "\"netwerk\""),
                text.replace("\"v\":1", "\"v\":1,\"v\":1"),
                "null",
                "[]",
                "",
                "{".repeat(100_000))) {
            assertThrows(IllegalArgumentException.class, () -> Manifest.parse(other), other);
        }
    }

    @Test
    void flippingAnyCharacter_givesAnotherHashOrIsRefused() {
        Manifest manifest = manifest(Map.of("qemu", "7.2.22"), H100);
        String text = manifest.json();

        for (int i = 0; i < text.length(); i++) {
            String flipped = text.substring(0, i) + (char) (text.charAt(i) ^ 1) + text.substring(i + 1);
            try {
                assertNotEquals(
                        HexFormat.of().formatHex(manifest.sha256()),
                        HexFormat.of().formatHex(Manifest.parse(flipped).sha256()),
                        flipped);
            } catch (IllegalArgumentException refused) {
                assertTrue(refused.getMessage().startsWith("manifest"), refused.getMessage());
            }
        }
    }

    @Test
    void loneSurrogate_isRefused() {
        assertThrows(
                IllegalArgumentException.class,
                () -> manifest(Map.of("x", "\ud800"), H100).json());
    }

    @Test
    void differences_nameWhatIsOther() {
        Manifest was = manifest(Map.of("qemu", "7.2.22", "driver", "550"), H100);
        Manifest now = manifest(Map.of("qemu", "10.0.0"), L4);

        List<Difference> differences = was.setup().differences(now.setup());

        assertEquals(4, differences.size(), differences.toString());
        assertTrue(differences.stream()
                .anyMatch(difference -> difference.toString().equals("software/qemu: 7.2.22 -> 10.0.0")
                        && difference.effect() == Effect.VARIANT));
        assertTrue(differences.stream()
                .anyMatch(difference ->
                        difference.path().equals("software/driver") && difference.effect() == Effect.UNKNOWN));
        assertEquals(
                2,
                differences.stream()
                        .filter(difference -> difference.effect() == Effect.OTHER)
                        .count());
    }

    @Test
    void fewerDevicesOfTheSameModel_areADifference() {
        assertEquals(
                List.of(Effect.OTHER),
                manifest(Map.of(), H100, H100)
                        .setup()
                        .differences(manifest(Map.of(), H100).setup())
                        .stream()
                        .map(Difference::effect)
                        .toList());
    }

    @Test
    void sameAgain_hasNoDifferences() {
        assertEquals(
                List.of(),
                manifest(Map.of("qemu", "7.2.22"), H100)
                        .setup()
                        .differences(manifest(Map.of("qemu", "7.2.22"), H100).setup()));
    }
}
