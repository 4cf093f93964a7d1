#!/bin/sh
# A fencing agent for nodes in namespaces: the power switch is a folder (PORTS), and the test at its other end.
ports='@PORTS@'
action=reboot
node=
while IFS='=' read -r key value; do
    case $key in
        action | option) action=$value ;;
        port | plug | nodename) node=$value ;;
    esac
done
[ "${1:-}" != -o ] || action=$2
case $action in
    metadata)
        cat <<'XML'
<?xml version="1.0"?>
<resource-agent name="fence_namespaces" shortdesc="Nodes in namespaces">
<longdesc>Nodes in namespaces</longdesc>
<parameters>
<parameter name="port" required="0"><content type="string"/><shortdesc>The node</shortdesc></parameter>
<parameter name="action" required="0"><content type="string" default="reboot"/><shortdesc>What to do</shortdesc></parameter>
</parameters>
<actions>
<action name="reboot"/><action name="off"/><action name="on"/><action name="monitor"/><action name="status"/><action name="metadata"/>
</actions>
</resource-agent>
XML
        ;;
    reboot | off)
        request=$ports/$action.$node.$$.$(cat /proc/sys/kernel/hostname)
        : >"$request"
        for _ in $(seq 300); do
            [ ! -e "$request.done" ] || exit 0
            sleep 0.1
        done
        exit 1
        ;;
esac
