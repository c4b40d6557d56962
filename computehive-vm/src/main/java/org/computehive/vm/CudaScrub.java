package org.computehive.vm;

import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.computehive.market.PciAddress;
import org.computehive.rental.HypervisorException;

/**
 * Overwrites an NVIDIA gpu's memory through the host's own driver and the CUDA driver API
 * (docs.nvidia.com/cuda/cuda-driver-api): all memory that can be had is taken at once, filled with a pattern, read back in
 * samples, filled with zeroes and read back again. A device that drops writes does not pass. Thread-safe.
 *
 * <p>What the driver keeps for itself (some hundred MiB for page tables, firmware and ECC) can't be reached this way; the
 * driver initialises it when it loads. Less than {@link #LEAST_PERCENT} of the memory overwritten is a failure.
 */
final class CudaScrub implements GpuScrub {
    static final int LEAST_PERCENT = 90;
    private static final int SUCCESS = 0;
    private static final int OUT_OF_MEMORY = 2;
    private static final long LARGEST_PIECE = 1L << 30;
    private static final long SMALLEST_PIECE = 2L << 20;
    private static final int SAMPLE = 64 << 10;
    private static final int SAMPLES_PER_PIECE = 16;
    private static final Duration LIMIT = Duration.ofMinutes(5);

    private final Calls cuda;

    /** What is called, under its C names. */
    interface Calls extends Library {
        int cuInit(int flags);

        int cuDeviceGetByPCIBusId(IntByReference device, String address);

        int cuDeviceTotalMem_v2(LongByReference bytes, int device);

        int cuCtxCreate_v2(PointerByReference context, int flags, int device);

        int cuCtxDestroy_v2(Pointer context);

        int cuMemAlloc_v2(LongByReference address, long bytes);

        int cuMemFree_v2(long address);

        int cuMemsetD32_v2(long address, int value, long count);

        int cuCtxSynchronize();

        int cuMemcpyDtoH_v2(Pointer to, long from, long bytes);
    }

    private record Piece(long at, long bytes) {}

    CudaScrub(Calls cuda) {
        this.cuda = cuda;
    }

    /** Returns it; empty where NVIDIA's driver isn't installed. */
    static Optional<GpuScrub> installed() {
        try {
            return Optional.of(new CudaScrub(Native.load("libcuda.so.1", Calls.class)));
        } catch (UnsatisfiedLinkError e) {
            return Optional.empty();
        }
    }

    @Override
    public String name() {
        return "the host's NVIDIA driver (CUDA)";
    }

    @Override
    public boolean handles(HostGpu gpu) {
        return gpu.gpu().vendorId().equals(PciFunction.NVIDIA)
                && gpu.driver().filter("nvidia"::equals).isPresent();
    }

    /** A gpu that a tenant left broken can hang the driver: then this thread is given up and the gpu quarantined. */
    @Override
    public long scrub(HostGpu gpu) {
        PciAddress at = gpu.gpu().address();
        var work = new FutureTask<>(() -> overwrite(at));
        Thread.ofPlatform().daemon().name("scrub-" + at).start(work); // a CUDA context belongs to one thread
        try {
            return work.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw failed(at, "was not done in %d s".formatted(LIMIT.toSeconds()));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof HypervisorException cause) {
                throw cause;
            }
            throw failed(at, "ended in " + e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed(at, "was interrupted");
        }
    }

    private static HypervisorException.Lacking failed(PciAddress at, String why) {
        return new HypervisorException.Lacking("scrub of gpu %s %s".formatted(at, why), null);
    }

    private static void check(PciAddress at, String call, int result) {
        if (result != SUCCESS) {
            throw failed(at, "failed: %s gave CUDA error %d".formatted(call, result));
        }
    }

    private long overwrite(PciAddress at) {
        var device = new IntByReference();
        var total = new LongByReference();
        var context = new PointerByReference();
        check(at, "cuInit", cuda.cuInit(0));
        check(at, "cuDeviceGetByPCIBusId", cuda.cuDeviceGetByPCIBusId(device, at.value()));
        check(at, "cuDeviceTotalMem", cuda.cuDeviceTotalMem_v2(total, device.getValue()));
        check(at, "cuCtxCreate", cuda.cuCtxCreate_v2(context, 0, device.getValue()));
        var pieces = new ArrayList<Piece>();
        try {
            take(at, pieces);
            long bytes = pieces.stream().mapToLong(Piece::bytes).sum();
            if (bytes < total.getValue() / 100 * LEAST_PERCENT) {
                throw failed(
                        at,
                        "reached %d of %d MiB, less than %d %%: something else holds its memory"
                                .formatted(bytes >> 20, total.getValue() >> 20, LEAST_PERCENT));
            }
            fill(at, pieces, ThreadLocalRandom.current().nextInt() | 1);
            fill(at, pieces, 0);
            return bytes;
        } finally {
            pieces.forEach(piece -> cuda.cuMemFree_v2(piece.at()));
            cuda.cuCtxDestroy_v2(context.getValue());
        }
    }

    private void take(PciAddress at, List<Piece> pieces) {
        for (long size = LARGEST_PIECE; size >= SMALLEST_PIECE; ) {
            var address = new LongByReference();
            int result = cuda.cuMemAlloc_v2(address, size);
            if (result == OUT_OF_MEMORY) {
                size /= 2;
            } else {
                check(at, "cuMemAlloc", result);
                pieces.add(new Piece(address.getValue(), size));
            }
        }
    }

    private void fill(PciAddress at, List<Piece> pieces, int value) {
        for (Piece piece : pieces) {
            check(at, "cuMemsetD32", cuda.cuMemsetD32_v2(piece.at(), value, piece.bytes() / Integer.BYTES));
        }
        check(at, "cuCtxSynchronize", cuda.cuCtxSynchronize());
        try (var sample = new Memory(SAMPLE)) {
            for (Piece piece : pieces) {
                long stride = (piece.bytes() - SAMPLE) / (SAMPLES_PER_PIECE - 1) / Integer.BYTES * Integer.BYTES;
                for (int i = 0; i < SAMPLES_PER_PIECE; i++) {
                    check(at, "cuMemcpyDtoH", cuda.cuMemcpyDtoH_v2(sample, piece.at() + i * stride, SAMPLE));
                    for (int read : sample.getIntArray(0, SAMPLE / Integer.BYTES)) {
                        if (read != value) {
                            throw failed(at, "failed: the memory does not hold what was written to it");
                        }
                    }
                }
            }
        }
    }
}
