package org.computehive.vm.proxmox;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * A node of Proxmox VE as its published API schema has it: names and types of parameters, privileges of tokens, locks, tasks
 * that end later. It runs no VM: a guest is a socket that says an SSH server's banner, if its seed was there when it started.
 *
 * <p>The schema: https://pve.proxmox.com/pve-docs/api-viewer, and the registrations of methods in proxmox/qemu-server
 * (PVE/API2/Qemu.pm) and proxmox/pve-manager (PVE/API2/Tasks.pm, Cluster/Mapping/PCI.pm).
 */
final class FakeProxmox implements AutoCloseable {
    static final String NODE = "pve1";
    static final String TOKEN = "computehive@pve!engine";
    static final String SECRET = "8a1f4d2e-0000-4000-8000-1234567890ab";
    static final int TEMPLATE = 9000;
    static final int SPOILED = 9001;

    private static final ObjectMapper JSON = JsonMapper.builder().build();
    private static final Pattern VM = Pattern.compile("/nodes/pve1/qemu/(\\d+)(/.*)?");
    private static final Pattern TASK = Pattern.compile("/nodes/pve1/tasks/(UPID:[^/]+)/status");
    /** Per call its parameters' names and, for those that are not any text, the patterns of their types. */
    private static final Map<String, Map<String, String>> SCHEMA = Map.of(
            "POST clone",
                    Map.of(
                            "newid",
                            "[1-9]\\d{2,8}",
                            "name",
                            "[a-z0-9-]{1,63}",
                            "description",
                            "(?s).{0,8192}",
                            "pool",
                            "[\\w.-]+",
                            "full",
                            "[01]"),
            "PUT config",
                    Map.ofEntries(
                            Map.entry("tags", "[a-z0-9_;-]+"),
                            Map.entry("cores", "[1-9]\\d*"),
                            Map.entry("sockets", "[1-9]\\d*"),
                            Map.entry("memory", "\\d+"),
                            Map.entry("balloon", "\\d+"),
                            Map.entry("onboot", "[01]"),
                            Map.entry("agent", "[01].*"),
                            Map.entry("description", "(?s).{0,8192}"),
                            Map.entry("ide2", "(none|[\\w-]+:iso/[\\w.-]+\\.iso),media=cdrom"),
                            Map.entry("hostpci0", "(mapping|host)=[\\w:.-]+(,(pcie|rombar)=[01])*"),
                            Map.entry("hostpci1", "(mapping|host)=[\\w:.-]+(,(pcie|rombar)=[01])*")),
            "PUT resize",
                    Map.of(
                            "disk",
                            "(scsi|virtio|sata|ide)\\d{1,2}",
                            "size",
                            "\\+?\\d+(\\.\\d+)?[KMGT]?",
                            "digest",
                            ".{0,64}"),
            "POST status/start", Map.of("timeout", "\\d+"),
            "POST status/stop", Map.of("timeout", "\\d+", "keepActive", "[01]"),
            "DELETE ", Map.of("purge", "[01]", "destroy-unreferenced-disks", "[01]"));

    final KeyPair key = ec();
    final X509Certificate certificate = SelfSigned.certificate(key);
    final List<String> requests = new ArrayList<>();
    final TreeMap<Integer, Map<String, String>> configs = new TreeMap<>();
    final Map<Integer, ServerSocket> guests = new LinkedHashMap<>();
    final TreeMap<String, byte[]> seeds = new TreeMap<>();
    /** What the next call whose method and path contain the key is answered by, instead. */
    final Map<String, Answer> failures = new LinkedHashMap<>();
    /** What the next task of a kind ends in, instead of OK. */
    final Map<String, String> taskFailures = new LinkedHashMap<>();
    /** Calls that find a VM locked by another task before one gets through. */
    int lockedFor;
    /** How often a task is said to run before it has ended. */
    int looksPerTask = 2;

    boolean guestsAnswer = true;

    private final Map<String, int[]> looks = new LinkedHashMap<>();
    private final Map<String, String> exits = new LinkedHashMap<>();
    private final HttpsServer server;
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    private final int sshPort;
    private int tasks;

    record Answer(int code, String body) {}

