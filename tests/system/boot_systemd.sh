#!/bin/sh
# Boots systemd in namespaces of its own on a copy of this machine's root that lives in memory: nothing of the machine is changed, and no unit of
# it starts. Run by booted.py, as root, inside `unshare --mount --pid --fork --ipc --uts --cgroup`.
#
#   boot_systemd.sh WORK STAGE SHARE
#
# WORK: an empty folder; STAGE: a tree that is put over the root; SHARE: a folder that is
#   /srv/share there. The network is the machine's.
set -eu
work=$1 stage=$2 share=$3
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
mkdir "$work/up" "$work/lower" "$work/root"
cp -a "$stage/." "$work/up/"
root=$work/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/up,workdir=$work/lower" "$root"

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root/srv/share"
mount --bind "$share" "$root/srv/share"

# Neither the machine's devices nor its kernel's settings are to be had.
mount -t tmpfs -o mode=755,size=1m tmpfs "$root/dev"
for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
    # shellcheck disable=SC2086
    set -- $node
    mknod -m 666 "$root/dev/$1" c "$2" "$3"
done
# A serial line that no machine has: what is missing then is the device, not the right to it.
mknod -m 660 "$root/dev/ttyS27" c 4 91
chgrp dialout "$root/dev/ttyS27"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs tmpfs "$root/dev/shm"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -o remount,bind,ro "$root/sys"

# Of all units of this machine none is wanted by anything.
for folder in "$root"/etc/systemd/system "$root"/usr/lib/systemd/system/*.wants "$root"/usr/lib/systemd/system-generators \
    "$root"/usr/local/lib/systemd/system/*.wants; do
    [ ! -d "$folder" ] || mount -t tmpfs -o mode=755 tmpfs "$folder"
done
: >"$root/etc/fstab"
cat >"$root/etc/systemd/system/boot.target" <<'UNIT'
[Unit]
Description=What the tests need
Requires=systemd-journald.service
After=systemd-journald.service
AllowIsolate=yes
UNIT

mkdir "$root/run/old"
cd "$root"
pivot_root . run/old
umount -l /run/old
mount --make-rshared / # credentials are mounted from within another namespace
export container=riskgate-tests
exec /usr/lib/systemd/systemd --system --unit=boot.target --log-target=journal --log-level=info --show-status=no
