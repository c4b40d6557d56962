package org.computehive.vm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** Rebuilds a session's disk key from what libvirt keeps while its VM runs, as someone with the host's files could. */
final class LeakedKey {
    private static final Pattern WRAPPED =
            Pattern.compile("\"data\":\"([A-Za-z0-9+/=]+)\",\"keyid\":\"masterKey0\",\"iv\":\"([A-Za-z0-9+/=]+)\"");

    private LeakedKey() {}

    static byte[] rebuild(Path runtime, Path domainLog) throws IOException, GeneralSecurityException {
        Matcher wrapped = WRAPPED.matcher(Files.readString(domainLog));
        if (!wrapped.find()) {
            throw new IOException("the log holds no wrapped key");
        }
        Path master;
        try (Stream<Path> files = Files.walk(runtime)) {
            master = files.filter(file -> file.endsWith("master-key.aes"))
                    .findFirst()
                    .orElseThrow(() -> new IOException("no master key"));
        }
        Cipher cipher = Cipher.getInstance("AES/CBC/PKCS5Padding");
        cipher.init(
                Cipher.DECRYPT_MODE,
                new SecretKeySpec(Files.readAllBytes(master), "AES"),
                new IvParameterSpec(Base64.getDecoder().decode(wrapped.group(2))));
        return cipher.doFinal(Base64.getDecoder().decode(wrapped.group(1)));
    }

    /** Returns whether a key opens a disk. */
    static boolean opens(Path disk, byte[] key, Path scratch) throws IOException {
        Path keyFile = scratch.resolve("key");
        Files.write(keyFile, key);
        try {
            var argv = List.of(
                    "qemu-io",
                    "--object",
                    "secret,id=s0,format=raw,file=" + keyFile,
                    "--image-opts",
                    "-r",
                    "driver=qcow2,encrypt.format=luks,encrypt.key-secret=s0,file.locking=off,file.filename=" + disk,
                    "-c",
                    "read 0 4096");
            Tool.Outcome outcome = Tool.run(argv, Duration.ofSeconds(30), "qemu-utils");
            return outcome.succeeded() && outcome.lastLines().contains("read 4096/4096");
        } finally {
            Files.delete(keyFile);
        }
    }

    /** Returns the files below some folders that hold a text. */
    static List<Path> filesWith(byte[] text, Path... folders) throws IOException {
        String wanted = new String(text, StandardCharsets.ISO_8859_1);
        var found = new ArrayList<Path>();
        for (Path folder : folders) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    if (Files.readString(file, StandardCharsets.ISO_8859_1).contains(wanted)) {
                        found.add(file);
                    }
                }
            }
        }
        return found;
    }
}
