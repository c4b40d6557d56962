package org.computehive.vm;

/** Told of each step that is taken in making and ending a session, right after it: tests cut a process off there. */
interface Progress {
    /** Nobody is told. */
    Progress UNWATCHED = step -> {};

    void took(Step step);

    /** What a session is made and ended by, in this order. */
    enum Step {
        /** The journal says that a disk is being made. */
        JOURNAL_OPENED,
        /** Its folder was made. */
        FOLDER_MADE,
        /** Its key lies in a file in memory. */
        KEY_WRITTEN,
        /** Its file was made. */
        DISK_MADE,
        /** The key's file was deleted. */
        KEY_DELETED,
        /** libvirt has a secret without a value. */
        SECRET_DEFINED,
        /** libvirt has the key. */
        SECRET_SET,
        /** The journal says that the disk was made. */
        DISK_JOURNALED,
        /** What the guest's SSH server needs lies in memory. */
        SEED_WRITTEN,
        /** The domain was made, paused. */
        VM_MADE,
        /** The journal says so. */
        VM_JOURNALED,
        /** Its processors run. */
        VM_RESUMED,
        /** The guest said that it is ready. */
        GUEST_READY,
        /** The seed was deleted. */
        SEED_DELETED,
        /** The journal says that the guest was ready. */
        READY_JOURNALED,
        /** libvirt was told to destroy the domain. */
        VM_DESTROYED,
        /** Its process was seen to be gone. */
        PROCESS_GONE,
        /** The key was undefined in libvirt. */
        SECRET_FORGOTTEN,
        /** The domain's logs were deleted. */
        LOGS_DELETED,
        /** The disk's header was overwritten. */
        HEADER_OVERWRITTEN,
        /** The disk was deleted. */
        DISK_DELETED,
        /** The journal was deleted. */
        JOURNAL_DELETED
    }
}
