#!/bin/bash
# In namespaces of its own: makes a root like this host's, without its services, and becomes its systemd.
set -eu
base=$OUT/root
mkdir "$base"
mount -t tmpfs tmpfs "$base"
mkdir "$base"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/root"
cd "$base/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs dev
for device in null zero full random urandom tty; do
    touch dev/$device
    mount --bind /dev/$device dev/$device
done
mkdir dev/shm dev/pts
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs dev/shm
mount -t tmpfs tmpfs run
mkdir run/lock
if [ -d /sys/fs/cgroup/systemd ]; then
    mount -t tmpfs tmpfs sys/fs/cgroup
    mkdir sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
else
    mount -t cgroup2 cgroup2 sys/fs/cgroup
fi
mkdir -p mnt/out mnt/project
mount --bind "$OUT" mnt/out
mount --bind "$PROJECT" mnt/project
mount -t tmpfs tmpfs tmp
units=etc/systemd/system
for target in sysinit basic multi-user network-online local-fs shutdown umount; do
    printf '[Unit]\nDefaultDependencies=no\n' > $units/$target.target
done
printf 'Wants=systemd-journald.socket systemd-journald.service\nAfter=systemd-journald.service\n' >> $units/sysinit.target
cat > $units/test.service <<UNIT
[Unit]
DefaultDependencies=no
Wants=systemd-journald.service systemd-journald.socket
After=systemd-journald.service
[Service]
Type=oneshot
ExecStart=/bin/bash -eu /mnt/project/$SCRIPT
ExecStopPost=/bin/bash -c 'echo "ended: \$SERVICE_RESULT" >> /mnt/out/log'
ExecStopPost=/bin/kill -s SIGRTMIN+4 1
StandardOutput=append:/mnt/out/log
StandardError=append:/mnt/out/log
UNIT
mkdir old
pivot_root . old
umount -l /old
exec chroot . /usr/bin/env -i container=other PATH=/usr/local/bin:/usr/bin:/bin /lib/systemd/systemd --unit=test.service --show-status=no --log-target=journal
