#!/bin/bash
# Runs a real systemd in namespaces of its own, over a root whose changes are thrown away, and a script under it as a service. Needs root.
# run.sh OUT PROJECT SCRIPT: OUT gets the script's output, as the file log. Its cgroup is OUT's name, below this process's.
set -eu
out=$1 project=$2 script=$3
cgroups=/sys/fs/cgroup/systemd
[ -d $cgroups ] || cgroups=/sys/fs/cgroup
group=$cgroups/$(basename "$out")
mkdir "$group"
trap 'find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true' EXIT
export OUT=$out PROJECT=$project SCRIPT=$script
setpriv --pdeathsig KILL bash -c "echo \$\$ > $group/cgroup.procs; exec unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child --propagation private bash -eu $(dirname "$0")/start.sh"
