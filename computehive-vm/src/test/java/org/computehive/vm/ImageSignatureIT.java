package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.computehive.rental.HypervisorException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images signed by the real {@code ssh-keygen}. */
class ImageSignatureIT {
    @TempDir
    private Path folder;

    private Path image;
    private ImageCatalogue catalogue;

    @BeforeEach
    void makeSignedImage() throws IOException {
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "releases of example.org", "-f", at("signer"));
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", at("stranger"));
        image = SmallImage.of(folder.resolve("store"), "small", 4);
        sign("signer", ImageManifest.PURPOSE);
        var signers = List.of(Files.readString(folder.resolve("signer.pub")));
        catalogue = ImageCatalogue.in(folder.resolve("cached"), new ImageRules(signers, 100));
    }

    private String at(String name) {
        return folder.resolve(name).toString();
    }

    private void sign(String key, String purpose, String... more) throws IOException {
        Files.deleteIfExists(image.resolve(ImageCatalogue.SIGNATURE));
        var argv = new ArrayList<>(List.of("ssh-keygen", "-q", "-Y", "sign", "-n", purpose, "-f", at(key)));
        argv.addAll(List.of(more));
        argv.add(image.resolve(ImageCatalogue.MANIFEST).toString());
        run(argv.toArray(String[]::new));
    }

    private static void run(String... argv) {
        Tool.Outcome outcome = Tool.run(List.of(argv), Duration.ofSeconds(20), "openssh-client");
        assertTrue(outcome.succeeded(), outcome::toString);
    }

    private String refusal() {
        var refused = assertThrows(
                HypervisorException.Refused.class, () -> catalogue.add("small", ImageSource.folder(image)));
        assertEquals(List.of(), catalogue.names());
        return String.valueOf(refused.getMessage());
    }

    @Test
    void signedImage_isTaken_withEitherHash() throws IOException {
        catalogue.add("small", ImageSource.folder(image));
        assertEquals("small", catalogue.verified("small").name());
        RuntimeFolder.delete(catalogue.folder().resolve("small"));
        sign("signer", ImageManifest.PURPOSE, "-O", "hashalg=sha256");
        catalogue.add("small", ImageSource.folder(image));
        assertEquals("small", catalogue.verified("small").name());
    }

    @Test
    void signatureOfAStranger_isRefused() throws IOException {
        sign("stranger", ImageManifest.PURPOSE);
        assertTrue(refusal().contains("not signed by any"));
    }

    @Test
    void signatureForAnotherPurpose_isRefused() throws IOException {
        sign("signer", "file");
        assertTrue(refusal().contains("not signed by any"));
    }

    @Test
    void signatureOfAnotherKindOfKey_isRefused() throws IOException {
        run("ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-C", "", "-f", at("ecdsa"));
        sign("ecdsa", ImageManifest.PURPOSE);
        assertTrue(refusal().contains("Ed25519"));
        String key = Files.readString(folder.resolve("ecdsa.pub"));
        assertThrows(IllegalArgumentException.class, () -> new ImageRules(List.of(key), 1));
    }

    @Test
    void manifestOrSignature_changedInOneByte_isRefused() throws IOException {
        for (String name : List.of(ImageCatalogue.MANIFEST, ImageCatalogue.SIGNATURE)) {
            byte[] bytes = Files.readAllBytes(image.resolve(name));
            for (int i = 0; i < bytes.length; i += 7) {
                byte[] changed = bytes.clone();
                changed[i] ^= 1;
                Files.write(image.resolve(name), changed);
                if (name.equals(ImageCatalogue.MANIFEST) || isPartOfTheSignature(bytes, i)) {
                    refusal();
                }
            }
            Files.write(image.resolve(name), bytes);
        }
        catalogue.add("small", ImageSource.folder(image));
    }

    /** Line ends and the last characters before padding carry no bits. */
    private static boolean isPartOfTheSignature(byte[] text, int at) {
        return Character.isLetterOrDigit(text[at]) && Character.isLetterOrDigit(text[at] ^ 1);
    }

    @Test
    void missingSignature_isRefused_alsoOfWhatIsInTheFolder() throws IOException {
        catalogue.add("small", ImageSource.folder(image));
        Files.delete(catalogue.folder().resolve("small").resolve(ImageCatalogue.SIGNATURE));
        assertThrows(HypervisorException.Refused.class, () -> catalogue.verified("small"));
        assertTrue(catalogue.platforms().isEmpty(), "it is not on offer either");
    }

    @Test
    void signedImage_underAnotherName_isRefused() {
        var refused = assertThrows(
                HypervisorException.Refused.class, () -> catalogue.add("other", ImageSource.folder(image)));
        assertTrue(String.valueOf(refused.getMessage()).contains("small"), refused::getMessage);
    }

    @Test
    void imageOverHttp_isTakenWhole_orNotAtAll() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/small/", exchange -> {
            Path file =
                    image.resolve(Path.of(exchange.getRequestURI().getPath()).getFileName());
            if (Files.exists(file)) {
                byte[] bytes = Files.readAllBytes(file);
                exchange.sendResponseHeaders(200, bytes.length == 0 ? -1 : bytes.length);
                exchange.getResponseBody().write(bytes);
            } else {
                exchange.sendResponseHeaders(404, -1);
            }
            exchange.close();
        });
        server.start();
        try {
            URI address = URI.create(
                    "http://127.0.0.1:%d/small/".formatted(server.getAddress().getPort()));
            byte[] kernel = Files.readAllBytes(image.resolve("vmlinux"));
            Files.delete(image.resolve("vmlinux"));
            var lacking = assertThrows(
                    HypervisorException.Lacking.class, () -> catalogue.add("small", ImageSource.web(address)));
            assertTrue(String.valueOf(lacking.getMessage()).contains("404"), lacking::getMessage);
            Files.write(image.resolve("vmlinux"), kernel);
            catalogue.add("small", ImageSource.web(address));
            assertEquals("small", catalogue.verified("small").name());
        } finally {
            server.stop(0);
        }
    }
}
