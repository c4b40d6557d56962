#!/bin/sh
# Builds a disk image that behaves like a distribution's stock cloud image: a boot loader, Debian's cloud kernel, systemd,
# cloud-init, netplan, OpenSSH; nothing of ours in it. Run as root: cloud-image.sh OUT SOURCES...
#   OUT      an empty folder; receives "disk.qcow2"
#   SOURCES  apt source files (.list or .sources) of the machine that builds
set -eu
umask 022
export LC_ALL=C
out=$1
shift
step() { echo "step: $*"; }

step "installing Debian packages"
mmdebstrap --quiet --variant=minbase --format=directory \
    --include=systemd-sysv,udev,cloud-init,cloud-guest-utils,openssh-server,linux-image-cloud-amd64,iproute2,netplan.io,systemd-resolved,dbus,locales,sudo,e2fsprogs,kmod \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    '' "$out/root" "$@"
printf 'PARTUUID=c0de0000-02 / ext4 defaults,noatime 0 1\n' > "$out/root/etc/fstab"
rm -f "$out"/root/etc/ssh/ssh_host_* "$out/root/etc/machine-id" "$out/root/etc/hostname"
: > "$out/root/etc/machine-id"

step "making the boot partition"
truncate --size=96M "$out/boot.img"
mkfs.vfat -F 16 -n BOOT "$out/boot.img" > /dev/null
mcopy -i "$out/boot.img" "$(find "$out/root/boot" -name 'vmlinuz-*' | sort | tail -n 1)" ::vmlinuz
mcopy -i "$out/boot.img" "$(find "$out/root/boot" -name 'initrd.img-*' | sort | tail -n 1)" ::initrd
printf 'DEFAULT linux\nLABEL linux\n  KERNEL /vmlinuz\n  INITRD /initrd\n  APPEND root=PARTUUID=c0de0000-02 ro console=tty0 console=ttyS0,115200n8\n' \
    > "$out/syslinux.cfg"
mcopy -i "$out/boot.img" "$out/syslinux.cfg" ::syslinux.cfg
syslinux --install "$out/boot.img"

step "making the root partition"
mke2fs -q -t ext4 -L cloud -d "$out/root" "$out/root.img" 1400M
rm -rf "$out/root"

step "making the disk"
truncate --size=1504M "$out/disk.img"
printf 'label: dos\nlabel-id: 0xc0de0000\nstart=1MiB, size=96MiB, type=e, bootable\nstart=100MiB, size=1400MiB, type=83\n' |
    sfdisk --quiet "$out/disk.img"
dd if=/usr/lib/syslinux/mbr/mbr.bin of="$out/disk.img" bs=440 count=1 conv=notrunc status=none
dd if="$out/boot.img" of="$out/disk.img" bs=1M seek=1 conv=notrunc,sparse status=none
dd if="$out/root.img" of="$out/disk.img" bs=1M seek=100 conv=notrunc,sparse status=none
qemu-img convert -O qcow2 "$out/disk.img" "$out/disk.qcow2"
rm -f "$out/disk.img" "$out/boot.img" "$out/root.img" "$out/syslinux.cfg"
step "done"
