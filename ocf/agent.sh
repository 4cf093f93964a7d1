#!/bin/sh
# A resource agent (OCF 1.1) of xenlight, ocf:xenlight:@TYPE@. Written by `xl-cluster install`; do not change it here.
#
# A monitor of level 0, a notification, and the end of what has ended are answered here, from the file in which the process says what it is
# (STATE) and from its lock, without starting Node: monitors run every few seconds on every node, and a fail-over waits for all of them.
# All else is the command's.

NODE='@NODE@'
COMMAND='@COMMAND@'
# A manager gives a search path that lacks nothing; ocf-tester gives none.
PATH="${PATH:+$PATH:}/usr/sbin:/usr/bin:/sbin:/bin"
export PATH

# How old the state may be, in seconds: a process that lives writes it every second.
fresh=@FRESH@

ask() {
    exec "$NODE" "$COMMAND" ocf @TYPE@ "$1"
}

instance=${OCF_RESOURCE_INSTANCE:-default}
instance=${instance%%:*}
folder=/run/xenlight/$instance

# A file of the service of a group that is on this node: GROUP.agent or GROUP.hub, or without a group the begin of its lock's name.
of_side() {
    if [ "${OCF_RESKEY_CRM_meta_on_node:-$(uname -n)}" = "${OCF_RESKEY_agent:-}" ]; then
        echo "${OCF_RESKEY_agent_states:-/run/repagent/states}/${1}agent"
    else
        echo "${OCF_RESKEY_hub_states:-/run/rephub/states}/${1}hub"
    fi
}

# Where the process says what it is.
state_file() {
    case @TYPE@ in
        rephub-group) of_side "${OCF_RESKEY_group:-}." ;;
        *) echo "$folder/state" ;;
    esac
}
state=$(state_file)

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
    # that of a group depends on what the cluster knows, too
    [ @TYPE@ != rephub-group ] || ask "$1"
    case $score in
        '') crm_attribute --promotion -D >/dev/null 2>&1 ;;
        *) crm_attribute --promotion -v "$score" >/dev/null 2>&1 ;;
    esac && printf %s "$score" >"$folder/score"
}

# The file that its process has locked until its end.
lock_file() {
    case @TYPE@ in
        remus) echo "${OCF_RESKEY_disk:-}.meta" ;;
        rephub-group) echo "$(of_side '').lock" ;;
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
    say_score monitor
    # a service that is not started by its agent: whether the manager has started it, a file says
    case @TYPE@:$monitor in
        rephub-group:running | rephub-group:degraded) [ -f "$folder/started" ] || ask monitor ;;
    esac
    case $monitor in
        running) exit 0 ;;
        degraded)
            [ "${OCF_RESKEY_report_degraded:-always}" = deep ] && exit 0
            exit 190
            ;;
        promoted) exit 8 ;;
        degraded-promoted)
            [ "${OCF_RESKEY_report_degraded:-always}" = deep ] && exit 8
            exit 191
            ;;
        failed-promoted) exit 9 ;;
        failed) exit 1 ;;
        *) ask monitor ;;
    esac
}

# What is about to happen changes nothing here; what has happened on another node may change what this one's data is worth.
quick_notify() {
    if [ "${OCF_RESKEY_CRM_meta_notify_type:-}" = post ] && [ -f "$state" ]; then
        case @TYPE@:${OCF_RESKEY_CRM_meta_notify_operation:-} in
            rephub-group:promote | rephub-group:demote) ask notify ;;
        esac
        read_state
        say_score notify
    fi
    exit 0
}

# Where its process has gone already there is nothing to end.
quick_end() {
    # a group's service may be gone, and its guest's leave still be there
    [ @TYPE@ != rephub-group ] || return 0
    lock=$(lock_file)
    [ -f "$lock" ] && flock -s -n -E 75 "$lock" true || return 0
    rm -f "$folder/score"
    crm_attribute --promotion -D >/dev/null 2>&1
    [ "$1" = stop ] && exit 0
    echo 'ocf-exit-reason:it is not running' >&2
    exit 7
}

case ${1:-}:${OCF_CHECK_LEVEL:-0} in
    monitor:0) quick_monitor ;;
    notify:*) quick_notify ;;
    stop:* | demote:*) quick_end "$1" ;;
esac
ask "${1:-}"
