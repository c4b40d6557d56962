#!/bin/sh
# Runs a program on a "host" with a network of its own: no packet leaves this machine.
# Run as root: unshare --mount --net --pid --fork --kill-child --mount-proc sh network-host.sh PROGRAM...
# The host is 203.0.113.2 in a provider's network and 10.99.0.1 in its owner's. Behind both lies the namespace "world", which
# plays a neighbour in each (203.0.113.1, 10.99.0.5), the internet (192.0.2.10, 198.51.100.20), and a cloud's metadata
# service (169.254.169.254 and fd00:ec2::254); the host itself reaches them all.
set -eu
fail() { echo "error: $*" >&2; exit 70; }
for program in ip nft; do
    command -v "$program" > /dev/null || fail "$program is missing: install the Debian packages iproute2 and nftables"
done
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
echo 1 > /proc/sys/net/ipv4/ip_forward
ip link set lo up
ip netns add world
ip -n world link set lo up
ip link add name wan0 type veth peer name wan0 netns world
ip link add name lan0 type veth peer name lan0 netns world
ip addr add 203.0.113.2/24 dev wan0
ip addr add 10.99.0.1/24 dev lan0
ip -6 addr add fd00:99::1/64 dev wan0 nodad
ip -n world addr add 203.0.113.1/24 dev wan0
ip -n world addr add 10.99.0.5/24 dev lan0
ip -n world -6 addr add fd00:99::2/64 dev wan0 nodad
for address in 192.0.2.10 198.51.100.20 169.254.169.254; do
    ip -n world addr add "$address/32" dev lo
done
ip -n world -6 addr add fd00:ec2::254/128 dev lo nodad
for device in wan0 lan0; do
    ip link set "$device" up
    ip -n world link set "$device" up
done
ip route add default via 203.0.113.1
ip route add 169.254.169.254 via 203.0.113.1
ip -6 route add default via fd00:99::2
status=0
"$@" &
wait $! || status=$?
exit $status
