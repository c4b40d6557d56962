package org.computehive.server.platform;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.computehive.access.CertificateAuthority;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.chain.EscrowSettings;
import org.computehive.chain.EvmEscrow;
import org.computehive.embedded.CalendarFolder;
import org.computehive.pricing.TribuoPriceAdvisor;
import org.computehive.rental.Hypervisor;
import org.computehive.rental.Notifier;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalPolicy;
import org.computehive.rental.RentalStore;
import org.computehive.rental.SshAccess;
import org.computehive.rental.SuggestionHistory;
import org.computehive.vm.DemoImage;
import org.computehive.vm.ImageCatalogue;
import org.computehive.vm.ImageRules;
import org.computehive.vm.LibvirtHypervisor;
import org.computehive.vm.PrivateLibvirt;
import org.computehive.vm.proxmox.ProxmoxHypervisor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine with its real parts on one machine: a store, a libvirt, a gateway, an audit log, a price model, and a client
 * of an escrow contract.
 *
 * <p>Closes what it opened, last opened first; the chain is the caller's. Thread-safe once open.
 */
public final class LocalPlatform implements AutoCloseable {
    /** The audit log's name, unless it is given another. */
    public static final String LOG_NAME = "computehive.local/audit";

    private static final Logger LOG = LoggerFactory.getLogger(LocalPlatform.class);

    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final Layout layout;
    private final EvmEscrow escrow;
    private final SshAccess access;
    private final NoteKey noteKey;
    private final FileAuditLog auditLog;
    private final CalendarFolder notifier;
    private final RentalEngine engine;
    private final Hypervisor hypervisor;
    private final InstantSource clock = InstantSource.system();
    private Optional<PrivateLibvirt> ownLibvirt = Optional.empty();

    /**
     * Where things lie.
     *
     * @param audit the audit log's folder
     * @param calendar where calendar messages are written
     * @param keys keys of the authorities, the gateway and the audit log; this user's alone
     * @param vms a folder on disk for overlays and journals
     * @param images where guest images are kept
     */
    public record Layout(Path audit, Path calendar, Path keys, Path vms, Path images) {
        /** Everything in one folder, images in the user's cache. */
        public static Layout in(Path folder) {
            return new Layout(
                    folder.resolve("audit"),
                    folder.resolve("calendar"),
                    folder.resolve("keys"),
                    folder.resolve("vms"),
                    ImageCatalogue.defaultFolder());
        }
    }

    /**
     * What a platform is made of.
     *
     * @param layout where things lie
     * @param auditName the audit log's name: no other replica's
     * @param store where rentals are kept; closed with the platform
     * @param chain how the escrow is reached
     * @param host what runs the VMs
     * @param authority who certifies renters and hosts; empty for keys in the key folder
     * @param gateway how the gateway listens
     * @param policy how long to wait for what
     * @param notifiers what brings calendar messages to the parties beside the folder; closed with the platform where they
     *     can be
     */
    public record Parts(
            Layout layout,
            String auditName,
            RentalStore store,
            EscrowSettings chain,
            VmHost host,
            Optional<CertificateAuthority> authority,
            SshAccess.Settings gateway,
            RentalPolicy policy,
            List<Notifier> notifiers) {}

