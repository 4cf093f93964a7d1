#!/bin/bash
# A guest whose disk is replicated: the hub dies and comes back, the guest dies, and its disk is started as of three seconds ago, and as of its last write.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v qemu-system-x86_64 > /dev/null || { echo 'demo:rephub needs qemu-system-x86_64: install qemu-system-x86' >&2; exit 1; }
here=$PWD
numbered=$here/build/test/guest
[[ -d $numbered ]] || { echo "demo:rephub needs $numbered: npm run test:build makes it" >&2; exit 1; }
. scripts/demo-parts.sh

rephub() { node "$here/dist/bin/rephub.cjs" "$@" --control hub.ctl; }
repagent() { node "$here/dist/bin/repagent.cjs" "$@" --control agent.ctl; }

hub() {
    printf '\n$ rephub serve --data data --listen hub.sock --nbd hub.nbd --control hub.ctl &\n'
    node "$here/dist/bin/rephub.cjs" serve --data data --listen ./hub.sock --nbd ./hub.nbd --control hub.ctl >> hub.log 2>&1 &
    running[hub]=$!
}

# boot NAME ARGUMENT …: a QEMU whose guest boots from the node d
boot() {
    local name=$1
    shift
    printf '\n$ qemu-system-x86_64'
    printf ' %s' "${@//"$folder/"/}"
    printf ' &\n'
    qemu-system-x86_64 -M pc -m 16 -display none -nodefaults -debugcon "file:$name.console" "$@" > "$name.log" 2>&1 &
    running[$name]=$!
    until_so "$name writes" grep -q $'\x01w' "$name.console"
}

# what the guest has reported so far: how many writes
reported() {
    node --input-type=module -e '
        import { readFileSync } from "node:fs"
        const { lastReported } = await import(`${process.argv[1]}/numbered-guest.js`)
        console.log(`the guest has reported ${lastReported(readFileSync("guest.console"))} writes`)
    ' "$numbered"
}

# numbers BRANCH: what the disk of a branch has, which has to be all that the guest wrote up to some moment
numbers() {
    (cd "$here" && node --input-type=module -e '
        import { connectNbd } from "xenlight/nbd"
        const { writesIn } = await import(`${process.argv[1]}/numbered-disks.js`)
        const [, , path, branch] = process.argv
        const disk = await connectNbd({ path }, { export: `web/${branch}/root` })
        const writes = writesIn({ disks: 1, sectors: 2047 }, [await disk.read(0, 2048 * 512)])
        await disk.disconnect()
        console.log(`${branch}: all that the guest wrote, up to its write ${writes}`)
    ' "$numbered" "$folder/hub.nbd" "$1")
}

is_protected() { repagent status web --json | grep -q '"state":"protected"'; }

say 'A disk of 64 MiB, of which a boot sector is the guest: it writes numbered sectors without end, and reports each write that succeeded.'
mkdir data agent run
truncate -s 64M web.img
node --input-type=module -e '
    import { openSync, writeSync } from "node:fs"
    const { guestSector } = await import(`${process.argv[1]}/numbered-guest.js`)
    writeSync(openSync("web.img", "r+"), guestSector({ disks: 1, sectors: 2047 }))
' "$numbered"

say 'The hub, where the copies live; and the agent beside the guest, which serves the disk to QEMU and sends each write to the hub.'
hub
printf '\n$ repagent protect web root=web.img --hub hub.sock --state agent --run run --control agent.ctl &\n'
node "$here/dist/bin/repagent.cjs" protect web root=web.img --hub ./hub.sock --state agent --run run --control agent.ctl >> agent.log 2>&1 &
running[agent]=$!
until_so 'the disk is protected' is_protected
nbd="driver=nbd,node-name=d,export=web/root,reconnect-delay=10,server.type=unix,server.path=$folder/run/web.root.sock"
boot guest -blockdev "$nbd" -device ide-hd,drive=d,werror=stop,rerror=stop
show repagent status web

say 'kill -9: the hub dies. The guest goes on; the agent keeps what the hub lacks.'
dies hub
sleep 1
show repagent status web || printf '(exit status %s)\n' "$?"
hub
until_so 'the disk is protected again' is_protected
show rephub status web
show repagent checkpoint web before-the-crash
sleep 4

say 'kill -9: the guest dies, and the agent with it.'
dies guest agent
reported

say 'Its disk as it was three seconds ago, as a test: what the guest of the test writes is thrown away.'
show rephub test web --at 3s-ago --branch past --form url
numbers past
mapfile -t disk < <(rephub arguments web past --form blockdev)
boot 'guest of the test' "${disk[@]}" -device ide-hd,drive=replica-0
dies 'guest of the test'
show rephub discard web past

say 'And as of its last write, for good: a fail-over. The old primary, should it come back, is refused.'
show rephub failover web --branch last --form url
numbers last
mapfile -t disk < <(rephub arguments web last --form blockdev)
boot 'guest that goes on' "${disk[@]}" -device ide-hd,drive=replica-0
show rephub commit web last
show rephub status web || printf '(exit status %s)\n' "$?"
