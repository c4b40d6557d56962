package org.computehive.vm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.computehive.rental.RentalId;
import org.libvirt.Connect;
import org.libvirt.Error.ErrorNumber;
import org.libvirt.LibvirtException;
import org.libvirt.Secret;

/** The keys of disks, kept as libvirt's secrets: in its memory only, and nobody can read them back. Thread-safe. */
final class DiskKeys {
    private final Libvirt libvirt;
    private final Progress progress;

    DiskKeys(Libvirt libvirt, Progress progress) {
        this.libvirt = libvirt;
        this.progress = progress;
    }

    /** Gives a key to libvirt. */
    void keep(RentalId id, UUID uuid, Path disk, byte[] key) {
        String xml = Xml.document("secret", List.of("ephemeral", "yes", "private", "yes"), secret -> {
            secret.text("uuid", uuid.toString());
            secret.text("description", "ComputeHive session " + id);
            secret.element("usage", List.of("type", "volume"), usage -> usage.text("volume", disk.toString()));
        });
        libvirt.call("keeping the disk's key", connect -> {
            Secret secret = connect.secretDefineXML(xml);
            try {
                progress.took(Progress.Step.SECRET_DEFINED);
                return secret.setValue(key);
            } finally {
                secret.free();
            }
        });
        progress.took(Progress.Step.SECRET_SET);
    }

    boolean has(UUID uuid) {
        return libvirt.call("looking for a key", connect -> {
            try {
                connect.secretLookupByUUIDString(uuid.toString()).free();
                return true;
            } catch (LibvirtException e) {
                return absent(e, false);
            }
        });
    }

    /** Returns the answer for a secret that isn't there; everything else is thrown on. */
    private static <T> T absent(LibvirtException e, T answer) throws LibvirtException {
        if (Libvirt.code(e) == ErrorNumber.VIR_ERR_NO_SECRET) {
            return answer;
        }
        throw e;
    }

    /** Makes libvirt forget a key; returns whether it had it. */
    boolean forget(UUID uuid) {
        return libvirt.call("forgetting a key", connect -> {
            try {
                Secret secret = connect.secretLookupByUUIDString(uuid.toString());
                try {
                    secret.undefine();
                } finally {
                    secret.free();
                }
                return true;
            } catch (LibvirtException e) {
                return absent(e, false);
            }
        });
    }

    /** Makes libvirt forget the keys of all disks below a folder but some. */
    void forgetAllBut(List<UUID> wanted, Path folder) {
        var ours = new ArrayList<UUID>();
        libvirt.call("listing the keys", connect -> {
            for (String uuid : connect.listSecrets()) {
                if (disk(connect, uuid).startsWith(folder)) {
                    ours.add(UUID.fromString(uuid));
                }
            }
            return true;
        });
        ours.removeAll(wanted);
        ours.forEach(this::forget);
    }

    /** Returns the disk that a key is for; the root where it is for something else or has just gone. */
    private static Path disk(Connect connect, String uuid) throws LibvirtException {
        try {
            Secret secret = connect.secretLookupByUUIDString(uuid);
            try {
                return Xml.children(Xml.parse(secret.getXMLDesc()), "usage").stream()
                        .map(usage -> Path.of("/", Xml.childText(usage, "volume")))
                        .findFirst()
                        .orElse(Path.of("/"));
            } finally {
                secret.free();
            }
        } catch (LibvirtException e) {
            return absent(e, Path.of("/"));
        }
    }
}