    private LocalPlatform(Parts parts, Consumer<String> progress) {
        layout = parts.layout();
        for (Notifier notifier : parts.notifiers()) {
            if (notifier instanceof AutoCloseable closeable) {
                opened.push(closeable);
            }
        }
        opened.push(parts.store());
        try {
            makeFolders();
            noteKey = NoteKey.loadOrGenerate(layout.keys().resolve("audit-log"), parts.auditName());
            auditLog = open(FileAuditLog.open(layout.audit(), noteKey));
            escrow = open(EvmEscrow.connect(parts.chain()));
            access = open(parts.authority()
                    .map(authority -> SshAccess.open(authority, layout.keys(), parts.gateway(), clock))
                    .orElseGet(() -> SshAccess.open(layout.keys(), parts.gateway(), clock)));
            hypervisor = open(hypervisor(parts.host(), progress));
            notifier = new CalendarFolder(layout.calendar());
            engine = open(RentalEngine.builder()
                    .store(parts.store())
                    .escrow(escrow)
                    .access(access)
                    .priceAdvisor(TribuoPriceAdvisor.bundled())
                    .suggestions(SuggestionHistory.inFile(layout.calendar().resolveSibling("suggestions.jsonl")))
                    .auditLog(auditLog)
                    .notifier(notice -> deliver(notice, parts.notifiers()))
                    .clock(clock)
                    .policy(parts.policy())
                    .build());
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Opens every part. The engine is not started: hosts are registered first.
     *
     * @param parts what it is made of
     * @param progress gets a line for what takes long, such as building the image
     */
    public static LocalPlatform open(Parts parts, Consumer<String> progress) {
        return new LocalPlatform(parts, progress);
    }

    /** The folder's copy first: it is served whatever becomes of the others, whose failures the engine tries again. */
    private void deliver(Notifier.Notice notice, List<Notifier> others) {
        notifier.deliver(notice);
        others.forEach(each -> each.deliver(notice));
    }

    private Hypervisor hypervisor(VmHost host, Consumer<String> progress) {
        return switch (host) {
            case VmHost.ProxmoxVe proxmox -> ProxmoxHypervisor.connect(proxmox.settings());
            case VmHost.Libvirt libvirt -> libvirt(libvirt, images(libvirt.images(), progress));
        };
    }

    private Hypervisor libvirt(VmHost.Libvirt host, ImageCatalogue images) {
        if (host.uri().isPresent()) {
            return LibvirtHypervisor.connect(host.uri().get(), layout.vms(), images, host.options());
        }
        PrivateLibvirt libvirt = open(PrivateLibvirt.open(layout.vms()));
        ownLibvirt = Optional.of(libvirt);
        return LibvirtHypervisor.privateSession(libvirt, images, host.options());
    }

    /** Where images must be signed there is no demo image: this machine builds it, and nobody signs it. */
    private ImageCatalogue images(ImageRules rules, Consumer<String> progress) {
        if (rules.signers().isEmpty()) {
            DemoImage.ensure(layout.images(), progress);
        }
        return ImageCatalogue.in(layout.images(), rules);
    }

    private void makeFolders() {
        try {
            for (Path folder : new Path[] {layout.audit(), layout.calendar()}) {
                Files.createDirectories(folder);
            }
            Files.createDirectories(
                    layout.keys(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "a folder could not be made (%s): check rights and free space".formatted(e.getMessage()), e);
        }
    }

    private <T extends AutoCloseable> T open(T part) {
        opened.push(part);
        return part;
    }

    /** Returns the clock of the engine and all its parts. */
    public InstantSource clock() {
        return clock;
    }

    /** Returns the engine. */
    public RentalEngine engine() {
        return engine;
    }

    /** Returns the hypervisor of this machine. */
    public Hypervisor hypervisor() {
        return hypervisor;
    }

    /** Returns the client of the escrow. */
    public EvmEscrow escrow() {
        return escrow;
    }

    /** Returns the way into sessions. */
    public SshAccess access() {
        return access;
    }

    /** Returns the audit log. */
    public FileAuditLog auditLog() {
        return auditLog;
    }

    /** Returns the key that verifies the audit log, as text. */
    public String auditVerifierKey() {
        return noteKey.verifierKey().toString();
    }

    /** Returns the writer of calendar messages. */
    public CalendarFolder notifier() {
        return notifier;
    }

    /** Returns where things lie. */
    public Layout layout() {
        return layout;
    }

    /**
     * Ends sessions at once, even those whose guests are booting, without their engine: before {@link #close}, for rentals
     * that nobody will take up again. Where the libvirt is our own, all its VMs end.
     */
    public void endSessions(Collection<RentalId> rentals) {
        if (ownLibvirt.isPresent()) {
            ownLibvirt.get().close();
            return;
        }
        for (RentalId rental : rentals) {
            hypervisor.destroy(rental);
            hypervisor.erase(rental);
        }
    }

    /** Closes everything, also on an interrupted thread; every part is tried, and what failed is logged. */
    @Override
    public void close() {
        boolean interrupted = Thread.interrupted();
        closeAll();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void closeAll() {
        while (!opened.isEmpty()) {
            AutoCloseable part = opened.pop();
            try {
                part.close();
            } catch (Exception e) {
                LOG.warn("closing {} failed: {}", part.getClass().getSimpleName(), e.getMessage(), e);
            }
        }
    }
}
