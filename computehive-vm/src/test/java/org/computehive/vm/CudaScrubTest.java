package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.computehive.market.Gpu;
import org.computehive.market.PciAddress;
import org.computehive.rental.HypervisorException;
import org.junit.jupiter.api.Test;

/** The order and the checks of a scrub, on a device in memory: no NVIDIA gpu was at hand. */
class CudaScrubTest {
    private static final int MIB = 1 << 20;
    private static final int WORDS = 64 * MIB / Integer.BYTES;

    /** A device of 64 MiB that still holds its last tenant's words. */
    private static class Device implements CudaScrub.Calls {
        final int[] memory = new int[WORDS];
        int reserved = 2 * MIB;
        int used;
        boolean dropsWrites;
        int contexts;

        Device() {
            Arrays.fill(memory, 0x7e4a47);
        }

        @Override
        public int cuInit(int flags) {
            return 0;
        }

        @Override
        public int cuDeviceGetByPCIBusId(IntByReference device, String address) {
            return address.equals("0000:41:00.0") ? 0 : 101;
        }

        @Override
        public int cuDeviceTotalMem_v2(LongByReference bytes, int device) {
            bytes.setValue((long) WORDS * Integer.BYTES);
            return 0;
        }

        @Override
        public int cuCtxCreate_v2(PointerByReference context, int flags, int device) {
            contexts++;
            return 0;
        }

        @Override
        public int cuCtxDestroy_v2(Pointer context) {
            contexts--;
            return 0;
        }

        @Override
        public int cuMemAlloc_v2(LongByReference address, long bytes) {
            if (used + bytes > memory.length * 4L - reserved) {
                return 2;
            }
            address.setValue(0x1000_0000L + used);
            used += (int) bytes;
            return 0;
        }

        @Override
        public int cuMemFree_v2(long address) {
            return 0;
        }

        @Override
        public int cuMemsetD32_v2(long address, int value, long count) {
            if (!dropsWrites) {
                int at = (int) (address - 0x1000_0000L) / 4;
                Arrays.fill(memory, at, at + (int) count, value);
            }
            return 0;
        }

        @Override
        public int cuCtxSynchronize() {
            return 0;
        }

        @Override
        public int cuMemcpyDtoH_v2(Pointer to, long from, long bytes) {
            to.write(0, memory, (int) (from - 0x1000_0000L) / 4, (int) bytes / 4);
            return 0;
        }
    }

    private static HostGpu gpu(String address, String driver) {
        var gpu = new Gpu(
                new PciAddress(address), "10de", "2330", "H100", 64, OptionalInt.of(7), false, Optional.empty());
        return new HostGpu(
                gpu,
                List.of(gpu.address()),
                Optional.of(driver),
                OptionalInt.empty(),
                List.of("flr"),
                0,
                Optional.empty());
    }

    private static final HostGpu GPU = gpu("0000:41:00.0", "nvidia");

    @Test
    void scrub_leavesNothing_whereItReaches() {
        var device = new Device();
        assertEquals(62 * MIB, new CudaScrub(device).scrub(GPU));
        assertTrue(Arrays.stream(device.memory, 0, 62 * MIB / 4).allMatch(word -> word == 0));
        assertEquals(0, device.contexts);
    }

    @Test
    void scrub_ofADeviceThatDropsWrites_fails() {
        var device = new Device();
        device.dropsWrites = true;
        assertThrows(HypervisorException.Lacking.class, () -> new CudaScrub(device).scrub(GPU));
        Arrays.fill(device.memory, 0);
        assertThrows(
                HypervisorException.Lacking.class, () -> new CudaScrub(device).scrub(GPU), "zeroes that were there");
        assertEquals(0, device.contexts);
    }

    @Test
    void scrub_thatReachesTooLittle_fails() {
        var device = new Device();
        device.reserved = 10 * MIB;
        var lacking = assertThrows(HypervisorException.Lacking.class, () -> new CudaScrub(device).scrub(GPU));
        assertTrue(String.valueOf(lacking.getMessage()).contains("54 of 64 MiB"), lacking::toString);
    }

    @Test
    void scrub_ofAnUnknownDevice_fails() {
        assertThrows(
                HypervisorException.Lacking.class,
                () -> new CudaScrub(new Device()).scrub(gpu("0000:42:00.0", "nvidia")));
    }

    @Test
    void gpuThatNvidiasDriverDoesNotHave_isNotForIt() {
        var scrub = new CudaScrub(new Device());
        assertTrue(scrub.handles(GPU));
        assertFalse(scrub.handles(gpu("0000:41:00.0", "vfio-pci")));
    }
}
