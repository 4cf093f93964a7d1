#!/bin/sh
# A resource agent (OCF 1.1) of xenlight, ocf:xenlight:@TYPE@. Written by `xl-cluster install`; do not change it here.
#
# A monitor of level 0 is answered here, from the file in which the process says what it is (STATE), without starting Node:
# it runs every few seconds on every node. All else is the command's.

NODE='@NODE@'
COMMAND='@COMMAND@'
# A manager gives a search path that lacks nothing; ocf-tester gives none.
PATH="${PATH:+$PATH:}/usr/sbin:/usr/bin:/sbin:/bin"
export PATH

# How old the state may be, in seconds: a process that lives writes it every second.
fresh=10

ask() {
    exec "$NODE" "$COMMAND" ocf @TYPE@ "$1"
}

quick_monitor() {
    instance=${OCF_RESOURCE_INSTANCE:-default}
    instance=${instance%%:*}
    folder=/run/xenlight/$instance
    state=$folder/state
    lock=${OCF_RESKEY_disk:-}.meta
    # A process that serves the node holds this lock until its end. All that is not plain is looked at closely.
    [ -f "$state" ] && [ -f "$lock" ] || ask monitor
    flock -s -n -E 75 "$lock" true
    [ $? = 75 ] || ask monitor

    beat='' monitor='' score=''
    while IFS='=' read -r key value; do
        case $key in
            beat) beat=$value ;;
            monitor) monitor=$value ;;
            score) score=$value ;;
        esac
    done <"$state"
    read -r now _ </proc/uptime
    now=${now%%.*}
    case $beat in
        '' | *[!0-9]*) ask monitor ;;
    esac
    if [ $((now - beat)) -gt "$fresh" ]; then
        echo "ocf-exit-reason:the process hangs: it has said nothing for $((now - beat)) seconds" >&2
        exit 1
    fi
    # The score is said again when it has changed, and by every monitor of level 10.
    if [ "$score" != "$(cat "$folder/score" 2>/dev/null)" ]; then
        case $score in
            '') crm_attribute --promotion -D >/dev/null 2>&1 ;;
            *) crm_attribute --promotion -v "$score" >/dev/null 2>&1 ;;
        esac && printf %s "$score" >"$folder/score"
    fi
    case $monitor in
        running) exit 0 ;;
        promoted) exit 8 ;;
        degraded-promoted) exit 191 ;;
        failed-promoted) exit 9 ;;
        failed) exit 1 ;;
        *) ask monitor ;;
    esac
}

[ "${1:-}:${OCF_CHECK_LEVEL:-0}" != monitor:0 ] || quick_monitor
ask "${1:-}"
