#!/bin/bash
# A guest's disk on two nodes of protocol D, 20 checkpoints a second; the first node dies, the second goes on, the first comes back.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v qemu-system-x86_64 > /dev/null || { echo 'demo:remus needs qemu-system-x86_64: install qemu-system-x86' >&2; exit 1; }
here=$PWD
numbered=$here/build/test/guest
[[ -d $numbered ]] || { echo "demo:remus needs $numbered: npm run test:build makes it" >&2; exit 1; }

. scripts/demo-parts.sh

xl-remus() { node "$here/dist/bin/xl-remus.cjs" "$@"; }

# serve NAME --listen|--connect: the node of that name, as a process of its own
serve() {
    printf '\n$ xl-remus serve %s.img --pair-file pair %s peer.sock --nbd %s.nbd --control %s.ctl &\n' "$1" "$2" "$1" "$1"
    node "$here/dist/bin/xl-remus.cjs" serve "$1.img" --pair-file pair "$2" "$folder/peer.sock" --nbd "$1.nbd" \
        --control "$1.ctl" --dead-after 1s >> "$1.log" 2>&1 &
    running[$1]=$!
    until_so "$1 serves" is_served "$1"
}
is_served() {
    local said
    # the exit status says more than that it is there
    said=$(xl-remus status --control "$1.ctl") || true
    [[ $said == secondary* ]]
}

# guest NAME: a QEMU that boots from the node's disk
guest() {
    local disk="driver=nbd,node-name=d,export=disk,server.type=unix,server.path=$folder/$1.nbd"
    printf '\n$ qemu-system-x86_64 -blockdev %s -device ide-hd,drive=d &\n' "${disk/"$folder/"/}"
    qemu-system-x86_64 -M pc -m 16 -display none -nodefaults -qmp "unix:$1.qmp,server=on,wait=off" \
        -debugcon "file:$1.console" -blockdev "$disk" -device ide-hd,drive=d > "$1.qemu.log" 2>&1 &
    running[qemu of $1]=$!
    until_so "the guest of $1 writes" grep -q $'\x01' "$1.console"
}

# what the guest's disk has, which has to be all that it wrote up to some moment
numbers() {
    node --input-type=module -e '
        import { readFileSync } from "node:fs"
        const { writesIn } = await import(`${process.argv[1]}/numbered-disks.js`)
        const { silentGuest } = await import(`${process.argv[1]}/numbered-guest.js`)
        const last = writesIn(silentGuest, [readFileSync(process.argv[2])])
        if (last === 0) throw new Error("nothing is there")
        console.log(`${process.argv[2]}: all that the guest wrote, up to its write ${last}`)
    ' "$numbered" "$1.img"
}

say 'Two nodes of a disk of 1 MiB. A boot sector is put on the first one: a guest that writes numbered sectors without end.'
tr -dc a-z0-9 < /dev/urandom | head -c 32 > pair || true
for name in anna berta; do show xl-remus create "$name.img" --size 1M --pair-file pair --log-size 64M; done
node --input-type=module -e '
    import { openSync, writeSync } from "node:fs"
    const { guestSector, silentGuest } = await import(`${process.argv[1]}/numbered-guest.js`)
    writeSync(openSync(process.argv[2], "r+"), guestSector(silentGuest))
' "$numbered" anna.img
serve anna --listen
serve berta --connect
say 'Both are new: --force says whose data counts. It is copied to the other one.'
show xl-remus promote --force --control anna.ctl
show xl-remus resync --control anna.ctl

say 'The guest runs on anna, under RemusSession: it is suspended 20 times a second, and goes on when berta has the checkpoint.'
guest anna
printf '\n$ node scripts/demo-remus.mjs anna.qmp anna.nbd anna.ctl &\n'
(cd "$here" && exec node scripts/demo-remus.mjs "$folder/anna.qmp" "$folder/anna.nbd" "$folder/anna.ctl") > session.log 2>&1 &
running[session]=$!
until_so '40 epochs are committed' grep '^40 epochs' session.log
cat session.log
show xl-remus status --control anna.ctl
show xl-remus status --control berta.ctl

say 'kill -9: all processes of anna die, in the middle of an epoch. What was written since the last checkpoint is lost with them.'
dies 'qemu of anna' anna session
node --input-type=module -e '
    import { readFileSync } from "node:fs"
    const { lastNumber } = await import(`${process.argv[1]}/numbered-disks.js`)
    const { silentGuest } = await import(`${process.argv[1]}/numbered-guest.js`)
    console.log(`anna.img: the guest had made ${lastNumber(silentGuest, [readFileSync("anna.img")])} writes`)
' "$numbered"
show xl-remus promote --control berta.ctl
show xl-remus status --control berta.ctl || printf '(exit status %s)\n' "$?"
numbers berta

say 'A guest goes on there, and writes, while anna comes back and is brought up to date.'
guest berta
serve anna --listen
show xl-remus resync --control anna.ctl

say 'The guest ends. Both nodes hold the same.'
dies 'qemu of berta'
until_so 'its client is gone' xl-remus demote --control berta.ctl
show xl-remus status --control anna.ctl
cmp anna.img berta.img
echo 'anna.img and berta.img are equal'
