"""riskgate-platform beside a real gateway through what is hard to be right about: receipts over outages of either side, a store that was
set aside, thinned records, holes asked for by hand."""

import contextlib
import json
import sqlite3

from conftest import wait_for
from documents import hold
from evidence import LONG, Listener, await_newest, head, site_of, uplink, world_of


def a_site(plant, broker, **options):
    world = plant(world_of(buses=1, units=2))
    return world, site_of(world, [uplink(broker.port, **options)], units=2, swings=False)


def receipted(gateway, stream):
    return sum(acked for acked, in gateway.query("SELECT acked FROM v_uplink WHERE stream = ?", stream))


def say(gateway, world, value, level):
    world.control.set("bus-0", 1, "holding", 0, value)
    wait_for(lambda: gateway.status()["level"] == level, what=level)


def lost(gateway):
    return [r for _, r in gateway.records("event") if r["kind"] == "lost"]


def damage(path):
    """Not one page of it can be read any more."""
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    with open(path, "r+b") as file:
        size = file.seek(0, 2)
        file.seek(0)
        file.write(b"\xa5" * size)


def test_a_store_that_was_set_aside(plant, broker, daemon, platform, tmp_path):
    """What was lost with it is told, the numbers go on above, a new chain is explained: nothing of that is a breach."""
    world, site = a_site(plant, broker)
    watcher = platform(broker, "--require-complete", "--store", tmp_path / "platform.db")
    with Listener(broker.port) as seen:
        gateway = daemon(site)
        say(gateway, world, 60, "red")
        say(gateway, world, 0, "none")
        wait_for(lambda: {"raise", "clear"} <= {json.loads(t)["event"] for t in watcher.records("alarm").values()}, what="the alarm")
        gateway.stop()
        before = {stream: max(watcher.records(stream), default=0) for stream in ("alarm", "event", "telemetry")}
        damage(gateway.database)
        gateway.start()
        told = wait_for(lambda: [r for r in lost(gateway) if r["cause"] == "corrupt"], LONG, "the loss told")
        say(gateway, world, 60, "red")
        for stream, top in before.items():
            wait_for(lambda s=stream, t=top: max(watcher.records(s)) > t, LONG, f"more of {stream}")
        told_before = await_newest(gateway, watcher, "event")
        gateway.stop()
        wait_for(lambda: any('"kind":"stop"' in t for s, t in watcher.records("event").items() if s > told_before), what="the goodbye")
        shapes = hold([(m.kind, m.json) for m in seen.messages])
    assert shapes["event.lost"]
    report = watcher.finish()
    assert report["breach_count"] == 0, (report["breaches"], told)
    streams = report["gateways"][0]["streams"]
    assert all(s["holes"] == 0 for s in streams.values()), streams


def test_receipts_over_outages(plant, broker, daemon, platform, tmp_path):
    """The platform is killed again and again: what it has not receipted comes again, and in the end it has all."""
    world, site = a_site(plant, broker, receipts=True, commands=["backfill"])
    store = tmp_path / "platform.db"
    words = ["--receipts", "--backfill", "--backfill-after", "1s", "--store", store]
    gateway = daemon(site, run=False)
    watcher = platform(broker, *words)
    gateway.start()
    for number in range(3):
        say(gateway, world, 60, "red")
        wait_for(lambda: receipted(gateway, "telemetry") > 0 and receipted(gateway, "event") > 0, LONG, "receipts")
        watcher.child.kill()
        say(gateway, world, 0, "none")
        wait_for(lambda n=head(gateway, "telemetry"): head(gateway, "telemetry") > n + 20, what="what nobody hears")
        watcher = platform(broker, *words, *(["--require-complete"] if number == 2 else []))
    goal = {stream: head(gateway, stream) for stream in ("alarm", "event", "telemetry")}
    for stream, top in goal.items():
        wait_for(lambda s=stream, t=top: receipted(gateway, s) >= t, 2 * LONG, f"the receipt of {stream} up to {top}")
    gateway.stop()
    report = watcher.finish()
    assert report["breach_count"] == 0, report["breaches"]

    with contextlib.closing(sqlite3.connect(store)) as db:
        for stream, top in goal.items():
            kept = dict(db.execute("SELECT seq, text FROM record WHERE stream = ? AND seq <= ?", (stream, top)))
            assert kept == dict(gateway.query(f"SELECT seq, body FROM {stream} WHERE seq <= {top}")), stream
