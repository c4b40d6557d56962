package org.computehive.vm;

import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.computehive.market.PciAddress;

/**
 * NVIDIA's management library (docs.nvidia.com/deploy/nvml-api), where its driver is installed. It sees the gpus that the
 * host's NVIDIA driver has, not those that VMs have. Thread-safe.
 */
final class Nvml implements HealthCheck {
    private static final int SUCCESS = 0;
    private static final int UNCORRECTED = 1;
    private static final int SINCE_DRIVER_LOADED = 0;
    private static final int NAME_SIZE = 96;

    private final Calls calls;

    /** What is called, under its C names. */
    interface Calls extends Library {
        int nvmlInit_v2();

        int nvmlShutdown();

        int nvmlDeviceGetHandleByPciBusId_v2(String address, PointerByReference device);

        int nvmlDeviceGetName(Pointer device, Pointer name, int length);

        int nvmlDeviceGetMemoryInfo(Pointer device, Pointer memory);

        int nvmlDeviceGetTotalEccErrors(Pointer device, int type, int counter, LongByReference count);

        int nvmlDeviceGetRemappedRows(
                Pointer device,
                IntByReference corrected,
                IntByReference uncorrected,
                IntByReference pending,
                IntByReference failed);
    }

    /**
     * What it says of a gpu.
     *
     * @param name its product name
     * @param memoryMiB its memory in MiB
     * @param problems what is wrong with it, in words
     */
    record Reading(String name, int memoryMiB, List<String> problems) {}

    Nvml(Calls calls) {
        this.calls = calls;
    }

    /** Returns it; empty where it isn't installed. */
    static Optional<Nvml> installed() {
        try {
            return Optional.of(new Nvml(Native.load("libnvidia-ml.so.1", Calls.class)));
        } catch (UnsatisfiedLinkError e) {
            return Optional.empty();
        }
    }

    /** Reads a gpu; empty if NVIDIA's driver doesn't have it. */
    synchronized Optional<Reading> read(PciAddress at) {
        if (calls.nvmlInit_v2() != SUCCESS) {
            return Optional.empty();
        }
        try {
            var device = new PointerByReference();
            return calls.nvmlDeviceGetHandleByPciBusId_v2(at.value(), device) == SUCCESS
                    ? read(device.getValue())
                    : Optional.empty();
        } finally {
            calls.nvmlShutdown();
        }
    }

    private Optional<Reading> read(Pointer device) {
        try (var name = new Memory(NAME_SIZE);
                var memory = new Memory(3L * Long.BYTES)) {
            name.clear();
            memory.clear();
            if (calls.nvmlDeviceGetName(device, name, NAME_SIZE) != SUCCESS
                    || calls.nvmlDeviceGetMemoryInfo(device, memory) != SUCCESS) {
                return Optional.empty();
            }
            long mebibytes = memory.getLong(0) >> 20; // total, free, used
            return Optional.of(new Reading(
                    Printable.line(name.getString(0, StandardCharsets.UTF_8.name())),
                    Math.toIntExact(Math.min(mebibytes, Integer.MAX_VALUE)),
                    problems(device)));
        }
    }

    private List<String> problems(Pointer device) {
        var problems = new ArrayList<String>();
        var errors = new LongByReference();
        if (calls.nvmlDeviceGetTotalEccErrors(device, UNCORRECTED, SINCE_DRIVER_LOADED, errors) == SUCCESS
                && errors.getValue() > 0) {
            problems.add("its memory had %d uncorrected errors (ECC)".formatted(errors.getValue()));
        }
        var corrected = new IntByReference();
        var uncorrected = new IntByReference();
        var pending = new IntByReference();
        var failed = new IntByReference();
        if (calls.nvmlDeviceGetRemappedRows(device, corrected, uncorrected, pending, failed) == SUCCESS) {
            if (failed.getValue() != 0) {
                problems.add("a bad row of its memory could not be remapped: have it replaced");
            }
            if (pending.getValue() != 0) {
                problems.add("a bad row of its memory waits to be remapped: reset it with nvidia-smi --gpu-reset");
            }
        }
        return problems;
    }

    @Override
    public List<String> problems(HostGpu gpu) {
        return read(gpu.gpu().address()).map(Reading::problems).orElse(List.of());
    }
}
