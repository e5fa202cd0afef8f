"""Promise 2: a record gets its number when it is committed, and only committed records are told. Killed with -9 at random moments, under
load: what the platform was told is in the store, with the same number and the same bytes, and the store itself is whole."""

import time

from conftest import wait_for
from evidence import (Listener, assert_lives, assert_store_is_sound, assert_told_is_stored, dice, head, judge, site_of, uplink,
                      world_of)

KILLS = 15
WHILE_STARTING = 5  # of them


def kill_at(gateway, numbers, starting):
    """One life, ended at a random moment: while it starts, or some time after it answers."""
    if starting:
        gateway.spawn()
        time.sleep(numbers.uniform(0, 0.4))
    else:
        gateway.start()
        time.sleep(numbers.uniform(0, 1.0))
    gateway.kill()


def test_killed_at_random_moments(plant, broker, daemon, platform):
    numbers = dice()
    world = plant(world_of(period="1500ms"))
    world.control.set("bus-0", 1, "holding", 0, 60)  # up for the whole test: its alarm must outlive every kill
    watcher = platform(broker, "--require-complete")
    gateway = daemon(site_of(world, [uplink(broker.port, backfill={"rate": "unlimited"})]), run=False)
    gateway.start()
    wait_for(lambda: any(r["point"] == "d-0-1.gas" for _, r in gateway.records("alarm")), what="the lasting alarm in the store")
    gateway.kill()
    lasting = assert_lives(assert_store_is_sound(gateway)["alarm"])["gas-high", "d-0-1.gas"]

    kinds = [True] * WHILE_STARTING + [False] * (KILLS - WHILE_STARTING)
    numbers.shuffle(kinds)
    heads = {}
    active = {}
    for starting in kinds:
        kill_at(gateway, numbers, starting)
        stored = assert_store_is_sound(gateway)
        assert_told_is_stored(watcher, stored)
        for stream, before in heads.items():
            assert head(gateway, stream) >= before, stream
        heads = {stream: len(stored[stream]) for stream in stored}
        # What was active at the last kill either still is, or has ended as the same occurrence.
        now = assert_lives(stored["alarm"])
        cleared = {r["alarm"] for _, r in gateway.records("alarm") if r["event"] == "clear"}
        for place, alarm in active.items():
            assert now.get(place) == alarm or alarm in cleared, (place, alarm)
        assert now["gas-high", "d-0-1.gas"] == lasting
        active = now

    with Listener(broker.port) as seen:
        gateway.start()
        assert next(a for a in gateway.alarms() if a["alarm"] == lasting)["level"] == "red"
        boots = lambda: [r["boot"] for _, r in gateway.records("event") if r["kind"] == "start"]  # noqa: E731
        wait_for(lambda: gateway.status()["boot"] in boots(), what="the last start's record")  # it answers before that is committed
        # Every start that came as far as the store counted itself, and none twice.
        starts = boots()
        assert starts == sorted(set(starts))
        seen.wait(lambda all: any(m.kind == "state" and m.json["online"] and not m.retain for m in all), "the state document")
        assert gateway.status()["boot"] == starts[-1] == seen.last("state")["boot"]
    assert KILLS - WHILE_STARTING + 2 <= starts[-1] <= KILLS + 2
    report = judge(gateway, watcher)
    assert report["streams"]["telemetry"]["received"] > 1000 and report["streams"]["alarm"]["received"] > 50
    assert len({r["alarm"] for _, r in gateway.records("alarm") if r["event"] == "raise"}) > 20
