"""Disks that are full, read-only, broken, slow or hang, and databases that are damaged, under a real daemon (promises 2, 3, 4, 5 and 9): no alarm is
lost, it goes out at once and is stored later, once; polling goes on; all of it is told; the daemon heals by itself."""

import contextlib
import errno
import json
import os
import sqlite3
import subprocess
import time

import pytest

from conftest import wait_for
from evidence import (LONG, Listener, assert_lives, await_arrival, await_newest, head, judge, rows, site_of, uplink, world_of)
from staged import Disk
from test_commands import Asker

FAULTS = {
    "full": ({"write": errno.ENOSPC}, "full"),
    "read-only": ({"write": errno.EROFS, "sync": errno.EROFS}, "Read-only"),
    "failing writes": ({"write": errno.EIO}, "disk I/O error"),
    "failing syncs": ({"sync": errno.EIO}, "disk I/O error"),
    "slow": ({"slow_ms": 10000}, "has not answered"),
    "hanging": ({"slow_ms": 100000000}, "has not answered"),
}


@pytest.fixture
def stack():
    with contextlib.ExitStack() as one:
        yield one


def remount(place, how):
    subprocess.run(["mount", "-o", f"remount,{how}", str(place)], check=True)


def polls(gateway):
    return sum(d["ok"] for d in gateway.status()["devices"])


def events(gateway, kind):
    return [r for _, r in gateway.records("event") if r["kind"] == kind]


def store_events(gateway):
    return [r for r in events(gateway, "device") if r.get("part") == "store"]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_alarm_is_lost(plant, broker, daemon, platform, tmp_path, fault):
    setting, words = FAULTS[fault]
    world = plant(world_of(buses=2, units=2))
    watcher = platform(broker, "--require-complete")
    gateway = daemon(site_of(world, [uplink(broker.port, backfill={"rate": "unlimited"})], units=2, poll="50ms", swings=False),
                     run=False)
    disk = Disk(tmp_path, gateway.database)
    gateway.start(env=disk.env())
    wait_for(lambda: head(gateway, "telemetry") > 20, what="records")
    assert disk.syncs > 0, "the faults are not staged"
    await_arrival(gateway, watcher)
    began = int(time.time() * 1000)

    with Listener(broker.port) as seen:
        disk.set(**setting)
        since = seen.count()
        world.control.set("bus-0", 1, "holding", 0, 60)
        told = seen.wait(lambda all: [m for m in all[since:] if m.kind == "alarm" and m.json.get("stored") is False], "the alarm, unstored",
                         LONG)[0]
        record = told.json["records"][0]
        assert told.json["first"] is None and "seq" not in record and (record["event"], record["level"]) == ("raise", "red")
        store = gateway.status()["store"]
        assert not store["ok"] and words.lower() in store["detail"].lower(), store
        # Polling goes on, for as long as it likes, and no poll waits for the disk.
        before = polls(gateway)
        wait_for(lambda: polls(gateway) > before + 100, what="polling goes on")
        world.control.set("bus-1", 1, "holding", 0, 60)  # and so does the next alarm
        seen.wait(lambda all: [m for m in all[since:] if m.kind == "alarm" and m.json.get("stored") is False
                               and m.json["records"][0]["point"] == "d-1-1.gas"], "the next alarm, unstored", LONG)
        disk.heal()
        wait_for(lambda: gateway.status()["store"]["ok"], LONG, "the store to take records again")
        seen.wait(lambda all: len({r["point"] for m in all[since:] if m.kind == "alarm" and m.json["first"] for r in m.json["records"]
                                   if r["event"] == "raise"}) == 2, "the proper records", LONG)
    wait_for(lambda: store_events(gateway), what="the event that tells of it")
    event = store_events(gateway)[-1]
    assert event["state"] == "online" and words.lower() in event["detail"].lower()
    assert began <= event["from"] <= event["to"] <= int(time.time() * 1000) and gateway.status()["store"]["detail"] is None
    raised = [r for _, r in gateway.records("alarm") if r["event"] == "raise"]
    assert [r["point"] for r in raised] == ["d-0-1.gas", "d-1-1.gas"]  # once each
    lost = events(gateway, "lost")
    assert not lost, lost
    judge(gateway, watcher)


