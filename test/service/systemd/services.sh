# Under a real systemd: installs the units as docs/services.md says, and has them start, live, freeze, reload and end.
# Each line that begins with "ok" or "not ok" is one thing that has to be so.
is() {
    name=$1
    shift
    for _ in $(seq 300); do
        if "$@" > /tmp/said 2>&1; then
            echo "ok $name"
            return
        fi
        sleep 0.1
    done
    echo "not ok $name: $(cat /tmp/said)"
    systemctl status --no-pager -l "${services[@]}" || true
}
not() { ! "$@"; }
shows() { systemctl show -p "$2" --value "$1" | tee /dev/stderr | grep -qE "$3"; }
# of the journal of a unit
says() { journalctl --no-pager -o cat -u "$1" "${@:3}" | grep -E "$2"; }
services=(xenlight-rephub xenlight-repagent xl-remus@web)

for command in rephub repagent xl-remus xl-colo; do ln -sf /mnt/project/dist/bin/$command.cjs /usr/local/bin/$command; done
[ -x /usr/local/bin/node ] || [ -x /usr/bin/node ] || ln -s "$(cat /mnt/out/node)" /usr/local/bin/node
ip link set lo up

units=/mnt/project/systemd
install -m 644 "$units"/*.service /etc/systemd/system/
install -D -m 644 "$units"/xenlight.sysusers.conf /etc/sysusers.d/xenlight.conf
systemd-sysusers xenlight.conf
install -d -m 750 -g rephub /etc/xenlight
for service in "${services[@]}"; do
    mkdir -p /etc/systemd/system/$service.service.d
    printf '[Service]\nWatchdogSec=3\n' > /etc/systemd/system/$service.service.d/test.conf
done

mkdir -p /srv /etc/xenlight/xl-remus
truncate -s 16M /srv/web.img /srv/mail.img
qemu-img create -q -f qcow2 /srv/data.qcow2 16M
hub() { printf 'data: /var/lib/rephub\nlisten: 127.0.0.1:7900\nnbd: /run/rephub/nbd.sock\n%s\n' "$1" > /etc/xenlight/rephub.yaml; }
agent() {
    printf 'name: anna\nhub: 127.0.0.1:7900\nstate: /var/lib/repagent\nrun: /run/repagent\ngroups:\n' > /etc/xenlight/repagent.yaml
    printf '  %s\n' 'web: { disks: { root: { image: /srv/web.img }, data: { image: /srv/data.qcow2, format: qcow2 } } }' "$@" >> /etc/xenlight/repagent.yaml
}
hub ''
agent
echo pair > /etc/xenlight/xl-remus/web.pair
chmod 600 /etc/xenlight/xl-remus/web.pair
printf 'DISK=/srv/remus.img\nOPTIONS=--pair-file /etc/xenlight/xl-remus/web.pair --listen 127.0.0.1:7800\n' > /etc/xenlight/xl-remus/web.conf
xl-remus create /srv/remus.img --pair-file /etc/xenlight/xl-remus/web.pair --size 16M
systemctl daemon-reload

for service in "${services[@]}"; do is "$service starts, and says that it is ready" systemctl start $service; done
is 'the hub says how it is' shows xenlight-rephub StatusText 'web: protected, sent by anna'
is 'the agent says how it is' shows xenlight-repagent StatusText 'connected to the hub .* web: protected$'
is 'the node says how it is' shows xl-remus@web StatusText '^secondary'
is 'the agent can be asked' repagent status
sleep 7
for service in "${services[@]}"; do is "$service lives on under its watchdog" shows $service NRestarts '^0$'; done
is 'the journal has priorities' says xenlight-repagent 'not connected' -p warning
is 'and takes them off' not says xenlight-repagent '<[0-9]>'

before=$(systemctl show -p MainPID --value xenlight-repagent)
agent 'mail: { disks: { root: { image: /srv/mail.img } } }'
is 'the agent reloads' systemctl reload xenlight-repagent
is 'and has another group' shows xenlight-repagent StatusText 'mail: protected'
is 'in the same process' test "$before" = "$(systemctl show -p MainPID --value xenlight-repagent)"
hub 'listen: none'
is 'the hub reloads' systemctl reload xenlight-rephub
is 'and says what is wrong' says xenlight-rephub 'rephub.yaml.*is not used' -p err
is 'it is ready again' shows xenlight-rephub SubState '^running$'

hub ''
for service in "${services[@]}"; do kill -STOP "$(systemctl show -p MainPID --value $service)"; done
for service in "${services[@]}"; do
    is "$service that stands still is started again" shows $service NRestarts '^1$'
    is "$service serves again" shows $service SubState '^running$'
done
is 'the agent goes on with the storage daemon that was there' shows xenlight-repagent StatusText 'web: protected'
daemons() { [ "$(pgrep -c -f -- '--daemonize')" = "$1" ]; }
is 'which is one' daemons 1

for service in "${services[@]}"; do
    systemctl stop $service
    is "$service ends" shows $service Result '^success$'
    is "$service is gone" shows $service SubState '^dead$'
done
is 'with its storage daemon' daemons 0
agent 'mail'
systemctl start xenlight-repagent || true
is 'a configuration that cannot be used is not tried again' shows xenlight-repagent ExecMainStatus '^64$'
is 'nor started again' shows xenlight-repagent SubState '^failed$'

has() { grep -E "^CapEff:.*0$1\$" "/proc/$(systemctl show -p MainPID --value xl-remus@web)/status"; }
systemctl start xl-remus@web
is 'root without capabilities' has 0
printf '[Service]\nCapabilityBoundingSet=CAP_DAC_OVERRIDE\n' > /etc/systemd/system/xl-remus@web.service.d/test.conf
systemctl daemon-reload
systemctl restart xl-remus@web
is 'or with the one that a drop-in gives' has 2
systemctl stop xl-remus@web

mkdir -p /etc/xenlight/xl-colo
printf 'PRIMARY=/run/none.qmp\nSECONDARY=/run/none-2.qmp\nEVERY=200ms\nOPTIONS=--listen 127.0.0.1:9000\n' > /etc/xenlight/xl-colo/web.conf
systemctl start xl-colo@web || true
is 'a pair whose QEMU is not there is looked for again' shows xl-colo@web ExecMainStatus '^1$'
is 'and that is an error' says xl-colo@web 'xl-colo: .*/run/none.qmp' -p err
systemctl stop xl-colo@web
