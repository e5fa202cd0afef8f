"""again.py PROGRAM ARGUMENT...: a test program of ours with threads and time-outs of the real clock, judged as retrial.py judges a system test. One
that fails while the machine ran has failed, at once; one that fails while the machine stood still is shown and run again, TRIES times in all; a
crash or a sanitizer's report is never excused. Exit status: that of the last run."""

import subprocess
import sys
import time

from stalls import CRASH_SIGNALS, CRASHES, TRIES, Watch, stood_still


def run(words, watch, out):
    """The status that counts. out(text): where all is shown."""
    for number in range(1, TRIES + 1):
        from_ms = time.monotonic() * 1000
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        took_ms = time.monotonic() * 1000 - from_ms
        said = done.stdout.decode(errors="replace")
        out(said)
        if done.returncode == 0:
            return 0
        still_ms = watch.still_ms(from_ms, from_ms + took_ms)
        crash = -done.returncode in CRASH_SIGNALS or any(word in said for word in CRASHES)
        # In the words by which test.sh finds it.
        out(f"{words[0]}, try {number} of {TRIES}: status {done.returncode}, the machine stood still for {still_ms:.0f} of {took_ms:.0f} ms\n")
        if crash or not stood_still(still_ms, took_ms):
            break
    return done.returncode if done.returncode > 0 else 128 - done.returncode


def main():
    watch = Watch()
    try:
        return run(sys.argv[1:], watch, sys.stdout.write)
    finally:
        watch.close()


if __name__ == "__main__":
    sys.exit(main())
