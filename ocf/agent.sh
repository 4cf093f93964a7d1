#!/bin/sh
# A resource agent (OCF 1.1) of xenlight, ocf:xenlight:@TYPE@. Written by `xl-cluster install`; do not change it here.
#
# A monitor of level 0 and a notification are answered here, from the file in which the process says what it is (STATE), without
# starting Node: monitors run every few seconds on every node, and a fail-over waits for a dozen notifications. All else is the command's.

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

instance=${OCF_RESOURCE_INSTANCE:-default}
instance=${instance%%:*}
folder=/run/xenlight/$instance
state=$folder/state

read_state() {
    beat='' monitor='' score=''
    while IFS='=' read -r key value; do
        case $key in
            beat) beat=$value ;;
            monitor) monitor=$value ;;
            score) score=$value ;;
        esac
    done <"$state"
}

# The score is said again when it has changed, and by every monitor of level 10.
say_score() {
    [ "$score" != "$(cat "$folder/score" 2>/dev/null)" ] || return 0
    case $score in
        '') crm_attribute --promotion -D >/dev/null 2>&1 ;;
        *) crm_attribute --promotion -v "$score" >/dev/null 2>&1 ;;
    esac && printf %s "$score" >"$folder/score"
}

# The file that its process has locked until its end.
lock_file() {
    case @TYPE@ in
        remus) echo "${OCF_RESKEY_disk:-}.meta" ;;
        colo) echo "$folder/lock" ;;
    esac
}

quick_monitor() {
    lock=$(lock_file)
    # All that is not plain is looked at closely.
    [ -f "$state" ] && [ -f "$lock" ] || ask monitor
    flock -s -n -E 75 "$lock" true
    [ $? = 75 ] || ask monitor

    read_state
    read -r now _ </proc/uptime
    now=${now%%.*}
    case $beat in
        '' | *[!0-9]*) ask monitor ;;
    esac
    if [ $((now - beat)) -gt "$fresh" ]; then
        echo "ocf-exit-reason:the process hangs: it has said nothing for $((now - beat)) seconds" >&2
        exit 1
    fi
    say_score
    case $monitor in
        running) exit 0 ;;
        promoted) exit 8 ;;
        degraded-promoted) exit 191 ;;
        failed-promoted) exit 9 ;;
        failed) exit 1 ;;
        *) ask monitor ;;
    esac
}

# What is about to happen changes nothing here; what has happened on another node may change what this one's data is worth.
quick_notify() {
    if [ "${OCF_RESKEY_CRM_meta_notify_type:-}" = post ] && [ -f "$state" ]; then
        read_state
        say_score
    fi
    exit 0
}

case ${1:-}:${OCF_CHECK_LEVEL:-0} in
    monitor:0) quick_monitor ;;
    notify:*) quick_notify ;;
esac
ask "${1:-}"