    FakeProxmox() {
        try {
            try (var probe = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
                sshPort = probe.getLocalPort();
            }
            server = HttpsServer.create(new InetSocketAddress("127.0.0.1", 0), 16);
            server.setHttpsConfigurator(new HttpsConfigurator(tls()));
            server.setExecutor(executor);
            server.createContext("/", this::handle);
            server.start();
        } catch (IOException | GeneralSecurityException e) {
            throw new AssertionError(e);
        }
        configs.put(
                TEMPLATE,
                new TreeMap<>(Map.of(
                        "template",
                        "1",
                        "name",
                        "ubuntu",
                        "scsi0",
                        "local:base-9000-disk-0,size=2G",
                        "machine",
                        "q35")));
        configs.put(
                SPOILED,
                new TreeMap<>(Map.of("template", "1", "name", "spoiled", "scsi0", "local:base-9001-disk-0,size=2G")));
    }

    private static KeyPair ec() {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(256);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private SSLContext tls() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("server", key.getPrivate(), new char[0], new X509Certificate[] {certificate});
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    URI address() {
        return URI.create("https://127.0.0.1:" + server.getAddress().getPort());
    }

    int sshPort() {
        return sshPort;
    }

    String pin() {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256")
                            .digest(key.getPublic().getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            Answer answer;
            synchronized (this) {
                answer = answer(exchange, body);
            }
            byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
            if (answer.code() == 0) {
                return; // the connection breaks
            }
            exchange.sendResponseHeaders(answer.code(), bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private Answer answer(HttpExchange exchange, byte[] body) {
        String path = exchange.getRequestURI().getPath().replaceFirst("^/api2/json", "");
        String call = exchange.getRequestMethod() + " " + path;
        requests.add(call);
        for (String part : List.copyOf(failures.keySet())) {
            if (call.contains(part)) {
                return failures.remove(part);
            }
        }
        String token = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
        if (!token.equals("PVEAPIToken=" + TOKEN + "=" + SECRET)) {
            return new Answer(401, "");
        }
        Map<String, String> parameters = new TreeMap<>();
        read(exchange.getRequestURI().getRawQuery(), parameters);
        String type = String.valueOf(exchange.getRequestHeaders().getFirst("Content-Type"));
        if (type.startsWith("application/x-www-form-urlencoded")) {
            read(new String(body, StandardCharsets.UTF_8), parameters);
        }
        Matcher vm = VM.matcher(path);
        Matcher task = TASK.matcher(path);
        if (vm.matches()) {
            String rest = vm.group(2) == null ? "" : vm.group(2).substring(1);
            return ofVm(exchange.getRequestMethod(), Integer.parseInt(vm.group(1)), rest, parameters);
        } else if (task.matches()) {
            return status(task.group(1));
        } else if (call.equals("POST /nodes/pve1/storage/isos/upload")) {
            return upload(new String(body, StandardCharsets.ISO_8859_1));
        } else if (call.equals("GET /nodes/pve1/storage/isos/content")) {
            return data(seeds.keySet().stream()
                    .map(name -> Map.of("volid", "isos:iso/" + name))
                    .toList());
        } else if (call.startsWith("DELETE /nodes/pve1/storage/isos/content/isos:iso/")) {
            seeds.remove(path.substring(path.lastIndexOf('/') + 1));
            return task("imgdel", 0);
        }
        return switch (call) {
            case "GET /version" -> data(Map.of("version", "8.4.1", "release", "8.4"));
            case "GET /nodes/pve1/status" ->
                data(Map.of("cpuinfo", Map.of("cpus", 32), "memory", Map.of("total", 64L << 30)));
            case "GET /cluster/nextid" -> data(Integer.toString(next()));
            case "GET /cluster/mapping/pci" -> mappings(parameters);
            case "GET /nodes/pve1/qemu" -> list();
            default -> new Answer(501, "{\"data\":null,\"message\":\"Method '%s' not implemented\"}".formatted(call));
        };
    }

    private int next() {
        int next = 100;
        while (configs.containsKey(next)) {
            next++;
        }
        return next;
    }

    private static Answer mappings(Map<String, String> parameters) {
        if (!parameters.keySet().equals(Set.of("check-node"))) {
            return new Answer(400, "{\"errors\":{\"check-node\":\"missing\"},\"data\":null}");
        }
        return data(List.of(
                Map.of(
                        "id",
                        "h100-a",
                        "description",
                        "NVIDIA H100 PCIe",
                        "map",
                        List.of("id=10de:2331,iommugroup=21,node=pve1,path=0000:41:00.0,subsystem-id=10de:1626"),
                        "checks",
                        List.of()),
                Map.of(
                        "id",
                        "pool",
                        "description",
                        "",
                        "map",
                        List.of(
                                "id=10de:2331,iommugroup=22,node=pve1,path=0000:42:00",
                                "id=10de:2331,iommugroup=23,node=pve1,path=0000:43:00"),
                        "checks",
                        List.of()),
                Map.of(
                        "id",
                        "elsewhere",
                        "description",
                        "",
                        "map",
                        List.of("id=10de:2331,iommugroup=21,node=pve2,path=0000:41:00.0"),
                        "checks",
                        List.of()),
                Map.of(
                        "id",
                        "broken",
                        "description",
                        "",
                        "map",
                        List.of("id=10de:2331,iommugroup=24,node=pve1,path=0000:44:00.0"),
                        "checks",
                        List.of(Map.of(
                                "severity", "error", "message", "Invalid configuration: IOMMU group mismatch")))));
    }

    private Answer list() {
        var all = new ArrayList<Map<String, Object>>();
        configs.forEach((vmid, config) -> {
            var vm = new LinkedHashMap<String, Object>();
            vm.put("vmid", vmid);
            vm.put("name", config.get("name"));
            vm.put("status", guests.containsKey(vmid) ? "running" : "stopped");
            if (config.containsKey("template")) {
                vm.put("template", 1);
            }
            if (config.containsKey("tags")) {
                vm.put("tags", config.get("tags"));
            }
            all.add(vm);
        });
        return data(all);
    }

    private Answer ofVm(String method, int vmid, String rest, Map<String, String> parameters) {
        String call = method + " " + rest;
        Map<String, String> config = configs.get(vmid);
        if (config == null) {
            return error("Configuration file 'nodes/pve1/qemu-server/%d.conf' does not exist".formatted(vmid));
        }
        if (call.equals("GET config")) {
            var shown = new TreeMap<>(config);
            shown.put("digest", Integer.toHexString(config.hashCode()));
            return data(shown);
        }
        if (call.equals("GET status/current")) {
            return data(Map.of("vmid", vmid, "status", guests.containsKey(vmid) ? "running" : "stopped"));
        }
        Map<String, String> schema = SCHEMA.get(call);
        if (schema == null) {
            return new Answer(501, "{\"data\":null}");
        }
        for (Map.Entry<String, String> parameter : parameters.entrySet()) {
            String pattern = schema.get(parameter.getKey());
            if (pattern == null || !parameter.getValue().matches(pattern)) {
                return new Answer(
                        400,
                        "{\"data\":null,\"errors\":{\"%s\":\"%s\"}}"
                                .formatted(
                                        parameter.getKey(),
                                        pattern == null
                                                ? "property is not defined in schema and the schema does not allow"
                                                        + " additional properties"
                                                : "value does not match the regex pattern"));
            }
            if (parameter.getKey().startsWith("hostpci") && parameter.getValue().contains("host=")) {
                return new Answer(
                        403,
                        "{\"data\":null,\"message\":\"only root can set 'hostpci0' config for non-mapped devices\"}");
            }
        }
        if (lockedFor > 0) {
            lockedFor--;
            return error("VM is locked (backup)");
        }
        return change(call, vmid, config, parameters);
    }

    private Answer change(String call, int vmid, Map<String, String> config, Map<String, String> parameters) {
        return switch (call) {
            case "POST clone" -> {
                int made = Integer.parseInt(parameters.get("newid"));
                if (configs.containsKey(made)) {
                    yield error("unable to create VM %d: config file already exists".formatted(made));
                }
                var clone = new TreeMap<>(config);
                clone.remove("template");
                clone.put("name", parameters.get("name"));
                clone.put("description", parameters.get("description"));
                clone.put("scsi0", "local:vm-%d-disk-0,size=2G".formatted(made));
                String failure = taskFailures.remove("qmclone");
                if (failure == null) {
                    configs.put(made, clone);
                }
                yield task("qmclone", made, failure);
            }
            case "PUT config" -> {
                config.putAll(parameters);
                yield data(null);
            }
            case "PUT resize" -> {
                String disk = config.get(parameters.get("disk"));
                String failure = taskFailures.remove("resize");
                if (disk == null) {
                    yield error("disk '%s' does not exist".formatted(parameters.get("disk")));
                }
                if (failure == null) {
                    config.put(
                            parameters.get("disk"), disk.replaceFirst("size=\\w+", "size=" + parameters.get("size")));
                }
                yield task("resize", vmid, failure);
            }
            case "POST status/start" -> {
                String failure = taskFailures.remove("qmstart");
                if (failure == null) {
                    boot(vmid, config);
                }
                yield task("qmstart", vmid, failure);
            }
            case "POST status/stop" -> {
                String failure = taskFailures.remove("qmstop");
                if (failure == null) {
                    halt(vmid);
                }
                yield task("qmstop", vmid, failure);
            }
            default -> {
                if (guests.containsKey(vmid)) {
                    yield error("VM %d is running - destroy failed".formatted(vmid));
                }
                String failure = taskFailures.remove("qmdestroy");
                if (failure == null) {
                    configs.remove(vmid);
                }
                yield task("qmdestroy", vmid, failure);
            }
        };
    }

    private void boot(int vmid, Map<String, String> config) {
        String cdrom = config.getOrDefault("ide2", "");
        byte[] seed = seeds.get(cdrom.replaceFirst("^isos:iso/", "").replaceFirst(",media=cdrom$", ""));
        Matcher address = Pattern.compile("addresses: \\[([0-9.]+)/")
                .matcher(seed == null ? "" : new String(seed, StandardCharsets.ISO_8859_1));
        try {
            ServerSocket ssh = new ServerSocket();
            if (guestsAnswer && address.find()) {
                ssh.bind(new InetSocketAddress(InetAddress.getByName(address.group(1)), sshPort));
                executor.submit(() -> greet(ssh));
            }
            guests.put(vmid, ssh);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void greet(ServerSocket ssh) {
        while (!ssh.isClosed()) {
            try (var socket = ssh.accept()) {
                socket.getOutputStream().write("SSH-2.0-fake\r\n".getBytes(StandardCharsets.US_ASCII));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void halt(int vmid) {
        try {
            ServerSocket ssh = guests.remove(vmid);
            if (ssh != null) {
                ssh.close();
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Answer upload(String body) {
        Matcher name = Pattern.compile("name=\"filename\"; filename=\"([\\w.-]+\\.iso)\"")
                .matcher(body);
        boolean good = body.contains("name=\"content\"") && name.find();
        if (!good) {
            return new Answer(400, "{\"data\":null,\"errors\":{\"filename\":\"wrong file extension\"}}");
        }
        int from = body.indexOf("\r\n\r\n", name.end()) + 4;
        seeds.put(name.group(1), body.substring(from).getBytes(StandardCharsets.ISO_8859_1));
        return task("imgcopy", 0);
    }

    private Answer task(String kind, int vmid) {
        return task(kind, vmid, taskFailures.remove(kind));
    }

    private Answer task(String kind, int vmid, @Nullable String failure) {
        String upid = "UPID:pve1:%08X:%08X:665F0000:%s:%d:%s:".formatted(++tasks, tasks, kind, vmid, TOKEN);
        looks.put(upid, new int[] {looksPerTask});
        exits.put(upid, failure == null ? "OK" : failure);
        return data(upid);
    }

    private Answer status(String upid) {
        int[] left = looks.get(upid);
        if (left == null) {
            return error("no such task");
        }
        return left[0]-- > 0
                ? data(Map.of("upid", upid, "status", "running"))
                : data(Map.of("upid", upid, "status", "stopped", "exitstatus", exits.get(upid)));
    }

    private static void read(@Nullable String form, Map<String, String> to) {
        if (form == null || form.isEmpty()) {
            return;
        }
        for (String pair : form.split("&")) {
            String[] parts = pair.split("=", 2);
            to.put(
                    URLDecoder.decode(parts[0], StandardCharsets.UTF_8),
                    URLDecoder.decode(parts.length > 1 ? parts[1] : "", StandardCharsets.UTF_8));
        }
    }

    private static Answer error(String message) {
        return new Answer(500, "{\"data\":null,\"message\":\"%s\\n\"}".formatted(message));
    }

    private static Answer data(@Nullable Object value) {
        try {
            var root = JSON.createObjectNode();
            root.set("data", JSON.valueToTree(value));
            return new Answer(200, JSON.writeValueAsString(root));
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            List.copyOf(guests.keySet()).forEach(this::halt);
        }
        server.stop(0);
        executor.shutdownNow();
    }
}
