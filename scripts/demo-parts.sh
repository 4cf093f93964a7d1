# What the demonstrations of processes share; a script sets `here`, the project's folder, before it reads this. Ends in a folder of its own.

folder=$(mktemp -d)
declare -A running=()
clean_up() {
    for process in "${running[@]}"; do kill -9 "$process" 2> /dev/null || true; done
    wait 2> /dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say() { printf '\n# %s\n' "$*"; }

# says a command, and does it
show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

# until WHAT COMMAND: waits until it succeeds, for half a minute
until_so() {
    local what=$1
    shift
    for _ in $(seq 150); do
        "$@" > /dev/null 2>&1 && return
        sleep 0.2
    done
    echo "it never came that $what" >&2
    cat ./*.log >&2
    return 1
}

# dies NAME …: SIGKILL
dies() {
    local name
    for name in "$@"; do kill -9 "${running[$name]}"; done
    for name in "$@"; do
        wait "${running[$name]}" 2> /dev/null || true
        unset "running[$name]"
    done
}

cd "$folder"
