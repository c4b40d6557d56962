package org.computehive.vm.proxmox;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import okhttp3.ConnectionPool;
import okhttp3.FormBody;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.MultipartBody;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.computehive.rental.HypervisorException;

/** Proxmox VE's REST API: calls, tasks, and what an answer means. Thread-safe. */
final class ProxmoxApi implements AutoCloseable {
    private static final ObjectMapper JSON = JsonMapper.builder().build();
    private static final int LOCK_TRIES = 20;
    private static final long MOST_BYTES = 8L << 20;

    private final ProxmoxSettings settings;
    private final OkHttpClient client;
    private final HttpUrl root;
    private volatile boolean closed;

    ProxmoxApi(ProxmoxSettings settings) {
        this.settings = settings;
        this.root = HttpUrl.get(settings.address().toString())
                .newBuilder()
                .addPathSegments("api2/json")
                .build();
        this.client = PinnedTls.apply(new OkHttpClient.Builder(), settings.trust())
                .callTimeout(settings.limits().call())
                .connectTimeout(settings.limits().call())
                .readTimeout(settings.limits().call())
                // A call that was perhaps carried out is never sent again by itself, nor on a connection that may be
                // dead.
                .retryOnConnectionFailure(false)
                .connectionPool(new ConnectionPool(2, 1, TimeUnit.SECONDS))
                .followRedirects(false)
                .followSslRedirects(false)
                .build();
    }

    JsonNode get(String path, Map<String, String> query) {
        HttpUrl.Builder url = url(path);
        query.forEach(url::addQueryParameter);
        return ask(new Request.Builder().url(url.build()).get());
    }

    JsonNode post(String path, Map<String, String> form) {
        return unlocked(new Request.Builder().url(url(path).build()).post(body(form)));
    }

    JsonNode put(String path, Map<String, String> form) {
        return unlocked(new Request.Builder().url(url(path).build()).put(body(form)));
    }

    JsonNode delete(String path, Map<String, String> query) {
        HttpUrl.Builder url = url(path);
        query.forEach(url::addQueryParameter);
        return unlocked(new Request.Builder().url(url.build()).delete());
    }

    /** Deletes a volume; the slash in its name is part of it. */
    JsonNode deleteVolume(String path, String volume) {
        return unlocked(new Request.Builder()
                .url(url(path).addPathSegment(volume).build())
                .delete());
    }

    /** Uploads an ISO image. */
    JsonNode upload(String path, String name, byte[] content) {
        var body = new MultipartBody.Builder()
                .setType(MultipartBody.FORM)
                .addFormDataPart("content", "iso")
                .addFormDataPart(
                        "filename", name, RequestBody.create(content, MediaType.get("application/octet-stream")))
                .build();
        return ask(new Request.Builder().url(url(path).build()).post(body));
    }

    /**
     * Waits for a task.
     *
     * @param upid its name, as the call that began it gave it
     * @throws HypervisorException.Lacking if it failed
     * @throws HypervisorException.Unreachable if it did not end in time
     */
    void await(String what, JsonNode upid) {
        String name = upid.asText();
        if (!name.startsWith("UPID:")) {
            throw new HypervisorException.Unreachable("%s gave no task but %s".formatted(what, clean(name)), null);
        }
        long end = System.nanoTime() + settings.limits().task().toNanos();
        while (true) {
            JsonNode task = get("nodes/%s/tasks/%s/status".formatted(settings.node(), name), Map.of());
            if (task.path("status").asText().equals("stopped")) {
                String exit = task.path("exitstatus").asText();
                if (!exit.equals("OK") && !exit.startsWith("WARNINGS")) {
                    throw new HypervisorException.Lacking("%s failed: %s".formatted(what, clean(exit)), null);
                }
                return;
            }
            if (System.nanoTime() > end) {
                throw new HypervisorException.Unreachable(
                        "%s has not ended after %s: look at task %s"
                                .formatted(what, settings.limits().task(), name),
                        null);
            }
            pause(settings.limits().poll());
        }
    }

    static void pause(Duration time) {
        LockSupport.parkNanos(time.toNanos());
        if (Thread.interrupted()) {
            Thread.currentThread().interrupt();
            throw new HypervisorException.Unreachable("interrupted while waiting for Proxmox VE", null);
        }
    }

    private HttpUrl.Builder url(String path) {
        HttpUrl.Builder url = root.newBuilder();
        for (String segment : path.split("/", -1)) {
            url.addPathSegment(segment);
        }
        return url;
    }

    private static FormBody body(Map<String, String> form) {
        var body = new FormBody.Builder();
        form.forEach(body::add);
        return body.build();
    }

    /** Asks again while another task holds a VM's lock. */
    private JsonNode unlocked(Request.Builder request) {
        for (int tries = 1; ; tries++) {
            try {
                return ask(request);
            } catch (HypervisorException.Lacking e) {
                String message = String.valueOf(e.getMessage());
                boolean locked = message.contains("is locked") || message.contains("can't lock file");
                if (!locked || tries == LOCK_TRIES) {
                    throw e;
                }
                pause(settings.limits().poll());
            }
        }
    }

    private JsonNode ask(Request.Builder builder) {
        if (closed) {
            throw new HypervisorException.Unreachable("this hypervisor is closed: open another", null);
        }
        Request request =
                builder.header("Authorization", settings.token().header()).build();
        String what = request.method() + " " + request.url().encodedPath();
        try (Response response = client.newCall(request).execute()) {
            String text = response.peekBody(MOST_BYTES).string();
            if (response.code() == 200) {
                return JSON.readTree(text).path("data");
            }
            throw failure(what, response, text);
        } catch (JsonProcessingException e) {
            throw new HypervisorException.Unreachable("%s was not answered in JSON".formatted(what), e);
        } catch (IOException e) {
            throw new HypervisorException.Unreachable(
                    "Proxmox VE at %s does not answer %s (%s): check its address, its certificate and the network"
                            .formatted(settings.address(), what, clean(String.valueOf(e.getMessage()))),
                    e);
        }
    }

    private HypervisorException failure(String what, Response response, String body) {
        String said = clean(response.message() + " " + body);
        return switch (response.code()) {
            case 400 -> new HypervisorException.Refused("%s was refused: %s".formatted(what, said), null);
            case 401 ->
                new HypervisorException.Lacking(
                        "Proxmox VE doesn't know token %s: check it and whether it has expired"
                                .formatted(settings.token().id()),
                        null);
            case 403 ->
                new HypervisorException.Lacking(
                        "token %s may not %s (%s): give it the privilege"
                                .formatted(settings.token().id(), what, said),
                        null);
            case 500, 501 -> new HypervisorException.Lacking("%s failed: %s".formatted(what, said), null);
            default ->
                new HypervisorException.Unreachable(
                        "%s was answered by %d %s: try again".formatted(what, response.code(), said), null);
        };
    }

    private static String clean(String text) {
        String line = text.replaceAll("[^\\x20-\\x7e]+", " ").strip();
        return line.substring(0, Math.min(300, line.length()));
    }

    @Override
    public void close() {
        closed = true;
        client.dispatcher().executorService().shutdown();
        client.connectionPool().evictAll();
    }
}
