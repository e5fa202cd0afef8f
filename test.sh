#!/bin/sh
# All tests of riskgate, from a fresh clone on a bare Debian 12: installs what is missing, builds with both compilers,
# runs the tests, then again under the sanitizers. Exit status 0: everything passed.
#
#   ./test.sh          everything (the gate)
#   ./test.sh quick    one build, all tests but the sanitizers' and the analysers'
#   ./test.sh cross    packages for arm64 and armhf, built here; their unit tests under qemu. Not part of the gate.
set -eu
cd "$(dirname "$0")"
. tools/packages.sh

mode=${1:-all}
case "$mode" in all | quick | cross) ;; *)
    echo "usage: ./test.sh [quick|cross]" >&2
    exit 2
    ;;
esac

if [ "$mode" != cross ]; then
    # shellcheck disable=SC2086
    packages_need $packages_build $packages_test
fi

jobs=$(nproc)
tests=$((jobs * 3)) # at once: most of them wait most of the time
export CTEST_OUTPUT_ON_FAILURE=1

step() {
    printf '\n== %s (%s s)\n' "$1" "$(($(date +%s) - started))"
}
started=$(date +%s)

build() { # preset, arguments of cmake --build
    preset=$1
    shift
    cmake --preset "$preset" >"build-$preset.log" 2>&1 || {
        cat "build-$preset.log"
        return 1
    }
    cmake --build --preset "$preset" -j "$jobs" "$@" >"build-$preset.log" 2>&1 || {
        tail -n 60 "build-$preset.log"
        return 1
    }
    rm -f "build-$preset.log"
}

# A test of the real daemon (system.*, bench.*) that fails is run once more, alone: there its failure has been printed, and what the second
# run says tells a bug of chance from one that is always there. Up to two such are let through and named at the end, each a
# bug to be found, in the test or in the program. Nothing is let through beside a crash or a sanitizer's report.
unsteady=
again() { # preset, status so far
    logs="build/$1/Testing/Temporary"
    cp "$logs/LastTest.log" "$logs/FirstTest.log" 2>/dev/null || return "$2"
    failed=$(cut -d: -f2 "$logs/LastTestsFailed.log" | tr '\n' ' ')
    if [ "$(echo "$failed" | wc -w)" -gt 2 ] || cut -d: -f2 "$logs/LastTestsFailed.log" | grep -qvE '^(system|bench)\.' ||
        grep -aqE 'ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error: |Assertion `|ended by SIG' "$logs/FirstTest.log"; then
        return "$2"
    fi
    printf '\n-- once more, alone: %s\n' "$failed"
    ctest --test-dir "build/$1" -j 1 --rerun-failed || return $?
    unsteady="$unsteady $1: $failed"
}

# Whatever failed while the machine stood still and was tried again (tests/system/retrial.py): seen, even where all passed in the end.
run_tests() { # preset, arguments of ctest
    preset=$1
    shift
    ctest --test-dir "build/$preset" -j "$tests" "$@" && status=0 || status=$?
    grep -aE -A 2 '^[^ ]+, try [0-9] of [0-9]: ' "build/$preset/Testing/Temporary/LastTest.log" || true
    [ "$status" = 0 ] || again "$preset" "$status"
}

if [ "$mode" = cross ]; then
    for arch in arm64 armhf; do
        packages_cross "$arch"
        step "$arch: build"
        build "$arch"
        step "$arch: packages"
        (cd "build/$arch" && rm -f ./*.deb ./*.ddeb && cpack -G DEB >/dev/null &&
            lintian --fail-on error,warning --allow-root ./*.deb && ls -l ./*.deb)
        step "$arch: unit tests under qemu"
        # Some wait for threads, and an emulated machine may be too slow beside another test: once more, then.
        ctest --test-dir "build/$arch" -j "$jobs" -L unit --repeat until-pass:2
    done
    step "passed"
    exit 0
fi

step "release build (gcc)"
build release
step "tests of the release build"
run_tests release

if [ "$mode" = all ]; then
    step "second compiler (clang)"
    build clang
    step "tests under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer"
    build asan
    run_tests asan -LE 'lint|slow|own_build|punctual' # a sanitizer's pace is no judge of time
    step "tests with threads under ThreadSanitizer"
    build tsan --target tsan_tests
    run_tests tsan -L tsan
    step "analysers"
    tests/lint/analyse build/clang
fi

[ -z "$unsteady" ] || printf '\n== UNSTEADY, failed once and passed alone:%s\n' "$unsteady"
step "passed"
