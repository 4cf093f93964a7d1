#!/bin/sh
# The main job on one COLO disk: its record, its xenstore nodes, QEMU's arguments on both sides, what QEMU builds of them.
set -eu
cd "$(dirname "$0")/.."

spec='format=qcow2, vdev=hda, access=rw, backendtype=qdisk, colo, colo-host=192.168.100.2, colo-port=8889,
colo-export=colo-disk0, active-disk=/var/lib/xen/images/active.qcow2, hidden-disk=/var/lib/xen/images/hidden.qcow2,
target=/var/lib/xen/images/guest.qcow2'

show() {
    printf '\n$ xl-disk-parse %sSPEC\n' "${*:+$* }"
    node dist/bin/xl-disk-parse.cjs "$@" "$spec"
}

printf 'SPEC: %s\n' "$spec"
show
show --offline --domid 4 --output xenstore
show --offline --domid 4 --output argv --colo primary
show --offline --domid 4 --output argv --colo secondary
show --offline --domid 4 --output graph --colo secondary
