#!/bin/sh
# Builds the demo guest from Debian packages: a kernel, and an initial RAM disk that holds busybox, OpenSSH and lspci.
# Run as: build.sh OUT GUEST SOURCES...
#   OUT      an empty folder; receives "kernel" and "initrd"
#   GUEST    the folder with the guest's own files: init, sshd_config
#   SOURCES  apt source files (.list or .sources) of the machine that builds
# The same packages give the same bytes: every time stamp is SOURCE_DATE_EPOCH, every list is sorted.
set -eu
umask 022
export LC_ALL=C SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1767225600}"

out=$1
guest=$2
shift 2
debian=$out/debian
root=$out/root
mkdir "$debian" "$root"

step() { echo "step: $*"; }
fail() { echo "error: $*" >&2; exit 1; }

step "fetching Debian packages"
mmdebstrap --quiet --variant=extract --format=tar \
    --include=busybox-static,openssh-server,openssh-sftp-server,pciutils,pci.ids,lz4,zstd,linux-image-cloud-amd64 \
    '' "$out/debian.tar" "$@"

step "unpacking"
tar --extract --file "$out/debian.tar" --directory "$debian" --no-same-owner --exclude './dev/*'
rm "$out/debian.tar"

# --- the kernel ---
# A compressed kernel unpacks itself, slowly under emulation. Its ELF image starts at once (PVH), so it is taken out
# here: the boot protocol says where it lies (setup_sects at 497, payload_offset and payload_length at 584).
step "taking out the kernel"
bzimage=$(find "$debian/boot" -name 'vmlinuz-*' | sort | tail -n 1)
[ -n "$bzimage" ] || fail "the packages hold no kernel"
number() { od --address-radix=n --format="$1" --skip-bytes="$2" --read-bytes="$3" "$bzimage" | tr -d ' '; }
setup=$(($(number u1 497 1) + 1))
offset=$((setup * 512 + $(number u4 584 4)))
length=$(number u4 588 4)
payload() { tail --bytes=+$((offset + 1)) "$bzimage" | head --bytes="$length"; }
loader=$debian/lib64/ld-linux-x86-64.so.2
libraries=$debian/lib/x86_64-linux-gnu:$debian/usr/lib/x86_64-linux-gnu
packaged() { "$loader" --library-path "$libraries" "$debian/usr/bin/$1" -dcq; }
# A packed payload is followed by four bytes of length, which the unpackers complain about.
case $(payload | head --bytes=4 | od --address-radix=n --format=x1 | tr -d ' ') in
    02214c18) payload | packaged lz4 > "$out/kernel" 2> /dev/null || true ;;
    28b52ffd) payload | packaged zstd > "$out/kernel" 2> /dev/null || true ;;
    *) cp "$bzimage" "$out/kernel" ;;
esac
case $(head --bytes=4 "$out/kernel" | od --address-radix=n --format=x1 | tr -d ' ') in
    7f454c46 | 4d5a*) ;;
    *) fail "the kernel could not be taken out of $(basename "$bzimage")" ;;
esac

# --- the root ---
step "composing the root"
cd "$root"
mkdir -p bin dev etc/ssh etc/acpi/PWRF home lib/modules lib64 lib/x86_64-linux-gnu proc run sys tmp \
    usr/bin usr/lib/openssh usr/sbin usr/share/misc var/empty
cp "$debian/bin/busybox" bin/
for applet in $("$debian/bin/busybox" --list); do
    case $applet in
        busybox | ssh* | su | login | passwd | telnet* | ftp* | tftp* | httpd | udhcpd | syslogd | klogd) ;;
        *) ln -s busybox "bin/$applet" ;;
    esac
done
cp "$debian/usr/sbin/sshd" usr/sbin/
cp "$debian/usr/lib/openssh/sftp-server" usr/lib/openssh/
cp "$debian/usr/bin/lspci" usr/bin/

cp --dereference "$loader" lib64/
for program in usr/sbin/sshd usr/lib/openssh/sftp-server usr/bin/lspci; do
    "$loader" --library-path "$libraries" --list "$debian/$program"
done | sed -n 's/^[[:space:]]*[^ ]* => \([^ ]*\) (.*/\1/p' | sort -u | while read -r library; do
    cp --dereference "$library" lib/x86_64-linux-gnu/
done
# Names of display devices and of what QEMU emulates; the whole list would make every start slower.
awk '/^#/ { next } /^C / { take = 1 } /^[0-9a-f]/ { take = $1 ~ /^(1002|10de|1234|1af4|1b36|8086)$/ }
     take && (/^[^\t]/ || /^\t[^\t]/ )' "$debian/usr/share/misc/pci.ids" > usr/share/misc/pci.ids

modules=$(find "$debian/lib/modules" -mindepth 1 -maxdepth 1 | sort | tail -n 1)/kernel
order=0
for module in \
    drivers/virtio/virtio_ring drivers/virtio/virtio \
    drivers/virtio/virtio_pci_legacy_dev drivers/virtio/virtio_pci_modern_dev drivers/virtio/virtio_pci \
    net/core/failover drivers/net/net_failover drivers/net/virtio_net \
    drivers/block/virtio_blk drivers/firmware/qemu_fw_cfg \
    drivers/char/hw_random/rng-core drivers/char/hw_random/virtio-rng \
    drivers/input/evdev drivers/acpi/button; do
    order=$((order + 1))
    name=$(printf '%02d-%s.ko' "$order" "$(basename "$module")")
    if [ -e "$modules/$module.ko" ]; then
        cp "$modules/$module.ko" "lib/modules/$name"
    fi # otherwise it is part of the kernel
done
for needed in virtio_net virtio_blk qemu_fw_cfg; do
    ls lib/modules | grep -q -- "-$needed.ko" || fail "the kernel package lacks the module $needed"
done

cat > etc/passwd << 'END'
root:x:0:0:root:/:/bin/sh
sshd:x:101:65534:sshd:/run/sshd:/bin/false
renter:x:1000:1000:renter:/home/renter:/bin/sh
END
printf 'root:*:1::::::\nsshd:*:1::::::\nrenter:*:1::::::\n' > etc/shadow
chmod 600 etc/shadow
printf 'root:x:0:\nnogroup:x:65534:\nrenter:x:1000:\n' > etc/group
printf 'passwd: files\ngroup: files\nshadow: files\n' > etc/nsswitch.conf
echo /bin/sh > etc/shells
# A login shell shows whose VM it is in; there is no message of the day.
printf '%s\n' 'PS1="\u@\h:\w\$ "' > etc/profile
# The power button reaches process 1, which ends the machine.
printf '#!/bin/sh\nexec kill -USR2 1\n' > etc/acpi/PWRF/00000080
chmod 755 etc/acpi/PWRF/00000080
cp "$guest/sshd_config" etc/ssh/sshd_config
cp "$guest/init" init
chmod 755 init

step "packing"
find . -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
find . -print0 | sort --zero-terminated |
    cpio --null --create --format=newc --reproducible --owner=0:0 --quiet > "$out/initrd"
cd "$out"
rm -rf "$debian" "$root"
step "done"
