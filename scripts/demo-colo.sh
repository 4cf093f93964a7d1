#!/bin/bash
# A pair of QEMUs with one COLO disk, by our own two commands: protected, the primary killed, taken over, protected again.
set -euo pipefail
cd "$(dirname "$0")/.."

for program in qemu-system-x86_64 qemu-img; do
    command -v "$program" > /dev/null || { echo "demo:colo needs $program: install qemu-system-x86 and qemu-utils" >&2; exit 1; }
done

here=$PWD
. scripts/demo-parts.sh

xl-colo() { node "$here/dist/bin/xl-colo.cjs" "$@"; }
xl-disk-parse() { node "$here/dist/bin/xl-disk-parse.cjs" "$@"; }

host=127.0.0.1
port=$((20000 + RANDOM % 10000))
records=(--records "$folder/records")

# boot NAME ROLE: a QEMU with its monitors and the disk of that name; its arguments are those of our other command
boot() {
    local name=$1 role=$2 arguments monitors=() number
    local spec="format=raw,vdev=hda,backendtype=qdisk,colo,colo-host=$host,colo-port=$port,colo-export=disk"
    spec+=",active-disk=$folder/$name-active.qcow2,hidden-disk=$folder/$name-hidden.qcow2,target=$folder/$name.img"
    mapfile -t arguments < <(xl-disk-parse --output argv --colo "$role" "$spec")
    for number in 1 2 3; do monitors+=(-qmp "unix:$name.$number,server=on,wait=off"); done
    printf '\n$ qemu-system-x86_64 …'
    printf ' %s' "${monitors[@]:0:4}" "${arguments[@]//"$folder/"/}"
    printf ' &\n'
    [[ $role = primary ]] || monitors+=(-S)
    stdbuf -oL qemu-system-x86_64 -M pc -display none -nodefaults "${monitors[@]}" "${arguments[@]}" > "$name.log" 2>&1 &
    running[$name]=$!
    until_so "QEMU of $name has its monitors" test -S "$name.3"
}

# guest NAME COMMAND: what a guest would do to its disk; the third monitor is for that
guest() {
    say "the guest of $1: $2"
    (
        cd "$here"
        node --input-type=module -e '
            import { connectQmp } from "xenlight/qmp"
            const [path, command] = process.argv.slice(1)
            const qmp = await connectQmp({ path })
            const { qdev } = (await qmp.execute("query-block")).find(({ qdev }) => qdev !== undefined)
            console.log(await qmp.execute("human-monitor-command", { "command-line": `qemu-io -d ${qdev} "${command}"` }))
            await qmp.close()
        ' "$folder/$1.3" "$2"
    ) | grep . || true
    sleep 0.2
    tail -n 2 "$1.log" | grep -v ops || true
}

for name in anna berta carla; do qemu-img create -q -f raw "$name.img" 64M; done
show xl-colo prepare berta.img:raw berta-active.qcow2 berta-hidden.qcow2
show xl-colo prepare 64M carla-active.qcow2 carla-hidden.qcow2
boot anna primary
boot berta secondary
guest anna 'write -P 1 0 1M'

pair=(--primary anna.1,anna.2 --secondary berta.1,berta.2 "${records[@]}")
show xl-colo start "${pair[@]}" --listen "$host:$port"
show xl-colo status "${pair[@]}" --graph
guest anna 'write -P 2 1M 1M'
show xl-colo checkpoint "${pair[@]}"
guest anna 'write -P 3 2M 1M'

printf '\n$ kill -9 anna     # what was written after the checkpoint is lost with it\n'
dies anna
show xl-colo status "${pair[@]}" || printf '(exit status %s)\n' "$?"
show xl-colo failover --secondary berta.1,berta.2 "${records[@]}" --resume
guest berta 'read -P 1 0 1M'
guest berta 'read -P 2 1M 1M'
guest berta 'read -P 0 2M 1M'

boot carla secondary
pair=(--primary berta.1,berta.2 --secondary carla.1,carla.2 "${records[@]}")
# on one machine, each of the two that were a secondary has a port of its own
show xl-colo reprotect "${pair[@]}" --listen "$host:$((port + 1))"
show xl-colo status "${pair[@]}"
show xl-colo stop "${pair[@]}"

if grep -l 'Pattern verification failed' ./*.log; then
    echo 'a guest read something else than it should have' >&2
    exit 1
fi
