#!/bin/sh
# The first process of a cluster node in namespaces of its own: gives it state of its own, and runs Corosync and Pacemaker there.
# $1 the node's name, $2 the folder that holds what is its own
set -eu
name=$1
folder=$2
mount --make-rprivate /
mount -t proc proc /proc
for private in /run /dev/shm /var/lib/corosync /etc/corosync /var/log; do
    mount -t tmpfs tmpfs "$private"
done
# what Pacemaker knows stays over a reboot
mount --bind "$folder/pacemaker" /var/lib/pacemaker
mkdir -p /run/lock /run/crm /run/pacemaker /run/resource-agents /var/log/cluster /var/log/corosync /var/log/pacemaker
chown hacluster:haclient /run/crm /var/log/pacemaker
# agents of the test beside those of the machine
mount -t overlay overlay -o "lowerdir=$folder/agents:/usr/lib/ocf/resource.d" /usr/lib/ocf/resource.d
mount -t overlay overlay -o "lowerdir=$folder/fencing:/usr/sbin" /usr/sbin
mkdir /run/web
mount --rbind "$folder" /run/web
hostname "$name"
cp "$folder/corosync.conf" /etc/corosync/corosync.conf
# what the machine starts beside the cluster
[ ! -x "$folder/services" ] || "$folder/services" >>"$folder/services.log" 2>&1 &
corosync -f >"$folder/corosync.log" 2>&1 &
until corosync-cfgtool -s >/dev/null 2>&1; do
    sleep 0.1
done
# this shell stays: it waits for what nobody else waits for
pacemakerd -f >>"$folder/pacemaker.log" 2>&1 &
wait $!
