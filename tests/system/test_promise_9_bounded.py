"""Promise 9: memory is fixed after start-up, the disk has a limit, nothing grows while the uplink is away; and what a bound costs is told."""

import contextlib
import json
import os
import sqlite3
import time

import pytest

from conftest import PATIENCE, wait_for
from evidence import (LONG, await_arrival, descriptors, device_name, head, resident, rows, site_of, threads, uplink, world_of)

WARM = 6000  # records until the store, and with it the cache of its pages, has its size
POLLS = 12000  # records after that
LOSSES_TOLD = 60  # seconds: losses that go on are told at most so often
GROWTH = 1 << 20  # bytes; records of some 110 bytes that are kept would be more. AddressSanitizer's own book-keeping: four times that
# AddressSanitizer keeps freed memory for a while: little of it here, or that is what would be measured.
LITTLE_QUARANTINE = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1:thread_local_quarantine_size_kb=16"}


def losses(gateway, stream="telemetry"):
    return [r for _, r in gateway.records("event") if r["kind"] == "lost" and r["stream"] == stream]


def sanitized(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        return "libasan" in maps.read()


def test_nothing_grows_while_the_broker_is_away_and_devices_flap(plant, make_broker, daemon):
    away = make_broker()
    away.kill()
    world = plant(world_of(buses=4, units=4, period="1s"))
    gateway = daemon(site_of(world, [uplink(away.port), uplink(away.port, "city")], poll="10ms"), run=False)
    for device in gateway.config["devices"]:
        device.update(timeout="50ms", offline={"after": "300ms"})
    gateway.config["store"]["retention"] = {"max_size": "1MiB"}  # pages of the store are cached up to 1 MiB: less is filled sooner
    gateway.write()
    gateway.start(env=LITTLE_QUARANTINE)
    pid = gateway.child.pid

    def flap_until(goal):
        """Mute units, a refused bus, a dropped connection, in turn, until so many records are stored."""
        turn = 0
        while head(gateway, "telemetry") < goal:
            bus, unit = f"bus-{turn % 3}", 1 + turn % 4
            world.control.fault(bus, unit, "mute")
            world.control.fault(f"bus-{(turn + 1) % 3}", "*", "refuse")
            wait_for(lambda b=turn % 3, u=unit: gateway.device(device_name(b, u))["state"] != "online", what="the silence noticed")
            world.control.clear()
            world.control.fault(f"bus-{(turn + 2) % 3}", "*", "drop", "times=1")
            stored = head(gateway, "telemetry")
            wait_for(lambda s=stored: head(gateway, "telemetry") > s + 500, LONG, "further records")
            turn += 1
        return turn

    flap_until(WARM)
    before, open_before, threads_before = resident(pid), descriptors(pid), threads(pid)
    turns = flap_until(WARM + POLLS)
    grown = resident(pid) - before
    print(f"grown by {grown >> 10} KiB over {turns} turns, sanitized: {sanitized(pid)}")
    assert grown < GROWTH * (4 if sanitized(pid) else 1), f"{grown >> 10} KiB more after {POLLS} records"
    wait_for(lambda: descriptors(pid) <= open_before + 4, what="as many descriptors as before, but for a bus that opens")
    wait_for(lambda: threads(pid) <= threads_before + 2, what="as many threads as before, but for a try to connect")
    status = gateway.status()
    assert status["store"]["ok"] and status["store"]["unrecorded"] == 0
    offline = [r for _, r in gateway.records("alarm") if r["rule"] == "offline"]
    assert {r["event"] for r in offline} == {"raise", "clear"}, "the flapping was there"
    gateway.stop()


def test_max_size(plant, broker, daemon, platform, relay):
    """A store of 1 MiB and no uplink: telemetry goes, alarms stay, and the loss is told with its first and last number."""
    link = relay(broker.port)
    link.cut()
    limit = 1 << 20
    world = plant(world_of(buses=4, units=4, period="1s"))
    watcher = platform(broker)
    site = site_of(world, [uplink(link.port, backfill={"rate": "unlimited"})], poll="10ms")
    site["store"] = {"commit": "100ms", "retention": {"max_size": "1MiB"}}
    gateway = daemon(site)
    sizes = []

    def pruned():
        store = gateway.status()["store"]  # not by a query: a reader from outside holds the log
        sizes.append(store["size"])
        return store["lost"] > 0 and store["head"]["telemetry"] > 8000

    wait_for(pruned, LONG, "the retention")
    print(f"at most {max(sizes)} of {limit} bytes")
    assert max(sizes) <= limit, f"{max(sizes)} bytes"
    alarms = rows(gateway, "alarm")
    assert list(alarms) == list(range(1, len(alarms) + 1)) and len(alarms) > 100, "alarms keep their share"
    told = wait_for(lambda: losses(gateway), what="the loss told")[0]
    assert told["first"] == 1 and told["last"] >= told["first"] and told["count"] == told["last"], told
    assert told["cause"] == "size"

    # What was lost since is told at the next start at the latest, and what goes right after it a minute later, as losses are told at most
    # that often; then the platform knows of each hole.
    gateway.stop()
    world.control.ask("quit")
    gateway.start()
    first = gateway.query("SELECT min(seq) FROM telemetry")[0][0]
    wait_for(lambda: max(loss["last"] for loss in losses(gateway)) >= first - 1, LOSSES_TOLD + PATIENCE, "the rest of the loss told")
    link.mend()
    goal = {"telemetry": head(gateway, "telemetry"), "alarm": head(gateway, "alarm")}
    wait_for(lambda: len(watcher.records("alarm")) >= goal["alarm"], LONG, "the alarms")
    wait_for(lambda: goal["telemetry"] in watcher.records("telemetry"), LONG, "the newest telemetry")
    wait_for(lambda: gateway.status()["uplinks"][0]["pending"]["telemetry"] == 0, LONG, "all that is left")
    everything = set(range(1, goal["telemetry"] + 1))

    def silent():
        """What is neither at the platform nor told to it as lost. The broker has all of it: the platform gets it when it comes round to it."""
        holes = everything - set(watcher.records("telemetry"))
        for loss in (json.loads(text) for text in watcher.records("event").values()):
            if loss["kind"] == "lost":
                holes -= set(range(loss["first"], loss["last"] + 1))
        return holes

    end = time.monotonic() + LONG
    while (holes := silent()) and time.monotonic() < end:
        time.sleep(0.1)
    assert not holes, f"lost in silence: {len(holes)}, {min(holes)} to {max(holes)}"
    assert everything - set(watcher.records("telemetry")), "the bound has cost something"
    gateway.stop()
    assert watcher.finish()["breach_count"] == 0


@pytest.mark.parametrize("owed", [False, True])
def test_retention_by_age(plant, broker, daemon, platform, relay, owed):
    """Readings older than an hour go; that is a loss only for a platform that did not have them."""
    link = relay(broker.port)
    world = plant(world_of(buses=1, units=4))
    watcher = platform(broker)
    site = site_of(world, [uplink(link.port)], swings=False)
    site["store"] = {"commit": "100ms", "retention": {"telemetry": "1h"}}
    if owed:
        link.cut()
    gateway = daemon(site)
    wait_for(lambda: head(gateway, "telemetry") > 400, what="records")
    if not owed:
        await_arrival(gateway, watcher)
    world.control.ask("quit")
    gateway.stop()
    aged = 300
    with contextlib.closing(sqlite3.connect(gateway.database)) as db:
        db.execute("UPDATE telemetry SET ts = ts - 7200000 WHERE seq <= ?", (aged,))
        db.commit()
    kept = head(gateway, "telemetry")
    gateway.start()
    wait_for(lambda: gateway.query("SELECT min(seq) FROM telemetry")[0][0] == aged + 1, what="the retention")
    assert head(gateway, "telemetry") >= kept
    if owed:
        told = wait_for(lambda: losses(gateway), what="the loss told")
        assert [(loss["first"], loss["last"], loss["count"], loss["cause"]) for loss in told] == [(1, aged, aged, "age")]
    gateway.stop()
    assert owed or not losses(gateway)
    assert watcher.finish()["breach_count"] == 0
