package org.computehive.vm;

import org.computehive.rental.HypervisorException;

/**
 * Overwrites what a tenant left in a gpu's memory. A step of its own: a reset leaves it there.
 *
 * <p>Implementations are thread-safe and may be called again after they were cut off at any instant.
 *
 * <h2>Security guarantees</h2>
 *
 * <p>A scrub that returns has overwritten as many bytes as it says and seen that they are gone. One that can't throws, and
 * the gpu stays quarantined.
 */
public interface GpuScrub {
    /** Returns what it is, for people: part of what a turnover says. */
    String name();

    /** Returns whether it knows this kind of device and has what it needs for it here. */
    boolean handles(HostGpu gpu);

    /**
     * Overwrites the memory of a gpu that no VM has.
     *
     * @return how many bytes were overwritten, and seen to be
     * @throws HypervisorException if that did not succeed
     */
    long scrub(HostGpu gpu);
}
