"""At MemoryMax: a control group that holds the whole daemon, its part of the page cache included. Above what it needs the page cache gives way and
the daemon never notices; below, the kernel kills it, and the next start finds everything that was committed. Skipped where no group can be made."""

import os
import pathlib
import signal

import pytest

import small_box
from conftest import program, wait_for
from evidence import LONG, head, judge, uplink
from test_promise_5_a_thousand import sanitized

pytestmark = pytest.mark.skipif(sanitized(), reason="sanitizers multiply memory")

ENOUGH = 32 << 20  # for the hundred devices of small_box.py with a thread each, and what the kernel keeps for them
TIGHT = 6 << 20


class Group:
    """A control group of the memory controller, of version 1 or 2, whichever is there. OSError: neither."""

    def __init__(self):
        first = pathlib.Path("/sys/fs/cgroup/memory")
        self.first = first.is_dir()
        self.folder = (first if self.first else pathlib.Path("/sys/fs/cgroup")) / f"riskgate-test-{os.getpid()}"
        self.folder.mkdir()
        try:
            self.limit(ENOUGH)
        except OSError:
            self.close()
            raise

    def limit(self, most):
        (self.folder / ("memory.limit_in_bytes" if self.first else "memory.max")).write_text(str(most), encoding="ascii")

    def most(self):
        return int((self.folder / ("memory.max_usage_in_bytes" if self.first else "memory.peak")).read_text(encoding="ascii"))

    def close(self):
        self.folder.rmdir()


@pytest.fixture
def group():
    try:
        made = Group()
    except OSError as error:
        pytest.skip(f"no control group of memory can be made here: {error}")
    yield made
    wait_for(lambda: not (made.folder / "cgroup.procs").read_text(encoding="ascii"), what="the group to be empty")
    made.close()


@pytest.fixture
def spawn(group, start):
    """spawn(gateway): begins in the group."""
    def make(gateway):
        gateway.child = start(["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', group.folder / "cgroup.procs", program("riskgated"),
                               "--config", gateway.file], name="riskgated")

    yield make


@pytest.fixture
def gateway(plant, broker, daemon, platform):
    world = plant(small_box.scenario(100))
    one = daemon({}, run=False)
    one.watcher = platform(broker, "--require-complete")
    one.config = small_box.site(one.folder, world.ports, [uplink(broker.port, backfill={"rate": "unlimited"})], "200ms")
    one.file.write_text(small_box.text(one.config), encoding="utf-8")
    return one


def test_memory_max(gateway, group, spawn):
    spawn(gateway)
    wait_for(lambda: gateway.ctl("status", check=False).returncode == 0, what="riskgated")
    wait_for(lambda: head(gateway, "telemetry") > 3000 and head(gateway, "alarm") > 0, LONG, "records")
    print(f"the group took {group.most() >> 10} KiB at most, of which {small_box.memory_kib(gateway.child.pid, 'VmHWM')} KiB were resident")
    assert gateway.child.running
    gateway.child.kill()
    kept = {stream: head(gateway, stream) for stream in ("telemetry", "alarm", "event")}

    group.limit(TIGHT)
    spawn(gateway)
    wait_for(lambda: not gateway.child.running, LONG, "the kernel's end of it")
    assert gateway.child.wait() == -signal.SIGKILL
    gateway.start()
    assert all(head(gateway, stream) >= count for stream, count in kept.items())
    wait_for(lambda: head(gateway, "telemetry") > kept["telemetry"] + 500, LONG, "records")
    judge(gateway, gateway.watcher)
