# Sourced by demo.sh and test.sh: installs what is missing, from Debian's packages only.
#
#   packages_need NAME...   does nothing, quickly, when all are there

packages_build="gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libmodbus-dev libpaho-mqtt-dev libsqlite3-dev
libfyaml-dev libcjson-dev libssl-dev libsystemd-dev"
packages_package="dpkg-dev file"
packages_demo="mosquitto"
packages_test="libcmocka-dev mosquitto mosquitto-clients mbpoll clang clang-tidy clang-format llvm libclang-rt-14-dev
cppcheck valgrind python3 python3-pytest python3-paho-mqtt python3-pymodbus python3-serial python3-yaml python3-jsonschema python3-prometheus-client
sqlite3 socat openssl ca-certificates procps git groff-base mandoc lintian $packages_package"

packages_missing() {
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s ' "$name"
    done
}

packages_need() {
    missing=$(packages_missing "$@")
    [ -z "$missing" ] && return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "These Debian packages are missing, and there is no apt-get: $missing" >&2
        return 1
    fi
    root=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || {
            echo "These packages are missing: $missing. Run this as root, or install sudo." >&2
            return 1
        }
        root="sudo"
    fi
    echo "Installing: $missing"
    $root env DEBIAN_FRONTEND=noninteractive apt-get update -q=2 </dev/null || return 1
    # shellcheck disable=SC2086
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -q=2 -y --no-install-recommends $missing </dev/null || return 1
    # Debian starts a broker on port 1883 when it installs mosquitto. We asked for the program, not for the service.
    case " $missing " in
    *" mosquitto "*)
        if [ -d /run/systemd/system ]; then
            $root systemctl disable --now mosquitto.service >/dev/null 2>&1 || true
        fi
        ;;
    esac
}
