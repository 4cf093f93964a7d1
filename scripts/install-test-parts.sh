#!/bin/sh
# Installs what the tests run against (Debian packages), as root or through sudo; nothing to do where all are there.
set -eu

packages="gcc libc6-dev libxen-dev libyajl-dev xen-utils-4.17 xenstore-utils mount qemu-system-x86 qemu-system-xen qemu-utils nbdkit libnbd-bin fio openssl strace iproute2 zsh fish corosync pacemaker pacemaker-cli-utils resource-agents libxml2-utils systemd etcd-server prometheus"
# a browser: it is large
packages="$packages chromium fonts-dejavu-core"

missing=
for package in $packages; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
$as_root apt-get update
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
