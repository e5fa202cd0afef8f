"""Small boxes: a hundred devices of twenty points stay below 24 MiB, over a reload too, and the first reading is there within two seconds."""

import signal
import time

import pytest

import small_box
from conftest import wait_for
from evidence import configs_of, head, uplink
from test_promise_5_a_thousand import sanitized

MOST_KIB = 24 * 1024
OVER_A_RELOAD_KIB = {4: MOST_KIB, 100: 25 * 1024}  # for a moment; each connection has a thread
START_MS = 2000
RECORDS = 3000


@pytest.fixture
def site(plant, broker, daemon):
    """site(connections, period): the daemon, not started yet, of a hundred devices behind so many connections, with an uplink."""
    def make(connections, period):
        world = plant(small_box.scenario(connections))
        gateway = daemon({}, run=False)
        gateway.config = small_box.site(gateway.folder, world.ports, [uplink(broker.port)], period)
        gateway.file.write_text(small_box.text(gateway.config), encoding="utf-8")
        return gateway

    return make


@pytest.mark.skipif(sanitized(), reason="sanitizers multiply memory")
@pytest.mark.parametrize("connections", [4, 100])
def test_memory_of_a_hundred_devices(site, connections):
    gateway = site(connections, "200ms").start()
    pid = gateway.child.pid
    wait_for(lambda: head(gateway, "telemetry") > RECORDS, 60, "records")
    gateway.status()
    polled = small_box.memory_kib(pid)

    gateway.config["rules"][0]["above"]["red"] = 96
    gateway.config["devices"][7]["poll"] = "300ms"
    gateway.file.write_text(small_box.text(gateway.config), encoding="utf-8")
    gateway.child.signal(signal.SIGHUP)
    wait_for(lambda: configs_of(gateway), 60, "the reload")
    assert configs_of(gateway)[0]["applied"]
    stored = head(gateway, "telemetry")
    wait_for(lambda: head(gateway, "telemetry") > stored + 500, 60, "records after the reload")
    reloaded, most = small_box.memory_kib(pid), small_box.memory_kib(pid, "VmHWM")
    print(f"{polled} KiB, {reloaded} KiB after a reload, at most {most} KiB; {small_box.mappings(pid)}")
    gateway.stop()
    assert polled < MOST_KIB and reloaded < MOST_KIB
    assert most < OVER_A_RELOAD_KIB[connections]


@pytest.mark.skipif(sanitized(), reason="sanitizers multiply time")
@pytest.mark.punctual
def test_the_first_reading_is_there_soon(site):
    gateway = site(100, "1s")
    began = time.time() * 1000
    gateway.spawn()
    wait_for(lambda: gateway.database.exists() and gateway.socket.exists(), what="riskgated")
    wait_for(lambda: len(gateway.query("SELECT DISTINCT device FROM telemetry")) == small_box.DEVICES, 60, "a reading of every device")
    first, last = gateway.query("SELECT min(ts), max(ts) FROM (SELECT min(ts) AS ts FROM telemetry GROUP BY device)")[0]
    print(f"the first after {first - began:.0f} ms, the last device's first after {last - began:.0f} ms")
    gateway.stop()
    assert first - began < START_MS and last - began < START_MS
