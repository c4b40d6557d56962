#!/bin/sh
# Runs a program beside a system libvirtd of its own, with folders, processes and devices apart from the machine's.
# Run as root: unshare --mount --pid --fork --kill-child --mount-proc sh system-libvirtd.sh WORK KEYS PROGRAM...
#   WORK  an empty folder on disk that all users can pass through
#   KEYS  "disk", or "memory" for what libvirt keeps under /var on a tmpfs
set -eu
work=$1
keys=$2
shift 2
fail() { echo "error: $*" >&2; exit 70; }
for program in libvirtd virtlogd; do
    command -v "$program" > /dev/null || fail "$program is missing: install the Debian packages libvirt-daemon and libvirt-daemon-driver-qemu"
done

mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
made=
for part in var/lib/libvirt var/log/libvirt var/cache/libvirt etc/libvirt; do
    [ -d "/$part" ] || { mkdir "/$part"; made="$made /$part"; }
    mkdir -p "$work/$part"
    mount --bind "$work/$part" "/$part"
done
if [ "$keys" = memory ]; then
    mount -t tmpfs -o mode=755,size=64m tmpfs /var/lib/libvirt
    mount -t tmpfs -o mode=755,size=64m tmpfs /var/log/libvirt
fi
mkdir -p /var/lib/libvirt/qemu /var/log/libvirt/qemu
# Devices of its own, without KVM: where that opens and can't boot a kernel, libvirt asks again and again.
mkdir "$work/dev"
mount -t tmpfs -o mode=755,nosuid tmpfs "$work/dev"
for node in null zero full random urandom tty fd stdin stdout stderr; do
    cp -a "/dev/$node" "$work/dev/"
done
mkdir -m 1777 "$work/dev/shm"
mkdir "$work/dev/pts"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$work/dev/pts"
ln -s pts/ptmx "$work/dev/ptmx"
# What lies below is taken away first: libvirt moves whatever /proc/mounts names, hidden or not.
umount --lazy --recursive /dev 2> /dev/null || true
mount --move "$work/dev" /dev

# The user that Debian's libvirt gives its guests, where its package libvirt-daemon-system has not made it.
for kind in passwd group; do
    cp "/etc/$kind" "$work/$kind"
    grep -q '^libvirt-qemu:' "$work/$kind" || case $kind in
        passwd) echo 'libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin' >> "$work/$kind" ;;
        group) echo 'libvirt-qemu:x:64055:' >> "$work/$kind" ;;
    esac
    mount --bind "$work/$kind" "/etc/$kind"
done

virtlogd --daemon
libvirtd --daemon
[ -S /run/libvirt/libvirt-sock ] || fail "libvirtd did not start"
status=0
# As process 1 of its namespace this shell also collects what libvirt leaves, while it waits.
"$@" &
wait $! || status=$?
for part in $made; do
    umount --lazy "$part"
    umount --lazy "$part" 2> /dev/null || true
    rmdir "$part"
done
exit $status
