"""When the machine itself stood still: what a test of punctuality does not hold against the daemon.

Controls that the daemon cannot work by being slow: on each processor something that only sleeps, and how late it wakes, and what the
kernel counts as stolen from that processor by the machine below (Watch, a process of its own, so that a test at work does not hold it
up); and for threads that want to run how long they waited for a processor (/proc/PID/task/TID/schedstat, second number, ns).
All of them tell stretches of time; where they overlap, it is one stall."""

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

TRIES = 3
# Standing still: 300 ms are more than any test's tolerance; 2 % of a shorter test, too; but never less than what one sees now and then
# on any machine with more to do than processors: there, a test must not lean on being tried again.
STILL_MS = 300
STILL_SHARE = 0.02
STILL_LEAST_MS = 100

# What a sanitizer, a failed assertion or glibc's heap checks leave behind, in any program's log.
CRASHES = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error: ", "Assertion `",
           "malloc(): ", "free(): ", "double free or corruption", "corrupted size vs. prev_size")
CRASH_SIGNALS = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP, signal.SIGSYS}

LOOK_S = 0.02
LEAST_MS = 10  # less is the ordinary give and take of a busy machine, which the daemon has to live with
STOLEN_MS = 20  # the kernel counts in steps of 10 ms: of one step nobody knows when it was gathered
BEAT_S = 0.01


def joined(stretches):
    """[(from, to)], sorted, without overlaps."""
    found = []
    for begin, end in sorted(stretches):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def length(stretches, from_ms, to_ms):
    return sum(max(0, min(end, to_ms) - max(begin, from_ms)) for begin, end in joined(stretches))


# ---- the sleepers, in a process of their own ---------------------------------------------------------------------------


def stolen_ms(stat, processor):
    """What the kernel says was stolen from it so far. stat: the text of /proc/stat."""
    for line in stat.splitlines():
        words = line.split()
        if words and words[0] == f"cpu{processor}" and len(words) > 8:
            return int(words[8]) * 1000 // os.sysconf("SC_CLK_TCK")
    return 0


def sleep_on(processor, out):
    """Writes a line for each stretch (CLOCK_MONOTONIC, ms) in which this processor did not do what it was asked to."""
    os.sched_setaffinity(0, {processor})  # of this thread
    stat = os.open("/proc/stat", os.O_RDONLY)
    before = stolen_ms(os.pread(stat, 65536, 0).decode(), processor)
    while True:
        due = time.monotonic() + BEAT_S
        time.sleep(BEAT_S)
        now = time.monotonic()
        stolen = stolen_ms(os.pread(stat, 65536, 0).decode(), processor)
        late = (now - due) * 1000
        if stolen - before >= STOLEN_MS:
            late = max(late, stolen - before)
        before = stolen
        if late >= LEAST_MS:
            os.write(out, f"{now * 1000 - late:.1f} {now * 1000:.1f}\n".encode())


def sleep_everywhere():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    for processor in os.sched_getaffinity(0):
        threading.Thread(target=sleep_on, args=(processor, 1), daemon=True).start()
    signal.pause()


class Watch:
    """The stretches (CLOCK_MONOTONIC, ms) in which some processor stood still, since this was made."""

    def __init__(self):
        with tempfile.NamedTemporaryFile(prefix="riskgate-watch-", delete=False) as file:
            self.file = pathlib.Path(file.name)
            self.child = subprocess.Popen([sys.executable, "-S", "-E", __file__], stdin=subprocess.DEVNULL, stdout=file)

    def stretches(self):
        time.sleep(3 * BEAT_S)  # what has just ended is about to be written
        return [tuple(map(float, line.split())) for line in self.file.read_text(encoding="ascii").splitlines(keepends=True)
                if line.endswith("\n")]

    def still_ms(self, from_ms, to_ms):
        return length(self.stretches(), from_ms, to_ms)

    def close(self):
        self.child.kill()
        self.child.wait()
        self.file.unlink()


# ---- what is judged --------------------------------------------------------------------------------------------------


def stood_still(still_ms, took_ms):
    return still_ms >= STILL_MS or still_ms >= max(STILL_LEAST_MS, STILL_SHARE * took_ms)


def waited_ns(pid, every_thread):
    """{thread: ns it has waited for a processor}"""
    found = {}
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in os.listdir(f"/proc/{pid}/task") if every_thread else [str(pid)]:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                    found[task] = int(file.read().split()[1])
    return found


class Stalls:
    """Looks from with-block's begin to its end. pids: the processes that must run for what is judged. Times: wall clock, ms."""

    def __init__(self, pids, every_thread=True):
        self.pids, self.every_thread = list(pids), every_thread
        self.found = []  # (from, to)
        self.watch = Watch()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.thread.start()

    def stop(self):
        """May come twice."""
        if self.ended.is_set():
            return
        self.ended.set()
        self.thread.join()
        wall = (time.time() - time.monotonic()) * 1000
        self.found = joined([*self.found, *((begin + wall, end + wall) for begin, end in self.watch.stretches())])
        self.watch.close()

    def _note(self, wall, stalled):
        if stalled >= LEAST_MS:
            self.found.append((wall - stalled, wall))

    def _look(self):
        before = [waited_ns(pid, self.every_thread) for pid in self.pids]
        at = time.monotonic()
        while not self.ended.wait(LOOK_S):
            now = [waited_ns(pid, self.every_thread) for pid in self.pids]
            wall = time.time() * 1000
            self._note(wall, (time.monotonic() - at - LOOK_S) * 1000)
            # One process after another may have had to wait, of each of them the thread that waited most.
            self._note(wall, sum(max((ns - then.get(task, 0) for task, ns in here.items()), default=0)
                                 for then, here in zip(before, now)) / 1e6)
            before, at = now, time.monotonic()

    def within(self, from_ms, to_ms):
        """Milliseconds for which something was held up between two instants."""
        return length(self.found, from_ms, to_ms)

    def spoiled(self, from_ms, to_ms, period_ms):
        """The same, and what follows from it: a poll that a stall has spoiled is made up for at the next instant of its grid. That is a
        period more for each stall that is long enough to spoil one."""
        long = sum(min(end, to_ms) - max(begin, from_ms) >= period_ms / 4 for begin, end in self.found)
        return self.within(from_ms, to_ms) + long * period_ms

    def covers(self, from_ms, to_ms, least_ms):
        """Whether there was a stall of at least so long in that stretch."""
        return any(min(end, to_ms) - max(begin, from_ms) >= least_ms for begin, end in self.found)

    def total(self):
        return sum(end - begin for begin, end in self.found)


if __name__ == "__main__":
    sleep_everywhere()
