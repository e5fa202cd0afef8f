"""When the machine itself stood still: what a test of punctuality does not hold against the daemon.

Two controls, neither of which the daemon can cause by being slow: a thread that only sleeps, and how late it wakes; and what the
kernel counts for threads that want to run and wait for a processor (/proc/PID/task/TID/schedstat, second number, ns)."""

import contextlib
import os
import threading
import time

LOOK_S = 0.02
LEAST_MS = 10  # between two looks; less is the ordinary give and take of a busy machine, which the daemon has to live with


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
    """Looks from with-block's begin to its end. pids: the processes that must run for what is judged."""

    def __init__(self, pids, every_thread=True):
        self.pids, self.every_thread = list(pids), every_thread
        self.found = []  # (from, to, stalled), wall clock, ms
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def _look(self):
        before = [waited_ns(pid, self.every_thread) for pid in self.pids]
        at = time.monotonic()
        while not self.ended.wait(LOOK_S):
            woken = time.monotonic()
            stalled = max(0, woken - at - LOOK_S) * 1000
            now = [waited_ns(pid, self.every_thread) for pid in self.pids]
            for then, here in zip(before, now):
                # One thread after another may have had to wait: the worst of each process.
                stalled += max((ns - then.get(task, 0) for task, ns in here.items()), default=0) / 1e6
            wall = time.time() * 1000
            if stalled >= LEAST_MS:
                self.found.append((wall - (time.monotonic() - at) * 1000, wall, stalled))
            before, at = now, time.monotonic()

    def within(self, from_ms, to_ms):
        """Milliseconds for which something was held up between two instants (wall clock, ms)."""
        return sum(stalled for begin, end, stalled in self.found if end > from_ms and begin < to_ms)

    def total(self):
        return sum(stalled for *_, stalled in self.found)
