#!/bin/sh
# Builds the host of the passthrough tests out of Debian packages: a kernel, a disk with libvirt and QEMU, and two small
# guests. Needs mmdebstrap, e2fsprogs and binutils; where it isn't run as root, also user namespaces (uidmap).
# Run as: build.sh OUT SCRIPTS SOURCES...
#   OUT      an empty folder; receives "kernel" and "disk"
#   SCRIPTS  the folder with init and guest.S
#   SOURCES  apt source files of the machine that builds
set -eu
umask 022
export LC_ALL=C

out=$1
scripts=$2
shift 2
root=$out/root
mkdir "$root"

# Debian 13 has put libvirt's drivers into packages of their own.
packages=libvirt-daemon,libvirt-daemon-driver-qemu,libvirt-clients,qemu-system-x86,kmod,iproute2,busybox-static
packages=$packages,linux-image-cloud-amd64
for name in libvirt-daemon-driver-nodedev libvirt-daemon-driver-secret libvirt-daemon-log; do
    case $(apt-cache policy "$name" 2> /dev/null) in
        *'Candidate: '[0-9]*) packages=$packages,$name ;;
    esac
done
echo "step: fetching Debian packages"
mmdebstrap --quiet --variant=extract --format=tar --include="$packages" '' "$out/root.tar" "$@"

echo "step: unpacking"
tar --extract --file "$out/root.tar" --directory "$root" --no-same-owner --exclude './dev/*' --exclude './usr/share/doc/*' \
    --exclude './usr/share/locale/*' --exclude './usr/share/man/*' --exclude './boot/System.map*' \
    --exclude './lib/modules/*/kernel/drivers/net/ethernet/*' --exclude './lib/modules/*/kernel/fs/*'
rm "$out/root.tar"
cp "$root"/boot/vmlinuz-* "$out/kernel"
rm -r "$root"/boot/*
# Nothing was configured, so what the packages' scripts would have made is made here.
for user in root:x:0 libvirt-qemu:x:64055 tss:x:108; do
    echo "$user:0::/:/bin/sh" >> "$root/etc/passwd"
    echo "$user:" >> "$root/etc/group"
done
echo 'kvm:x:107:' >> "$root/etc/group"
modules=$(basename "$root"/lib/modules/*)
"$root/lib64/ld-linux-x86-64.so.2" --argv0 depmod --library-path "$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu" \
    "$root/bin/kmod" --basedir "$root" "$modules"
mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/run" "$root/tmp"
cp "$scripts/init" "$root/init"
chmod 755 "$root/init"

echo "step: assembling guests"
guest() {
    as --32 --defsym "$2=1" -o "$out/guest.o" "$scripts/guest.S"
    ld -m elf_i386 -e 0 -Ttext 0 --oformat binary -o "$root/$1" "$out/guest.o"
    rm "$out/guest.o"
}
guest tenant TENANT
guest scrub SCRUB

echo "step: packing"
truncate --size 1G "$out/disk"
mke2fs -q -t ext4 -O ^has_journal -E root_owner=0:0 -d "$root" "$out/disk"
rm -rf "$root"
echo "step: done"
