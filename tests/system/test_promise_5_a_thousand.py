"""Promise 5 at size: a thousand devices with a connection each, three hundred of them dead in three ways. The healthy keep their
grid, and the daemon stays small."""

import contextlib
import pathlib
import socket
import time

import pytest

from conftest import program, wait_for
from stalls import Stalls

pytestmark = pytest.mark.punctual

HEALTHY = 700
DEAD = 100  # of each kind: refused, swallowed, mute
PERIOD_MS = 1000
SECONDS = 8
MEMORY_KIB = 64 * 1024


def sanitized():
    """Sanitizers multiply memory and time."""
    found = pathlib.Path(program("riskgated")).read_bytes()
    return b"__asan_init" in found or b"__tsan_init" in found


def memory_kib(pid, what):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(what))


@pytest.fixture
def refused():
    """Ports that are taken and not listened on: nobody else gets them, and a connection is refused."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(DEAD)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        yield [one.getsockname()[1] for one in held]


@pytest.fixture
def hole():
    """A port whose backlog is full: it takes no connection and refuses none."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_a_thousand_devices_of_which_three_hundred_are_dead(plant, daemon, refused, hole):
    unit = {"id": 1, "registers": [{"holding": 0, "count": 4, "value": 7}]}
    world = plant({"history": 0, "listeners": [
        {"name": "well", "tcp": "127.0.0.1:0", "count": HEALTHY, "units": [unit]},
        {"name": "mute", "tcp": "127.0.0.1:0", "count": DEAD, "units": [{**unit, "faults": [{"kind": "mute"}]}]}]})
    ports = {**world.ports, **{f"refused-{i}": port for i, port in enumerate(refused)}, **{f"hole-{i}": hole for i in range(DEAD)}}
    assert len(ports) == HEALTHY + 3 * DEAD
    points = [{"name": f"p{i}", "holding": i, "type": "u16"} for i in range(4)]
    gateway = daemon({
        "buses": [{"name": name, "tcp": f"127.0.0.1:{port}"} for name, port in ports.items()],
        "devices": [{"name": name, "bus": name, "unit": 1, "poll": f"{PERIOD_MS}ms", "points": points} for name in ports]})
    wait_for(lambda: all(d["state"] == "online" for d in gateway.status()["devices"] if d["name"].startswith("well")),
             timeout=60, what="all healthy devices")

    with Stalls([gateway.child.pid, world.child.pid], every_thread=False) as stalls:
        from_ms = int(time.time() * 1000)
        grid_ms = time.time() * 1000 - time.monotonic() * 1000  # the devices' instants are multiples of their period from here
        before = {d["name"]: d for d in gateway.status()["devices"]}
        end = time.monotonic() + SECONDS
        wait_for(lambda: time.monotonic() > end, timeout=SECONDS + 1, what="the time")
        after = {d["name"]: d for d in gateway.status()["devices"]}
        to_ms = int(time.time() * 1000)
    peak = memory_kib(gateway.child.pid, "VmHWM")
    threads = memory_kib(gateway.child.pid, "Threads")
    wait_for(lambda: gateway.query("SELECT max(ts) FROM telemetry")[0][0] > to_ms, what="the last readings in the store")
    states = [d["state"] for name, d in after.items() if not name.startswith("well")]
    assert "online" not in states
    gateway.stop()

    at = {}
    for name, ts in gateway.query("SELECT DISTINCT device, ts FROM v_reading WHERE quality = 'good' AND ts BETWEEN ? AND ?", from_ms, to_ms):
        at.setdefault(name, []).append(ts - grid_ms)
    assert len(at) == HEALTHY and all(name.startswith("well") for name in at)
    first, last = int(from_ms - grid_ms) // PERIOD_MS + 1, int(to_ms - grid_ms) // PERIOD_MS - 1
    held_up = {n: stalls.within(grid_ms + n * PERIOD_MS, grid_ms + (n + 1) * PERIOD_MS) for n in range(first - 1, last + 2)}
    late = sorted(max(0, ts % PERIOD_MS - held_up[ts // PERIOD_MS]) for readings in at.values() for ts in readings)
    missed = sum(held_up[n] < PERIOD_MS / 2 and n not in {ts // PERIOD_MS for ts in readings}
                 for readings in at.values() for n in range(first, last + 1))
    skipped = sum(after[n]["skipped"] - before[n]["skipped"] for n in at)
    raw = sorted(ts % PERIOD_MS for readings in at.values() for ts in readings)
    print(f"{len(raw)} readings, lateness p50 {raw[len(raw) // 2]:.0f} ms, p99 {raw[len(raw) * 99 // 100]:.0f} ms, {missed} instants missed, "
          f"{skipped} skipped; peak {peak} KiB, {threads} threads; the machine stood still for {stalls.total():.0f} ms in all")
    p99 = late[len(late) * 99 // 100]
    assert missed <= len(late) * 0.01
    assert p99 <= PERIOD_MS / 4, f"p99 of lateness {p99:.0f} ms, without what the machine stood still"
    if not sanitized():
        assert peak < MEMORY_KIB, f"{peak} KiB"