@pytest.mark.parametrize("how", ["read-only", "failing"])
def test_a_start_on_a_disk_that_takes_nothing(plant, broker, daemon, platform, tmp_path, small_disk, how):
    """The box was cut off the power, and comes up with its disk mounted read-only: it watches all the same, knows the alarms that stood,
    tells new ones, and stores everything as soon as the disk takes it."""
    remount(small_disk, "size=64m")
    world = plant(world_of(buses=1, units=2))
    world.control.set("bus-0", 1, "holding", 0, 60)
    watcher = platform(broker)
    site = site_of(world, [uplink(broker.port, backfill={"rate": "unlimited"})], units=2, poll="50ms", swings=False)
    site["store"] = {"path": str(small_disk / "riskgate.db"), "commit": "100ms"}
    gateway = daemon(site)
    gateway.database = small_disk / "riskgate.db"
    lasting = wait_for(gateway.alarms, what="an alarm")[0]["alarm"]
    await_arrival(gateway, watcher)
    gateway.kill()
    before = head(gateway, "telemetry")

    disk = Disk(tmp_path, gateway.database)
    if how == "read-only":
        remount(small_disk, "ro")
        gateway.start()
    else:
        disk.set(write=errno.EIO, sync=errno.EIO)
        gateway.start(env=disk.env())
    with Listener(broker.port) as seen:
        wait_for(lambda: polls(gateway) > 20, what="polls")
        store = gateway.status()["store"]
        assert not store["ok"] and str(gateway.database) in store["detail"], store
        assert [a["alarm"] for a in gateway.alarms()] == [lasting]
        world.control.set("bus-0", 2, "holding", 0, 60)
        told = seen.wait(lambda all: [m for m in all if m.kind == "alarm" and m.json.get("stored") is False], "the alarm, unstored", LONG)[0]
        assert told.json["records"][0]["point"] == "d-0-2.gas"
        if how == "read-only":
            remount(small_disk, "rw")
        else:
            disk.heal()
        wait_for(lambda: gateway.status()["store"]["ok"], LONG, "the store to take records")
        seen.wait(lambda all: [m for m in all if m.kind == "alarm" and m.json["first"] and m.json["records"][-1]["point"] == "d-0-2.gas"],
                  "the proper record", LONG)
    raised = [r for _, r in gateway.records("alarm") if r["event"] == "raise"]
    assert [r["point"] for r in raised] == ["d-0-1.gas", "d-0-2.gas"] and raised[0]["alarm"] == lasting
    wait_for(lambda: len(events(gateway, "start")) == 2, what="the record of the start")
    assert gateway.status()["boot"] == 2
    wait_for(lambda: head(gateway, "telemetry") > before, what="telemetry")
    assert not events(gateway, "lost")
    judge(gateway, watcher)


