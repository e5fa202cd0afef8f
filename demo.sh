#!/bin/sh
# riskgate's main job, live, on a bare Debian 12: a simulated plant, the gateway, a broker, and what the platform receives.
#
#   ./demo.sh               until Ctrl-C
#   ./demo.sh --seconds N   ends by itself after N seconds, with status 0
#
# Installs what is missing from Debian's packages, builds into build/demo, and writes into .demo; nothing is left running.
set -eu
cd "$(dirname "$0")"
. tools/packages.sh

usage() {
    echo "usage: ./demo.sh [--seconds N]" >&2
    exit 2
}
seconds=""
while [ $# -gt 0 ]; do
    case "$1" in
    --seconds)
        [ $# -ge 2 ] || usage
        seconds=$2
        case "$seconds" in '' | *[!0-9]* | 0) usage ;; esac
        shift 2
        ;;
    *) usage ;;
    esac
done

# shellcheck disable=SC2086
packages_need $packages_build $packages_demo

build() {
    cmake -S . -B build/demo -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DRG_TESTS=OFF &&
        cmake --build build/demo -j "$(nproc)"
}
mkdir -p build .demo
echo "Building..."
build >build/demo.log 2>&1 || {
    tail -n 40 build/demo.log
    exit 1
}

bin=$PWD/build/demo/bin
dir=$(mktemp -d "$PWD/.demo/run.XXXXXX")
broker="" plant="" gateway="" platform=""

# Ends what this script started, by its pid, youngest first, and waits until it has ended.
end() {
    for pid in $platform $gateway $plant $broker; do
        kill -TERM "$pid" 2>/dev/null || true
    done
    for pid in $platform $gateway $plant $broker; do
        wait "$pid" 2>/dev/null || true
    done
    platform="" gateway="" plant="" broker=""
    rm -rf "$dir"
    rmdir .demo 2>/dev/null || true
}
interrupted=""
trap 'end' EXIT
trap 'interrupted=1' INT TERM HUP PIPE

fail() {
    echo "demo: $1" >&2
    [ -f "$2" ] && tail -n 20 "$2" >&2
    exit 1
}

# Waits until the command succeeds; gives up when the process ends or after about 10 s.
await() { # pid command...
    pid=$1
    shift
    tries=200
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] && kill -0 "$pid" 2>/dev/null && [ -z "$interrupted" ] || return 1
        sleep 0.05
    done
}

# A broker of our own on a free loopback port: mosquitto ends at once when a port is taken.
start_broker() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        mqtt_port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 40000))
        printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest stderr\n' "$mqtt_port" >"$dir/mosquitto.conf"
        [ "$(id -u)" -eq 0 ] && echo 'user root' >>"$dir/mosquitto.conf"
        PATH=$PATH:/usr/sbin mosquitto -c "$dir/mosquitto.conf" >"$dir/mosquitto.log" 2>&1 &
        broker=$!
        await "$broker" grep -q 'running' "$dir/mosquitto.log" && return 0
        kill -TERM "$broker" 2>/dev/null || true
        wait "$broker" 2>/dev/null || true
        broker=""
        [ -z "$interrupted" ] || return 1
    done
    return 1
}

port_of() { # listener
    sed -n "s/.*\"$1\": *\([0-9][0-9]*\).*/\1/p" "$dir/ports.json"
}

start_broker || fail "no broker" "$dir/mosquitto.log"

sed -e "s|@DIR@|$dir|g" -e 's|@TCP_PORT@|0|g; s|@CONVERTER_PORT@|0|g' simulators/demo/plant.yaml >"$dir/plant.yaml"
"$bin/riskgate-plant" --config "$dir/plant.yaml" --port-file "$dir/ports.json" >"$dir/plant.log" 2>&1 &
plant=$!
await "$plant" test -s "$dir/ports.json" || fail "the plant does not start" "$dir/plant.log"

# The platform listens before the gateway speaks, so that it hears it from its first record on.
show=--plain
[ -t 1 ] && show=--view
# shellcheck disable=SC2086
"$bin/riskgate-platform" --broker "127.0.0.1:$mqtt_port" --records "$dir/records" $show ${seconds:+--seconds $seconds} &
platform=$!
await "$platform" test -e "$dir/records" || fail "the platform does not start" "$dir/mosquitto.log"

sed -e "s|@DIR@|$dir|g" -e "s|@TCP_PORT@|$(port_of shop)|g; s|@CONVERTER_PORT@|$(port_of dam)|g" -e "s|@MQTT_PORT@|$mqtt_port|g" \
    simulators/demo/gateway.yaml >"$dir/gateway.yaml"
"$bin/riskgated" --config "$dir/gateway.yaml" >"$dir/gateway.log" 2>&1 &
gateway=$!
await "$gateway" test -S "$dir/control.sock" || fail "the gateway does not start" "$dir/gateway.log"

status=0
wait "$platform" || status=$?
if [ -n "$interrupted" ]; then
    # The signal came while waiting: let the platform say its last words.
    kill -TERM "$platform" 2>/dev/null || true
    status=0
    wait "$platform" || status=$?
fi
platform=""
echo
echo "The gateway's own words:"
tail -n 5 "$dir/gateway.log"
end
exit "$status"
