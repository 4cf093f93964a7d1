#!/bin/sh
# ocf:test:guest, a guest that writes to a replicated disk (guest.ts) as long as it runs.
state=/run/guest.pid
is_running() {
    [ -e "$state" ] && kill -0 "$(cat "$state")" 2>/dev/null
}
case $1 in
    meta-data)
        cat <<'XML'
<?xml version="1.0"?>
<resource-agent name="guest" version="1"><version>1.1</version><longdesc lang="en">A guest</longdesc><shortdesc lang="en">A guest</shortdesc>
<parameters/><actions><action name="start" timeout="20s"/><action name="stop" timeout="20s"/><action name="monitor" timeout="20s" interval="1s"/><action name="meta-data" timeout="5s"/></actions></resource-agent>
XML
        ;;
    start)
        is_running && exit 0
        setsid '@NODE@' '@GUEST@' /run/xenlight/web '@LOGS@' >/run/guest.log 2>&1 </dev/null &
        echo $! >"$state"
        ;;
    stop)
        is_running || exit 0
        kill -9 "$(cat "$state")"
        while is_running; do sleep 0.05; done
        ;;
    monitor)
        is_running || exit 7
        ;;
    *) exit 3 ;;
esac
