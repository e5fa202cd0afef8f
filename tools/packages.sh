# Sourced by demo.sh and test.sh: installs what is missing, from Debian's packages only.
#
#   packages_need NAME...   does nothing, quickly, when all are there
#   packages_cross ARCH     what a build for Debian's ARCH needs; the libraries of ARCH come beside this machine's own

packages_build="gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libmodbus-dev libpaho-mqtt-dev libsqlite3-dev
libfyaml-dev libcjson-dev libssl-dev libsystemd-dev"
packages_package="dpkg-dev file"
packages_demo="mosquitto"
packages_test="libcmocka-dev mosquitto mosquitto-clients mbpoll clang clang-tidy clang-format llvm libclang-rt-14-dev
cppcheck valgrind python3 python3-pytest python3-paho-mqtt python3-pymodbus python3-serial python3-yaml python3-jsonschema python3-prometheus-client
sqlite3 socat openssl ca-certificates procps git systemd groff-base mandoc lintian $packages_package"

# A library may be there for other architectures, too; a name without one means this machine's own.
packages_missing() {
    own=$(dpkg --print-architecture 2>/dev/null) || own=none
    for name in "$@"; do
        case "$name" in *:*) arch=${name#*:} ;; *) arch=$own ;; esac
        dpkg-query -W -f '${Architecture} ${db:Status-Status}\n' "$name" 2>/dev/null |
            grep -qxE "($arch|all) installed" || printf '%s ' "$name"
    done
}

# Sets $root to what a command of root's is to begin with.
packages_root() {
    root=""
    [ "$(id -u)" -eq 0 ] && return 0
    root="sudo"
    command -v sudo >/dev/null 2>&1
}

packages_need() {
    missing=$(packages_missing "$@")
    [ -z "$missing" ] && return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "These Debian packages are missing, and there is no apt-get: $missing" >&2
        return 1
    fi
    packages_root || {
        echo "These packages are missing: $missing. Run this as root, or install sudo." >&2
        return 1
    }
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

packages_cross() { # arm64 or armhf
    case "$1" in
    arm64) names="gcc-aarch64-linux-gnu" ;;
    armhf) names="gcc-arm-linux-gnueabihf" ;;
    *) return 2 ;;
    esac
    case " $(dpkg --print-foreign-architectures | tr '\n' ' ')" in
    *" $1 "*) ;;
    *)
        packages_root || {
            echo "Libraries of $1 are needed. Run this as root, or install sudo." >&2
            return 1
        }
        $root dpkg --add-architecture "$1" || return 1
        ;;
    esac
    for name in $packages_build libcmocka-dev; do
        case "$name" in lib*-dev) names="$names $name:$1" ;; esac
    done
    # shellcheck disable=SC2086
    packages_need cmake ninja-build pkg-config qemu-user-static lintian $packages_package $names
}
