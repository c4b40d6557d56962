package org.computehive.vm;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Where images come from: the files of one image, by name. What it gives is not trusted before it was verified. */
public interface ImageSource {
    /**
     * Opens a file of the image.
     *
     * @param fileName a plain file name
     * @throws IOException if there is no such file, or it can't be read
     */
    InputStream open(String fileName) throws IOException;

    /** Returns an image that lies in a folder, such as one of a mounted store. */
    static ImageSource folder(Path folder) {
        return fileName -> Files.newInputStream(folder.resolve(fileName));
    }

    /**
     * Returns an image whose files lie below an address.
     *
     * @param address an http or https address that ends in a slash
     * @throws IllegalArgumentException if it is another
     */
    static ImageSource web(URI address) {
        String scheme = String.valueOf(address.getScheme());
        if (!(scheme.equals("https") || scheme.equals("http"))
                || !String.valueOf(address.getPath()).endsWith("/")) {
            throw new IllegalArgumentException("image address must be http or https and end in a slash");
        }
        return fileName -> {
            HttpClient client = HttpClient.newBuilder()
                    .connectTimeout(Duration.ofSeconds(20))
                    .followRedirects(HttpClient.Redirect.NORMAL)
                    .build();
            try {
                HttpResponse<InputStream> response = client.send(
                        HttpRequest.newBuilder(address.resolve(fileName)).build(),
                        HttpResponse.BodyHandlers.ofInputStream());
                if (response.statusCode() != 200) {
                    response.body().close();
                    throw new IOException("%s answers %d".formatted(address.resolve(fileName), response.statusCode()));
                }
                return response.body();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while an image was fetched", e);
            }
        };
    }
}