def test_damaged_at_the_start(plant, broker, daemon, platform):
    """Its middle is overwritten while the daemon is off: set aside under a dated name, told to the platform; alarms go on as the same
    occurrences, numbers above the old ones."""
    world = plant(world_of(buses=1, units=2))
    world.control.set("bus-0", 1, "holding", 0, 60)
    watcher = platform(broker)
    gateway = daemon(site_of(world, [uplink(broker.port, backfill={"rate": "unlimited"})], units=2, swings=False))
    wait_for(lambda: gateway.alarms() and head(gateway, "telemetry") > 300, what="an alarm and records")
    alarm = gateway.alarms()[0]["alarm"]
    await_arrival(gateway, watcher)
    gateway.stop()
    before = {stream: head(gateway, stream) for stream in ("alarm", "telemetry", "event")}
    pages = [p for p, in gateway.query("SELECT pageno FROM dbstat WHERE name = 'telemetry' AND pagetype = 'leaf'")]
    size = gateway.query("PRAGMA page_size")[0][0]
    with open(gateway.database, "r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(b"\xa5" * size)
    gateway.start()
    wait_for(lambda: events(gateway, "lost") if head(gateway, "event") > before["event"] else False, what="the word of it", timeout=LONG)
    event = events(gateway, "lost")[-1]
    aside = gateway.database.parent / event["file"]
    assert aside.name.startswith("riskgate.db.corrupt-20") and aside.stat().st_size > 0
    assert (event["stream"], event["first"], event["last"], event["cause"]) == ("telemetry", 1, before["telemetry"], "corrupt")
    assert gateway.alarms()[0]["alarm"] == alarm
    assert gateway.status()["store"]["set_aside"]["count"] == 1
    wait_for(lambda: head(gateway, "telemetry") > before["telemetry"] + 50, what="new records")
    assert min(rows(gateway, "telemetry")) == before["telemetry"] + 1
    gateway.child.await_output("is damaged")
    await_newest(gateway, watcher, "telemetry")
    gateway.stop()
    stored = {stream: rows(gateway, stream) for stream in ("alarm", "event")}
    for stream, texts in stored.items():
        assert list(texts) == list(range(1, len(texts) + 1)), stream
        wait_for(lambda s=stream: set(stored[s]) <= set(watcher.records(s)), what=f"all of {stream}")
        assert watcher.records(stream) == texts, stream
    assert_lives(stored["alarm"])
    report = watcher.finish()
    assert report["breach_count"] == 0, report["breaches"]


def test_damaged_while_running(plant, broker, daemon, platform, stack):
    """Its pages are overwritten under the daemon: it goes on with a new one, and an alarm that comes just then is not lost."""
    world = plant(world_of(buses=1, units=2))
    watcher = platform(broker)
    gateway = daemon(site_of(world, [uplink(broker.port, backfill={"rate": "unlimited"}, commands=["backfill"])], units=2, swings=False))
    wait_for(lambda: head(gateway, "telemetry") > 300, what="records")
    await_arrival(gateway, watcher)
    platform_asks = stack.enter_context(Asker(broker.port))
    size = gateway.query("PRAGMA page_size")[0][0]
    file = stack.enter_context(open(gateway.database, "r+b", buffering=0))  # this file, and not the one that takes its place

    def damage():
        for page in range(1, os.fstat(file.fileno()).st_size // size):
            os.pwrite(file.fileno(), b"\xa5" * size, page * size)

    damage()
    world.control.set("bus-0", 1, "holding", 0, 60)

    def replaced():
        if list(gateway.database.parent.glob("*.corrupt-*")):
            return True
        damage()  # what the log has put right meanwhile, or the caches still hold
        platform_asks.send("backfill", stream="telemetry", **{"from": 1, "to": 300})  # who reads it finds out
        time.sleep(0.2)
        return False

    wait_for(replaced, LONG, "the damaged one to be set aside")
    wait_for(lambda: gateway.status()["store"]["ok"] and gateway.status()["store"]["set_aside"]["count"] == 1, LONG, "a new one")
    wait_for(lambda: any(json.loads(t)["event"] == "raise" for t in watcher.records("alarm").values()), LONG, "the alarm at the platform")
    wait_for(lambda: {r["stream"] for r in events(gateway, "lost")} >= {"telemetry"}, LONG, "the word of what is lost")
    assert all(r["cause"] == "corrupt" and r["file"].startswith("riskgate.db.corrupt-") for r in events(gateway, "lost"))
    before = head(gateway, "telemetry")
    wait_for(lambda: head(gateway, "telemetry") > before + 50, what="telemetry goes on")
    await_newest(gateway, watcher, "event")
    gateway.stop()
    received = {stream: watcher.records(stream) for stream in ("alarm", "event", "telemetry")}
    for stream in received:
        stored = rows(gateway, stream)
        assert all(received[stream].get(seq, text) == text for seq, text in stored.items()), f"{stream}: a number with two contents"
    report = watcher.finish()
    assert report["breach_count"] == 0, report["breaches"]


def test_taken_away_while_running(plant, broker, daemon, platform):
    """Somebody deletes the database: what is written to a file without a name is not stored, so a new one is made at once."""
    world = plant(world_of(buses=1, units=1))
    watcher = platform(broker)
    gateway = daemon(site_of(world, [uplink(broker.port)], units=1, swings=False))
    wait_for(lambda: head(gateway, "telemetry") > 50, what="records")
    await_arrival(gateway, watcher)
    gateway.database.unlink()

    def told():
        with contextlib.suppress(sqlite3.Error):  # it is being made
            return gateway.database.exists() and [r for r in events(gateway, "lost") if r["cause"] == "missing"]
        return False

    wait_for(told, LONG, "a new one")
    await_newest(gateway, watcher, "telemetry")
    gateway.stop()
    assert min(rows(gateway, "telemetry")) > 50
    report = watcher.finish()
    assert report["breach_count"] == 0, report["breaches"]


def test_what_is_not_a_store_is_left_alone(daemon):
    """Another program's database, a text, a folder: refused in plain words, and untouched."""
    gateway = daemon({"buses": [], "devices": []}, run=False)
    gateway.database.write_text("my notes\n")
    gateway.spawn()
    assert gateway.child.wait() == 1
    assert "left alone" in gateway.child.output() and gateway.database.read_text() == "my notes\n"
    assert not list(gateway.database.parent.glob("*.corrupt-*"))
